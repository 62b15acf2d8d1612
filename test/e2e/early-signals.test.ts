/**
 * Signals that come while the executable is starting, as real PID 1: none is lost from its first instruction on, with
 * the system's libraries from the moment on at which Node has its handlers. Moments are read from /proc/PID/status
 * (SigBlk, SigCgt), not from a clock.
 */
import assert from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalNumbers } from '../../src/core/signals.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';
import { childrenOf, until } from './observe.ts';
import type { TestContext } from 'node:test';

const skip = (await pid1SkipReason()) ?? false;
const MANY = '[supervisord]\n[program:p]\ncommand=sleep 100040\nnumprocs=20\nprocess_name=p%(process_num)02d\n';
const COMMAND = ['--', 'sleep', '100041'];
/**
 * Delays after the moment in milliseconds. On a quiet machine the last ones come when the supervisor is up; on a busy
 * one Node is still reading our code.
 */
const DELAYS_MS = [0, 10, 20, 35, 50, 70, 90, 150];

function catches(pid: number, name: keyof typeof signalNumbers): boolean {
  return isInMask(pid, 'SigCgt', name);
}

function blocks(pid: number, name: keyof typeof signalNumbers): boolean {
  return isInMask(pid, 'SigBlk', name);
}

function isInMask(pid: number, mask: string, name: keyof typeof signalNumbers): boolean {
  try {
    if (basename(readlinkSync(`/proc/${pid}/exe`)) !== basename(EXECUTABLE)) return false;
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const caught = new RegExp(`^${mask}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
    return ((BigInt(`0x${caught}`) >> BigInt(signalNumbers[name] - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

/**
 * Waits, as precisely as possible, until the process catches a signal. Node catches SIGTERM and SIGINT before it reads
 * our code, which handles the other signals first.
 */
async function untilCaught({ pid }: Launched, name: keyof typeof signalNumbers): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!catches(pid, name)) {
    if (performance.now() > deadlineMs) throw new Error(`${name} is not caught`);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/**
 * Launches the executable, stops the process once it catches `caught`, sends a signal, and continues it. Repeats this
 * if the machine was too late, according to `isEarly`.
 */
async function launchAndSend(t: TestContext, options: Parameters<typeof launch>[1], moment: Moment): Promise<Launched> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const launched = await launch(t, options);
    await (moment.caught === null ? untilExecuted(launched) : untilCaught(launched, moment.caught));
    launched.signal('SIGSTOP');
    await until('the stop', () => /^State:\s*T/m.test(readFileSync(`/proc/${launched.pid}/status`, 'latin1')));
    const isEarly = await moment.isEarly(launched.pid);
    if (isEarly) launched.signal(moment.send);
    launched.signal('SIGCONT');
    if (isEarly) return launched;
    launched.signal('SIGKILL');
    await launched.exit;
  }
  throw new Error('the machine is too busy to send a signal that early');
}

interface Moment {
  /** Signal that is caught by then; null: nothing but our executable runs. */
  readonly caught: keyof typeof signalNumbers | null;
  readonly send: NodeJS.Signals;
  readonly isEarly: (pid: number) => boolean | Promise<boolean>;
}

/** Waits until the process is our executable, and no longer the shell before it. */
async function untilExecuted({ pid }: Launched): Promise<void> {
  while (basename(readlinkSync(`/proc/${pid}/exe`)) !== basename(EXECUTABLE))
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
}

/** With the system's libraries, signals that Node does not catch are lost until our code catches them. */
const areSignalsHeld = process.env['TEST_LIBC'] !== 'system';

/** The moment when the libraries inside are at work, and Node has no handlers yet. */
function beforeNode(send: NodeJS.Signals): Moment {
  return { caught: null, send, isEarly: (pid) => !catches(pid, 'SIGTERM') && blocks(pid, 'SIGTERM') };
}

/** The moment when Node has its handlers, and none of our code has run. */
function beforeOurCode(send: NodeJS.Signals): Moment {
  return { caught: 'SIGTERM', send, isEarly: (pid) => !catches(pid, 'SIGQUIT') };
}

/** The moment when our code handles the signals, and no program was started. */
function beforeStart(send: NodeJS.Signals): Moment {
  return { caught: 'SIGQUIT', send, isEarly: async (pid) => (await childrenOf(pid)).length === 0 };
}

for (const [name, from] of [
  ['SIGTERM', 'SIGTERM'],
  ['SIGINT', 'SIGTERM'],
  ['SIGQUIT', 'SIGQUIT'],
] as const) {
  test(`${name} at any moment of the start shuts down in order`, { skip }, async (t) => {
    for (const delayMs of DELAYS_MS) {
      const launched = await launch(t, { config: MANY });
      await untilCaught(launched, from);
      await sleep(delayMs);
      launched.signal(name);
      assert.deepEqual(await launched.exit, { code: 0, signal: null }, `${delayMs} ms`);
      assert.ok(launched.stdout.all.some((line) => line.endsWith(`WARN received ${name} indicating exit request`)));
      const count = (pattern: RegExp): number => launched.stdout.all.filter((line) => pattern.test(line)).length;
      assert.equal(count(/ stopped: p/), count(/ spawned: 'p/), 'each started program was stopped');
    }
  });
}

const spawnedBy = ({ stdout }: Launched): number => stdout.all.filter((line) => line.includes(' spawned: ')).length;

test('a shutdown request before the start starts nothing, and exits with 0', { skip }, async (t) => {
  for (const moment of [
    ...(areSignalsHeld
      ? [...(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const).map(beforeNode), beforeOurCode('SIGQUIT')]
      : []),
    beforeOurCode('SIGTERM'),
    beforeOurCode('SIGINT'),
    beforeStart('SIGTERM'),
    beforeStart('SIGQUIT'),
  ]) {
    const launched = await launchAndSend(t, { config: MANY }, moment);
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    assert.equal(spawnedBy(launched), 0);
  }
});

test('a reload that comes before the start starts each program once', { skip }, async (t) => {
  const launched = await launchAndSend(t, { config: MANY }, (areSignalsHeld ? beforeNode : beforeStart)('SIGHUP'));
  await launched.waitForLine(/WARN received SIGHUP indicating restart request$/);
  await until('all programs', async () => (await childrenOf(launched.pid)).length === 20);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.equal(spawnedBy(launched), 20);
});

test('init mode: a signal before the command runs is forwarded to it', { skip }, async (t) => {
  const moments = [
    ...(areSignalsHeld
      ? ([
          [beforeNode('SIGTERM'), 143],
          [beforeNode('SIGHUP'), 129],
        ] as const)
      : []),
    [beforeOurCode('SIGTERM'), 143],
    [beforeOurCode('SIGINT'), 130],
    [beforeStart('SIGTERM'), 143],
    [beforeStart('SIGHUP'), 129],
    [beforeStart('SIGUSR1'), 138],
  ] as const;
  for (const [moment, code] of moments) {
    const launched = await launchAndSend(t, { args: COMMAND }, moment);
    assert.deepEqual(await launched.exit, { code, signal: null }, moment.send);
  }
});
