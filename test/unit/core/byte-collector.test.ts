/** Pieces of a body in one piece of memory: the limits of bytes and of pieces. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteCollector } from '../../../src/core/byte-collector.ts';

const piece = (length: number, byte = 7): Uint8Array => new Uint8Array(length).fill(byte);

test('pieces become one text, up to the limit', () => {
  const body = new ByteCollector();
  assert.deepEqual([...body.bytes], []);
  for (const byte of [1, 2, 3]) assert.equal(body.add(piece(1, byte), 5000), 'taken');
  assert.deepEqual([...body.bytes], [1, 2, 3]);
  assert.equal(body.add(piece(4000), 5000), 'taken');
  assert.equal(body.add(piece(997), 5000), 'taken', 'the limit itself is allowed');
  assert.equal(body.add(piece(1), 5000), 'tooLong');
  assert.equal(body.bytes.length, 5000);
  assert.deepEqual([...body.bytes.subarray(0, 4)], [1, 2, 3, 7]);
});

test('memory follows the bytes, not the pieces, and small pieces are few', () => {
  const limit = 1024 * 1024;
  const body = new ByteCollector();
  let taken = 0;
  while (body.add(piece(1), limit) === 'taken') taken += 1;
  assert.equal(taken, limit / 64);
  assert.equal(body.add(piece(1), limit), 'tooMany');
  assert.ok(body.bytes.buffer.byteLength <= 2 * taken);
  const brief = new ByteCollector();
  for (let count = 0; count < 1024; count += 1) assert.equal(brief.add(piece(1), 2000), 'taken');
  assert.equal(brief.add(piece(1), 2000), 'tooMany');
});
