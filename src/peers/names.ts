/**
 * Addresses of names: the targets of all configured addresses. A name of `dns+…` is looked up again when a client asks
 * and the last look-up is older than some seconds; the old addresses serve until the answer is there. If a look-up
 * fails, they serve for a minute, so that a name server that is down hides no peer.
 */
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { formatPeerUrl, type PeerAddress } from '../core/peer-address.ts';
import type { Level } from '../core/log-level.ts';
import { describeConnectError } from '../health/reasons.ts';
import type { PeerLimits } from './limits.ts';
import { makeTarget, type PeerTarget } from './target.ts';

/** Parts of {@link PeerNames}. */
export interface PeerNamesParts {
  readonly peers: readonly PeerAddress[];
  readonly lookup: LookupFunction;
  /** The monotonic clock. */
  readonly nowMs: () => number;
  readonly report: (level: Level, text: string) => void;
  readonly limits: PeerLimits;
}

/** Knowledge about one name. */
interface Entry {
  readonly address: PeerAddress;
  targets: readonly PeerTarget[];
  /** Time of the latest answer with addresses, and of the latest answer. */
  foundMs: number;
  answeredMs: number;
  lookingUp: Promise<void> | null;
  hasReportedMany: boolean;
}

/** The targets of the configured addresses. */
export class PeerNames {
  readonly #parts: PeerNamesParts;
  readonly #entries: readonly Entry[];

  constructor(parts: PeerNamesParts) {
    this.#parts = parts;
    this.#entries = parts.peers.map((address) => ({
      address,
      targets: address.isEveryAddress ? [] : [makeTarget(address, null)],
      foundMs: -Infinity,
      answeredMs: -Infinity,
      lookingUp: null,
      hasReportedMany: false,
    }));
  }

  /** Begins look-ups that are due. Resolves when the names that have no addresses yet are looked up. Never rejects. */
  async refresh(): Promise<void> {
    const { nowMs, limits } = this.#parts;
    for (const entry of this.#entries) {
      if (!entry.address.isEveryAddress || entry.lookingUp !== null) continue;
      if (nowMs() - entry.answeredMs < limits.namesFreshMs) continue;
      entry.lookingUp = this.#lookUp(entry);
    }
    await Promise.all(
      this.#entries.map(({ targets, lookingUp }) =>
        targets.length === 0 && lookingUp !== null ? lookingUp : Promise.resolve(),
      ),
    );
  }

  /** Returns the targets that are known now, each once. A name that was not looked up yet has none. */
  targets(): PeerTarget[] {
    const all = new Map(this.#entries.flatMap(({ targets }) => targets.map((target) => [target.id, target] as const)));
    return [...all.values()].slice(0, this.#parts.limits.targets);
  }

  #lookUp(entry: Entry): Promise<void> {
    const { lookup } = this.#parts;
    return new Promise((resolve) => {
      lookup(entry.address.host, { all: true }, (error, found) => {
        this.#take(entry, error, typeof found === 'string' ? [] : found);
        entry.lookingUp = null;
        resolve();
      });
    });
  }

  #take(entry: Entry, error: NodeJS.ErrnoException | null, found: readonly LookupAddress[]): void {
    const { nowMs, limits, report } = this.#parts;
    const now = nowMs();
    entry.answeredMs = now;
    const numbers = sortedAddresses(found);
    if (numbers.length > 0) {
      entry.foundMs = now;
      if (numbers.length > limits.addresses && !entry.hasReportedMany) {
        entry.hasReportedMany = true;
        const url = formatPeerUrl(entry.address);
        report('warn', `${url} has ${numbers.length} addresses; the dashboard shows ${limits.addresses}`);
      }
      entry.targets = numbers.slice(0, limits.addresses).map((number) => makeTarget(entry.address, number));
    } else if (now - entry.foundMs >= limits.namesKeptMs) {
      const problem = error === null ? 'the name has no address' : describeConnectError(error);
      entry.targets = [makeTarget(entry.address, null, problem)];
    }
  }
}

/**
 * Returns the addresses of one family, in order. A container often has an address of each family; with both it would
 * be there twice.
 */
function sortedAddresses(found: readonly LookupAddress[]): string[] {
  const family = found.some((one) => one.family === 4) ? 4 : 6;
  const numbers = found.filter((one) => one.family === family).map(({ address }) => address);
  return [...new Set(numbers)].toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

function sortKey(address: string): string {
  return address
    .split('.')
    .map((part) => part.padStart(3, '0'))
    .join('.');
}
