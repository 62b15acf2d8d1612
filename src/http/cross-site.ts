/**
 * The test for cross-site requests: requests that a browser sends for the page of another site. Such a page does not
 * know the password, but the browser may have stored it, or the server may have none. Programs other than browsers do
 * not send these headers and always pass.
 */
import type { IncomingMessage } from 'node:http';
import { hostnameOf } from './host-rule.ts';

/** The part of a request that the test reads. */
export type RequestHeaders = Pick<IncomingMessage, 'headers'>;

/**
 * True if a request that changes something comes from the page of another site. `trusted` has the names of further
 * hosts whose pages are ours, such as a proxy that sends another Host header (`allowed_hosts`).
 */
export function isCrossSite({ headers }: RequestHeaders, trusted: ReadonlySet<string> = new Set()): boolean {
  const { origin, host, 'sec-fetch-site': site, 'x-forwarded-host': forwarded, 'x-onevisor': ours } = headers;
  if (origin === undefined && site === undefined) return false;
  // Sec-Fetch-Site is enough if the browser sends it. Behind a proxy, Origin and Host may differ.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  // A browser sends this header for another site only after a preflight request, which is never granted.
  if (ours !== undefined && ours !== '') return false;
  const from = origin?.replace(/^https?:\/\//i, '').toLowerCase() ?? '';
  // The page of another site cannot set X-Forwarded-Host without a preflight request either.
  const hosts = [host, ...String(forwarded ?? '').split(',')].map((name) => name?.trim().toLowerCase());
  return !hosts.includes(from) && !trusted.has(hostnameOf(from));
}
