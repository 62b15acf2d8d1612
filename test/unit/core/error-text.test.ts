/** Texts for errors of Node, of the addon and of plug-ins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeLostOutput,
  describeMistake,
  errnoOf,
  firstLineOf,
  messageOf,
  reasonOf,
} from '../../../src/core/error-text.ts';

const MISSING = Object.assign(new Error('ENOENT: no such file or directory, open x'), { code: 'ENOENT' });

test('errnoOf gives the error code, or null for an error without one', () => {
  assert.equal(errnoOf(MISSING), 'ENOENT');
  assert.equal(errnoOf(new Error('x')), null);
  assert.equal(errnoOf(Object.assign(new Error('x'), { code: 5 })), null);
  assert.equal(errnoOf('ENOENT'), null);
});

test('reasonOf prefers the error code to the message', () => {
  assert.equal(reasonOf(MISSING), 'ENOENT');
  assert.equal(reasonOf(new Error('no way')), 'no way');
});

test('an error of standard output is described, unless its reader has gone', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  assert.equal(describeLostOutput(full), 'cannot write standard output: ENOSPC: no space left on device');
  assert.equal(describeLostOutput(new Error('x')), 'cannot write standard output: x');
  assert.equal(describeLostOutput(Object.assign(new Error('broken pipe'), { code: 'EPIPE' })), null);
});

test('messageOf and firstLineOf accept values that are no Error', () => {
  assert.equal(messageOf(42), '42');
  assert.equal(firstLineOf(new Error('one\ntwo')), 'one');
  assert.equal(firstLineOf(new Error('')), '');
});

test('a bug of ours is described with its stack, and its message on one line', () => {
  const text = describeMistake(new TypeError('no\n2026-01-01 00:00:00,000 INFO forged\x1b[2J'));
  assert.match(text, /^TypeError: no\\n2026-01-01 00:00:00,000 INFO forged\\u001b\[2J\n {4}at /);
  const bare = new Error('x'.repeat(2000));
  bare.stack = 'of another form';
  assert.equal(describeMistake(bare), `Error: ${'x'.repeat(500)}…`);
  assert.equal(describeMistake('a\nb'), 'a\\nb');
});
