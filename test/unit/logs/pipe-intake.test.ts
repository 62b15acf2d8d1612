/** A pipe that the kernel refuses to watch: its bytes wait, and it is watched later. */
import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { constants } from 'node:os';
import { test } from 'node:test';
import { PipeGrowth } from '../../../src/logs/outlets.ts';
import { PipeIntake } from '../../../src/logs/pipe-intake.ts';
import type { LogNatives } from '../../../src/logs/ports.ts';
import { FakeClock } from '../../engine/world.ts';

interface Scene {
  readonly clock: FakeClock;
  readonly intake: PipeIntake;
  readonly failures: unknown[];
  readonly taken: string[];
  /** Error of the next watches; null for none. */
  refusal: Error | null;
  /** Tells that the pipe is readable, if it is watched. Returns false if it is not. */
  readonly ready: () => boolean;
  readonly waiting: string[];
}

function scene(refusal: Error | null): Scene {
  const clock = new FakeClock();
  const failures: unknown[] = [];
  const taken: string[] = [];
  const waiting: string[] = [];
  let watch: (() => void) | null = null;
  const natives = {
    watchReadable(fd: number, ready: (errno: number, fd: number) => void): void {
      if (made.refusal !== null) throw made.refusal;
      watch = () => ready(0, fd);
    },
    unwatchReadable: () => void (watch = null),
    readNow(_fd: number, target: Buffer): number {
      const text = waiting.shift();
      return text === undefined ? -constants.errno.EAGAIN : target.write(text);
    },
    pipeSize: () => 65_536,
  } as unknown as LogNatives;
  const made: { refusal: Error | null } = { refusal };
  const logClock = {
    nowMs: () => clock.nowMs(),
    wallMs: () => 0,
    alarm: (atMs: number, wake: () => void) => clock.alarm(atMs, wake),
  };
  const buffer = Buffer.alloc(1024);
  const target = {
    take: (bytes: Buffer) => void taken.push(bytes.toString()),
    pause: () => undefined,
    proceed: () => undefined,
    finish: () => undefined,
    outlived: () => undefined,
    sinks: [],
  };
  const intake = new PipeIntake(
    { fd: openSync('/dev/null', 'r'), pid: 1, target, buffer },
    {
      natives,
      clock: logClock,
      growth: new PipeGrowth(natives, logClock),
      readBuffer: buffer,
      smallReadBuffer: buffer,
      watchFailed: (error) => void failures.push(error),
    },
  );
  return Object.assign(made, {
    clock,
    intake,
    failures,
    taken,
    waiting,
    ready: () => {
      watch?.();
      return watch !== null;
    },
  });
}

test('a pipe that cannot be watched is tried again each second, and keeps its bytes', () => {
  const error = new Error('epoll_ctl: ENOMEM');
  const world = scene(error);
  world.waiting.push('first\n');
  assert.deepEqual(world.failures, [error]);
  world.clock.advance(1000);
  assert.equal(world.failures.length, 2);
  assert.equal(world.ready(), false);
  world.refusal = null;
  world.clock.advance(1000);
  assert.equal(world.failures.length, 2);
  assert.equal(world.ready(), true);
  assert.deepEqual(world.taken, ['first\n']);
  world.intake.close();
});

test('a pipe that is closed meanwhile is not watched any more', () => {
  const world = scene(new Error('epoll_ctl: ENOMEM'));
  world.intake.close();
  world.refusal = null;
  world.clock.advance(1000);
  assert.equal(world.ready(), false);
});
