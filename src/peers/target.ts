/** A supervisor to ask: an address of the configuration, or one of the addresses that its name means. */
import { createHash } from 'node:crypto';
import { formatPeerUrl, type PeerAddress } from '../core/peer-address.ts';

const ID_LENGTH = 12;

/** A supervisor to ask. */
export interface PeerTarget {
  /** Hash of the address: the only name that clients can use. */
  readonly id: string;
  readonly address: PeerAddress;
  /** Address of the host in numbers for `dns+…`; null otherwise. */
  readonly resolved: string | null;
  /** Reason why there is nothing to ask: the name has no address. Null if there is. */
  readonly problem: string | null;
}

/** Makes a target. */
export function makeTarget(address: PeerAddress, resolved: string | null, problem: string | null = null): PeerTarget {
  const text = `${formatPeerUrl(address)} ${resolved ?? ''}`;
  const id = createHash('sha256').update(text).digest('hex').slice(0, ID_LENGTH);
  return { id, address, resolved, problem };
}

/** Returns the name of a target for people. */
export function nameOf({ address, resolved }: PeerTarget): string {
  const name = address.name ?? (address.kind === 'unix' ? address.path : `${address.host}:${address.port}`);
  return resolved === null ? name : `${name} (${resolved})`;
}
