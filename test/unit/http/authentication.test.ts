/** Basic authentication: plain and {SHA} passwords, wrong credentials, roles, and pauses after wrong passwords. */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { describe, test } from 'node:test';
import { LoginThrottle } from '../../../src/core/login-throttle.ts';
import type { Role } from '../../../src/core/role.ts';
import {
  createLoginCheck,
  createUserSearch,
  type HttpUser,
  type LoginCheck,
  parseBasic,
  usersOf,
} from '../../../src/http/authentication.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const HASH = '82ab876d1387bfafe46cc1c8a2ef074eae50cb1d';
const user = (name: string, password: string, role: Role = 'read'): HttpUser => ({ name, password, role });

describe('the search for a user', () => {
  const plain = createUserSearch([user('other', 'x'), user('user', 'a:b é'), user('last', 'y')]);
  const hashed = createUserSearch([user('user', `{SHA}${HASH}`)]);

  test('finds the right name and password', () => {
    assert.equal(plain(basic('user:a:b é'))?.name, 'user');
    assert.equal(plain(basic('user:a:b é').replace('Basic', 'bAsIc'))?.name, 'user');
    assert.equal(plain(basic('other:x'))?.name, 'other');
    assert.equal(hashed(basic('user:thepassword'))?.name, 'user');
    const upper = createUserSearch([user('user', `{sha}${HASH.toUpperCase()}`)]);
    assert.equal(upper(basic('user:thepassword'))?.name, 'user');
  });

  for (const header of [
    undefined,
    '',
    'Basic',
    'Basic !!',
    'Basic dXNlcg==',
    'Digest dXNlcjphOmI=',
    basic('user:a:b'),
    basic('User:a:b é'),
    basic(':a:b é'),
    basic('user:'),
    basic(''),
    basic('user:x'),
    basic('other:a:b é'),
    `${basic('user:a:b é')} x`,
  ]) {
    test(`refuses ${String(header)}`, () => {
      assert.equal(plain(header), null);
      assert.equal(hashed(header), null);
    });
  }

  test('refuses the hash as a password', () => {
    assert.equal(hashed(basic(`user:${HASH}`)), null);
    assert.equal(hashed(basic(`user:{SHA}${HASH}`)), null);
  });

  test('compares name and password of every user, whatever was sent', (t) => {
    const search = createUserSearch([user('other', 'x'), user('user', 'a'), user('last', `{SHA}${HASH}`)]);
    const compare = t.mock.method(crypto, 'timingSafeEqual');
    syncBuiltinESMExports();
    t.after(() => {
      compare.mock.restore();
      syncBuiltinESMExports();
    });
    for (const header of [
      basic('other:x'),
      basic('user:b'),
      basic('none:x'),
      basic('last:thepassword'),
      basic(''),
      '',
    ]) {
      compare.mock.resetCalls();
      search(header);
      assert.equal(compare.mock.callCount(), 2 * 3, header);
      // Digests have one length, which tells nothing about that of a password.
      for (const { arguments: sides } of compare.mock.calls)
        assert.deepEqual(
          sides.map(({ byteLength }) => byteLength),
          [32, 32],
        );
    }
  });

  test('finds nobody without users, and without a header where a user has no name and password', () => {
    assert.equal(createUserSearch([])(basic('a:b')), null);
    assert.equal(createUserSearch([user('', '')])(undefined), null);
  });

  test('splits at the first colon', () => {
    assert.deepEqual(parseBasic(basic('a:b:c')), { username: 'a', password: 'b:c' });
  });
});

test('the user of a server is admin there', () => {
  assert.deepEqual(usersOf({ username: null, password: null }), []);
  assert.deepEqual(usersOf({ username: 'u', password: 'p' }), [user('u', 'p', 'admin')]);
  assert.deepEqual(usersOf({ username: null, password: 'p' }), [user('', 'p', 'admin')]);
});

describe('the check of logins', () => {
  interface Scene {
    readonly logIn: LoginCheck;
    readonly pauses: string[];
    readonly clock: { now: number };
    readonly asked: string[];
  }
  const USERS = [user('ops', 'right', 'admin'), user('bob', 'secret')];

  function scene(anonymousRole: Role | null, users = USERS, throttle = new LoginThrottle()): Scene {
    const clock = { now: 0 };
    const pauses: string[] = [];
    const logIn = createLoginCheck({
      users,
      anonymousRole,
      throttle,
      nowMs: () => clock.now,
      onPause: (network, name, ms) => void pauses.push(`${network} ${name ?? '?'} ${ms}`),
    });
    const asked: string[] = [];
    const at = (header: string | undefined, network: () => string): ReturnType<LoginCheck> =>
      logIn(header, () => {
        const name = network();
        asked.push(name);
        return name;
      });
    return { logIn: at, pauses, clock, asked };
  }

  const HERE = (): string => '10.0.0.7';

  test('gives a user the role of the section, and others the role of the server', () => {
    const { logIn, asked } = scene('admin');
    assert.deepEqual(logIn(basic('bob:secret'), HERE), { kind: 'known', role: 'read', user: 'bob' });
    assert.deepEqual(logIn(undefined, HERE), { kind: 'known', role: 'admin', user: null });
    assert.deepEqual(asked, [], 'the network is not asked for while there is no failure');
    assert.deepEqual(logIn(basic('bob:wrong'), HERE), { kind: 'unknown' });
    assert.deepEqual(logIn('Bearer abc', HERE), { kind: 'unknown' });
    assert.deepEqual(scene(null).logIn(undefined, HERE), { kind: 'unknown' });
  });

  test('a server without users ignores credentials', () => {
    const { logIn } = scene('admin', []);
    assert.deepEqual(logIn(basic('any:thing'), HERE), { kind: 'known', role: 'admin', user: null });
  });

  test('after wrong passwords, not even the right one is compared for a while, except from elsewhere', () => {
    const { logIn, pauses, clock } = scene(null);
    for (let failures = 0; failures < 6; failures += 1)
      assert.deepEqual(logIn(basic(`ops:guess${failures}`), HERE), { kind: 'unknown' });
    assert.deepEqual(pauses, ['10.0.0.7 ops 1000']);
    assert.deepEqual(logIn(basic('ops:right'), HERE), { kind: 'paused', waitMs: 1000 });
    assert.equal(logIn(basic('ops:right'), () => '10.0.0.8').kind, 'known');
    assert.equal(logIn(basic('bob:secret'), HERE).kind, 'known');
    assert.deepEqual(logIn(undefined, HERE), { kind: 'unknown' });
    clock.now = 999;
    assert.equal(logIn(basic('ops:right'), HERE).kind, 'paused');
    clock.now = 1000;
    assert.equal(logIn(basic('ops:right'), HERE).kind, 'known');
    assert.equal(logIn(basic('ops:again'), HERE).kind, 'unknown');
    assert.deepEqual(pauses, ['10.0.0.7 ops 1000', '10.0.0.7 ops 2000']);
  });

  test('invented names keep no user out, and are reported once a minute', () => {
    const { logIn, pauses, clock } = scene(null);
    for (let guess = 0; guess < 600; guess += 1) logIn(basic(`u${Math.floor(guess / 6)}:x`), HERE);
    assert.deepEqual(pauses, ['10.0.0.7 ? 1000']);
    assert.equal(logIn(basic('ops:right'), HERE).kind, 'known');
    for (let guess = 0; guess < 6; guess += 1) logIn(basic('bob:x'), HERE);
    assert.deepEqual(pauses.splice(0), ['10.0.0.7 ? 1000', '10.0.0.7 bob 1000']);
    clock.now = 60_000;
    for (let guess = 0; guess < 6; guess += 1) logIn(basic('later:x'), HERE);
    assert.deepEqual(pauses, ['10.0.0.7 ? 1000']);
  });

  test('the report of a pause never repeats an unknown name, which may be a password', () => {
    const { logIn, pauses } = scene(null);
    for (let failures = 0; failures < 6; failures += 1) logIn(basic('hunter2:x'), HERE);
    assert.deepEqual(pauses, ['10.0.0.7 ? 1000']);
  });
});
