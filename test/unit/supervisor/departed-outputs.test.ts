/** The last lines of programs that are no longer configured, with a fake clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sequence } from '../../../src/core/sequence.ts';
import { LineReader } from '../../../src/logs/line-reader.ts';
import { FakeClock } from '../../engine/world.ts';
import { Tail } from '../../../src/logs/tail.ts';
import { DepartedOutputs } from '../../../src/supervisor/departed-outputs.ts';

function output(name: string, stream: 'stdout' | 'stderr', bytes: number, seq = 1) {
  const memory = new Tail(5_000_000);
  memory.push(Buffer.alloc(bytes, 'x'), { seq, wallMs: 0, pid: 1 });
  return { name, stream, memory };
}

test('outputs are selected by name and stream, for a minute', () => {
  let nowMs = 0;
  const departed = new DepartedOutputs(() => nowMs);
  const select = (names: readonly string[], streams: ReadonlyArray<'stdout' | 'stderr'> = []): readonly string[] =>
    departed.select({ names, streams }).map(({ name, stream }) => `${name} ${stream}`);
  departed.add(output('a:a', 'stdout', 5));
  departed.add(output('a:a', 'stderr', 0));
  nowMs = 30_000;
  departed.add(output('b:w1', 'stderr', 5));
  assert.deepEqual(select([]), ['a:a stdout', 'b:w1 stderr']);
  assert.deepEqual(select(['a']), ['a:a stdout']);
  assert.deepEqual(select(['b:*', 'nosuch']), ['b:w1 stderr']);
  assert.deepEqual(select(['w?']), ['b:w1 stderr']);
  assert.deepEqual(select([], ['stdout']), ['a:a stdout']);
  nowMs = 61_000;
  assert.deepEqual(select([]), ['b:w1 stderr']);
});

test('number and bytes are bounded, and what was dropped is told', () => {
  const departed = new DepartedOutputs(() => 0);
  const reader = new LineReader(new Sequence(), Object.assign(new FakeClock(), { wallMs: () => 0 }));
  const read = (after: number): { lines: string[]; missed: Array<[string, number]> } => {
    const query = { after, before: null, sinceMs: null, untilMs: null, limits: { lines: 2000, bytes: 10_000_000 } };
    const { lines, missed } = reader.read(departed.select({ names: [], streams: [] }), query, () => undefined);
    return {
      lines: lines.map(({ source }) => source.name),
      missed: missed.map(({ source, bytes }) => [source.name, bytes]),
    };
  };
  for (let count = 0; count < 1005; count++) departed.add(output(`a:${count}`, 'stdout', 1, count + 1));
  const { lines, missed } = read(0);
  assert.deepEqual([lines.length, lines[0]], [1000, 'a:5']);
  assert.deepEqual(
    missed,
    [0, 1, 2, 3, 4].map((count) => [`a:${count}`, 1]),
  );
  // A client that had read them has missed nothing.
  assert.deepEqual(read(3).missed, [
    ['a:3', 1],
    ['a:4', 1],
  ]);
  departed.add(output('big:big', 'stdout', 4_194_000, 2000));
  const after = read(0);
  assert.deepEqual([new Set(after.lines).size, after.missed.length], [305, 701]);
});

test('outputs are forgotten in time and above their number, the oldest first', () => {
  let nowMs = 0;
  const departed = new DepartedOutputs(() => nowMs);
  const all = { names: [], streams: [] };
  for (let count = 0; count < 10_005; count++) departed.add(output(`a:${count}`, 'stdout', 1, count + 1));
  assert.deepEqual([departed.select(all).length, departed.select(all)[0]?.name], [10_000, 'a:5']);
  nowMs = 60_001;
  assert.equal(departed.select(all).length, 0);
  departed.add(output('b:b', 'stdout', 4_194_304, 20_000));
  assert.equal(departed.select(all)[0]?.memory.oldest, 0);
});
