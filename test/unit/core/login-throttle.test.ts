/** Pauses after wrong passwords: their lengths, to whom they apply, and the limits of the memory for them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type LoginAttempt, LoginThrottle, networkOf } from '../../../src/core/login-throttle.ts';

const MINUTE = 60_000;
const at = (network: string, user = 'ops', isKnown = user === 'ops'): LoginAttempt => ({ network, user, isKnown });

function fail(throttle: LoginThrottle, times: number, attempt = at('a'), nowMs = 0): number {
  let pauseMs = 0;
  for (let count = 0; count < times; count += 1) pauseMs = throttle.noteFailure(attempt, nowMs);
  return pauseMs;
}

describe('failed logins', () => {
  test('five are free, then each doubles the pause up to half a minute', () => {
    const throttle = new LoginThrottle();
    assert.ok(throttle.isIdle);
    assert.equal(fail(throttle, 5), 0);
    assert.ok(!throttle.isIdle);
    assert.equal(throttle.waitMs(at('a'), 0), 0);
    assert.deepEqual(
      Array.from({ length: 7 }, () => fail(throttle, 1)),
      [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
    );
    assert.equal(throttle.waitMs(at('a'), 10_000), 20_000);
    assert.equal(throttle.waitMs(at('a'), 30_000), 0);
    assert.equal(fail(throttle, 500), 30_000);
  });

  test('another network and another user never wait', () => {
    const throttle = new LoginThrottle();
    fail(throttle, 50);
    assert.equal(throttle.waitMs(at('b'), 0), 0);
    assert.equal(throttle.waitMs(at('a', 'bob'), 0), 0);
  });

  test('are forgotten ten minutes after the last one', () => {
    const throttle = new LoginThrottle();
    fail(throttle, 8);
    assert.equal(fail(throttle, 1, at('a'), 10 * MINUTE), 8000);
    assert.equal(fail(throttle, 1, at('a'), 20 * MINUTE + 1), 0);
    assert.equal(throttle.waitMs(at('a'), 31 * MINUTE), 0);
    assert.ok(throttle.isIdle);
  });

  test('of names that no user has keep no user out, and the oldest of them are replaced', () => {
    const throttle = new LoginThrottle();
    fail(throttle, 6);
    fail(throttle, 6, at('a', 'first'));
    fail(throttle, 6, at('a', 'second'));
    fail(throttle, 1, at('a', 'first'));
    for (let user = 0; user < 7; user += 1) assert.equal(fail(throttle, 6, at('a', `u${user}`)), 1000);
    assert.equal(throttle.waitMs(at('a', 'bob'), 0), 0);
    assert.equal(throttle.waitMs(at('a', 'second'), 0), 0);
    assert.equal(throttle.waitMs(at('a', 'first'), 0), 2000);
    // The counter of a user stays.
    assert.equal(throttle.waitMs(at('a'), 0), 1000);
  });

  test('a long name is cut', () => {
    const throttle = new LoginThrottle();
    fail(throttle, 6, at('a', 'x'.repeat(10_000)));
    assert.equal(throttle.waitMs(at('a', 'x'.repeat(64)), 0), 1000);
  });

  test('of a thousand other networks replace those of the oldest', () => {
    const throttle = new LoginThrottle();
    fail(throttle, 6, at('first'));
    fail(throttle, 6, at('second'));
    fail(throttle, 1, at('first'));
    for (let network = 0; network < 1023; network += 1) fail(throttle, 1, at(`n${network}`));
    assert.equal(throttle.waitMs(at('second'), 0), 0);
    assert.equal(throttle.waitMs(at('first'), 0), 2000);
  });
});

test('one network is one IPv4 address, or 64 bits of an IPv6 address', () => {
  for (const [address, network] of [
    ['10.0.0.7', '10.0.0.7'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['', '::/64'],
  ] as const)
    assert.equal(networkOf(address), network, address);
});
