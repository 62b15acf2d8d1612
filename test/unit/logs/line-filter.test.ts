/** The filter of lines for clients: how much it works in a turn of the loop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineFilter, type LinesToFilter, TURN_STEPS } from '../../../src/logs/line-filter.ts';
import { SearchTurns } from '../../../src/logs/search-turns.ts';
import { randomLine } from '../core/random-line.ts';

const SLOW = 'a(?:[ab]|\\b){150}c';

const slowFilter = (): LineFilter => new LineFilter({ grep: SLOW, isPattern: true, least: null });

function linesOf(lines: readonly string[], more: Partial<LinesToFilter<string>> = {}): LinesToFilter<string> {
  return { lines, read: (text) => ({ text, output: 'web stdout' }), isOver: () => false, ...more };
}

test('all searches together do a limited number of steps in a turn', async () => {
  const filters = Array.from({ length: 4 }, slowFilter);
  const sum = (): number => filters.reduce((steps, filter) => steps + filter.steps, 0);
  let [most, before, turns, isOver] = [0, 0, 0, false];
  const beat = (): void => {
    most = Math.max(most, sum() - before);
    before = sum();
    turns += 1;
    if (!isOver) setImmediate(beat);
  };
  beat();
  const line = randomLine(10_000);
  const found = await Promise.all(filters.map((filter) => filter.choose(linesOf([line, 'b', line]))));
  isOver = true;
  assert.deepEqual(found, [[], [], [], []]);
  assert.ok(sum() > 10 * TURN_STEPS, `${sum()} steps`);
  assert.ok(most < 2 * TURN_STEPS, `${most} steps in a turn`);
  assert.ok(turns >= 10, `${turns} turns`);
});

test('a search ends when its client has gone, and at its limit', async () => {
  const line = randomLine(10_000);
  let asked = 0;
  const filter = slowFilter();
  assert.deepEqual(await filter.choose(linesOf([line, line], { isOver: () => ++asked === 2 })), []);
  assert.ok(filter.steps < 2 * TURN_STEPS, `${filter.steps} steps`);
  const text = new LineFilter({ grep: 'a', isPattern: false, least: null });
  assert.deepEqual(await text.choose(linesOf(['a1', 'b', 'a2', 'a3'], { limit: 2 })), ['a1', 'a2']);
  const all = new LineFilter({ grep: null, isPattern: false, least: null });
  assert.deepEqual(await all.choose(linesOf(['a', 'b'], { limit: 1 })), ['a']);
});

test('a match at the end of a piece, of a line, and an incomplete character', async () => {
  const filter = new LineFilter({ grep: 'é$', isPattern: true, least: null });
  const lines = [255, 256, 257].map((length) => `${'x'.repeat(length - 1)}é`);
  assert.deepEqual(await filter.choose(linesOf([...lines, `${'x'.repeat(256)}éx`, '\udcc3', ''])), lines);
});

test('turns come one after the other, the longest waiting first', async () => {
  const wakes: Array<() => void> = [];
  const turns = new SearchTurns((wake) => wakes.push(wake));
  const worked: string[] = [];
  const search = async (name: string, times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      await turns.next();
      worked.push(name);
    }
  };
  const all = Promise.all([search('a', 3), search('b', 1), search('c', 2)]);
  for (let wake = wakes.shift(); wake !== undefined; wake = wakes.shift()) {
    const before = worked.length;
    wake();
    await new Promise((resolve) => void setImmediate(resolve));
    assert.equal(worked.length, before + 1);
  }
  await all;
  assert.equal(worked.join(''), 'abcaca');
});
