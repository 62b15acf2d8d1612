/** Lazy programs on the real engine: when their sockets are watched, and what a connection starts. */
import assert from 'node:assert/strict';
import { fstatSync, openSync } from 'node:fs';
import { mock, test } from 'node:test';
import type { ListenSpec } from '../../../src/core/listen-spec.ts';
import { LazyStarts } from '../../../src/supervisor/lazy-starts.ts';
import { type Program, World } from '../../engine/world.ts';
import { REQUEST } from '../../causes.ts';

const HTTP: ListenSpec = { address: { kind: 'tcp', host: '::', port: 80 }, mode: null, owner: null, name: null };
const LOCAL: ListenSpec = { address: { kind: 'unix', path: '/a' }, mode: null, owner: null, name: null };

interface Scene {
  readonly world: World;
  readonly lazy: LazyStarts;
  /** Numbers of the watched sockets. */
  readonly watched: () => number[];
  /** Lets a connection arrive at a watched socket. */
  readonly connect: (socket: number) => void;
  /** Sockets that cannot be opened. */
  readonly missing: Set<ListenSpec>;
  readonly log: string[];
}

function begin(programs: readonly Program[], { failing = false } = {}): Scene {
  const world = new World(programs);
  const log: string[] = [];
  const missing = new Set<ListenSpec>();
  const sockets = new Map<ListenSpec, { fd: number }>([
    [HTTP, { fd: 1000 }],
    [LOCAL, { fd: 2000 }],
  ]);
  const watches = new Map<number, { socket: number; ready: (errno: number) => void }>();
  const opened = new Map<number, number>();
  const lazy = new LazyStarts({
    engine: world.engine,
    clock: world.clock,
    report: (level, text) => void log.push(`${level} ${text}`),
    sockets: {
      findAll: ({ options }) => {
        const found = options.listen.flatMap((spec) => (missing.has(spec) ? [] : (sockets.get(spec) ?? [])));
        return found.length === options.listen.length ? found : null;
      },
    },
    addon: {
      openConnectionWatch: (socket) => {
        if (failing) throw Object.assign(new Error('no more files'), { code: 'EMFILE', syscall: 'epoll_ctl' });
        const fd = openSync('/dev/null', 'r');
        opened.set(fd, socket);
        return fd;
      },
      watchReadable: (fd, ready) =>
        void watches.set(fd, { socket: opened.get(fd) ?? 0, ready: (errno) => ready(errno, fd) }),
      unwatchReadable: (fd) => {
        assert.ok(watches.delete(fd));
        assert.ok(fstatSync(fd), 'the watch ends before its descriptor is closed');
      },
    },
  });
  world.engine.subscribe((event) => lazy.observe(event));
  lazy.begin(world.engine.processes());
  return {
    world,
    lazy,
    log,
    missing,
    watched: () => [...watches.values()].map(({ socket }) => socket).toSorted((a, b) => a - b),
    connect: (socket) => [...watches.values()].find((watch) => watch.socket === socket)?.ready(0),
  };
}

const program = (name: string, more: Partial<Program> = {}): Program => ({
  name,
  listen: [HTTP],
  listen_lazy: true,
  ...more,
});

test('the first connection starts all processes that wait at the socket, and ends the watch', () => {
  const { world, watched, connect } = begin([
    program('a'),
    program('b', { listen: [LOCAL, HTTP] }),
    program('c', { listen: [LOCAL] }),
    { name: 'd', listen: [HTTP] },
  ]);
  world.engine.start();
  assert.deepEqual(world.calls, ['spawn d']);
  assert.deepEqual(watched(), [1000, 2000]);
  assert.equal(world.view('c').record.hold?.kind, 'connection');
  connect(1000);
  assert.deepEqual(world.calls, ['spawn d', 'spawn a', 'spawn b']);
  assert.deepEqual(watched(), [2000]);
  assert.deepEqual(world.view('b').record.startCause, { kind: 'connection', address: 'tcp://[::]:80' });
});

test('the events of a lazy program look at no other programs', () => {
  const looksAmong = (count: number): number => {
    const others = Array.from({ length: count }, (_, index) => ({ name: `other${index}` }));
    const { world, connect } = begin([program('a', { startsecs: 0 }), ...others]);
    const looking = mock.method(world.engine, 'process');
    world.engine.start();
    connect(1000);
    world.clock.advance(2000);
    world.end(0, 'a');
    assert.equal(world.view('a').record.hold?.kind, 'connection');
    return looking.mock.callCount();
  };
  assert.equal(looksAmong(1000), looksAmong(10));
});

test('a group that is added later is watched, and one that is removed is not', () => {
  const { world, lazy, watched } = begin([{ name: 'x' }]);
  const [late] = new World([program('late')]).groupsOf([program('late')]);
  assert.ok(late !== undefined);
  world.engine.addGroup(late, REQUEST);
  assert.deepEqual(watched(), [1000]);
  world.engine.request('late:late', 'stop', REQUEST);
  assert.equal(world.engine.removeGroup('late'), 'removed');
  assert.deepEqual(watched(), []);
  lazy.close();
});

test('after an end that nothing follows it waits again, a second after its start at the earliest', () => {
  const { world, watched, connect } = begin([program('a', { startsecs: 0 })]);
  world.engine.start();
  connect(1000);
  world.clock.advance(400);
  world.end(0, 'a');
  assert.equal(world.view('a').record.hold?.kind, 'connection', 'a stop would end the wait at once');
  assert.deepEqual(watched(), []);
  world.clock.advance(599);
  assert.deepEqual(watched(), []);
  world.clock.advance(1);
  assert.deepEqual(watched(), [1000]);
  connect(1000);
  world.clock.advance(5000);
  world.end(0, 'a');
  assert.deepEqual(watched(), [1000]);
});

test('nothing is watched in BACKOFF, in FATAL, after a stop, and in a shutdown', () => {
  const { world, watched, connect } = begin([program('a', { startretries: 1 }), program('b', { listen: [LOCAL] })]);
  world.engine.start();
  connect(1000);
  world.end(1, 'a');
  assert.deepEqual([world.state('a'), watched()], ['BACKOFF', [2000]]);
  world.clock.advance(1000);
  world.end(1, 'a');
  world.clock.advance(5000);
  assert.deepEqual([world.state('a'), watched()], ['FATAL', [2000]]);
  world.engine.request('b:b', 'stop', REQUEST);
  assert.deepEqual([world.state('b'), watched()], ['STOPPED', []]);
  world.clock.advance(5000);
  world.engine.request('b:b', 'start', REQUEST);
  assert.equal(world.state('b'), 'STARTING');
  world.engine.shutDown('exit', REQUEST);
  assert.deepEqual(watched(), []);
});

test('a shutdown ends all watches and alarms', () => {
  const { world, lazy, watched, connect } = begin([program('a', { startsecs: 0 }), program('b', { listen: [LOCAL] })]);
  world.engine.start();
  connect(1000);
  world.end(0, 'a');
  world.engine.shutDown('exit', REQUEST);
  lazy.close();
  assert.deepEqual(watched(), []);
  assert.deepEqual(world.clock.pending, []);
});

test('a connection that arrives while its dependencies do not run waits for them', () => {
  const { world, watched, connect } = begin([
    program('a', { needs: { db: 'started' } }),
    { name: 'db', startsecs: 1, autostart: false },
  ]);
  world.engine.start();
  world.engine.request('db:db', 'start', REQUEST);
  connect(1000);
  assert.deepEqual([world.view('a').record.hold?.kind, watched()], ['waiting', []]);
  world.clock.advance(1000);
  assert.equal(world.state('a'), 'STARTING');
});

test('without its socket, or when it cannot be watched, a program is started: the start tells the reason', () => {
  const { world, missing } = begin([program('a')]);
  missing.add(HTTP);
  world.engine.start();
  assert.deepEqual(world.calls, ['spawn a']);
  const other = begin([program('a')], { failing: true });
  other.world.engine.start();
  assert.deepEqual(other.world.calls, ['spawn a']);
  assert.match(other.log[0] ?? '', /^error cannot watch tcp:\/\/\[::\]:80 for connections: /);
});

test('with exit_when_idle, a program that waits is awaited', () => {
  const world = new World([program('a', { startsecs: 0 })], { exitWhenIdle: true });
  world.engine.start();
  world.engine.request('a:a', 'start', REQUEST);
  world.end(0, 'a');
  assert.equal(world.engine.phase, 'running');
});
