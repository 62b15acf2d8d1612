/**
 * Slows down guesses of passwords. After some wrong passwords for one user from one network, no password for that user
 * is compared for a while, whatever its value. So a guess in that time learns nothing, and a client in another network
 * or with another user never waits. Old failures are forgotten when they are looked at, so no timer is needed. Pure.
 */

/** Number of wrong passwords before the first pause. */
const FREE_FAILURES = 5;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** Time after the last failure until all are forgotten. A right password forgets none: a guesser may know one. */
const FORGET_MS = 10 * 60_000;
/** Largest number of networks. A further one replaces the one whose last failure is the oldest. */
const MAX_NETWORKS = 1024;
/**
 * Largest number of names of one network that no user has. A further one replaces the one whose last failure is the
 * oldest. No two names share a counter: otherwise, a stranger behind the same proxy could keep all users out with
 * names that do not exist.
 */
const MAX_UNKNOWN = 8;
const MAX_NAME = 64;

interface Failures {
  readonly isKnown: boolean;
  readonly count: number;
  readonly lastMs: number;
  readonly pauseEndMs: number;
}

/** The network and the user name of a login. */
export interface LoginAttempt {
  /** See {@link networkOf}; any other text for clients without an address. */
  readonly network: string;
  readonly user: string;
  /** True if a user has this name. Such a counter is never replaced. */
  readonly isKnown: boolean;
}

/** The failed logins of all servers. */
export class LoginThrottle {
  readonly #networks = new Map<string, Map<string, Failures>>();

  /** True if there was no failure. Then no attempt has to wait. */
  get isIdle(): boolean {
    return this.#networks.size === 0;
  }

  /** Returns the time until a password of this user is compared again; 0 for now. */
  waitMs({ network, user }: Omit<LoginAttempt, 'isKnown'>, nowMs: number): number {
    const failures = this.#recent(network, nowMs)?.get(keyOf(user));
    return Math.max((failures?.pauseEndMs ?? 0) - nowMs, 0);
  }

  /** Notes a wrong password. Returns the pause that follows; 0 for none. */
  noteFailure({ network, user, isKnown }: LoginAttempt, nowMs: number): number {
    const users = this.#recent(network, nowMs) ?? new Map<string, Failures>();
    const key = keyOf(user);
    const count = (users.get(key)?.count ?? 0) + 1;
    const pauseMs =
      count <= FREE_FAILURES ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (count - FREE_FAILURES - 1), LONGEST_PAUSE_MS);
    users.delete(key);
    users.set(key, { isKnown, count, lastMs: nowMs, pauseEndMs: nowMs + pauseMs });
    dropOldestUnknown(users);
    this.#networks.delete(network);
    this.#networks.set(network, users);
    const [oldest] = this.#networks.keys();
    if (this.#networks.size > MAX_NETWORKS && oldest !== undefined) this.#networks.delete(oldest);
    return pauseMs;
  }

  /** Returns the failures of a network that are not forgotten. */
  #recent(network: string, nowMs: number): Map<string, Failures> | undefined {
    const users = this.#networks.get(network);
    if (users === undefined) return undefined;
    for (const [key, { lastMs }] of users) if (nowMs - lastMs > FORGET_MS) users.delete(key);
    if (users.size > 0) return users;
    this.#networks.delete(network);
    return undefined;
  }
}

function keyOf(user: string): string {
  return user.slice(0, MAX_NAME);
}

/** Keeps the limit of the names that no user has. The names are in the order of their last failures. */
function dropOldestUnknown(users: Map<string, Failures>): void {
  const unknown = [...users].filter(([, { isKnown }]) => !isKnown);
  const [oldest] = unknown;
  if (unknown.length > MAX_UNKNOWN && oldest !== undefined) users.delete(oldest[0]);
}

/**
 * Returns the network of an address: the address itself for IPv4, the first 64 bits for IPv6, of which one client has
 * all addresses.
 */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%', 1);
  if (plain.includes('.')) return plain.slice(plain.lastIndexOf(':') + 1);
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(8 - groups.length - last.length, 0);
  const all = [...groups, ...Array.from({ length: zeros }, () => '0'), ...last];
  return `${all.slice(0, 4).join(':')}::/64`;
}
