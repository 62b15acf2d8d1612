/** ready_timeout on the engine: a start is over when the program is ready, and fails if it is not ready in time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REQUEST, UNHEALTHY } from '../causes.ts';
import { exitWith, type Program, World } from './world.ts';

const WEB: Program = { name: 'web', ready_log: 'ready', ready_timeout: 5, startretries: 1, stopwaitsecs: 2 };
const LATE = 'not ready within 5 seconds (ready_timeout)';

function report(world: World, name = 'web'): void {
  world.engine.reportReady(world.id(name), world.view(name).record.run);
}

function worldOf(...programs: readonly Program[]): World {
  const world = new World(programs);
  world.engine.start();
  return world;
}

test('a program is RUNNING when it is ready and startsecs is over, whichever comes last', () => {
  const late = worldOf(WEB);
  late.clock.advance(4999);
  assert.equal(late.state('web'), 'STARTING');
  report(late);
  assert.equal(late.state('web'), 'RUNNING');
  late.assertQuiet();

  const early = worldOf(WEB);
  early.clock.advance(300);
  report(early);
  assert.equal(early.state('web'), 'STARTING');
  early.clock.advance(699);
  assert.equal(early.state('web'), 'STARTING');
  early.clock.advance(1);
  assert.equal(early.state('web'), 'RUNNING');
  early.assertQuiet();

  const atOnce = worldOf({ ...WEB, startsecs: 0 });
  assert.equal(atOnce.state('web'), 'STARTING');
  report(atOnce);
  assert.equal(atOnce.state('web'), 'RUNNING');
});

test('a program that is ready before startsecs is ready for its dependents', () => {
  const world = worldOf({ name: 'db', notify: 'sd', startsecs: 10 }, { name: 'web', needs: { db: 'ready' } });
  world.clock.advance(100);
  report(world, 'db');
  assert.deepEqual([world.state('db'), world.state('web')], ['STARTING', 'STARTING']);
});

test('a program that is never ready is stopped, tried again and given up', () => {
  const world = worldOf(WEB, { name: 'after', needs: { web: 'ready' } });
  world.clock.advance(5000);
  assert.equal(world.state('web'), 'STOPPING');
  assert.ok(world.log.includes(`stopping 'web': ${LATE}`));
  assert.deepEqual(world.view('web').record.stopCause, { kind: 'notReady', limitMs: 5000 });
  assert.equal(world.hold('after'), 'waits for web to be ready');
  world.clock.advance(2000);
  assert.deepEqual(world.calls, ['spawn web', 'SIG15 web', 'SIG9 web']);
  world.end(9, 'web');
  assert.deepEqual([world.state('web'), world.failure('web')], ['BACKOFF', LATE]);
  world.clock.advance(1000);
  assert.equal(world.state('web'), 'STARTING');
  // The deadline is that of the second run.
  world.clock.advance(4999);
  assert.equal(world.state('web'), 'STARTING');
  world.clock.advance(1);
  world.end(15, 'web');
  assert.deepEqual([world.state('web'), world.failure('web')], ['FATAL', LATE]);
  assert.equal(world.hold('after'), 'cannot start: web must be ready and is FATAL');
  assert.deepEqual(world.states.slice(-3), ['web STARTING>STOPPING', 'web STOPPING>BACKOFF', 'web BACKOFF>FATAL']);
  world.assertQuiet();
});

test('readiness after the failure is too late, and one before ends the count of failed starts', () => {
  const world = worldOf(WEB);
  world.clock.advance(5000);
  report(world);
  world.end(15, 'web');
  assert.equal(world.state('web'), 'BACKOFF');
  world.clock.advance(1000);
  world.clock.advance(2000);
  report(world);
  assert.deepEqual([world.state('web'), world.view('web').record.failedStarts], ['RUNNING', 0]);
});

test('an exit before readiness is a failed start, also after startsecs', () => {
  const world = worldOf(WEB);
  world.clock.advance(3000);
  world.end(exitWith(0), 'web');
  assert.deepEqual(
    [world.state('web'), world.failure('web')],
    ['BACKOFF', 'Exited too quickly (process log may have details)'],
  );
});

test('a oneshot that ends as expected need not be ready', () => {
  const world = worldOf({ ...WEB, oneshot: true });
  world.clock.advance(3000);
  world.end(exitWith(0), 'web');
  assert.equal(world.state('web'), 'EXITED');
  world.assertQuiet();
});

test('a stop or a kill during the stop of a failed start wins: no other try', () => {
  for (const type of ['stop', 'kill'] as const) {
    const world = worldOf(WEB);
    world.clock.advance(5000);
    world.engine.request('web:web', type, REQUEST);
    assert.equal(world.engine.restartProcess('web:web', UNHEALTHY), false);
    world.end(9, 'web');
    assert.equal(world.state('web'), 'STOPPED');
    assert.deepEqual(world.view('web').record.stopCause, REQUEST);
    world.clock.advance(60_000);
    assert.equal(world.state('web'), 'STOPPED');
    world.assertQuiet();
  }
});

test('a shutdown during the stop of a failed start waits for it, and nothing is tried again', () => {
  const world = worldOf(WEB);
  world.clock.advance(5000);
  world.engine.shutDown('exit', REQUEST);
  world.end(15, 'web');
  assert.equal(world.state('web'), 'STOPPED');
  assert.equal(world.finished?.goal, 'exit');
  world.assertQuiet();
});

test('a failed start shuts down with exit_on_failure: code 1, whatever our stop signal made of its exit', () => {
  const world = worldOf({ ...WEB, startretries: 0, exit_on_failure: true });
  world.clock.advance(5000);
  world.end(15, 'web');
  assert.deepEqual(world.finished?.cause, {
    kind: 'program',
    id: 'web',
    rule: 'exit_on_failure',
    code: 1,
    how: LATE,
    wasExecuted: true,
  });
});

test('a pause of the container gives the whole time again, once', () => {
  const world = worldOf(WEB);
  world.clock.pass(60_000);
  world.clock.advance(0);
  assert.equal(world.state('web'), 'STARTING');
  assert.deepEqual(world.clock.pending, [5000]);
  world.clock.pass(60_000);
  world.clock.advance(0);
  assert.equal(world.state('web'), 'STOPPING');
});

test('a changed or removed ready_timeout applies to the start under way', () => {
  const world = worldOf(WEB);
  world.clock.advance(2000);
  const update = (change: Partial<Program>): void => {
    for (const group of world.groupsOf([{ ...WEB, ...change }])) world.engine.updateGroup(group);
  };
  update({ ready_timeout: 20 });
  assert.deepEqual(world.clock.pending, [18_000]);
  update({ ready_timeout: null });
  assert.equal(world.state('web'), 'RUNNING');
  update({ ready_timeout: 1 });
  assert.equal(world.state('web'), 'RUNNING');
  world.assertQuiet();
});

test('a timeout without a way to report readiness has no effect on the engine', () => {
  const world = worldOf({ name: 'web', ready_timeout: 5 });
  world.clock.advance(1000);
  assert.equal(world.state('web'), 'RUNNING');
});
