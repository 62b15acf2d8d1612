/** Notifications to the service manager, whose socket may be slow or fail. */
import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { constants } from 'node:os';
import { test } from 'node:test';
import type { EngineEvent } from '../../../src/engine/events.ts';
import {
  type NotifyTarget,
  SdNotifier,
  readTarget,
  withoutNotifyVariables,
} from '../../../src/supervisor/sd-notifier.ts';
import { FakeClock } from '../../engine/world.ts';
import { REQUEST } from '../../causes.ts';

class World {
  readonly clock = new FakeClock();
  readonly sent: string[] = [];
  readonly log: string[] = [];
  problems: string[] = ['web: STARTING'];
  errno = 0;
  readonly notifier: SdNotifier;

  constructor(target: Partial<NotifyTarget> = {}) {
    this.notifier = new SdNotifier({
      clock: this.clock,
      report: (level, text) => void this.log.push(`${level} ${text}`),
      target: { socket: '/run/notify', watchdogMs: null, ...target },
      problems: () => this.problems,
      addon: {
        connectDatagram: () => {
          if (this.errno === constants.errno.ENOENT)
            throw Object.assign(new Error('connect: ENOENT'), { errno: this.errno });
          return openSync('/dev/null', 'r');
        },
        sendDatagram: (_fd, bytes) => {
          if (this.errno === 0) this.sent.push(Buffer.from(bytes).toString());
          return this.errno;
        },
      },
    });
  }

  change(problems: string[]): void {
    this.problems = problems;
    this.notifier.observe({ type: 'group', group: 'g', change: 'added', ids: ['g:web'] });
  }

  take(): string[] {
    return this.sent.splice(0);
  }
}

const ends = (goal: 'exit' | 'restart'): EngineEvent => ({ type: 'supervisor', goal, cause: REQUEST });

test('READY=1 once, and the status when it changes, a second apart', () => {
  const world = new World();
  world.notifier.begin();
  world.clock.advance(50);
  assert.deepEqual(world.take(), ['STATUS=not up: web: STARTING']);
  for (let i = 0; i < 100; i += 1) world.change(['web: STARTING', 'db: BACKOFF\nREADY=1']);
  world.clock.advance(999);
  assert.deepEqual(world.take(), []);
  world.clock.advance(1);
  assert.deepEqual(world.take(), ['STATUS=not up: web: STARTING and 1 more']);
  world.change(['db: BACKOFF\nREADY=1']);
  world.clock.advance(1000);
  assert.deepEqual(world.take(), ['STATUS=not up: db: BACKOFF READY=1']);
  world.change([]);
  world.clock.advance(1000);
  assert.deepEqual(world.take(), ['READY=1\nSTATUS=all programs are up']);
  world.change(['web: FATAL']);
  world.clock.advance(1000);
  world.change([]);
  world.clock.advance(1000);
  assert.deepEqual(world.take(), ['STATUS=not up: web: FATAL', 'STATUS=all programs are up']);
});

test('a reload is sent with its time, and ends when all programs are up, also with nothing to start', () => {
  const world = new World();
  world.problems = [];
  world.notifier.begin();
  world.clock.advance(50);
  world.take();
  world.notifier.observe(ends('restart'));
  assert.match(world.take().join(), /^RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=restarting$/);
  world.change(['supervisor: RESTARTING']);
  world.clock.advance(1000);
  assert.deepEqual(world.take(), ['STATUS=not up: supervisor: RESTARTING']);
  world.problems = [];
  world.clock.advance(1000);
  assert.deepEqual(world.take(), ['READY=1\nSTATUS=all programs are up']);
});

test('the shutdown is sent once', () => {
  const world = new World();
  world.notifier.begin();
  world.notifier.observe(ends('exit'));
  world.change([]);
  world.clock.advance(5000);
  world.notifier.close();
  assert.deepEqual(world.take(), ['STOPPING=1\nSTATUS=shutting down']);
  const other = new World();
  other.notifier.begin();
  other.clock.advance(50);
  other.notifier.close();
  assert.equal(other.take().at(-1), 'STOPPING=1');
});

test('WATCHDOG=1 is sent twice in the limit, from the beginning to the end', () => {
  const world = new World({ watchdogMs: 1000 });
  world.notifier.begin();
  world.clock.advance(2000);
  assert.equal(world.take().filter((text) => text === 'WATCHDOG=1').length, 5);
  world.notifier.observe(ends('exit'));
  world.clock.advance(1000);
  assert.equal(world.take().filter((text) => text === 'WATCHDOG=1').length, 2);
  world.notifier.close();
  world.clock.advance(5000);
  assert.deepEqual(world.take(), []);
});

test('a slow manager gets everything later, the newest value of each', () => {
  const world = new World();
  world.errno = constants.errno.EAGAIN;
  world.notifier.begin();
  world.clock.advance(1100);
  world.change([]);
  world.clock.advance(1100);
  assert.deepEqual(world.take(), []);
  world.errno = 0;
  world.clock.advance(100);
  assert.deepEqual(world.take(), ['READY=1\nSTATUS=all programs are up']);
  assert.deepEqual(world.log, []);
});

test('a missing manager is reported once', () => {
  for (const errno of [constants.errno.ENOENT, constants.errno.ECONNREFUSED]) {
    const world = new World({ watchdogMs: 100 });
    world.errno = errno;
    world.notifier.begin();
    world.clock.advance(1000);
    assert.deepEqual(world.log, [
      `warn cannot send our status to the service manager: errno ${errno} at NOTIFY_SOCKET /run/notify`,
    ]);
  }
});

test('without a manager nothing happens', () => {
  const world = new World({ socket: null, watchdogMs: 100 });
  world.notifier.begin();
  world.change([]);
  world.notifier.observe(ends('exit'));
  world.clock.advance(5000);
  world.notifier.close();
  assert.deepEqual([world.take(), world.log], [[], []]);
});

test('the target, and what programs get', () => {
  assert.deepEqual(readTarget({}, 1), { socket: null, watchdogMs: null });
  assert.deepEqual(readTarget({ NOTIFY_SOCKET: '@a', WATCHDOG_USEC: '3000000', WATCHDOG_PID: '7' }, 7), {
    socket: '@a',
    watchdogMs: 3000,
  });
  assert.deepEqual(readTarget({ NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '3000000', WATCHDOG_PID: '8' }, 7), {
    socket: '/n',
    watchdogMs: null,
  });
  assert.deepEqual(readTarget({ NOTIFY_SOCKET: 'vsock:2:3', WATCHDOG_USEC: '0' }, 7), {
    socket: null,
    watchdogMs: null,
  });
  assert.deepEqual(
    withoutNotifyVariables({
      A: '1',
      NOTIFY_SOCKET: '/n',
      WATCHDOG_USEC: '1',
      WATCHDOG_PID: '1',
      LISTEN_FDS: '1',
      LISTEN_PID: '1',
      LISTEN_FDNAMES: 'x',
    }),
    { A: '1' },
  );
});
