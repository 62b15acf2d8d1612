/**
 * The test for cross-site requests: requests that a browser sends for the page of another site. Such a page does not
 * know the password, but the browser may have stored it, or the server may have none. Programs other than browsers do
 * not send these headers and always pass.
 */
import type { IncomingMessage } from 'node:http';

/** The part of a request that the test reads. */
export type RequestHeaders = Pick<IncomingMessage, 'headers'>;

/** True if a request that changes something comes from the page of another site. */
export function isCrossSite({ headers }: RequestHeaders): boolean {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (origin === undefined && site === undefined) return false;
  // Sec-Fetch-Site is enough if the browser sends it. Behind a proxy, Origin and Host may differ.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin?.replace(/^https?:\/\//i, '').toLowerCase() !== host?.toLowerCase();
}
