/** The engine with a fake kernel: start, restart, stop and shutdown of sets of programs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitWith, World } from './world.ts';
import { REQUEST } from '../causes.ts';

const TERM = { kind: 'signal', signal: 15, sender: 0 } as const;

test('programs start in order of priority, at once, without a tick', () => {
  const world = new World([{ name: 'web' }, { name: 'db', priority: 1 }, { name: 'off', autostart: false }]);
  world.engine.start();
  assert.deepEqual(world.calls, ['spawn db', 'spawn web']);
  assert.deepEqual(world.log, ["spawned: 'db' with pid 100", "spawned: 'web' with pid 101"]);
  world.clock.advance(1000);
  assert.equal(world.state('web'), 'RUNNING');
  assert.equal(world.state('off'), 'STOPPED');
  assert.ok(
    world.log.includes('success: web entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)'),
  );
  world.assertQuiet();
});

test('a crashed program is restarted in the same turn', () => {
  const world = new World([{ name: 'web' }]);
  world.engine.start();
  world.clock.advance(5000);
  world.end(9, 'web');
  assert.deepEqual(world.calls, ['spawn web', 'spawn web']);
  assert.ok(world.log.includes('exited: web (terminated by SIGKILL; not expected)'));
  assert.equal(world.view('web').record.pid, 101);
  world.clock.advance(1000);
  world.assertQuiet();
});

test('delays of retries grow by a second, and FATAL follows startretries', () => {
  const world = new World([{ name: 'web' }]);
  world.engine.start();
  const waits: number[][] = [];
  for (let attempt = 1; attempt <= 4; attempt++) {
    world.end(exitWith(1), 'web');
    waits.push(world.clock.pending);
    world.clock.advance(world.clock.pending[0] ?? 0);
  }
  assert.deepEqual(waits, [[1000], [2000], [3000], []]);
  assert.equal(world.state('web'), 'FATAL');
  assert.deepEqual(world.log.slice(-2), [
    'gave up: web entered FATAL state, too many start retries too quickly',
    'web is FATAL: Exited too quickly (process log may have details)',
  ]);
  assert.deepEqual(world.states.slice(-2), ['web STARTING>BACKOFF', 'web BACKOFF>FATAL']);
  world.assertQuiet();
});

test('a command that cannot be executed is retried, with its reason', () => {
  const world = new World([
    { name: 'web', startretries: 1, spawnError: { reason: "can't find command 'nope'", exitCode: 127 } },
  ]);
  world.engine.start();
  assert.equal(world.state('web'), 'BACKOFF');
  assert.equal(world.failure('web'), "can't find command 'nope'");
  world.clock.advance(1000);
  assert.equal(world.state('web'), 'FATAL');
  assert.ok(world.log.includes("spawnerr: can't find command 'nope'"));
  world.assertQuiet();
});

test('startsecs=0 with immediate exits restarts once a second', () => {
  const world = new World([{ name: 'spin', startsecs: 0, autorestart: 'true' }]);
  world.engine.start();
  for (let turn = 0; turn < 5; turn++) {
    world.end(exitWith(0), 'spin');
    assert.equal(world.state('spin'), 'EXITED');
    world.clock.advance(999);
    assert.equal(world.state('spin'), 'EXITED');
    world.clock.advance(1);
    assert.equal(world.state('spin'), 'RUNNING');
  }
  assert.equal(world.calls.length, 6);
});

test('stop signals the leader, then kills after stopwaitsecs', () => {
  const world = new World([{ name: 'web', stopwaitsecs: 2 }]);
  world.engine.start();
  world.clock.advance(1000);
  world.engine.request(world.id('web'), 'stop', REQUEST);
  assert.deepEqual(world.calls.slice(1), ['SIG15 web']);
  world.clock.advance(2000);
  assert.deepEqual(world.calls.slice(1), ['SIG15 web', 'SIG9 web']);
  world.end(9, 'web');
  assert.equal(world.state('web'), 'STOPPED');
  assert.ok(world.log.includes('stopped: web (terminated by SIGKILL)'));
  world.assertQuiet();
});

test('stopasgroup and killasgroup signal the group', () => {
  const world = new World([{ name: 'tree', stopasgroup: true, killasgroup: true, stopwaitsecs: 1 }]);
  world.engine.start();
  world.engine.request(world.id('tree'), 'stop', REQUEST);
  world.clock.advance(1000);
  assert.deepEqual(world.calls.slice(1), ['SIG15 -tree', 'SIG9 -tree']);
  world.end(9, 'tree');
  world.assertQuiet();
});

test('no signal goes to a pid that was reaped in the same batch', () => {
  const world = new World([{ name: 'a', exit_on_failure: true, autorestart: 'false' }, { name: 'b' }]);
  world.engine.start();
  world.clock.advance(1000);
  // The end of a stops b, whose exit is in the batch already. World fails on a signal to an ended process.
  world.end(exitWith(3), 'a', 'b');
  assert.deepEqual(world.calls, ['spawn a', 'spawn b']);
  assert.ok(world.finished !== null);
  world.assertQuiet();
});

test('an unknown child is reported and changes nothing', () => {
  const world = new World([]);
  world.engine.reaped([{ pid: 4711, status: 0 }]);
  assert.deepEqual(world.log, ['reaped unknown pid 4711 (exit status 0)']);
});

test('a shutdown stops by descending priority, equal ranks together', () => {
  const world = new World([{ name: 'db', priority: 1 }, { name: 'web' }, { name: 'job' }]);
  world.engine.start();
  world.clock.advance(1000);
  world.calls.length = 0;
  world.engine.shutDown('exit', TERM);
  assert.deepEqual(world.calls, ['SIG15 web', 'SIG15 job']);
  assert.equal(world.log.at(-3), 'waiting for web, job, db to die');
  world.end(15, 'web');
  assert.equal(world.calls.length, 2);
  world.end(15, 'job');
  assert.deepEqual(world.calls.slice(2), ['SIG15 db']);
  world.end(15, 'db');
  assert.deepEqual(world.finished, { goal: 'exit', cause: TERM });
  world.assertQuiet();
});

test('during a shutdown nothing is started, and BACKOFF becomes STOPPED, not FATAL', () => {
  const world = new World([
    { name: 'slow', priority: 1000 },
    { name: 'crashes', startretries: 0 },
    { name: 'waits' },
    { name: 'quick', startsecs: 0, autorestart: 'true' },
  ]);
  world.engine.start();
  world.end(exitWith(1), 'waits');
  world.end(exitWith(1), 'quick');
  assert.equal(world.state('waits'), 'BACKOFF');
  world.engine.shutDown('exit', TERM);
  assert.equal(world.state('waits'), 'STOPPED');
  world.engine.request(world.id('waits'), 'start', REQUEST);
  assert.equal(world.state('waits'), 'STOPPED');
  world.end(exitWith(1), 'crashes');
  world.end(15, 'slow');
  assert.ok(world.finished !== null);
  assert.equal(world.state('quick'), 'EXITED');
  world.assertQuiet();
});

test('a hurried shutdown kills all processes at once', () => {
  const world = new World([{ name: 'db', priority: 1 }, { name: 'web' }]);
  world.engine.start();
  world.engine.shutDown('exit', TERM);
  world.engine.hurry();
  assert.deepEqual(world.calls.slice(2), ['SIG15 web', 'SIG9 web', 'SIG9 db']);
  world.end(9, 'web', 'db');
  assert.ok(world.finished !== null);
  world.assertQuiet();
});

test('shutdown_timeout limits the whole shutdown', () => {
  const world = new World(
    [
      { name: 'db', priority: 1 },
      { name: 'web', stopwaitsecs: 60 },
    ],
    { shutdownTimeoutMs: 3000 },
  );
  world.engine.start();
  world.engine.shutDown('exit', TERM);
  world.clock.advance(3000);
  assert.deepEqual(world.calls.slice(2), ['SIG15 web', 'SIG9 web', 'SIG9 db']);
  world.end(9, 'db', 'web');
  assert.ok(world.finished !== null);
  world.assertQuiet();
});

test('a budget kills before it has run out, and a process that survives SIGKILL is given up with its name', () => {
  const world = new World([{ name: 'web', stopwaitsecs: 60 }, { name: 'db' }], { stopBudgetMs: 9500 });
  world.engine.start();
  world.engine.shutDown('exit', TERM);
  world.end(15, 'db');
  world.clock.advance(8699);
  assert.ok(!world.log.includes('stop_budget has passed: killing the remaining processes'));
  world.clock.advance(1);
  assert.ok(world.log.includes('stop_budget has passed: killing the remaining processes'));
  world.clock.advance(249);
  assert.equal(world.finished, null);
  world.clock.advance(1);
  assert.deepEqual(world.finished, { goal: 'exit', cause: TERM });
  assert.equal(world.log.at(-1), "'web' (100) has survived SIGKILL and is left behind");
  assert.equal(world.isHurried, false);
  // Its exit may still come, and is not reported.
  world.end(9, 'web');
  world.assertQuiet();
});

test('a main program that got the signal is waited for while the others stop, and determines the exit code', () => {
  const forwarded = { id: 'main:main', mayKill: false };
  for (const isFirst of [true, false]) {
    const world = new World([{ name: 'main', exit_on_end: true, autorestart: 'false' }, { name: 'cache' }], {
      mainProgram: 'main:main',
    });
    world.engine.start();
    world.clock.advance(1000);
    world.engine.shutDown('exit', TERM, { forwarded });
    assert.deepEqual(world.calls.slice(2), ['SIG15 cache']);
    assert.deepEqual(
      world.log.filter((line) => line.startsWith('waiting for')),
      ['waiting for cache to die'],
    );
    for (const name of isFirst ? ['main', 'cache'] : ['cache', 'main'])
      world.end(name === 'main' ? exitWith(7) : 15, name);
    assert.ok(world.finished?.cause.kind === 'program');
    assert.deepEqual(
      [world.finished.cause.id, world.finished.cause.code, world.finished.cause.rule],
      ['main', 7, 'main program'],
    );
    world.assertQuiet();
  }
});

test('an UNKNOWN process can be removed, and its exit is not that of a new process with its name', () => {
  const world = new World([{ name: 'web' }]);
  world.engine.start();
  world.clock.advance(1000);
  world.signalError = 'EPERM';
  world.engine.request('web:web', 'stop', REQUEST);
  assert.equal(world.state('web'), 'UNKNOWN');
  assert.equal(world.engine.removeGroup('web'), 'removed');
  const [web] = world.groupsOf([{ name: 'web' }]);
  assert.ok(web !== undefined && world.engine.addGroup(web, REQUEST));
  world.clock.advance(1000);
  world.engine.reaped([{ pid: 100, status: 9 }]);
  assert.deepEqual(
    [world.state('web'), world.view('web').record.pid, world.log.at(-1)],
    ['RUNNING', 101, 'reaped unknown pid 100 (terminated by SIGKILL)'],
  );
});

test('a process that cannot be signalled does not delay a shutdown', () => {
  const world = new World([{ name: 'web' }]);
  world.engine.start();
  world.signalError = 'EPERM';
  world.engine.shutDown('exit', TERM);
  assert.equal(world.state('web'), 'UNKNOWN');
  assert.ok(world.finished !== null);
  world.assertQuiet();
});

test('a request to restart finishes as a restart, unless a shutdown is requested meanwhile', () => {
  const restart = new World([{ name: 'web' }]);
  restart.engine.start();
  restart.engine.shutDown('restart', { kind: 'signal', signal: 1, sender: 0 });
  restart.end(15, 'web');
  assert.equal(restart.finished?.goal, 'restart');
  const both = new World([{ name: 'web' }]);
  both.engine.start();
  both.engine.shutDown('restart', { kind: 'signal', signal: 1, sender: 0 });
  both.engine.shutDown('exit', TERM);
  both.end(15, 'web');
  assert.deepEqual(both.finished, { goal: 'exit', cause: TERM });
});

test('exit_on_failure: FATAL and an unexpected exit end the container with their code; a restart does not', () => {
  const world = new World([{ name: 'web', exit_on_failure: true }, { name: 'db' }]);
  world.engine.start();
  world.clock.advance(2000);
  world.end(exitWith(5), 'web');
  assert.equal(world.engine.phase, 'running');
  for (let attempt = 0; attempt < 4; attempt++) {
    world.end(exitWith(6), 'web');
    if (attempt < 3) assert.equal(world.engine.phase, 'running');
    world.clock.advance(attempt < 3 ? (attempt + 1) * 1000 : 0);
  }
  assert.equal(world.engine.phase, 'stopping');
  world.end(15, 'db');
  assert.deepEqual(world.finished?.cause, {
    kind: 'program',
    id: 'web',
    rule: 'exit_on_failure',
    code: 6,
    how: 'exit status 6',
    wasExecuted: true,
  });
});

test('exit_on_end and the main program end the container with any exit code', () => {
  const job = new World([{ name: 'job', exit_on_end: true, startsecs: 0, autorestart: 'false' }]);
  job.engine.start();
  job.end(exitWith(0), 'job');
  assert.deepEqual(job.finished?.cause, {
    kind: 'program',
    id: 'job',
    rule: 'exit_on_end',
    code: 0,
    how: 'exit status 0',
    wasExecuted: true,
  });
  const main = new World([{ name: 'main', startsecs: 0, autorestart: 'false' }], { mainProgram: 'main:main' });
  main.engine.start();
  main.end(9, 'main');
  assert.deepEqual(main.finished?.cause, {
    kind: 'program',
    id: 'main',
    rule: 'main program',
    code: 137,
    how: 'terminated by SIGKILL',
    wasExecuted: true,
  });
});

test('any exit code of the main program is expected', () => {
  const main = new World([{ name: 'main', startsecs: 0, autorestart: 'false' }], { mainProgram: 'main:main' });
  main.engine.start();
  main.end(exitWith(7), 'main');
  assert.ok(main.log.includes('exited: main (exit status 7; expected)'));
});

test('an exit of the main program by a signal is expected if that signal was forwarded', () => {
  for (const [sent, word] of [
    [15, 'expected'],
    [10, 'not expected'],
  ] as const) {
    const main = new World([{ name: 'main', startsecs: 0, autorestart: 'false' }], { mainProgram: 'main:main' });
    main.engine.start();
    main.engine.signalProcess('main:main', sent, REQUEST);
    main.end(15, 'main');
    assert.ok(main.log.includes(`exited: main (terminated by SIGTERM; ${word})`));
  }
});

test('exit_when_idle waits for the last process that runs or is due to start', () => {
  const once = { autorestart: 'false', startsecs: 0 } as const;
  const world = new World(
    [
      { name: 'a', ...once },
      { name: 'b', ...once },
      { name: 'never', autostart: false },
    ],
    { exitWhenIdle: true },
  );
  world.engine.start();
  world.end(exitWith(0), 'a');
  assert.equal(world.finished, null);
  world.end(exitWith(4), 'b');
  assert.deepEqual(world.finished, {
    goal: 'exit',
    cause: { kind: 'program', id: 'b', rule: 'exit_when_idle', code: 4, how: 'exit status 4', wasExecuted: true },
  });
});

test('exit_when_idle: the first failure among the last runs determines the code, also if it was stopped', () => {
  const once = { startsecs: 0, autorestart: 'false' as const };
  const codeOf = (...ends: ReadonlyArray<readonly [name: string, status: number, isStopped?: true]>): unknown => {
    const world = new World(
      ['a', 'b', 'c'].map((name) => ({ name, ...once, exitcodes: [0, 2] })),
      { exitWhenIdle: true },
    );
    world.engine.start();
    for (const [name, status, isStopped] of ends) {
      world.clock.advance(100);
      if (isStopped === true) world.engine.request(`${name}:${name}`, 'stop', REQUEST);
      world.end(status, name);
    }
    const { cause } = world.finished ?? {};
    return cause?.kind === 'program' ? [cause.id, cause.code] : null;
  };
  assert.deepEqual(codeOf(['b', exitWith(3)], ['a', exitWith(4)], ['c', exitWith(0)]), ['b', 3]);
  assert.deepEqual(codeOf(['b', exitWith(2)], ['a', 9], ['c', exitWith(5)]), ['a', 137]);
  assert.deepEqual(
    codeOf(['a', exitWith(0)], ['b', exitWith(0)], ['c', exitWith(2)]),
    ['c', 2],
    'nothing has failed: the last one',
  );
  assert.deepEqual(codeOf(['a', exitWith(7), true], ['b', exitWith(0)], ['c', exitWith(0)]), ['a', 7]);
  assert.deepEqual(
    codeOf(['a', 15, true], ['b', exitWith(0)], ['c', exitWith(0)]),
    ['c', 0],
    'ended by the stop signal',
  );
  assert.deepEqual(codeOf(['a', 9, true], ['b', exitWith(0)], ['c', exitWith(0)]), ['a', 137], 'killed');
});

test('a stop by a user does not end the container: exit_when_idle ignores it', () => {
  const world = new World([{ name: 'web', exit_on_end: true, exit_on_failure: true }], { exitWhenIdle: true });
  world.engine.start();
  world.engine.request(world.id('web'), 'stop', REQUEST);
  world.end(15, 'web');
  assert.equal(world.finished, null);
  assert.equal(world.state('web'), 'STOPPED');
});

test('a requested signal goes to running processes only', () => {
  const world = new World([{ name: 'web' }, { name: 'off', autostart: false }]);
  world.engine.start();
  assert.equal(world.engine.signalProcess('web:web', 10, REQUEST), null);
  assert.equal(world.engine.signalProcess('off:off', 10, REQUEST), 'not running');
  assert.equal(world.engine.signalProcess('no:no', 10, REQUEST), 'no such process');
  assert.equal(world.engine.request('no:no', 'stop', REQUEST), false);
  assert.equal(world.engine.process('no:no'), null);
  assert.deepEqual(world.calls.slice(1), ['SIG10 web']);
});

test('a listener that throws does not stop the loop', () => {
  const world = new World([{ name: 'web' }]);
  world.engine.subscribe(() => {
    throw new Error('broken listener');
  });
  world.engine.start();
  assert.equal(world.state('web'), 'STARTING');
  assert.ok(world.log.some((line) => line.includes('broken listener')));
});

test('500 programs take one turn and leave one alarm each', () => {
  const world = new World(Array.from({ length: 500 }, (_, n) => ({ name: `p${n}` })));
  world.engine.start();
  assert.equal(world.calls.length, 500);
  assert.equal(world.clock.pending.length, 500);
  world.clock.advance(1000);
  world.assertQuiet();
});

test('groups are added and removed at run time, but not removed while they run', () => {
  const world = new World([{ name: 'web' }]);
  world.engine.start();
  const [late] = world.groupsOf([{ name: 'late' }]);
  assert.ok(late !== undefined);
  assert.equal(world.engine.addGroup(late, REQUEST), true);
  assert.equal(world.engine.addGroup(late, REQUEST), false);
  assert.equal(world.state('late'), 'STARTING');
  assert.equal(world.engine.removeGroup('late'), 'running');
  world.engine.request('late:late', 'stop', REQUEST);
  assert.equal(world.engine.removeGroup('late'), 'running');
  world.end(15, 'late');
  assert.equal(world.engine.removeGroup('late'), 'removed');
  assert.equal(world.engine.removeGroup('late'), 'unknown');
  assert.deepEqual(
    world.engine.processes().map(({ id }) => id),
    ['web:web'],
  );
  assert.deepEqual([world.states.at(1), world.states.at(-1)], ['late added', 'late removed']);
});

test('a spawn that throws is a failed start, which can be stopped like any other', () => {
  const world = new World([{ name: 'web', spawnThrows: true }]);
  world.engine.start();
  assert.deepEqual(
    [world.state('web'), world.failure('web')],
    ['BACKOFF', "cannot start 'web': the supervisor has failed"],
  );
  assert.ok(world.log.some((line) => line.startsWith("cannot start 'web': TypeError: an unexpected error")));
  world.engine.shutDown('exit', REQUEST);
  assert.ok(world.hasEnded());
  world.assertQuiet();
});

test('a shutdown during starts prevents the remaining starts', () => {
  const world = new World([
    { name: 'first', startretries: 0, exit_on_failure: true, spawnError: { reason: 'no such file', exitCode: 127 } },
    { name: 'second' },
    { name: 'third', needs: { second: 'started' } },
  ]);
  world.engine.start();
  assert.deepEqual([world.finished?.goal, world.calls], ['exit', ['spawn first']]);
  world.assertQuiet();
});

test('so does a shutdown together with an event that a start has waited for', () => {
  const world = new World([
    { name: 'migrate', oneshot: true, exit_on_end: true },
    { name: 'web', needs: { migrate: 'completed' } },
  ]);
  world.engine.start();
  world.end(exitWith(0), 'migrate');
  assert.deepEqual([world.finished?.goal, world.calls], ['exit', ['spawn migrate']]);
  world.assertQuiet();
});

test('the removal of a group names its processes, and those that an update has removed from it', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name, group: 'g', autostart: false }));
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const world = new World([a, b]);
  const told: Array<readonly string[]> = [];
  world.engine.subscribe((event) => {
    if (event.type === 'group') told.push(event.ids);
  });
  for (const programs of [[a], [a, c], [c]])
    for (const group of world.groupsOf(programs)) world.engine.updateGroup(group);
  assert.equal(world.engine.removeGroup('g'), 'removed');
  for (const group of world.groupsOf([b])) world.engine.addGroup(group, REQUEST);
  assert.equal(world.engine.removeGroup('g'), 'removed');
  assert.deepEqual(told, [['g:c', 'g:b', 'g:a'], ['g:b'], ['g:b']]);
});
