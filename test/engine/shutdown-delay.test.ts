/** The engine between a request to shut down and the stop of the programs (`shutdown_delay`), and forwarded stops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExitCause } from '../../src/core/exit-policy.ts';
import { REQUEST } from '../causes.ts';
import { exitWith, type Program, World, type WorldOptions } from './world.ts';

const TERM: ExitCause = { kind: 'signal', signal: 15, sender: 0 };
const DELAY_MS = 5000;

/** Starts programs, and begins a shutdown with a delay once they are up. */
function delayed(programs: readonly Program[], options: WorldOptions = {}): World {
  const world = new World(programs, options);
  world.engine.start();
  world.clock.advance(1000);
  world.calls.length = 0;
  world.states.length = 0;
  world.engine.shutDown('exit', TERM, { delayMs: DELAY_MS });
  return world;
}

test('programs run on for the delay, and are stopped by rank after it', () => {
  const world = delayed([{ name: 'db', priority: 1 }, { name: 'web' }]);
  assert.deepEqual([world.engine.phase, world.engine.isDelaying, world.calls], ['delayed', true, []]);
  assert.match(world.log.at(-1) ?? '', /^the programs run on for 5 seconds \(shutdown_delay\); a second stop signal/);
  world.clock.advance(DELAY_MS - 1);
  assert.deepEqual(world.calls, []);
  world.clock.advance(1);
  assert.deepEqual([world.engine.phase, world.engine.isDelaying, world.calls], ['stopping', false, ['SIG15 web']]);
  world.end(15, 'web');
  assert.deepEqual(world.calls, ['SIG15 web', 'SIG15 db']);
  world.end(15, 'db');
  assert.deepEqual(world.finished, { goal: 'exit', cause: TERM });
  world.assertQuiet();
});

test('the supervisor has begun to stop for its subscribers when the delay begins, once', () => {
  const world = new World([{ name: 'web' }]);
  const seen: string[] = [];
  world.engine.subscribe((event) => {
    if (event.type === 'supervisor') seen.push(`${event.goal} in ${world.engine.phase}`);
  });
  world.engine.start();
  world.engine.shutDown('exit', TERM, { delayMs: DELAY_MS });
  world.clock.advance(DELAY_MS);
  world.end(15, 'web');
  assert.deepEqual(seen, ['exit in delayed']);
});

test('a program that ends in the delay is restarted as configured; starts by request are refused', () => {
  const world = delayed([
    { name: 'web', autorestart: 'true' },
    { name: 'off', autostart: false },
  ]);
  world.end(exitWith(3), 'web');
  assert.deepEqual(world.states, ['web RUNNING>EXITED', 'web EXITED>STARTING']);
  world.engine.request(world.id('off'), 'start', REQUEST);
  assert.equal(world.state('off'), 'STOPPED');
  assert.equal(world.engine.restartProcess(world.id('web'), { kind: 'health', reason: 'x' }), true);
  assert.deepEqual(world.calls, ['spawn web', 'SIG15 web']);
});

test('a start that waits for a dependency is cancelled when the delay begins', () => {
  const world = delayed([
    { name: 'db', notify: 'sd' },
    { name: 'web', needs: { db: 'ready' } },
  ]);
  assert.equal(world.hold('web'), null);
  world.engine.reportReady(world.id('db'), 1);
  assert.deepEqual(world.alive, ['db']);
});

test('a second request ends the delay; the next one kills', () => {
  const world = delayed([{ name: 'web' }]);
  world.engine.hurry();
  assert.deepEqual([world.calls, world.isHurried], [['SIG15 web'], false]);
  world.engine.hurry();
  assert.deepEqual([world.calls, world.isHurried], [['SIG15 web', 'SIG9 web'], true]);
  world.end(9, 'web');
  world.assertQuiet();
});

test('without a program that is up there is no delay; it ends when the last one has ended', () => {
  const idle = new World([{ name: 'off', autostart: false }]);
  idle.engine.start();
  idle.engine.shutDown('exit', TERM, { delayMs: DELAY_MS });
  assert.deepEqual(idle.finished, { goal: 'exit', cause: TERM });
  const world = delayed([
    { name: 'job', autorestart: 'false' },
    { name: 'loop', startretries: 100 },
  ]);
  world.end(exitWith(0), 'job');
  world.end(exitWith(1), 'loop');
  assert.equal(world.engine.phase, 'delayed', 'the other one is started again');
  world.end(exitWith(1), 'loop');
  assert.equal(world.state('loop'), 'BACKOFF');
  assert.equal(world.engine.phase, 'delayed', 'its next try is due');
  world.engine.request(world.id('loop'), 'stop', REQUEST);
  assert.deepEqual(world.finished, { goal: 'exit', cause: TERM });
  world.assertQuiet();
});

test('exit_on_failure in the delay stops the others at once; the first cause gives the exit code', () => {
  const world = delayed([{ name: 'web', exit_on_failure: true, autorestart: 'false' }, { name: 'db' }]);
  world.end(exitWith(3), 'web');
  assert.deepEqual(world.calls, ['SIG15 db']);
  world.end(15, 'db');
  assert.deepEqual(world.finished, { goal: 'exit', cause: TERM });
  world.assertQuiet();
});

test('the time limit of the shutdown counts from the request', () => {
  const world = delayed([{ name: 'web', stopwaitsecs: 600 }], { stopBudgetMs: 8000 });
  world.clock.advance(DELAY_MS);
  assert.deepEqual(world.calls, ['SIG15 web']);
  world.clock.advance(8000 - 800 - DELAY_MS);
  assert.deepEqual(world.calls, ['SIG15 web', 'SIG9 web']);
});

test('init mode: the end of the delay is handled by the caller, and the main program gives the exit code', () => {
  const world = new World([{ name: 'main', exit_on_end: true, autorestart: 'false' }, { name: 'cache' }], {
    mainProgram: 'main:main',
  });
  world.engine.start();
  world.clock.advance(1000);
  let over = 0;
  const delayOver = (): void => {
    over += 1;
    world.engine.signalProcess('main:main', 3, TERM);
  };
  world.engine.shutDown('exit', TERM, { delayMs: DELAY_MS, delayOver });
  world.clock.advance(DELAY_MS + 1000);
  assert.deepEqual([over, world.engine.phase, world.engine.isDelaying], [1, 'delayed', false]);
  assert.deepEqual(world.calls.slice(2), ['SIG3 main']);
  world.end(exitWith(7), 'main');
  assert.deepEqual(world.calls.slice(3), ['SIG15 cache']);
  world.end(15, 'cache');
  assert.ok(world.finished?.cause.kind === 'program' && world.finished.cause.code === 7);
  world.assertQuiet();
});

test('prepare is called once, before the first stop, whatever ends the delay', () => {
  const prepare = (world: World) => (): void => {
    world.calls.push('prepare');
    world.engine.stopBy(world.id('web'), 3, TERM);
  };
  for (const end of ['time', 'failure', 'no delay'] as const) {
    const world = new World([{ name: 'web' }, { name: 'other', exit_on_failure: true, autorestart: 'false' }]);
    world.engine.start();
    world.clock.advance(1000);
    world.calls.length = 0;
    world.engine.shutDown('exit', TERM, {
      ...(end === 'no delay' ? {} : { delayMs: DELAY_MS }),
      prepare: prepare(world),
    });
    if (end === 'time') world.clock.advance(DELAY_MS);
    if (end === 'failure') world.end(exitWith(1), 'other');
    const stopped = end === 'failure' ? [] : ['SIG15 other'];
    assert.deepEqual(world.calls, ['prepare', 'SIG3 web', ...stopped], end);
    world.clock.advance(10_000);
    assert.ok(world.calls.includes('SIG15 web'), 'stopsignal follows after stopwaitsecs');
  }
});
