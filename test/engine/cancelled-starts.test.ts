/** Starts that are cancelled: by a shutdown before the program was executed, or by a person while a restart is due. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REQUEST } from '../causes.ts';
import { exitWith, World } from './world.ts';

test('a shutdown cancels the starts of later ranks that have not executed their program', () => {
  const starts: Array<() => void> = [];
  const world = new World(
    [
      { name: 'first', priority: 1 },
      { name: 'hooked', priority: 1, pre_start_command: 'x' },
      { name: 'last', priority: 2 },
    ],
    { budget: { run: (task) => void starts.push(task) } },
  );
  world.engine.start();
  const [first, hooked, last] = starts;
  last?.();
  hooked?.();
  world.engine.shutDown('exit', REQUEST);
  first?.();
  assert.deepEqual(world.calls, [
    'spawn last',
    'run hooked pre_start_command',
    'cancel hooked pre_start_command',
    'SIG15 last',
  ]);
  world.endJob('hooked pre_start_command', { kind: 'cancelled' });
  assert.equal(world.state('first'), 'STOPPED');
  assert.equal(world.finished, null);
  world.end(15, 'last');
  assert.ok(world.hasEnded());
  world.assertQuiet();
});

for (const option of ['exit_on_failure', 'exit_on_end'] as const) {
  test(`a cancelled retry of a job is told to its dependents, and is no failure of theirs (${option})`, () => {
    const world = new World([
      { name: 'job', oneshot: true, startsecs: 0 },
      { name: 'app', needs: { job: 'completed' }, [option]: true },
    ]);
    world.engine.start();
    world.end(exitWith(1), 'job');
    assert.equal(world.hold('app'), 'waits for job to be completed');
    world.engine.request('job:job', 'stop', REQUEST);
    assert.deepEqual(world.view('job').record.stopCause, REQUEST);
    assert.equal(world.hold('app'), 'cannot start: job must be completed and is EXITED (exit status 1)');
    assert.equal(world.engine.phase, 'running');
    world.engine.request('job:job', 'start', REQUEST);
    assert.equal(world.hold('app'), 'waits for job to be completed');
    world.end(exitWith(0), 'job');
    assert.equal(world.state('app'), 'STARTING');
  });
}

test('a stop that outweighs a restart is told to dependents while the program is being stopped', () => {
  const world = new World([{ name: 'db' }, { name: 'web', needs: { db: 'completed' } }]);
  world.engine.start();
  world.engine.restartProcess('db:db', { kind: 'health', reason: 'no answer' });
  assert.equal(world.hold('web'), 'waits for db to be completed');
  world.engine.request('db:db', 'stop', REQUEST);
  assert.equal(world.hold('web'), 'cannot start: db must be completed and is STOPPING');
});

for (const step of ['pre_start_command', 'post_stop_command'] as const)
  test(`a restart by the supervisor during ${step} changes nothing: the program is executed later`, () => {
    const world = new World([{ name: 'web', [step]: 'x', autorestart: 'true', startsecs: 0 }]);
    world.engine.start();
    if (step === 'post_stop_command') {
      world.clock.advance(1000);
      world.end(exitWith(0), 'web');
    }
    assert.deepEqual([world.state('web'), world.view('web').record.pid], ['STARTING', null]);
    assert.equal(world.engine.restartProcess('web:web', { kind: 'file', path: '/etc/web.conf', others: 0 }), false);
    world.endJob(`web ${step}`);
    assert.deepEqual([world.state('web'), world.calls.at(-1)], ['RUNNING', 'spawn web']);
    assert.ok(!world.log.some((line) => line.startsWith('restarting')));
  });
