/**
 * Test for addresses that only this machine can reach. It guards the rule that a server without a password is opened on
 * such an address only (CVE-2019-12105), so an address in doubt is not a loopback address. Pure.
 */

/** 127.0.0.0/8 */
const LOOPBACK_V4 = /^127(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

/** True if a host is a loopback address, or the name `localhost`. Other names may resolve to any address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || LOOPBACK_V4.test(host);
}
