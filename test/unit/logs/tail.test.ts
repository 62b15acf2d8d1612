import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readRange, tailRange } from '../../../src/logs/log-offsets.ts';
import { Tail } from '../../../src/logs/tail.ts';

/** Results of `readFile` and `tailFile` of Supervisor 4.2.5 for a file of ten bytes, ABCDEFGHIJ. */
const READS: ReadonlyArray<readonly [offset: number, length: number, result: string | null]> = [
  [0, 0, 'ABCDEFGHIJ'],
  [0, 3, 'ABC'],
  [8, 5, 'IJ'],
  [10, 1, ''],
  [13, 0, ''],
  [-3, 0, 'HIJ'],
  [-20, 0, 'ABCDEFGHIJ'],
  [-3, 1, null],
  [0, -1, null],
];
const TAILS: ReadonlyArray<readonly [offset: number, length: number, result: string, overflow: boolean]> = [
  [0, 4, 'GHIJ', true],
  [0, 10, 'ABCDEFGHIJ', false],
  [0, 20, 'ABCDEFGHIJ', false],
  [8, 4, 'GHIJ', false],
  [10, 4, '', false],
  [12, 4, '', false],
  [0, 0, '', true],
];

/** Numbers the bytes by their offsets, from 1. */
function push(tail: Tail, bytes: Buffer): void {
  tail.push(bytes, { seq: tail.size + 1, wallMs: 0, pid: 1 });
}

function tailOf(text: string, limit = 100): Tail {
  const tail = new Tail(limit);
  push(tail, Buffer.from(text));
  return tail;
}

test('offsets of readLog are those of Supervisor', () => {
  for (const [offset, length, result] of READS)
    assert.equal(tailOf('ABCDEFGHIJ').read(offset, length)?.toString() ?? null, result, `${offset} ${length}`);
});

test('offsets of tailProcessLog are those of Supervisor', () => {
  for (const [offset, length, result, overflow] of TAILS) {
    const slice = tailOf('ABCDEFGHIJ').tail(offset, length);
    assert.deepEqual(
      [slice.bytes.toString(), slice.offset, slice.overflow],
      [result, 10, overflow],
      `${offset} ${length}`,
    );
  }
});

test('ranges lie within the log', () => {
  fc.assert(
    fc.property(
      fc.nat(50),
      fc.integer({ min: -60, max: 60 }),
      fc.integer({ min: -60, max: 60 }),
      (size, offset, length) => {
        for (const range of [readRange(size, offset, length), tailRange(size, offset, length)]) {
          if (range !== null) assert.ok(range.start >= 0 && range.start <= range.end && range.end <= size);
        }
      },
    ),
  );
});

test('the ring keeps exactly the last bytes, also when its limit changes', () => {
  const piece = fc.string({ minLength: 0, maxLength: 40 }).map((text) => Buffer.from(text, 'latin1'));
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 30 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 60 }),
      fc.array(piece, { maxLength: 10 }),
      (first, limit, otherLimit, then) => {
        let tail = new Tail(limit);
        for (const bytes of first) push(tail, bytes);
        const all = Buffer.concat(first);
        assert.equal(tail.size, all.length);
        assert.equal(
          tail.tail(0, limit).bytes.toString('latin1'),
          all.subarray(Math.max(0, all.length - limit)).toString('latin1'),
        );
        tail = tail.resized(otherLimit);
        const kept = Math.min(limit, otherLimit, all.length);
        for (const bytes of then) push(tail, bytes);
        const whole = Buffer.concat([all, ...then]);
        const left = Math.min(otherLimit, kept + whole.length - all.length);
        assert.equal(tail.size, whole.length);
        assert.equal(tail.read(0, 0)?.toString('latin1'), whole.subarray(whole.length - left).toString('latin1'));
      },
    ),
    { numRuns: 500 },
  );
});

test('a large ring grows and wraps', () => {
  const tail = new Tail(10_000);
  const all: Buffer[] = [];
  for (let i = 0; i < 3000; i++) {
    const line = Buffer.from(`line ${i}\n`);
    all.push(line);
    push(tail, line);
  }
  assert.deepEqual(tail.tail(0, 10_000).bytes, Buffer.concat(all).subarray(-10_000));
});

test('clear sets offsets to 0, and a limit of 0 keeps the size only', () => {
  const tail = tailOf('abc');
  tail.clear();
  assert.equal(tail.size, 0);
  assert.equal(tail.read(0, 0)?.length, 0);
  const none = tailOf('abc', 0);
  assert.equal(none.size, 3);
  assert.equal(none.tail(0, 10).bytes.length, 0);
});
