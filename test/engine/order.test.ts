/**
 * depends_on, oneshot and restarts by the supervisor, on the engine: waits, order, failed dependencies, and the order
 * of stops.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleProgram } from '../../build/sample-program.ts';
import { exitWith, World } from './world.ts';
import { REQUEST, UNHEALTHY } from '../causes.ts';

const EVERY_MINUTE = sampleProgram('cron=* * * * *').options.cron;

const started = (world: World): string[] =>
  world.calls.filter((call) => call.startsWith('spawn')).map((call) => call.slice(6));

test('a program waits until its dependency has been up for startsecs, whatever the priorities', () => {
  const world = new World([
    { name: 'web', priority: 1, needs: { db: 'started' } },
    { name: 'db', priority: 900 },
  ]);
  world.engine.start();
  assert.deepEqual(started(world), ['db']);
  assert.equal(world.hold('web'), 'waits for db to be started');
  world.clock.advance(999);
  assert.equal(world.state('web'), 'STOPPED');
  world.clock.advance(1);
  assert.deepEqual(started(world), ['db', 'web']);
  assert.equal(world.view('web').record.hold, null);
  assert.ok(world.log.includes('web waits for db to be started'));
  world.clock.advance(1000);
  world.assertQuiet();
});

test('a chain with each condition starts in its order', () => {
  const world = new World([
    { name: 'init', oneshot: true },
    { name: 'db', needs: { init: 'completed' }, notify: 'sd' },
    { name: 'migrate', oneshot: true, needs: { db: 'healthy' } },
    { name: 'cache', needs: { db: 'ready' } },
    { name: 'web', needs: { migrate: 'completed', cache: 'started' } },
  ]);
  world.engine.start();
  assert.deepEqual(started(world), ['init']);
  world.end(exitWith(0), 'init');
  assert.deepEqual(started(world), ['init', 'db']);
  world.clock.advance(5000);
  assert.deepEqual(started(world), ['init', 'db']);
  const { run } = world.view('db').record;
  world.engine.reportReady('db:db', run - 1);
  assert.deepEqual(started(world), ['init', 'db']);
  world.engine.reportReady('db:db', run);
  assert.deepEqual(started(world), ['init', 'db', 'cache']);
  world.engine.reportHealth('db:db', run, 'starting');
  world.engine.reportHealth('db:db', run, 'healthy');
  assert.deepEqual(started(world), ['init', 'db', 'cache', 'migrate']);
  world.clock.advance(1000);
  assert.equal(world.state('web'), 'STOPPED');
  world.end(exitWith(0), 'migrate');
  assert.deepEqual(started(world), ['init', 'db', 'cache', 'migrate', 'web']);
  world.engine.shutDown('exit', REQUEST);
  assert.deepEqual(world.calls.slice(-1), ['SIG15 web']);
  world.end(15, 'web');
  assert.deepEqual(world.calls.slice(-1), ['SIG15 cache']);
  world.end(15, 'cache');
  assert.deepEqual(world.calls.slice(-1), ['SIG15 db']);
  world.end(15, 'db');
  assert.equal(world.finished?.goal, 'exit');
  world.assertQuiet();
});

test('a dependency that can no longer be met is reported, and the start happens after a user has repaired it', () => {
  const world = new World([
    { name: 'migrate', oneshot: true, startretries: 0 },
    { name: 'web', needs: { migrate: 'completed' } },
    { name: 'log', needs: { web: 'started' } },
  ]);
  world.engine.start();
  world.end(exitWith(3), 'migrate');
  assert.equal(world.state('migrate'), 'FATAL');
  assert.equal(world.hold('web'), 'cannot start: migrate must be completed and is FATAL');
  assert.deepEqual(world.hold('log'), 'cannot start: migrate must be completed and is FATAL (web depends on it)');
  assert.deepEqual(started(world), ['migrate']);
  world.engine.request('migrate:migrate', 'start', REQUEST);
  assert.equal(world.view('web').record.hold?.kind, 'waiting');
  world.end(exitWith(0), 'migrate');
  assert.deepEqual(started(world), ['migrate', 'migrate', 'web']);
});

test('a start that can never happen is a failure: the shutdown names the root cause and has its code', () => {
  const log = { name: 'log', needs: { web: 'started' as const } };
  const web = { name: 'web', needs: { migrate: 'completed' as const } };
  const migrate = { name: 'migrate', oneshot: true, startretries: 0 };
  const endOf = (world: World, status: number): unknown => {
    world.engine.start();
    world.end(status, 'migrate');
    const { cause } = world.finished ?? {};
    return cause?.kind === 'program' ? [cause.id, cause.rule, cause.code, cause.how, cause.isRoot] : null;
  };
  assert.deepEqual(endOf(new World([migrate, { ...web, exit_on_failure: true }]), exitWith(3)), [
    'migrate',
    'exit_on_failure',
    3,
    'exit status 3',
    true,
  ]);
  assert.deepEqual(
    endOf(new World([migrate, web, { ...log, exit_on_failure: true }]), exitWith(3)),
    ['migrate', 'exit_on_failure', 3, 'exit status 3', true],
    'at the end of a chain',
  );
  assert.deepEqual(endOf(new World([migrate, { ...web, exit_on_end: true }]), 9), [
    'migrate',
    'exit_on_end',
    137,
    'terminated by SIGKILL',
    true,
  ]);
  assert.deepEqual(endOf(new World([migrate, web], { mainProgram: 'web:web' }), exitWith(4)), [
    'migrate',
    'main program',
    4,
    'exit status 4',
    true,
  ]);
  assert.equal(endOf(new World([migrate, web, log]), exitWith(3)), null, 'nothing asks for it');
  const once = { name: 'migrate', startsecs: 0, autorestart: 'false' as const, exitcodes: [2] };
  assert.deepEqual(
    endOf(new World([once, { ...web, exit_on_failure: true }]), exitWith(0)),
    ['migrate', 'exit_on_failure', 1, 'exit status 0', true],
    'an end that was not expected is a failure, whatever its code',
  );
  const broken = new World([
    { name: 'migrate', startretries: 0, spawnError: { reason: "can't find command 'x'", exitCode: 127 } },
    { ...web, exit_on_failure: true },
  ]);
  broken.engine.start();
  assert.deepEqual(broken.finished?.cause, {
    kind: 'program',
    id: 'migrate',
    rule: 'exit_on_failure',
    code: 127,
    how: "can't find command 'x'",
    wasExecuted: false,
    isRoot: true,
  });
});

test(
  'what may still come ends nothing: stopped by a person, not to be started, unhealthy, ended where it had to be ' +
    'started',
  () => {
    const web = { name: 'web', exit_on_failure: true };
    const stopped = new World([{ name: 'db' }, { ...web, needs: { db: 'completed' } }]);
    stopped.engine.start();
    stopped.engine.request('db:db', 'stop', REQUEST);
    stopped.end(15, 'db');
    const never = new World([
      { name: 'db', autostart: false },
      { ...web, needs: { db: 'started' } },
    ]);
    never.engine.start();
    const sick = new World([{ name: 'db' }, { ...web, needs: { db: 'healthy' } }]);
    sick.engine.start();
    sick.clock.advance(1000);
    sick.engine.reportHealth('db:db', sick.view('db').record.run, 'unhealthy');
    const ended = new World([
      { name: 'db', startsecs: 0, autorestart: 'false' },
      { ...web, autostart: false, needs: { db: 'started' } },
    ]);
    ended.engine.start();
    ended.end(exitWith(3), 'db');
    ended.engine.request('web:web', 'start', REQUEST);
    for (const world of [stopped, never, sick, ended]) {
      assert.equal(world.view('web').record.hold?.kind, 'stuck');
      assert.equal(world.finished, null);
      assert.equal(world.engine.phase, 'running');
    }
  },
);

test('a waiting start can be cancelled, and a shutdown cancels it', () => {
  const world = new World([
    { name: 'db' },
    { name: 'web', needs: { db: 'started' } },
    { name: 'other', needs: { db: 'started' } },
  ]);
  world.engine.start();
  world.engine.request('web:web', 'stop', REQUEST);
  assert.equal(world.view('web').record.hold, null);
  world.engine.shutDown('exit', REQUEST);
  assert.equal(world.view('other').record.hold, null);
  world.end(15, 'db');
  assert.deepEqual([started(world), world.finished?.goal], [['db'], 'exit']);
  assert.deepEqual(world.facts, ['web held', 'other held', 'web held', 'other held']);
  world.assertQuiet();
});

test('a dependency that was stopped by a user is named; a restart of its dependents does not ask', () => {
  const world = new World([
    { name: 'db', autostart: false },
    { name: 'web', autostart: false, needs: { db: 'started' }, autorestart: 'true' },
  ]);
  world.engine.start();
  world.engine.request('web:web', 'start', REQUEST);
  assert.deepEqual(world.hold('web'), 'cannot start: db must be started and is STOPPED');
  world.engine.request('db:db', 'start', REQUEST);
  world.clock.advance(2000);
  world.engine.request('db:db', 'stop', REQUEST);
  world.end(15, 'db');
  world.end(exitWith(1), 'web');
  assert.deepEqual(started(world), ['db', 'web', 'web']);
});

test('a removed dependency is reported, and one that is added again is waited for', () => {
  const world = new World([
    { name: 'db', autostart: false },
    { name: 'web', autostart: false, needs: { db: 'started' } },
  ]);
  const [db] = world.groupsOf([{ name: 'db' }]);
  assert.equal(world.engine.removeGroup('db'), 'removed');
  world.engine.request('web:web', 'start', REQUEST);
  assert.equal(world.hold('web'), 'cannot start: db must be started and is not configured any more');
  assert.ok(db !== undefined && world.engine.addGroup(db, REQUEST));
  world.clock.advance(1000);
  assert.deepEqual(started(world), ['db', 'web']);
});

test('dependents are told when a program is removed', () => {
  const world = new World([
    { name: 'job', cron: EVERY_MINUTE, autostart: false },
    { name: 'web', needs: { job: 'completed' } },
  ]);
  world.engine.start();
  assert.equal(world.view('web').record.hold?.kind, 'waiting');
  world.engine.removeGroup('job');
  assert.equal(world.hold('web'), 'cannot start: job must be completed and is not configured any more');
});

test('a failed oneshot is tried again with growing pauses, also after startsecs, and then given up', () => {
  const world = new World([
    { name: 'job', oneshot: true, startretries: 2, exit_on_failure: true, autorestart: 'true' },
  ]);
  world.engine.start();
  world.clock.advance(1500);
  world.end(exitWith(4), 'job');
  assert.deepEqual([world.state('job'), world.clock.pending], ['EXITED', [1000]]);
  world.clock.advance(1000);
  world.end(exitWith(4), 'job');
  assert.deepEqual([world.state('job'), world.clock.pending], ['BACKOFF', [2000]]);
  world.clock.advance(2000 + 1500);
  world.end(exitWith(4), 'job');
  assert.equal(world.state('job'), 'FATAL');
  assert.deepEqual(world.finished?.cause, {
    kind: 'program',
    id: 'job',
    rule: 'exit_on_failure',
    code: 4,
    how: 'exit status 4',
    wasExecuted: true,
  });
  world.assertQuiet();
});

test('a oneshot that has succeeded is done, however soon, and whatever autorestart is', () => {
  const world = new World([{ name: 'job', oneshot: true, autorestart: 'true' }]);
  world.engine.start();
  world.end(exitWith(0), 'job');
  assert.deepEqual(world.states, ['job STOPPED>STARTING', 'job STARTING>RUNNING', 'job RUNNING>EXITED']);
  assert.ok(!world.log.some((line) => line.startsWith('success')));
  world.assertQuiet();
});

test('a scheduled program that fails waits for its next time, and keeps an idle supervisor running', () => {
  const world = new World([{ name: 'job', cron: EVERY_MINUTE, autostart: false }, { name: 'web' }], {
    exitWhenIdle: true,
  });
  world.engine.start();
  world.engine.request('job:job', 'start', REQUEST);
  world.end(exitWith(1), 'job');
  assert.equal(world.state('job'), 'EXITED');
  world.clock.advance(1500);
  world.end(exitWith(0), 'web');
  assert.deepEqual([world.state('web'), world.finished], ['EXITED', null]);
  world.assertQuiet();
});

test('an idle supervisor exits if its only starts can no longer happen', () => {
  const world = new World(
    [
      { name: 'job', oneshot: true, startretries: 0 },
      { name: 'web', needs: { job: 'completed' } },
    ],
    { exitWhenIdle: true },
  );
  world.engine.start();
  world.end(exitWith(7), 'job');
  assert.equal(world.finished?.cause.kind === 'program' && world.finished.cause.code, 7);
});

test(
  'an idle supervisor is not idle while others have not had their turn, and what ends it at boot leaves the rest ' +
    'unstarted',
  () => {
    const nothing = {
      name: 'a',
      priority: 1,
      startretries: 0,
      spawnError: { reason: 'there is no such command', exitCode: 127 },
    };
    const world = new World([nothing, { name: 'b', priority: 2 }], { exitWhenIdle: true });
    world.engine.start();
    assert.deepEqual([world.finished, world.state('b')], [null, 'STARTING']);
    const other = new World([
      { ...nothing, exit_on_failure: true },
      { name: 'b', priority: 2 },
    ]);
    other.engine.start();
    assert.deepEqual([other.finished?.goal, other.state('b'), started(other)], ['exit', 'STOPPED', ['a']]);
  },
);

test('an idle supervisor with a start that may still happen does not exit', () => {
  const world = new World(
    [
      { name: 'job', oneshot: true },
      { name: 'web', needs: { job: 'completed' } },
    ],
    { exitWhenIdle: true },
  );
  world.engine.start();
  world.end(exitWith(0), 'job');
  assert.deepEqual([world.finished, world.state('web')], [null, 'STARTING']);
});

test('a restart by the supervisor is orderly, counted, and overridden by a stop', () => {
  const world = new World([{ name: 'web', max_restarts: 1 }]);
  world.engine.start();
  assert.equal(world.engine.restartProcess('web:web', UNHEALTHY), true);
  assert.deepEqual(world.log.slice(-2), [
    "restarting 'web': unhealthy: no answer",
    'killing web (pid 100) with signal SIGTERM',
  ]);
  assert.equal(world.engine.restartProcess('web:web', UNHEALTHY), false);
  world.clock.advance(1000);
  world.end(15, 'web');
  assert.equal(world.state('web'), 'STARTING');
  world.clock.advance(1000);
  world.engine.restartProcess('web:web', UNHEALTHY);
  world.end(15, 'web');
  assert.equal(world.state('web'), 'FATAL');
  world.engine.request('web:web', 'start', REQUEST);
  world.engine.restartProcess('web:web', UNHEALTHY);
  world.engine.request('web:web', 'stop', REQUEST);
  world.end(15, 'web');
  assert.equal(world.state('web'), 'STOPPED');
  assert.equal(world.engine.restartProcess('web:web', UNHEALTHY), false);
  assert.equal(world.engine.restartProcess('nobody:nobody', UNHEALTHY), false);
  world.assertQuiet();
});

test('a restart by the supervisor has the usual pause, which a stop cancels, and does not spin', () => {
  const world = new World([{ name: 'web' }, { name: 'slow', restartpause: 5 }], { exitWhenIdle: true });
  world.engine.start();
  world.clock.advance(400);
  world.engine.restartProcess('web:web', { kind: 'watchdog', limitMs: null });
  world.end(exitWith(1), 'web');
  assert.deepEqual([world.state('web'), started(world)], ['STOPPED', ['web', 'slow']]);
  world.clock.advance(600);
  assert.deepEqual([world.state('web'), started(world)], ['STARTING', ['web', 'slow', 'web']]);
  world.clock.advance(1000);
  world.engine.request('web:web', 'stop', REQUEST);
  world.engine.restartProcess('slow:slow', UNHEALTHY);
  world.end(15, 'web', 'slow');
  assert.deepEqual(
    [world.state('slow'), world.view('slow').record.isStartPending, world.finished],
    ['STOPPED', true, null],
  );
  world.clock.advance(4999);
  assert.equal(world.state('slow'), 'STOPPED');
  world.clock.advance(1);
  assert.deepEqual([world.state('slow'), world.view('slow').record.isStartPending], ['STARTING', false]);
  world.engine.restartProcess('slow:slow', UNHEALTHY);
  world.end(15, 'slow');
  world.engine.request('slow:slow', 'stop', REQUEST);
  assert.equal(world.view('slow').record.isStartPending, false);
  world.assertQuiet();
});

test('readiness and health belong to one run', () => {
  const world = new World([{ name: 'web', autorestart: 'true' }]);
  const told: string[] = [];
  world.engine.subscribe((event) => {
    if (event.type === 'health') told.push(`${event.from} to ${event.process.record.health}`);
    if (event.type === 'spawned') told.push(`run ${event.run} is ${event.pid}`);
  });
  world.engine.start();
  world.engine.reportReady('web:web', 1);
  world.engine.reportReady('web:web', 1);
  for (const health of ['starting', 'healthy', 'healthy', 'unhealthy'] as const)
    world.engine.reportHealth('web:web', 1, health);
  assert.deepEqual(world.facts, ['web ready', 'web health', 'web health', 'web health']);
  world.clock.advance(1000);
  world.end(exitWith(0), 'web');
  world.engine.reportHealth('web:web', 1, 'healthy');
  assert.deepEqual([world.view('web').record.isReady, world.view('web').record.health], [false, null]);
  assert.deepEqual(told, [
    'run 1 is 100',
    'null to starting',
    'starting to healthy',
    'healthy to unhealthy',
    'run 2 is 101',
  ]);
});
