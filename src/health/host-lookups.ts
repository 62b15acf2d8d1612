/**
 * Address look-ups for checks. A look-up occupies a thread of Node's pool until the name server answers, and the pool
 * is small (startup/pool-threads.ts). So few look-ups run at the same time, and never two for one name. `localhost`
 * needs no look-up.
 */
import { lookup as lookUp, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isLoopback } from '../core/loopback.ts';

/** Maximum number of look-ups at the same time. The other threads are for files. */
const AT_ONCE = 2;

const LOCAL: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** Asks for all addresses of a host, as dns.lookup() does. After an error there are no addresses. */
export type AskAddresses = (
  host: string,
  options: { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[] | undefined) => void,
) => void;

type Waiter = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void;

/** True if a check of this host stays on this machine. Names below `localhost` are resolved here, not by a server. */
export function isOwnHost(host: string): boolean {
  return isLoopback(host) || isLocalhost(host);
}

/** True for `localhost` and names below it. They mean the loopback addresses (RFC 6761), also without /etc/hosts. */
function isLocalhost(host: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(host);
}

/** Look-ups for all checks of one supervisor. */
export class HostLookups {
  /** Callbacks for each name that is being looked up or queued, in the order of the requests. */
  readonly #waiting = new Map<string, Waiter[]>();
  readonly #queue: string[] = [];
  #active = 0;
  readonly #ask: AskAddresses;

  /** `ask` is replaced in tests. */
  constructor(ask: AskAddresses = (...question) => lookUp(...question)) {
    this.#ask = ask;
  }

  /** The option `lookup` of a socket. A destroyed socket ignores a late answer. */
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
      for (const tell of waiters) tell(error, addresses ?? []);
      this.#next();
    });
  }
}
