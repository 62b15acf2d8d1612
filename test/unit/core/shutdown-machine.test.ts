/** How the supervisor ends: ranks, patience, and the goal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExitCause } from '../../../src/core/exit-policy.ts';
import { initialShutdown, type ShutdownEffect, type ShutdownInput, type ShutdownRecord, stepShutdown } from '../../../src/core/shutdown-machine.ts';

const TERM: ExitCause = { kind: 'signal', signal: 15 };
const HUP: ExitCause = { kind: 'signal', signal: 1 };
const requested = (ranks: string[][], change: Partial<Extract<ShutdownInput, { type: 'requested' }>> = {}): ShutdownInput =>
  ({ type: 'requested', atMs: 0, goal: 'exit', cause: TERM, ranks, timeoutMs: null, ...change });

/** Applies inputs in turn and collects all orders. */
function walk(...inputs: readonly ShutdownInput[]): { record: ShutdownRecord; effects: ShutdownEffect[] } {
  let record = initialShutdown;
  const effects: ShutdownEffect[] = [];
  for (const input of inputs) {
    const outcome = stepShutdown(record, input);
    record = outcome.record;
    effects.push(...outcome.effects);
  }
  return { record, effects };
}
const gone = (id: string): ShutdownInput => ({ type: 'gone', id });

test('with nothing up it finishes at once', () => {
  assert.deepEqual(walk(requested([])).effects, [{ type: 'finished', goal: 'exit', cause: TERM }]);
});

test('a rank is stopped as a whole, the next when all of it are gone', () => {
  const { effects } = walk(requested([['a', 'b'], ['c']]), gone('b'), gone('a'), gone('c'));
  assert.deepEqual(effects, [{ type: 'stop', ids: ['a', 'b'] }, { type: 'stop', ids: ['c'] }, { type: 'finished', goal: 'exit', cause: TERM }]);
});

test('one of a later rank that ends by itself is not stopped', () => {
  const { effects } = walk(requested([['a'], ['b']]), gone('b'), gone('a'));
  assert.deepEqual(effects, [{ type: 'stop', ids: ['a'] }, { type: 'finished', goal: 'exit', cause: TERM }]);
});

test('an end told twice, or of a stranger, orders nothing', () => {
  const { effects } = walk(requested([['a'], ['b']]), gone('a'), gone('a'), gone('z'));
  assert.deepEqual(effects, [{ type: 'stop', ids: ['a'] }, { type: 'stop', ids: ['b'] }]);
});

test('a hurried one kills all ranks at once and waits for them', () => {
  const { effects } = walk(requested([['a'], ['b']]), { type: 'hurried' }, gone('b'), gone('a'));
  assert.deepEqual(effects, [{ type: 'stop', ids: ['a'] }, { type: 'kill', ids: ['a', 'b'] }, { type: 'finished', goal: 'exit', cause: TERM }]);
});

test('shutdown_timeout kills all that is left, not before it is due', () => {
  const { effects, record } = walk(requested([['a'], ['b']], { timeoutMs: 500 }), { type: 'elapsed', atMs: 499 }, { type: 'elapsed', atMs: 500 });
  assert.deepEqual(effects, [{ type: 'stop', ids: ['a'] }, { type: 'kill', ids: ['a', 'b'] }]);
  assert.equal(record.deadlineMs, null);
});

test('compat: an end during a restart turns it into an end, a restart during an end is ignored', () => {
  const first = walk(requested([['a']], { goal: 'restart', cause: HUP }), requested([['a']]), gone('a'));
  assert.deepEqual(first.effects.at(-1), { type: 'finished', goal: 'exit', cause: TERM });
  const second = walk(requested([['a']]), requested([['a']], { goal: 'restart', cause: HUP }), gone('a'));
  assert.deepEqual(second.effects.at(-1), { type: 'finished', goal: 'exit', cause: TERM });
});

test('nothing moves before a request or after the end', () => {
  assert.deepEqual(walk({ type: 'hurried' }, gone('a'), { type: 'elapsed', atMs: 9 }).effects, []);
  assert.equal(walk(requested([]), requested([['a']]), { type: 'hurried' }).effects.length, 1);
});
