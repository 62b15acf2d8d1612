import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback } from '../../../src/core/loopback.ts';

for (const host of ['localhost', '::1', '127.0.0.1', '127.255.255.255', '127.1.2.3'])
  test(`${host} is a loopback address`, () => assert.equal(isLoopback(host), true));

// The last ones are names. A name server may resolve them to any address.
for (const host of [
  '',
  '::',
  '0.0.0.0',
  '10.0.0.1',
  '127.0.0.256',
  '127.1',
  '127.0.0.1.',
  'x.localhost',
  '127.example',
])
  test(`"${host}" is not a loopback address`, () => assert.equal(isLoopback(host), false));
