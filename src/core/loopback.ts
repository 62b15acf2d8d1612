/**
 * Test for loopback addresses. A server without a password may listen on such an address only (CVE-2019-12105). So any
 * address in doubt is not a loopback address. Pure.
 */

/** 127.0.0.0/8 */
const LOOPBACK_V4 = /^127(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

/** True if a host is a loopback address, or the name `localhost`. Other names may resolve to any address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || LOOPBACK_V4.test(host);
}
