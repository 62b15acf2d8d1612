/**
 * Facts in the engine's events for event listeners: the pid of a change, and the announcement that a rank will be
 * stopped.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitWith, World } from './world.ts';
import { REQUEST } from '../causes.ts';

test('a change has the pid of the run that continues or has just ended', () => {
  const world = new World([{ name: 'web', autorestart: 'true', startretries: 0 }]);
  const told: string[] = [];
  world.engine.subscribe((event) => {
    if (event.type === 'process') told.push(`${event.from}>${event.process.record.state} ${event.pid}`);
  });
  world.engine.start();
  world.clock.advance(2000);
  world.end(exitWith(1), 'web');
  world.end(exitWith(1), 'web');
  world.engine.request(world.id('web'), 'start', REQUEST);
  world.engine.request(world.id('web'), 'stop', REQUEST);
  world.end(15, 'web');
  assert.deepEqual(told, [
    'STOPPED>STARTING null',
    'STARTING>RUNNING 100',
    'RUNNING>EXITED 100',
    'EXITED>STARTING null',
    'STARTING>BACKOFF 101',
    'BACKOFF>FATAL 101',
    'FATAL>STARTING null',
    'STARTING>STOPPING 102',
    'STOPPING>STOPPED 102',
  ]);
  world.assertQuiet();
});

test('a stop in BACKOFF has no run', () => {
  const world = new World([{ name: 'web' }]);
  const pids: Array<number | null> = [];
  world.engine.start();
  world.end(exitWith(1), 'web');
  world.engine.subscribe((event) => {
    if (event.type === 'process') pids.push(event.pid);
  });
  world.engine.request(world.id('web'), 'stop', REQUEST);
  assert.deepEqual(pids, [null]);
});

test('each rank of a shutdown is stopped after beforeStop proceeds, and killed without asking', () => {
  const world = new World([{ name: 'web' }, { name: 'listener', groupPriority: -1 }]);
  const asked: string[][] = [];
  let proceed = (): void => undefined;
  world.beforeStop = (ids, go) => {
    asked.push([...ids]);
    proceed = go;
  };
  world.engine.start();
  world.clock.advance(1000);
  world.engine.shutDown('exit', { kind: 'signal', signal: 15, sender: 0 });
  assert.deepEqual([asked, world.state('web')], [[['web:web']], 'RUNNING']);
  proceed();
  world.end(15, 'web');
  assert.deepEqual([asked, world.state('listener')], [[['web:web'], ['listener:listener']], 'RUNNING']);
  world.engine.hurry();
  assert.deepEqual(world.calls.slice(-1), ['SIG9 listener']);
  world.end(9, 'listener');
  assert.deepEqual(world.finished?.goal, 'exit');
  proceed();
  assert.equal(world.calls.at(-1), 'SIG9 listener');
  world.assertQuiet();
});
