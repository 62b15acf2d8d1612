/** Comparison of addresses that servers listen at. Pure. */

/** A host and a port. An empty host means all addresses of the machine. IPv6 without brackets. */
export interface ListenPlace {
  readonly host: string;
  readonly port: number;
}

/** Hosts that mean all addresses of the machine. */
const WIDE: ReadonlySet<string> = new Set(['', '*', '0.0.0.0', '::']);
/** Names of the loopback address of IPv4. */
const LOCAL: ReadonlySet<string> = new Set(['localhost', '127.0.0.1']);

/**
 * True if two servers cannot listen at both addresses at once (EADDRINUSE). Two other names may mean one address, but
 * nothing is known about that.
 */
export function isSameAddress(a: ListenPlace, b: ListenPlace): boolean {
  if (a.port !== b.port) return false;
  if (a.host === b.host || (LOCAL.has(a.host) && LOCAL.has(b.host))) return true;
  return covers(a.host, b.host) || covers(b.host, a.host);
}

/** True for a host that means all addresses, among them another one. `0.0.0.0` has no address of IPv6. */
function covers(wide: string, host: string): boolean {
  return WIDE.has(wide) && !(wide === '0.0.0.0' && host.includes(':') && host !== '::');
}
