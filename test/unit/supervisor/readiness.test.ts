import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Notice, NoticeListener } from '../../../src/process/notification-channels.ts';
import { Readiness } from '../../../src/supervisor/readiness.ts';
import { MonitorWorld } from './monitor-world.ts';

/** One program `web` in its first run, with a watchdog of some seconds. */
class Scene {
  readonly world = new MonitorWorld();
  readonly ready: string[] = [];
  readonly closed: string[] = [];
  /** Notices in the socket that are read at the last moment. */
  unread: Notice[] = [];
  readonly readiness: Readiness;
  /** Reports a match of ready_log. */
  sayInLog: (id: string, run: number) => void = () => undefined;
  #listener: NoticeListener = () => undefined;

  constructor(watchdogSec: number | null = null) {
    const { engine, clock, report } = this.world;
    const options = { cron: null, watchdog_sec: watchdogSec };
    this.world.configure('web', options);
    this.readiness = new Readiness({
      engine: { ...engine, reportReady: (id, run) => void this.ready.push(`${id} ${run}`) },
      clock,
      report,
      channels: {
        listen: (listener) => void (this.#listener = listener),
        readNow: () => this.say(...this.unread.splice(0)),
        close: (id) => void this.closed.push(id),
        closeAll: () => void this.closed.push('all'),
      },
      readyLogs: {
        listen: (listener) => void (this.sayInLog = listener),
        close: (id) => void this.closed.push(`log of ${id}`),
        closeAll: () => void this.closed.push('all logs'),
      },
    });
    this.readiness.begin();
    this.become('STARTING');
  }

  become(...to: Parameters<MonitorWorld['become']> extends [string, ...infer R] ? R : never): void {
    this.readiness.observe(this.world.become('web', ...to));
  }

  say(...notices: Notice[]): void {
    const run = this.world.engine.process('web')?.record.run ?? 0;
    for (const notice of notices) this.#listener('web', run, notice);
  }

  sayOf(run: number, notice: Notice): void {
    this.#listener('web', run, notice);
  }
}

test('readiness and status belong to a run', () => {
  const scene = new Scene();
  assert.equal(scene.readiness.remark('web'), null);
  scene.say({ kind: 'status', text: 'warming up' });
  assert.deepEqual(scene.readiness.remark('web'), { kind: 'statusText', text: 'warming up' });
  scene.say({ kind: 'ready' }, { kind: 'status', text: '' });
  assert.deepEqual(scene.ready, ['web 1']);
  assert.equal(scene.readiness.remark('web'), null);
  scene.become('RUNNING');
  scene.say({ kind: 'status', text: 'serving' });
  scene.become('STOPPING');
  assert.deepEqual(scene.readiness.remark('web'), { kind: 'statusText', text: 'serving' });
  assert.deepEqual(scene.closed, ['log of web']);
  scene.become('STOPPED');
  assert.deepEqual(scene.closed, ['log of web', 'log of web', 'web']);
  assert.equal(scene.readiness.remark('web'), null);
  scene.become('STARTING');
  assert.equal(scene.readiness.remark('web'), null);
  scene.sayOf(1, { kind: 'ready' });
  assert.deepEqual(scene.ready, ['web 1']);
  scene.say({ kind: 'ready' });
  assert.deepEqual(scene.ready, ['web 1', 'web 2']);
  assert.deepEqual(scene.world.clock.pending, []);
});

test('a line of the output is a report, too', () => {
  const scene = new Scene();
  scene.sayInLog('web', 2);
  assert.deepEqual(scene.ready, []);
  scene.sayInLog('web', 1);
  assert.deepEqual(scene.ready, ['web 1']);
  scene.readiness.close();
  assert.deepEqual(scene.closed.slice(-2), ['all', 'all logs']);
});

test('a watchdog counts from readiness on, and each WATCHDOG=1 restarts it', () => {
  const scene = new Scene(5);
  scene.say({ kind: 'alive' });
  assert.deepEqual(scene.world.clock.pending, []);
  scene.say({ kind: 'ready' });
  scene.world.clock.advance(4000);
  scene.say({ kind: 'alive' });
  scene.world.clock.advance(4999);
  assert.deepEqual(scene.world.asked, []);
  scene.world.clock.advance(1);
  assert.deepEqual(scene.world.asked, ['web no WATCHDOG=1 for 5 seconds']);
  assert.deepEqual(scene.world.clock.pending, []);
});

test('an unread WATCHDOG=1 counts', () => {
  const scene = new Scene(5);
  scene.say({ kind: 'ready' });
  scene.unread = [{ kind: 'alive' }];
  scene.world.clock.advance(5000);
  assert.deepEqual(scene.world.asked, []);
  assert.deepEqual(scene.world.clock.pending, [5000]);
  scene.unread = [{ kind: 'stopping' }];
  scene.world.clock.advance(5000);
  assert.deepEqual([scene.world.asked, scene.world.clock.pending], [[], []]);
});

test('a late watchdog alarm gives the program its full time again', () => {
  const scene = new Scene(5);
  scene.say({ kind: 'ready' });
  const { clock } = scene.world;
  // The container is frozen: time passes without an alarm.
  const nowMs = clock.nowMs.bind(clock);
  clock.nowMs = () => nowMs() + 60_000;
  clock.advance(5000);
  clock.nowMs = nowMs;
  assert.deepEqual(scene.world.asked, []);
  assert.equal(clock.pending.length, 1);
});

test('a stop, and STOPPING=1, end the watchdog', () => {
  for (const end of [
    (scene: Scene) => scene.become('STOPPING'),
    (scene: Scene) => scene.say({ kind: 'stopping' }),
    (scene: Scene) => scene.become('EXITED'),
    (scene: Scene) => scene.readiness.close(),
  ]) {
    const scene = new Scene(5);
    scene.say({ kind: 'ready' });
    assert.deepEqual(scene.world.clock.pending, [5000]);
    end(scene);
    assert.deepEqual(scene.world.clock.pending, []);
  }
  const scene = new Scene(5);
  scene.become('STOPPING');
  scene.say({ kind: 'ready' });
  assert.deepEqual(scene.world.clock.pending, []);
});

test('the program sets its own limit, or triggers a restart', () => {
  const scene = new Scene();
  scene.say({ kind: 'watchdog', limitMs: 2500 }, { kind: 'ready' });
  assert.deepEqual(scene.world.clock.pending, [2500]);
  scene.say({ kind: 'watchdog', limitMs: null });
  assert.deepEqual(scene.world.clock.pending, []);
  scene.say({ kind: 'failed' });
  assert.deepEqual(scene.world.asked, ['web it sent WATCHDOG=trigger']);
});

test('watchdog_sec=0 is no watchdog', () => {
  const scene = new Scene(0);
  scene.say({ kind: 'ready' });
  assert.deepEqual(scene.world.clock.pending, []);
});

test('each kind of problem is logged once in a run', () => {
  const scene = new Scene();
  const all: Notice[] = [
    { kind: 'refused', why: 'user', pid: 7, uid: 33 },
    { kind: 'refused', why: 'user', pid: 8, uid: 34 },
    { kind: 'refused', why: 'namespace', pid: 0, uid: 0 },
    { kind: 'refused', why: 'length', pid: 7, uid: 0 },
    { kind: 'refused', why: 'form', pid: 7, uid: 0 },
    { kind: 'stopping' },
    { kind: 'reloading' },
    { kind: 'unsupported', name: 'MAINPID' },
    { kind: 'unsupported', name: 'FDSTORE' },
    { kind: 'closed' },
    { kind: 'flooded' },
    { kind: 'socketFailed', errno: 9 },
  ];
  scene.say(...all, ...all);
  assert.deepEqual(scene.world.log, [
    "warn ignored a notification for 'web': pid 7 of uid 33 is neither the program nor of its user",
    "warn ignored a notification for 'web': its sender is in another pid namespace",
    "warn ignored a notification for 'web': the message of pid 7 is longer than 4096 bytes",
    "warn ignored a notification for 'web': there is a NUL in the message of pid 7",
    'debug web reports that it stops (STOPPING=1)',
    'debug web reports that it reloads its configuration (RELOADING=1)',
    'debug ignored MAINPID of web',
    'debug ignored FDSTORE of web',
    'debug web has closed notification_fd without a line, so it is not ready',
    "warn cannot tell whether 'web' is ready: it has written too much without a newline to notification_fd; the " +
      'descriptor is closed',
    "error cannot receive notifications of 'web' any more: the socket of notify has failed (errno 9)",
  ]);
  scene.become('EXITED');
  scene.become('STARTING');
  scene.say({ kind: 'closed' });
  assert.equal(scene.world.log.length, 12);
});

test('no alarm is left at the end', () => {
  const scene = new Scene(5);
  scene.say({ kind: 'status', text: 'up' });
  scene.readiness.close();
  assert.deepEqual(scene.closed, ['all', 'all logs']);
  assert.equal(scene.readiness.remark('web'), null);
});
