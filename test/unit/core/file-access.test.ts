import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMode, formatOwner } from '../../../src/core/file-access.ts';

test('modes have four octal digits, owners a group only if it is given', () => {
  assert.deepEqual([0o640, 0o200, 0, 0o777].map(formatMode), ['0640', '0200', '0000', '0777']);
  assert.equal(formatOwner({ user: 'app', group: null }), 'app');
  assert.equal(formatOwner({ user: 'app', group: 'adm' }), 'app:adm');
});
