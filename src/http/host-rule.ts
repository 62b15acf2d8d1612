/**
 * The names by which clients may address a server without a password. In a DNS rebinding attack, another site lets its
 * own name resolve to this machine. For the browser, our answers then have the origin of that site. Only the Host
 * header shows the difference.
 */
import { isIP } from 'node:net';

/** Returns the name in a Host header: `::1` for `[::1]:9001`. A header has at most 16 KiB. */
export function hostnameOf(host: string): string {
  const name = host.replace(/:\d*$/, '').toLowerCase();
  const isBracketed = name.startsWith('[') && name.endsWith(']');
  return isBracketed ? name.slice(1, -1) : name.replace(/\.$/, '');
}

/**
 * True for a name that no other site can have: a numeric address, `localhost` and names below it. Also true without a
 * name, because browsers always send one.
 */
export function isLocalName(host: string | undefined): boolean {
  if (host === undefined || host === '') return true;
  const name = hostnameOf(host);
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost');
}

/**
 * Makes the test of Host headers for a server without a password. `allowed` (`allowed_hosts`) has further names without
 * ports, for example of proxies; `*` allows all.
 */
export function createHostRule(allowed: readonly string[]): (host: string | undefined) => boolean {
  const names = new Set(allowed.map(hostnameOf));
  return (host) => isLocalName(host) || names.has('*') || names.has(hostnameOf(host ?? ''));
}

/** The answer to a request with another Host header. */
export const UNKNOWN_HOST =
  'This server has no password, so it answers only to localhost or a numeric address: ' +
  'the name of another site could resolve to this machine. ' +
  'Use such an address, set username and password, or add this host to allowed_hosts.';

/** Returns the names of `allowed_hosts` whose pages may change something. `*` trusts no page: it means any site. */
export function trustedNames(allowed: readonly string[]): ReadonlySet<string> {
  return new Set(allowed.map(hostnameOf).filter((name) => name !== '*' && name !== ''));
}
