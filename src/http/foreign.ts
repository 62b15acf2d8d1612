/**
 * Tells requests that a browser sends for another site's page, which knows no password but may be where ours is asked for or not asked for at all.
 * Programs are no browsers and send none of these headers; they are never meant.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** What is looked at in a request. */
export type RequestHeaders = Pick<IncomingMessage, 'headers'>;

/** Name and port of a Host header or of the rest of an Origin: `[::1]:9001` is `::1`. */
function hostnameOf(host: string): string {
  return host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1').toLowerCase();
}

/**
 * Whether a Host header names this machine in a way that no other site's name does. A site whose name is made to lead here (DNS rebinding)
 * would be the same origin for its own page.
 */
export function isLocalName(host: string | undefined): boolean {
  if (host === undefined || host === '') return true;
  const name = hostnameOf(host);
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost');
}

/**
 * Whether a request that changes something comes from the page of another site. `isLocal`: the server has no password and is meant for this machine only, so
 * that what it is called matters too.
 */
export function isForeign({ headers }: RequestHeaders, isLocal: boolean): boolean {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (origin === undefined && site === undefined) return false;
  if (isLocal && !isLocalName(host)) return true;
  // Browsers that send this say all there is to say; behind a proxy the two others may differ.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin?.replace(/^https?:\/\//i, '').toLowerCase() !== host?.toLowerCase();
}
