/**
 * Addresses of the hosts that checks connect to. A look-up occupies a thread for as long as the name server is silent,
 * and there are four for everything that is ours: few go on at once, and never two for one name. `localhost` needs
 * none.
 */
import { lookup as lookUp, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isLoopback } from '../core/loopback.ts';

/** Look-ups at the same time; the other threads are for files. */
const AT_ONCE = 2;

const LOCAL: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

type Waiter = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void;

/** True if a check of this host stays on this machine. Names below `localhost` are resolved here, not by a server. */
export function isOwnHost(host: string): boolean {
  return isLoopback(host) || isLocalhost(host);
}

/** RFC 6761: the name is the loopback's, whatever a name server says. An image without /etc/hosts has it too. */
function isLocalhost(host: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(host);
}

/** Look-ups for all checks of one supervisor. */
export class HostLookups {
  /** Who waits for a name that is being looked up, or is going to be; in the order in which they were asked for. */
  readonly #waiting = new Map<string, Waiter[]>();
  readonly #queue: string[] = [];
  #active = 0;
  readonly #ask: typeof lookUp;

  /** `ask` is replaced in tests. */
  constructor(ask: typeof lookUp = lookUp) {
    this.#ask = ask;
  }

  /** For the option `lookup` of a socket; who has given up meanwhile is told all the same, and sockets do not mind. */
  readonly lookup: LookupFunction = (host, { all }, callback) => {
    const tell: Waiter = (error, addresses) => {
      const [first] = addresses;
      if (error !== null || first === undefined)
        callback(error ?? Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), []);
      else if (all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    };
    if (isLocalhost(host)) return queueMicrotask(() => tell(null, LOCAL));
    const waiters = this.#waiting.get(host);
    if (waiters !== undefined) return void waiters.push(tell);
    this.#waiting.set(host, [tell]);
    this.#queue.push(host);
    this.#next();
  };

  #next(): void {
    const host = this.#active < AT_ONCE ? this.#queue.shift() : undefined;
    if (host === undefined) return;
    this.#active += 1;
    this.#ask(host, { all: true }, (error, addresses) => {
      this.#active -= 1;
      const waiters = this.#waiting.get(host) ?? [];
      this.#waiting.delete(host);
      for (const tell of waiters) tell(error, error === null ? addresses : []);
      this.#next();
    });
  }
}
