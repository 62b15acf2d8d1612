/** Dependents follow (`depends_on=db:healthy:restart`): they are restarted after a new run of a dependency, once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REQUEST, UNHEALTHY } from '../causes.ts';
import { exitWith, type Program, World } from './world.ts';

/** Programs that are up: each dependent after those before it. */
function worldOf(...programs: readonly Program[]): World {
  const world = new World(programs);
  world.engine.start();
  for (let turn = 0; turn < programs.length; turn++) world.clock.advance(1000);
  for (const { name } of programs) assert.equal(world.state(name), 'RUNNING', name);
  world.calls.length = 0;
  world.states.length = 0;
  return world;
}

/** Lets the program crash and run again: it is RUNNING at the end. */
function renew(world: World, name: string): void {
  world.end(exitWith(1), name);
  world.clock.advance(1000);
  assert.equal(world.state(name), 'RUNNING', name);
}

test('a dependent is restarted when the new run has met the condition, and not before', () => {
  const world = worldOf(
    { name: 'db' },
    { name: 'web', needs: { db: 'started:restart' } },
    { name: 'log', needs: { db: 'started' } },
  );
  world.end(exitWith(1), 'db');
  assert.deepEqual([world.state('db'), world.state('web')], ['STARTING', 'RUNNING']);
  world.clock.advance(1000);
  assert.deepEqual([world.state('web'), world.state('log')], ['STOPPING', 'RUNNING']);
  assert.ok(world.log.includes("restarting 'web': db has a new run (depends_on)"));
  world.end(15, 'web');
  assert.equal(world.state('web'), 'STARTING');
  const cause = { kind: 'dependency', names: ['db'], request: null };
  const { record } = world.view('web');
  assert.deepEqual([record.startCause, record.failedStarts, record.restartsMs, record.failure], [cause, 0, [], null]);
  world.clock.advance(60_000);
  assert.deepEqual(world.calls, ['spawn db', 'SIG15 web', 'spawn web']);
  world.assertQuiet();
});

test('health that comes and goes within one run changes nothing', () => {
  const world = new World([
    { name: 'db', startsecs: 0 },
    { name: 'web', startsecs: 0, needs: { db: 'healthy:restart' } },
  ]);
  world.engine.start();
  const report = (health: 'starting' | 'healthy' | 'unhealthy'): void =>
    world.engine.reportHealth('db:db', world.view('db').record.run, health);
  for (const health of ['starting', 'healthy', 'unhealthy', 'healthy', 'unhealthy'] as const) report(health);
  // A dependent that is started while the dependency is unhealthy does not follow the recovery either.
  world.end(exitWith(1), 'web');
  world.clock.advance(1000);
  report('healthy');
  assert.deepEqual(world.calls, ['spawn db', 'spawn web', 'spawn web']);
  world.engine.restartProcess('db:db', UNHEALTHY);
  world.end(15, 'db');
  world.clock.advance(1000);
  for (const health of ['starting', 'unhealthy'] as const) report(health);
  assert.equal(world.calls.at(-1), 'spawn db');
  for (const health of ['healthy', 'unhealthy', 'healthy'] as const) report(health);
  assert.equal(world.calls.at(-1), 'SIG15 web');
  world.end(15, 'web');
  world.clock.advance(60_000);
  assert.deepEqual(world.calls.slice(-2), ['SIG15 web', 'spawn web']);
});

test('a chain follows link by link', () => {
  const world = worldOf(
    { name: 'a' },
    { name: 'b', needs: { a: 'started:restart' } },
    { name: 'c', needs: { b: 'started:restart' } },
    { name: 'd', needs: { c: 'started:restart' } },
  );
  renew(world, 'a');
  for (const name of ['b', 'c', 'd']) {
    assert.equal(world.state(name), 'STOPPING', name);
    world.end(15, name);
    world.clock.advance(1000);
  }
  world.clock.advance(60_000);
  assert.deepEqual(world.calls, ['spawn a', 'SIG15 b', 'spawn b', 'SIG15 c', 'spawn c', 'SIG15 d', 'spawn d']);
  world.assertQuiet();
});

test('in a diamond, the last one is restarted once, after all that it follows', () => {
  for (const order of [
    ['b', 'c'],
    ['c', 'b'],
  ])
    for (const first of ['d', 'b']) {
      const d: Program = {
        name: 'd',
        needs: { a: 'started:restart', b: 'started:restart', c: 'started:restart' },
      };
      const b: Program = { name: 'b', needs: { a: 'started:restart' } };
      const world = worldOf({ name: 'a' }, ...(first === 'd' ? [d, b] : [b, d]), {
        name: 'c',
        needs: { a: 'started:restart' },
      });
      renew(world, 'a');
      assert.equal(world.state('d'), 'RUNNING');
      for (const name of order) {
        world.end(15, name);
        world.clock.advance(1000);
      }
      assert.equal(world.state('d'), 'STOPPING');
      world.end(15, 'd');
      world.clock.advance(60_000);
      assert.equal(world.calls.filter((call) => call === 'spawn d').length, 1, `${order.join()} ${first}`);
      assert.deepEqual(world.view('d').record.startCause, {
        kind: 'dependency',
        names: ['a', 'b', 'c'],
        request: null,
      });
    }
});

test('a dependency that fails for good does not hold the restart up', () => {
  const world = worldOf(
    { name: 'a' },
    { name: 'b', startretries: 0, needs: { a: 'started:restart' } },
    { name: 'd', needs: { a: 'started:restart', b: 'started:restart' } },
    { name: 'e', needs: { d: 'started:restart' } },
  );
  renew(world, 'a');
  world.end(15, 'b');
  world.end(exitWith(1), 'b');
  assert.equal(world.state('b'), 'FATAL');
  // It waits for b then, as a first start would.
  assert.equal(world.state('d'), 'STOPPING');
  world.end(15, 'd');
  assert.deepEqual([world.state('d'), world.hold('d')], ['STOPPED', 'cannot start: b must be started and is FATAL']);
  assert.equal(world.state('e'), 'RUNNING');
  world.engine.request('b:b', 'start', REQUEST);
  world.clock.advance(1000);
  assert.equal(world.state('d'), 'STARTING');
  world.clock.advance(1000);
  assert.equal(world.state('e'), 'STOPPING');
});

test('a dependency that fails again during the stop: the start waits for it, and happens once', () => {
  const world = worldOf({ name: 'db' }, { name: 'web', needs: { db: 'started:restart' } });
  renew(world, 'db');
  world.end(exitWith(1), 'db');
  world.end(15, 'web');
  assert.equal(world.hold('web'), 'waits for db to be started');
  world.clock.advance(60_000);
  assert.deepEqual(world.calls, ['spawn db', 'SIG15 web', 'spawn db', 'spawn web']);
  assert.equal(world.state('web'), 'RUNNING');
  world.assertQuiet();
});

test('a oneshot that completes again restarts what depends on it', () => {
  const world = new World([
    { name: 'migrate', oneshot: true },
    { name: 'web', needs: { migrate: 'completed:restart' } },
  ]);
  world.engine.start();
  world.end(exitWith(0), 'migrate');
  world.clock.advance(1000);
  assert.equal(world.state('web'), 'RUNNING');
  world.engine.request('migrate:migrate', 'start', REQUEST);
  assert.equal(world.state('web'), 'RUNNING');
  world.end(exitWith(0), 'migrate');
  assert.equal(world.state('web'), 'STOPPING');
});

test('a dependent that is stopped, FATAL, ended or waits to be tried again is left alone', () => {
  const world = worldOf(
    { name: 'db' },
    ...['stopped', 'fatal', 'ended', 'trying'].map((name): Program => ({
      name,
      autorestart: 'false',
      startretries: name === 'trying' ? 5 : 0,
      restartpause: name === 'trying' ? 5 : 0,
      needs: { db: 'started:restart' },
    })),
  );
  world.engine.request('stopped:stopped', 'stop', REQUEST);
  world.end(15, 'stopped');
  world.end(exitWith(0), 'ended');
  for (const name of ['fatal', 'trying']) {
    world.end(exitWith(1), name);
    world.engine.request(`${name}:${name}`, 'start', REQUEST);
    world.end(exitWith(1), name);
  }
  world.calls.length = 0;
  renew(world, 'db');
  assert.deepEqual(
    ['stopped', 'fatal', 'ended', 'trying'].map((name) => world.state(name)),
    ['STOPPED', 'FATAL', 'EXITED', 'BACKOFF'],
  );
  world.clock.advance(60_000);
  assert.deepEqual(world.calls, ['spawn db', 'spawn trying']);
});

test('a dependent that is starting is restarted, without a failed start; one that is not executed yet is not', () => {
  const world = worldOf(
    { name: 'db' },
    { name: 'web', startretries: 0, needs: { db: 'started:restart' } },
    {
      name: 'hooked',
      pre_start_command: null,
      needs: { db: 'started:restart' },
    },
  );
  for (const group of world.groupsOf([
    { name: 'hooked', pre_start_command: 'x', startsecs: 0, needs: { db: 'started:restart' } },
  ]))
    world.engine.updateGroup(group);
  for (const name of ['web', 'hooked']) {
    world.engine.request(`${name}:${name}`, 'stop', REQUEST);
    world.end(15, name);
  }
  world.end(exitWith(1), 'db');
  world.clock.advance(500);
  world.engine.request('hooked:hooked', 'start', REQUEST);
  world.clock.advance(500);
  assert.equal(world.state('hooked'), 'STARTING');
  world.engine.request('web:web', 'start', REQUEST);
  world.end(exitWith(1), 'db');
  world.clock.advance(1000);
  assert.equal(world.state('web'), 'STOPPING');
  world.end(15, 'web');
  assert.deepEqual([world.state('web'), world.view('web').record.failedStarts], ['STARTING', 0]);
  assert.equal(world.state('hooked'), 'STARTING');
  world.endJob('hooked pre_start_command');
  assert.equal(world.state('hooked'), 'RUNNING');
  world.clock.advance(60_000);
  assert.equal(world.state('hooked'), 'RUNNING');
});

test('max_restarts does not count these restarts, and a stop during one wins', () => {
  const world = worldOf({ name: 'db' }, { name: 'web', max_restarts: 0, needs: { db: 'started:restart' } });
  for (let round = 0; round < 3; round++) {
    renew(world, 'db');
    world.end(15, 'web');
    world.clock.advance(1000);
    assert.equal(world.state('web'), 'RUNNING');
  }
  renew(world, 'db');
  world.engine.request('web:web', 'stop', REQUEST);
  world.end(15, 'web');
  world.clock.advance(60_000);
  assert.equal(world.state('web'), 'STOPPED');
  assert.deepEqual(world.view('web').record.stopCause, REQUEST);
});

test('a shutdown during a restart: nothing is started any more', () => {
  const world = worldOf({ name: 'db' }, { name: 'web', needs: { db: 'started:restart' } });
  renew(world, 'db');
  assert.equal(world.state('web'), 'STOPPING');
  world.engine.shutDown('exit', REQUEST);
  world.end(15, 'web');
  world.end(15, 'db');
  assert.equal(world.finished?.goal, 'exit');
  assert.deepEqual(world.calls, ['spawn db', 'SIG15 web', 'SIG15 db']);
  world.assertQuiet();
});

test('exit_when_idle does not take a restart for the end', () => {
  const world = new World([{ name: 'db' }, { name: 'web', startsecs: 5, needs: { db: 'started:restart' } }], {
    exitWhenIdle: true,
  });
  world.engine.start();
  world.clock.advance(1000);
  world.end(exitWith(1), 'db');
  world.clock.advance(1000);
  world.end(15, 'web');
  assert.equal(world.finished, null);
});

test('an update: from then on it follows new runs, and no longer', () => {
  const world = worldOf({ name: 'db' }, { name: 'web', needs: { db: 'started' } });
  const update = (needs: Program['needs'] = {}): void => {
    for (const group of world.groupsOf([{ name: 'web', needs }])) world.engine.updateGroup(group);
  };
  renew(world, 'db');
  update({ db: 'started:restart' });
  world.clock.advance(1000);
  assert.equal(world.state('web'), 'RUNNING');
  renew(world, 'db');
  assert.equal(world.state('web'), 'STOPPING');
  world.end(15, 'web');
  world.clock.advance(1000);
  update({ db: 'started' });
  renew(world, 'db');
  assert.equal(world.state('web'), 'RUNNING');
});

test('an update adds a dependency: its first run restarts nothing, the next one does', () => {
  const world = worldOf({ name: 'db' }, { name: 'web', needs: { db: 'started:restart' } });
  const [added] = world.groupsOf([{ name: 'cache', pre_start_command: 'x' }]);
  assert.ok(added !== undefined);
  assert.equal(world.engine.addGroup(added, REQUEST), true);
  for (const group of world.groupsOf([{ name: 'web', needs: { db: 'started:restart', cache: 'started:restart' } }]))
    world.engine.updateGroup(group);
  world.endJob('cache pre_start_command');
  world.clock.advance(1000);
  assert.deepEqual([world.state('cache'), world.state('web')], ['RUNNING', 'RUNNING']);
  world.end(exitWith(1), 'cache');
  world.endJob('cache pre_start_command');
  world.clock.advance(1000);
  assert.deepEqual([world.state('cache'), world.state('web')], ['RUNNING', 'STOPPING']);
});

test('a dependency that was removed and added again has a new run', () => {
  const world = worldOf({ name: 'db' }, { name: 'web', needs: { db: 'started:restart' } });
  world.engine.request('db:db', 'stop', REQUEST);
  world.end(15, 'db');
  const [group] = world.groupsOf([{ name: 'db' }]);
  assert.ok(group !== undefined);
  assert.equal(world.engine.removeGroup('db'), 'removed');
  assert.equal(world.state('web'), 'RUNNING');
  assert.equal(world.engine.addGroup(group, REQUEST), true);
  world.clock.advance(1000);
  assert.equal(world.state('web'), 'STOPPING');
});

test('in any graph, a new run restarts each follower once, and nothing else', () => {
  let state = 1;
  const random = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  for (let round = 0; round < 200; round++) {
    const names = Array.from({ length: 7 }, (_, index) => `p${index}`);
    const follows = new Map(names.map((name, index) => [name, names.slice(0, index).filter(() => random() < 0.35)]));
    const reached = new Set(['p0']);
    for (const name of names) if (follows.get(name)?.some((other) => reached.has(other)) === true) reached.add(name);
    const programs = names.map((name): Program => ({
      name,
      startsecs: Math.floor(random() * 3),
      needs: Object.fromEntries((follows.get(name) ?? []).map((other) => [other, 'started:restart' as const])),
    }));
    const world = new World(programs.toSorted(() => random() - 0.5));
    world.engine.start();
    world.clock.advance(60_000);
    world.calls.length = 0;
    world.end(exitWith(1), 'p0');
    for (let turn = 0; turn < 200; turn++) {
      world.clock.advance(Math.floor(random() * 1500));
      const stopping = names.filter((name) => world.state(name) === 'STOPPING');
      const [next] = stopping.toSorted(() => random() - 0.5);
      if (next !== undefined && random() < 0.5) world.end(15, next);
    }
    for (const name of names) {
      const starts = world.calls.filter((call) => call === `spawn ${name}`).length;
      assert.deepEqual([world.state(name), starts], ['RUNNING', reached.has(name) ? 1 : 0], `round ${round}, ${name}`);
    }
    world.assertQuiet();
  }
});
