/** The sockets of the option `listen`, and their text. Pure. */
import { formatSocketAddress, type SocketAddress } from './socket-address.ts';

/** One socket of `listen`. Mode and owner are for unix sockets; null: not given. */
export interface ListenSpec {
  readonly address: SocketAddress;
  readonly mode: number | null;
  readonly owner: { readonly user: string; readonly group: string | null } | null;
  /** Name in LISTEN_FDNAMES; null for the name of the program. */
  readonly name: string | null;
}

/** Formats the sockets of `listen` as a configuration writes them. */
export function formatListen(specs: readonly ListenSpec[]): string {
  return specs.map(formatSpec).join(', ');
}

function formatSpec({ address, mode, owner, name }: ListenSpec): string {
  return [
    formatSocketAddress(address),
    ...(mode === null ? [] : [`mode=0${mode.toString(8)}`]),
    ...(owner === null ? [] : [`owner=${owner.group === null ? owner.user : `${owner.user}:${owner.group}`}`]),
    ...(name === null ? [] : [`name=${name}`]),
  ].join(';');
}
