import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sequence } from '../../../src/core/sequence.ts';

test('numbers rise, and output takes one for each byte', () => {
  const sequence = new Sequence();
  assert.equal(sequence.latest, 0);
  assert.equal(sequence.take(), 1);
  assert.equal(sequence.take(100), 2);
  assert.equal(sequence.take(), 102);
  assert.equal(sequence.latest, 102);
});
