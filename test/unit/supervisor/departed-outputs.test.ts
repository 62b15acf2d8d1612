/** The last lines of programs that are no longer configured, with a fake clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tail } from '../../../src/logs/tail.ts';
import { DepartedOutputs } from '../../../src/supervisor/departed-outputs.ts';

function output(name: string, stream: 'stdout' | 'stderr', bytes: number) {
  const memory = new Tail(5_000_000);
  memory.push(Buffer.alloc(bytes, 'x'), { seq: 1, wallMs: 0, pid: 1 });
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

test('number and bytes are bounded', () => {
  const departed = new DepartedOutputs(() => 0);
  const all = { names: [], streams: [] };
  for (let count = 0; count < 1005; count++) departed.add(output(`a:${count}`, 'stdout', 1));
  assert.deepEqual([departed.select(all).length, departed.select(all)[0]?.name], [1000, 'a:5']);
  departed.add(output('big:big', 'stdout', 4_194_000));
  assert.equal(departed.select(all).length, 305);
});
