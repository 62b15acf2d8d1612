/**
 * By which names a server without a password may be called. The page of another site whose name is made to lead to this
 * machine (DNS rebinding) is of the same origin as our answers for a browser: all that tells its requests is the name
 * that they ask for.
 */
import { isIP } from 'node:net';

/** The name in a Host header: `[::1]:9001` is `::1`. A header is at most 16 KiB long. */
function hostnameOf(host: string): string {
  const name = host.replace(/:\d*$/, '').toLowerCase();
  const isBracketed = name.startsWith('[') && name.endsWith(']');
  return isBracketed ? name.slice(1, -1) : name.replace(/\.$/, '');
}

/**
 * True for a name that no other site has: an address in numbers, `localhost` and names below it. Programs that send no
 * name are no browsers.
 */
export function isLocalName(host: string | undefined): boolean {
  if (host === undefined || host === '') return true;
  const name = hostnameOf(host);
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost');
}

/**
 * A test of Host headers for a server without a password. `allowed` (`allowed_hosts`): further names without ports, as
 * those of proxies; `*` for any.
 */
export function createHostRule(allowed: readonly string[]): (host: string | undefined) => boolean {
  const names = new Set(allowed.map(hostnameOf));
  return (host) => isLocalName(host) || names.has('*') || names.has(hostnameOf(host ?? ''));
}

/** Answer to a client whose name for the server is not accepted. */
export const UNKNOWN_HOST =
  'This server has no password, so it answers only where its address is one in numbers or localhost: another site could have its own name lead here. ' +
  'Use such an address, set username and password, or name this host in allowed_hosts.';
