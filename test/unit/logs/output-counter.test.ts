/** The counts of a channel's output: lines over blocks and pipes, and the drops of changing sinks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countLines } from '../../../src/logs/count-lines.ts';
import { droppedBy, OutputCounter } from '../../../src/logs/output-counter.ts';
import type { Sink } from '../../../src/logs/sink.ts';

const natives = { countNewlines: (bytes: Uint8Array): number => countLines(Buffer.from(bytes), false) };

const sink = (droppedLines: number): Sink & { droppedLines: number } =>
  ({ droppedLines }) as unknown as Sink & { droppedLines: number };

test('the lines of a pipe are counted whatever its blocks, the last one without a newline too', () => {
  const pieces = fc.array(fc.stringMatching(/^[ab\n]{1,200}$/), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(pieces, (texts) => {
      const counter = new OutputCounter(natives, [], 0);
      const pipe = {};
      for (const text of texts) counter.count(Buffer.from(text), pipe);
      counter.end(pipe);
      counter.end(pipe);
      const whole = Buffer.from(texts.join(''));
      assert.deepEqual(counter.counts, { lines: countLines(whole, true), bytes: whole.length, droppedLines: 0 });
    }),
  );
});

test('each of two pipes has its own last line', () => {
  const counter = new OutputCounter(natives, [], 0);
  const [first, second] = [{}, {}];
  counter.count(Buffer.from('a'), first);
  counter.count(Buffer.from('b\n'), second);
  counter.count(Buffer.from('c'), second);
  counter.end(first);
  counter.end(second);
  assert.equal(counter.counts.lines, 3);
});

test('drops count from the time at which a sink is used', () => {
  const [old, kept, added] = [sink(5), sink(7), sink(100)];
  const counter = new OutputCounter(natives, [old, kept], droppedBy([old, kept]));
  assert.equal(counter.counts.droppedLines, 0);
  old.droppedLines += 2;
  kept.droppedLines += 1;
  assert.equal(counter.counts.droppedLines, 3);
  counter.use([kept, added]);
  assert.equal(counter.counts.droppedLines, 3);
  old.droppedLines += 50;
  added.droppedLines += 4;
  assert.equal(counter.counts.droppedLines, 7);
});
