/** The shutdown of the supervisor: ranks, time limits, and the goal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExitCause } from '../../../src/core/exit-policy.ts';
import {
  initialShutdown,
  type ShutdownEffect,
  type ShutdownInput,
  type ShutdownRecord,
  type ShutdownRequest,
  stepShutdown,
} from '../../../src/core/shutdown-machine.ts';
import { shutdownLimits } from '../../../src/core/stop-budget.ts';

const TERM: ExitCause = { kind: 'signal', signal: 15, sender: 0 };
const HUP: ExitCause = { kind: 'signal', signal: 1, sender: 0 };
const requested = (ranks: string[][], change: Partial<ShutdownRequest> = {}): ShutdownInput => ({
  type: 'requested',
  goal: 'exit',
  cause: TERM,
  ranks,
  forwarded: null,
  limits: null,
  delayedUntilMs: null,
  ...change,
});
const hurried: ShutdownInput = { type: 'hurried', atMs: 0 };
const elapsed = (atMs: number): ShutdownInput => ({ type: 'elapsed', atMs });
const timeout = (timeoutMs: number, fromMs = 0): ReturnType<typeof shutdownLimits> =>
  shutdownLimits(fromMs, { timeoutMs, budgetMs: null });
const budget = (budgetMs: number, fromMs = 0): ReturnType<typeof shutdownLimits> =>
  shutdownLimits(fromMs, { timeoutMs: null, budgetMs });

/** Applies inputs in order and collects all effects. */
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
const ended = (id: string): ShutdownInput => ({ type: 'ended', id });

test('with no process up it finishes at once', () => {
  assert.deepEqual(walk(requested([])).effects, [{ type: 'finished', goal: 'exit', cause: TERM }]);
});

test('a rank is stopped as a whole, and the next when all its processes have ended', () => {
  const { effects } = walk(requested([['a', 'b'], ['c']]), ended('b'), ended('a'), ended('c'));
  assert.deepEqual(effects, [
    { type: 'stop', ids: ['a', 'b'] },
    { type: 'stop', ids: ['c'] },
    { type: 'finished', goal: 'exit', cause: TERM },
  ]);
});

test('a process of a later rank that has ended by itself is not stopped', () => {
  const { effects } = walk(requested([['a'], ['b']]), ended('b'), ended('a'));
  assert.deepEqual(effects, [
    { type: 'stop', ids: ['a'] },
    { type: 'finished', goal: 'exit', cause: TERM },
  ]);
});

test('a repeated exit, or the exit of an unknown process, orders nothing', () => {
  const { effects } = walk(requested([['a'], ['b']]), ended('a'), ended('a'), ended('z'));
  assert.deepEqual(effects, [
    { type: 'stop', ids: ['a'] },
    { type: 'stop', ids: ['b'] },
  ]);
});

test('a hurried shutdown kills all ranks at once and waits for them', () => {
  const { effects } = walk(requested([['a'], ['b']]), hurried, ended('b'), ended('a'));
  assert.deepEqual(effects, [
    { type: 'stop', ids: ['a'] },
    { type: 'kill', ids: ['a', 'b'] },
    { type: 'finished', goal: 'exit', cause: TERM },
  ]);
});

test('shutdown_timeout kills all remaining processes, not before it has passed', () => {
  const { effects, record } = walk(requested([['a'], ['b']], { limits: timeout(500) }), elapsed(499), elapsed(500));
  assert.deepEqual(effects, [
    { type: 'stop', ids: ['a'] },
    { type: 'kill', ids: ['a', 'b'] },
  ]);
  assert.equal(record.isKilled, true);
});

test('a budget kills before it has run out, since the rest of the shutdown has to fit in', () => {
  const { effects } = walk(requested([['a']], { limits: budget(9500) }), elapsed(8699), elapsed(8700));
  assert.deepEqual(effects, [
    { type: 'stop', ids: ['a'] },
    { type: 'kill', ids: ['a'] },
  ]);
});

test('a process that survives SIGKILL does not delay a shutdown, but a restart', () => {
  const end = walk(
    requested([['a', 'b']], { limits: budget(9500) }),
    elapsed(8700),
    ended('a'),
    elapsed(8949),
    elapsed(8950),
  );
  assert.deepEqual(end.effects.slice(2), [
    { type: 'leave', ids: ['b'] },
    { type: 'finished', goal: 'exit', cause: TERM },
  ]);
  const second = walk(requested([['a']]), hurried, elapsed(4999), elapsed(5000));
  assert.deepEqual(second.effects.slice(2), [
    { type: 'leave', ids: ['a'] },
    { type: 'finished', goal: 'exit', cause: TERM },
  ]);
  const restart = walk(requested([['a']], { goal: 'restart', cause: HUP, limits: timeout(500) }), elapsed(500));
  assert.equal(restart.record.deadlineMs, null);
  assert.equal(stepShutdown(restart.record, elapsed(1_000_000)).effects.length, 0);
});

test('a stop signal limits a shutdown without a limit; a later one changes nothing', () => {
  const program: ExitCause = {
    kind: 'program',
    id: 'a',
    rule: 'exit_on_end',
    code: 3,
    how: 'exit status 3',
    wasExecuted: true,
  };
  const first = walk(
    requested([['a']], { cause: program }),
    requested([['a']], { limits: budget(9500, 1000) }),
    requested([['a']], { limits: budget(9500, 5000) }),
  );
  assert.equal(first.record.deadlineMs, 9700);
  const { effects } = walk(
    requested([['a']], { cause: program }),
    requested([['a']], { limits: budget(9500, 1000) }),
    elapsed(9700),
    requested([['a']], { limits: budget(1000) }),
    ended('a'),
  );
  assert.deepEqual(
    effects,
    [
      { type: 'stop', ids: ['a'] },
      { type: 'kill', ids: ['a'] },
      { type: 'finished', goal: 'exit', cause: program },
    ],
    'the first cause decides',
  );
});

test('a program that got the signal itself is waited for, not stopped, and determines the exit code', () => {
  const main: ExitCause = {
    kind: 'program',
    id: 'main',
    rule: 'main program',
    code: 7,
    how: 'exit status 7',
    wasExecuted: true,
  };
  const change = { forwarded: { id: 'main', mayKill: false }, limits: budget(9500) };
  const obedient = walk(
    requested([['main', 'a'], ['b']], change),
    ended('a'),
    ended('b'),
    { type: 'caused', cause: main },
    ended('main'),
  );
  assert.deepEqual(obedient.effects, [
    { type: 'stop', ids: ['a'] },
    { type: 'stop', ids: ['b'] },
    { type: 'finished', goal: 'exit', cause: main },
  ]);
  const deaf = walk(requested([['main', 'a']], change), elapsed(9000), elapsed(9250));
  assert.deepEqual(
    deaf.effects,
    [
      { type: 'stop', ids: ['a'] },
      { type: 'kill', ids: ['a'] },
      { type: 'leave', ids: ['a'] },
    ],
    'nothing but the command is left, and it is waited for',
  );
  assert.deepEqual([deaf.record.ranks, deaf.record.deadlineMs], [[['main']], null]);
  assert.deepEqual(walk(requested([['main']], change), elapsed(9000)).effects, []);
  const killed = walk(
    requested([['main', 'a']], { ...change, forwarded: { id: 'main', mayKill: true } }),
    ended('a'),
    elapsed(9000),
    elapsed(9250),
  );
  assert.deepEqual(killed.effects.slice(1, 3), [
    { type: 'kill', ids: ['main'] },
    { type: 'leave', ids: ['main'] },
  ]);
});

test('compat: a shutdown turns a restart into a shutdown, and a restart during a shutdown is ignored', () => {
  const first = walk(requested([['a']], { goal: 'restart', cause: HUP }), requested([['a']]), ended('a'));
  assert.deepEqual(first.effects.at(-1), { type: 'finished', goal: 'exit', cause: TERM });
  const second = walk(requested([['a']]), requested([['a']], { goal: 'restart', cause: HUP }), ended('a'));
  assert.deepEqual(second.effects.at(-1), { type: 'finished', goal: 'exit', cause: TERM });
});

test('without a request, and after the end, inputs change nothing', () => {
  assert.deepEqual(walk(hurried, ended('a'), elapsed(9)).effects, []);
  assert.equal(walk(requested([]), requested([['a']]), hurried).effects.length, 1);
});

const delayed = (untilMs: number, change: Partial<ShutdownRequest> = {}): ShutdownInput =>
  requested([['a']], { delayedUntilMs: untilMs, ...change });
const MAIN: ExitCause = {
  kind: 'program',
  id: 'main',
  rule: 'main program',
  code: 7,
  how: 'exit status 7',
  wasExecuted: true,
};

test('a delay stops nothing until it is over; the request that follows stops, with the first cause', () => {
  const before = walk(delayed(5000), ended('a'), { type: 'caused', cause: MAIN }, elapsed(4999));
  assert.deepEqual([before.effects, before.record.phase], [[], 'delayed']);
  const over = walk(delayed(5000), elapsed(5000), elapsed(6000));
  assert.deepEqual(over.effects, [{ type: 'delayOver', goal: 'exit', cause: TERM }], 'it ends once');
  assert.deepEqual([over.record.phase, over.record.deadlineMs], ['delayed', null]);
  const { effects, record } = walk(delayed(5000), elapsed(5000), requested([['b'], ['c']], { cause: HUP }), ended('b'));
  assert.deepEqual(effects.slice(1), [
    { type: 'stop', ids: ['b'] },
    { type: 'stop', ids: ['c'] },
  ]);
  assert.deepEqual(record.cause, TERM);
});

test('a second request ends the delay, and kills nothing; the next one kills', () => {
  const { effects } = walk(delayed(5000), hurried, hurried, requested([['a']]), hurried);
  assert.deepEqual(
    effects.map(({ type }) => type),
    ['delayOver', 'stop', 'kill'],
  );
});

test('the time limit counts from the request, also over a delay; a later stop signal adds one', () => {
  const limits = budget(9500);
  const { record } = walk(delayed(5000, { limits }), elapsed(5000), requested([['a']], { limits: budget(9500, 5000) }));
  assert.deepEqual([record.limits, record.deadlineMs], [limits, 8700]);
  const late = walk(delayed(5000), delayed(9000, { limits: budget(9500, 1000) }));
  assert.deepEqual([late.record.deadlineMs, late.record.limits], [5000, budget(9500, 1000)]);
});

test('in a delay, a restart is ignored, and the exit of the main program gives the exit code', () => {
  const restart = walk(delayed(5000), requested([['a']], { goal: 'restart', cause: HUP }));
  assert.deepEqual([restart.record.phase, restart.effects], ['delayed', []]);
  const main = walk(delayed(5000), requested([], { cause: MAIN }));
  assert.deepEqual(main.effects, [{ type: 'finished', goal: 'exit', cause: MAIN }]);
  const other = walk(delayed(5000), requested([], { cause: { ...MAIN, rule: 'exit_on_failure' } }));
  assert.deepEqual(other.effects, [{ type: 'finished', goal: 'exit', cause: TERM }]);
});

test('a shutdown during a restart under way has no delay', () => {
  const { effects, record } = walk(requested([['a']], { goal: 'restart', cause: HUP }), delayed(5000));
  assert.deepEqual([effects, record.phase, record.goal], [[{ type: 'stop', ids: ['a'] }], 'stopping', 'exit']);
});
