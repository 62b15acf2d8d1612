/** Starts share the turns of the loop: many at once do not block other work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TurnBudget } from '../../src/engine/turn-budget.ts';
import { exitWith, World } from './world.ts';
import { REQUEST } from '../causes.ts';

const names = Array.from({ length: 20 }, (_, index) => ({
  name: `web${String(index).padStart(2, '0')}`,
  startsecs: 0,
  autorestart: 'true' as const,
}));

/** Runs one turn of the loop. */
function turn(world: World): void {
  for (const then of world.turns.splice(0)) then();
}

test('slow starts are spread over several turns of the loop, in their order', () => {
  const world = new World(names);
  world.spawnMs = 3;
  world.engine.start();
  assert.equal(world.calls.length, 3, 'the third has used the budget up');
  assert.equal(world.state('web03'), 'STARTING');
  turn(world);
  assert.equal(world.calls.length, 6);
  for (let turns = 0; world.turns.length > 0; turns += 1) {
    assert.ok(turns < 10);
    turn(world);
  }
  assert.deepEqual(
    world.calls,
    names.map(({ name }) => `spawn ${name}`),
  );
});

test('a crash loop yields: the processes of a batch start again over several turns', () => {
  const world = new World(names);
  world.engine.start();
  world.clock.advance(5000);
  world.calls.length = 0;
  world.spawnMs = 3;
  world.end(exitWith(1), ...names.map(({ name }) => name));
  assert.equal(world.calls.length, 3);
});

test('a stop or a shutdown cancels a start that waits for its turn', () => {
  const world = new World(names);
  world.spawnMs = 3;
  world.engine.start();
  world.engine.request(world.id('web19'), 'stop', REQUEST);
  world.engine.shutDown('exit', REQUEST);
  for (let turns = 0; world.turns.length > 0; turns += 1) {
    assert.ok(turns < 10);
    turn(world);
  }
  assert.deepEqual(
    world.calls.filter((call) => call.startsWith('spawn')),
    ['spawn web00', 'spawn web01', 'spawn web02'],
  );
  world.end(15, 'web00', 'web01', 'web02');
  assert.ok(world.hasEnded());
  world.assertQuiet();
});

test('a task that a task adds comes after the waiting ones', () => {
  const turns: Array<() => void> = [];
  let nowMs = 0;
  const budget = new TurnBudget({ nowMs: () => nowMs, nextTurn: (then) => turns.push(then) });
  const done: string[] = [];
  const task = (name: string, then?: () => void) => (): void => {
    done.push(name);
    nowMs += 5;
    then?.();
  };
  budget.run(task('a'));
  budget.run(task('b'));
  budget.run(task('c', () => budget.run(task('d'))));
  budget.run(task('e'));
  while (turns.length > 0) turns.shift()?.();
  assert.deepEqual(done, ['a', 'b', 'c', 'e', 'd']);
});

test('one slow start is followed by turns without starts, up to a limit', () => {
  const turns: Array<() => void> = [];
  let nowMs = 0;
  const budget = new TurnBudget({ nowMs: () => nowMs, nextTurn: (then) => turns.push(then) });
  const pass = (ms: number) => (): void => {
    nowMs += ms;
  };
  const turnsUntil = (isDone: () => boolean): number => {
    let count = 0;
    for (; !isDone(); count += 1) turns.shift()?.();
    return count;
  };
  let done = 0;
  const next = (): void => void (done += 1);
  budget.run(pass(20));
  budget.run(next);
  assert.equal(
    turnsUntil(() => done === 1),
    2,
    '20 ms are two budgets and a half',
  );
  budget.run(pass(60_000));
  budget.run(next);
  assert.equal(
    turnsUntil(() => done === 2),
    8,
  );
  while (turns.length > 0) turns.shift()?.();
  budget.run(next);
  assert.deepEqual([done, turns.length], [3, 0], 'nothing is armed once the debt is paid');
});

test('the remaining output of all ended processes is read before anything is logged about them', () => {
  const world = new World([{ name: 'a' }, { name: 'b' }]);
  world.engine.start();
  const lines = world.log.length;
  world.end(exitWith(1), 'a', 'b');
  assert.deepEqual(world.outputReads, [
    { pid: 100, lines },
    { pid: 101, lines },
  ]);
});

test('an unreadable output does not hide the exit of a process', () => {
  const world = new World([{ name: 'a' }, { name: 'b' }]);
  world.engine.start();
  Object.defineProperty(world.outputReads, 'push', {
    value: () => {
      throw new Error('EIO');
    },
  });
  world.end(exitWith(1), 'a', 'b');
  assert.ok(
    world.log.some((line) => line.startsWith('cannot read the remaining output of pid 100: ')),
    world.log.join('\n'),
  );
  assert.deepEqual([world.state('a'), world.state('b')], ['BACKOFF', 'BACKOFF']);
});
