/** Basic authentication: plain and {SHA} passwords, and wrong credentials. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createGuard, parseBasic } from '../../../src/http/authentication.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('the guard', () => {
  const plain = createGuard({ username: 'user', password: 'a:b é' });
  const hashed = createGuard({ username: 'user', password: '{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d' });

  test('accepts the right name and password', () => {
    assert.ok(plain(basic('user:a:b é')));
    assert.ok(plain(basic('user:a:b é').replace('Basic', 'bAsIc')));
    assert.ok(hashed(basic('user:thepassword')));
    assert.ok(
      createGuard({ username: 'user', password: '{sha}82AB876D1387BFAFE46CC1C8A2EF074EAE50CB1D' })(
        basic('user:thepassword'),
      ),
    );
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
    `${basic('user:a:b é')} x`,
  ]) {
    test(`refuses ${String(header)}`, () => {
      assert.equal(plain(header), false);
      assert.equal(hashed(header), false);
    });
  }

  test('refuses the hash as a password', () => {
    assert.equal(hashed(basic('user:82ab876d1387bfafe46cc1c8a2ef074eae50cb1d')), false);
    assert.equal(hashed(basic('user:{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d')), false);
  });

  test('without name and password accepts everyone; only one of them is not the same as none', () => {
    assert.ok(createGuard({ username: null, password: null })(undefined));
    assert.equal(createGuard({ username: 'user', password: null })(undefined), false);
    assert.equal(createGuard({ username: null, password: 'x' })(basic('y:z')), false);
  });

  test('splits at the first colon', () => {
    assert.deepEqual(parseBasic(basic('a:b:c')), { username: 'a', password: 'b:c' });
  });
});
