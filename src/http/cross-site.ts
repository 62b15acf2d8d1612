/**
 * Tells requests that a browser sends for another site's page, which knows no password but may be where ours is asked
 * for or not asked for at all. Programs are no browsers and send none of these headers; they are never meant.
 */
import type { IncomingMessage } from 'node:http';

/** What is looked at in a request. */
export type RequestHeaders = Pick<IncomingMessage, 'headers'>;

/** True if a request that changes something comes from the page of another site. */
export function isCrossSite({ headers }: RequestHeaders): boolean {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (origin === undefined && site === undefined) return false;
  // Browsers that send this say all there is to say; behind a proxy the two others may differ.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin?.replace(/^https?:\/\//i, '').toLowerCase() !== host?.toLowerCase();
}
