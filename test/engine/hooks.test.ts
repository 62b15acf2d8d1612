/** The commands around a run, and the remaining process group: what waits for them, and what cancels them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitWith, World } from './world.ts';
import { REQUEST } from '../causes.ts';

/** Returns a world in which the restart of `web` waits for its post_stop_command. */
function waitForTidy(): World {
  const world = new World([{ name: 'web', post_stop_command: '/bin/tidy', autorestart: 'true' }]);
  world.engine.start();
  world.clock.advance(2000);
  world.end(exitWith(0), 'web');
  assert.deepEqual([world.state('web'), world.jobs], ['STARTING', ['web post_stop_command']]);
  return world;
}

test('pre_start_command comes before each execution, and its failure is a failed start', () => {
  const world = new World([{ name: 'web', pre_start_command: '/bin/prepare', startretries: 1 }]);
  world.engine.start();
  assert.deepEqual([world.calls, world.state('web')], [['run web pre_start_command'], 'STARTING']);
  world.endJob('web pre_start_command', 3);
  assert.deepEqual([world.state('web'), world.failure('web')], ['BACKOFF', 'pre_start_command failed (exit status 3)']);
  world.clock.advance(1000);
  world.endJob('web pre_start_command');
  assert.deepEqual(world.calls.slice(-2), ['run web pre_start_command', 'spawn web']);
  world.clock.advance(1000);
  assert.equal(world.state('web'), 'RUNNING');
  world.assertQuiet();
});

test('the exit code of a pre_start_command becomes that of the container', () => {
  const world = new World([{ name: 'web', pre_start_command: '/bin/prepare', startretries: 0, exit_on_failure: true }]);
  world.engine.start();
  world.endJob('web pre_start_command', 9);
  assert.equal(world.finished?.cause.kind === 'program' && world.finished.cause.code, 9);
});

const outcomes = [
  [{ kind: 'timeout', output: '' }, 'pre_start_command was killed: it took longer than 60 s'],
  [
    { kind: 'failed', reason: "can't find command 'x'" },
    "pre_start_command could not be executed: can't find command 'x'",
  ],
] as const;
for (const [outcome, reason] of outcomes) {
  test(`pre_start_command: ${outcome.kind}`, () => {
    const world = new World([{ name: 'web', pre_start_command: 'x' }]);
    world.engine.start();
    world.endJob('web pre_start_command', outcome);
    assert.deepEqual([world.failure('web'), world.log.includes(`web: ${reason}`)], [reason, true]);
  });
}

test('a stop during pre_start_command cancels it, and nothing is executed', () => {
  const world = new World([{ name: 'web', pre_start_command: '/bin/prepare' }]);
  world.engine.start();
  world.engine.request('web:web', 'stop', REQUEST);
  assert.deepEqual([world.state('web'), world.calls.slice(-1)], ['STOPPING', ['cancel web pre_start_command']]);
  world.endJob('web pre_start_command', { kind: 'cancelled' });
  assert.equal(world.state('web'), 'STOPPED');
  assert.ok(!world.calls.includes('spawn web'));
  assert.ok(!world.log.some((line) => line.includes('called off')));
  world.assertQuiet();
});

test('a pre_start_command that succeeds while it is cancelled starts nothing', () => {
  const world = new World([{ name: 'web', pre_start_command: '/bin/prepare' }]);
  world.engine.start();
  world.engine.shutDown('exit', REQUEST);
  world.endJob('web pre_start_command');
  assert.deepEqual(
    [world.state('web'), world.finished?.goal, world.calls.includes('spawn web')],
    ['STOPPED', 'exit', false],
  );
});

test(
  'stop_command is instead of the signal; where the program stays, the signal follows when its time is over, ' +
    'then SIGKILL',
  () => {
    const world = new World([{ name: 'web', stop_command: '/bin/stop', stop_timeout: 20 }]);
    world.engine.start();
    world.clock.advance(1000);
    world.engine.request('web:web', 'stop', REQUEST);
    assert.deepEqual(world.calls.slice(-1), ['run web stop_command for 100']);
    world.endJob('web stop_command');
    world.clock.advance(19_999);
    assert.deepEqual(world.calls.slice(-1), ['run web stop_command for 100']);
    world.clock.advance(1);
    assert.deepEqual(world.calls.slice(-1), ['SIG15 web']);
    world.clock.advance(9999);
    assert.deepEqual(world.calls.slice(-1), ['SIG15 web']);
    world.clock.advance(1);
    assert.deepEqual(world.calls.slice(-1), ['SIG9 web']);
    world.end(9, 'web');
    assert.equal(world.state('web'), 'STOPPED');
    world.assertQuiet();
  },
);

test('a stop_command that hangs is followed by TERM before KILL, and by each signal of a list', () => {
  const world = new World([
    { name: 'web', stop_command: '/bin/stop', stop_timeout: 5, stopwaitsecs: 3, stopsignal: [2, 15] },
  ]);
  world.engine.start();
  world.clock.advance(1000);
  world.engine.request('web:web', 'stop', REQUEST);
  world.clock.advance(5000);
  world.endJob('web stop_command', { kind: 'timeout', output: '' });
  assert.deepEqual(
    world.calls.slice(-2),
    ['run web stop_command for 100', 'SIG2 web'],
    'one signal, though both its time and its failure are news',
  );
  world.clock.advance(3000);
  world.clock.advance(3000);
  assert.deepEqual(world.calls.slice(-3), ['SIG2 web', 'SIG15 web', 'SIG9 web']);
  world.end(9, 'web');
  world.assertQuiet();
});

test('a stop_command that fails is followed by the signal', () => {
  const world = new World([{ name: 'web', stop_command: '/bin/stop' }]);
  world.engine.start();
  world.engine.request('web:web', 'stop', REQUEST);
  world.clock.advance(4000);
  world.endJob('web stop_command', 1);
  assert.deepEqual(world.calls.slice(-1), ['SIG15 web']);
  world.clock.advance(9999);
  assert.deepEqual(world.calls.slice(-1), ['SIG15 web'], 'the signal has its stopwaitsecs');
  world.clock.advance(1);
  assert.deepEqual(world.calls.slice(-1), ['SIG9 web']);
});

test('a failed stop_command is ignored after SIGKILL, or after the program has ended', () => {
  const world = new World([{ name: 'web', stop_command: '/bin/stop' }]);
  world.engine.start();
  world.engine.request('web:web', 'stop', REQUEST);
  world.engine.request('web:web', 'kill', REQUEST);
  assert.deepEqual(world.calls.slice(-1), ['SIG9 web']);
  world.end(9, 'web');
  world.endJob('web stop_command', 1);
  assert.deepEqual(world.calls.slice(-1), ['SIG9 web']);
});

test('the next start, and the shutdown, wait for a stop_command that has outlived its program', () => {
  const world = new World([{ name: 'web', stop_command: '/bin/stop' }]);
  world.engine.start();
  world.engine.request('web:web', 'stop', REQUEST);
  world.end(15, 'web');
  world.engine.request('web:web', 'start', REQUEST);
  assert.deepEqual([world.state('web'), world.calls.length], ['STARTING', 2]);
  world.endJob('web stop_command');
  assert.deepEqual(world.calls.slice(-1), ['spawn web']);
});

test('post_stop_command follows each exit; the next run waits for it', () => {
  const world = new World([{ name: 'web', post_stop_command: '/bin/tidy', autorestart: 'true' }]);
  world.engine.start();
  world.clock.advance(2000);
  world.end(exitWith(0), 'web');
  assert.deepEqual([world.state('web'), world.calls], ['STARTING', ['spawn web', 'run web post_stop_command for 100']]);
  world.endJob('web post_stop_command', 1);
  assert.deepEqual(world.calls.slice(-1), ['spawn web']);
  assert.ok(world.log.includes('web: post_stop_command failed (exit status 1)'));
});

test('the shutdown waits for each post_stop_command, also a running one, up to a limit', () => {
  const world = new World([
    { name: 'web', post_stop_command: '/bin/tidy' },
    { name: 'job', post_stop_command: '/bin/tidy', oneshot: true },
  ]);
  world.engine.start();
  world.end(exitWith(0), 'job');
  world.engine.shutDown('exit', { kind: 'signal', signal: 15, sender: 0 });
  world.end(15, 'web');
  world.endJob('web post_stop_command');
  assert.ok(!world.hasEnded());
  world.engine.hurry();
  assert.deepEqual(world.calls.slice(-1), ['cancel job post_stop_command']);
  world.endJob('job post_stop_command', { kind: 'cancelled' });
  assert.equal(world.finished?.goal, 'exit');
  world.assertQuiet();
});

for (const request of ['stop', 'kill'] as const)
  test(`a ${request} ends a start that waits for post_stop_command at once, and the command goes on`, () => {
    const world = waitForTidy();
    world.engine.request('web:web', request, REQUEST);
    assert.deepEqual([world.state('web'), world.jobs], ['STOPPED', ['web post_stop_command']]);
    world.endJob('web post_stop_command');
    assert.deepEqual([world.state('web'), world.calls.filter((call) => call === 'spawn web').length], ['STOPPED', 1]);
    world.assertQuiet();
  });

test('a start after that waits for the same post_stop_command, and happens once', () => {
  const world = waitForTidy();
  for (const request of ['stop', 'start', 'stop', 'start'] as const) world.engine.request('web:web', request, REQUEST);
  assert.deepEqual([world.state('web'), world.calls.length], ['STARTING', 2]);
  world.endJob('web post_stop_command');
  assert.deepEqual(world.calls.slice(2), ['spawn web']);
});

test('a shutdown waits for the post_stop_command that a start waits for', () => {
  const world = waitForTidy();
  world.engine.shutDown('exit', REQUEST);
  assert.deepEqual([world.state('web'), world.hasEnded(), world.calls.length], ['STOPPED', false, 2]);
  world.endJob('web post_stop_command');
  assert.deepEqual([world.hasEnded(), world.calls.length], [true, 2]);
  world.assertQuiet();
});

test('a start says which step before the execution it waits for', () => {
  const world = new World([
    { name: 'web', pre_start_command: 'x', stop_command: 'x', post_stop_command: 'x', kill_orphans: 'stop' },
  ]);
  const waits: unknown[] = [];
  const note = (): void => void waits.push(world.engine.startWaitOf('web:web'));
  note();
  world.engine.start();
  note();
  world.endJob('web pre_start_command');
  note();
  world.engine.request('web:web', 'stop', REQUEST);
  world.groups.add(100);
  world.end(15, 'web');
  note();
  world.engine.request('web:web', 'start', REQUEST);
  note();
  world.groups.clear();
  world.engine.reaped([]);
  note();
  world.endJob('web stop_command');
  note();
  world.endJob('web post_stop_command');
  note();
  world.endJob('web pre_start_command');
  note();
  const cleanup = ['kill_orphans', 'stop_command', 'post_stop_command'];
  assert.deepEqual(waits, [null, 'pre_start_command', null, null, ...cleanup, 'pre_start_command', null]);
  assert.equal(world.engine.startWaitOf('no:such'), null);
});

test('kill_orphans=stop: the rest of the group gets the stop signals, then SIGKILL, and the next run waits', () => {
  const world = new World([{ name: 'web', kill_orphans: 'stop', stopsignal: [15, 2], post_stop_command: '/bin/tidy' }]);
  world.engine.start();
  world.engine.request('web:web', 'stop', REQUEST);
  world.groups.add(100);
  world.end(15, 'web');
  assert.deepEqual([world.state('web'), world.calls.slice(-1)], ['STOPPED', ['SIG15 rest of 100']]);
  world.engine.request('web:web', 'start', REQUEST);
  world.clock.advance(10_000);
  assert.deepEqual(world.calls.slice(-1), ['SIG2 rest of 100']);
  world.clock.advance(10_000);
  assert.deepEqual(world.calls.slice(-1), ['SIG9 rest of 100']);
  world.groups.delete(100);
  world.engine.reaped([{ pid: 4711, status: 9 }]);
  assert.deepEqual(world.calls.slice(-1), ['run web post_stop_command for 100']);
  world.endJob('web post_stop_command');
  assert.deepEqual(world.calls.slice(-1), ['spawn web']);
});

test('kill_orphans: never does nothing, stop applies to our stops, always to every exit', () => {
  for (const [choice, stopped, crashed] of [
    ['never', false, false],
    ['stop', true, false],
    ['always', true, true],
  ] as const) {
    const world = new World([{ name: 'web', kill_orphans: choice, autorestart: 'false' }]);
    world.engine.start();
    world.clock.advance(1000);
    world.groups.add(100);
    world.end(exitWith(1), 'web');
    assert.equal(world.calls.includes('SIG15 rest of 100'), crashed, choice);
    world.groups.delete(100);
    world.engine.reaped([]);
    world.engine.request('web:web', 'start', REQUEST);
    world.engine.request('web:web', 'stop', REQUEST);
    world.groups.add(101);
    world.end(15, 'web');
    assert.equal(world.calls.includes('SIG15 rest of 101'), stopped, choice);
  }
});

test('a group that survives SIGKILL is given up, with a log line', () => {
  const world = new World([{ name: 'web', kill_orphans: 'always', stopsignal: [9] }]);
  world.engine.start();
  world.groups.add(100);
  world.engine.shutDown('exit', REQUEST);
  world.end(9, 'web');
  assert.ok(!world.hasEnded());
  world.clock.advance(1000);
  assert.equal(world.finished?.goal, 'exit');
  assert.ok(
    world.log.includes("a process of the process group of 'web' (100) has survived SIGKILL and is left behind"),
  );
  world.assertQuiet();
});

test('a second shutdown request kills the rest of a group at once', () => {
  const world = new World([{ name: 'web', kill_orphans: 'always' }]);
  world.engine.start();
  world.engine.shutDown('exit', REQUEST);
  world.groups.add(100);
  world.end(15, 'web');
  world.engine.hurry();
  assert.deepEqual(world.calls.slice(-1), ['SIG9 rest of 100']);
  world.groups.delete(100);
  world.engine.reaped([{ pid: 4711, status: 9 }]);
  assert.equal(world.finished?.goal, 'exit');
  world.assertQuiet();
});

test('a second shutdown request also applies to the cleanup after the exits that it causes', () => {
  const world = new World([{ name: 'web', kill_orphans: 'stop', post_stop_command: '/bin/tidy' }]);
  world.engine.start();
  world.clock.advance(1000);
  world.engine.shutDown('exit', REQUEST);
  world.engine.hurry();
  world.groups.add(100);
  world.end(9, 'web');
  assert.deepEqual(world.calls, ['spawn web', 'SIG15 web', 'SIG9 web', 'SIG9 rest of 100']);
  world.groups.clear();
  world.engine.reaped([{ pid: 555, status: 9 }]);
  assert.deepEqual([world.hasEnded(), world.calls.length], [true, 4]);
  world.assertQuiet();
});

test('shutdown_timeout limits the cleanup of a group, and begins no post_stop_command', () => {
  const world = new World([{ name: 'web', kill_orphans: 'stop', post_stop_command: '/bin/tidy' }], {
    shutdownTimeoutMs: 3000,
  });
  world.engine.start();
  world.clock.advance(1000);
  world.engine.shutDown('exit', REQUEST);
  world.groups.add(100);
  world.end(15, 'web');
  world.clock.advance(3000);
  world.groups.clear();
  world.engine.reaped([{ pid: 555, status: 9 }]);
  assert.deepEqual(
    [world.hasEnded(), world.calls],
    [true, ['spawn web', 'SIG15 web', 'SIG15 rest of 100', 'SIG9 rest of 100']],
  );
  world.assertQuiet();
});

test(
  'the end of the supervisor waits for the post_stop_command of a program that was removed meanwhile, until ' +
    'patience ends',
  () => {
    for (const isHurried of [false, true]) {
      const world = new World([{ name: 'web', post_stop_command: '/bin/tidy' }, { name: 'db' }]);
      world.engine.start();
      world.clock.advance(1000);
      world.engine.request('web:web', 'stop', REQUEST);
      world.end(15, 'web');
      assert.equal(world.engine.removeGroup('web'), 'removed');
      world.engine.shutDown('restart', REQUEST);
      world.end(15, 'db');
      assert.equal(world.hasEnded(), false);
      if (isHurried) world.engine.hurry();
      assert.equal(world.calls.includes('cancel web post_stop_command'), isHurried);
      world.endJob('web post_stop_command', isHurried ? { kind: 'cancelled' } : 0);
      assert.equal(world.hasEnded(), true);
      world.assertQuiet();
    }
  },
);
