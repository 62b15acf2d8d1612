import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_LINE_BYTES, LineSplitter } from '../../../src/logs/line-splitter.ts';
import type { LineReceiver } from '../../../src/logs/line-splitter.ts';

/** Collects the lines, whatever the ranges in which they come. */
class Recorder implements LineReceiver {
  readonly events: string[] = [];

  lines(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('latin1', start, end);
    assert.ok(text.endsWith('\n'));
    for (const line of text.slice(0, -1).split('\n')) this.events.push(`line ${line}`);
  }

  begin(bytes: Buffer, start: number, end: number): void {
    this.events.push(`begin ${bytes.toString('latin1', start, end)}`);
  }

  resume(bytes: Buffer, start: number, end: number, isEnd: boolean): void {
    this.events.push(`${isEnd ? 'end' : 'more'} ${bytes.toString('latin1', start, end)}`);
  }

  cut(bytes: Buffer, start: number, end: number): void {
    this.events.push(`cut ${bytes.toString('latin1', start, end)}`);
  }
}

/** Pushes the pieces through one buffer, as reads do. Bytes that the splitter keeps without a copy are overwritten. */
function split(pieces: readonly Buffer[]): string[] {
  const recorder = new Recorder();
  const splitter = new LineSplitter(recorder);
  const memory = Buffer.alloc(Math.max(1, ...pieces.map((piece) => piece.length)) + 2);
  for (const piece of pieces) {
    memory.fill('#');
    piece.copy(memory, 1);
    splitter.push(memory, 1, 1 + piece.length);
  }
  splitter.flush();
  return recorder.events;
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const ends = [...sorted, bytes.length];
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

test('the lines do not depend on the reads', () => {
  const newlineRich = fc
    .array(fc.oneof(fc.constant(10), fc.integer({ min: 0, max: 255 })), { maxLength: 200 })
    .map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(newlineRich, fc.array(fc.nat()), (bytes, places) => {
      const text = bytes.toString('latin1');
      const lines = text.split('\n');
      const last = lines.pop() as string;
      const expected = [...lines.map((line) => `line ${line}`), ...(last === '' ? [] : [`begin ${last}`])];
      assert.deepEqual(split(cutAt(bytes, places)), expected);
    }),
  );
});

test('a line that was begun goes on, also with its newline only', () => {
  const recorder = new Recorder();
  const splitter = new LineSplitter(recorder);
  const push = (text: string): void => splitter.push(Buffer.from(text), 0, text.length);
  push('a');
  assert.equal(splitter.hasPartial, true);
  splitter.flush();
  assert.equal(splitter.hasPartial, false);
  splitter.flush();
  push('b');
  splitter.flush();
  push('\nc\n\nd');
  assert.deepEqual(recorder.events, ['begin a', 'more b', 'end \n', 'line c', 'line ']);
});

test('a line over the limit is cut without loss, whatever the reads', () => {
  const long = Buffer.concat([Buffer.alloc(2 * MAX_LINE_BYTES + 10, 'x'), Buffer.from('\nnext\n')]);
  const expected = [
    `cut ${'x'.repeat(MAX_LINE_BYTES)}`,
    `cut ${'x'.repeat(MAX_LINE_BYTES)}`,
    `line ${'x'.repeat(10)}`,
    'line next',
  ];
  for (const places of [[], [1], [MAX_LINE_BYTES], [MAX_LINE_BYTES + 1], [70_000, 140_000, MAX_LINE_BYTES * 2 + 5]]) {
    assert.deepEqual(split(cutAt(long, places)), expected);
  }
});

test('a line of exactly the limit is not cut', () => {
  const line = Buffer.concat([Buffer.alloc(MAX_LINE_BYTES, 'x'), Buffer.from('\n')]);
  for (const places of [[], [5], [MAX_LINE_BYTES], [MAX_LINE_BYTES - 1]]) {
    assert.deepEqual(split(cutAt(line, places)), [`line ${'x'.repeat(MAX_LINE_BYTES)}`]);
  }
});

test('a cut never splits a UTF-8 character', () => {
  const euro = Buffer.from('€');
  const line = Buffer.concat([Buffer.alloc(MAX_LINE_BYTES - 1, 'x'), euro, Buffer.from('y\n')]);
  const events = split([line]);
  assert.deepEqual(events, [`cut ${'x'.repeat(MAX_LINE_BYTES - 1)}`, `line ${euro.toString('latin1')}y`]);
});

test('a partial line is passed on up to its last whole character, and keeps a return if asked to', () => {
  const recorder = new Recorder();
  const splitter = new LineSplitter(recorder);
  const push = (...bytes: number[]): void => splitter.push(Buffer.from(bytes), 0, bytes.length);
  push(0x61, 0xe2, 0x82);
  splitter.flushCharacters(true);
  assert.deepEqual([recorder.events.splice(0), splitter.hasPartial], [['begin a'], true]);
  splitter.flushCharacters(true);
  assert.deepEqual(recorder.events, [], 'the beginning of a character is kept for as long as it takes');
  push(0xac, 0x0d);
  splitter.flushCharacters(true);
  assert.deepEqual(recorder.events.splice(0), ['more \xe2\x82\xac']);
  splitter.flushCharacters(false);
  assert.deepEqual(recorder.events.splice(0), ['more \r']);
  push(0xe2, 0x0a, 0xff);
  splitter.flushCharacters(true);
  assert.deepEqual(recorder.events.splice(0), ['end \xe2\n', 'begin \xff']);
  push(0xf0, 0x9f);
  splitter.flush();
  assert.deepEqual([recorder.events, splitter.hasPartial], [['more \xf0\x9f'], false]);
});

test('another splitter goes on with a partial line', () => {
  const [before, after] = [new Recorder(), new Recorder()];
  const [old, heir] = [new LineSplitter(before), new LineSplitter(after)];
  old.push(Buffer.from('ab'), 0, 1);
  old.flush();
  old.push(Buffer.from('ab'), 1, 2);
  old.handOver(heir);
  old.flush();
  heir.push(Buffer.from('c\n'), 0, 2);
  assert.deepEqual([before.events, after.events, old.hasPartial], [['begin a'], ['end bc\n'], false]);
});
