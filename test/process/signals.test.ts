/**
 * The intake of signals: each is reported once, with its sender, from the start; programs get the default actions. This
 * process handles all its signals.
 */
import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { describe, test } from 'node:test';
import { onExit } from 'signal-exit';
import { signalNames, signalNumbers } from '../../src/core/signals.ts';
import type { ProcessEntry } from '../../src/process/process-tree.ts';
import { originOf } from '../../src/process/signal-origin.ts';
import {
  firstSignals,
  FORWARDED_SIGNALS,
  type ReceivedSignal,
  SignalIntake,
  SUPERVISOR_SIGNALS,
} from '../../src/process/signals.ts';
import { addon, ending, field, run, shell } from './programs.ts';

const { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH } = signalNumbers;

/** Records signals in the order of arrival. */
class SignalRecorder {
  readonly all: ReceivedSignal[] = [];
  #wake: () => void = () => undefined;

  readonly listener = (signal: ReceivedSignal): void => {
    this.all.push(signal);
    this.#wake();
  };

  async untilCount(count: number): Promise<void> {
    const hold = setInterval(() => undefined, 2 ** 30);
    while (this.all.length < count)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    clearInterval(hold);
  }
}

describe('the intake', async () => {
  // The test runner handles some signals itself. The test of the executable covers Node's own handlers.
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.removeAllListeners(name);
  const intake = new SignalIntake(process.pid, FORWARDED_SIGNALS);

  test('signals before the addon is loaded are kept, and passed to the first listener', () => {
    addon.kill(process.pid, SIGQUIT);
    addon.kill(process.pid, SIGUSR2);
    intake.attach(addon, FORWARDED_SIGNALS);
  });

  const told = new SignalRecorder();

  test('each signal that can be handled is reported, with its sender', async () => {
    intake.listen(told.listener);
    await told.untilCount(2);
    assert.deepEqual(
      told.all.map(({ number }) => number).toSorted((a, b) => a - b),
      [SIGQUIT, SIGUSR2],
    );
    for (const number of FORWARDED_SIGNALS) {
      told.all.length = 0;
      assert.equal(addon.kill(process.pid, number), 0);
      await told.untilCount(1);
      assert.deepEqual(told.all, [{ number, origin: 'inside', sender: process.pid }]);
    }
  });

  test('later listeners of Node do not take signals away', async () => {
    const remove = onExit(() => assert.fail('the process would have ended'));
    told.all.length = 0;
    addon.kill(process.pid, SIGTERM);
    await told.untilCount(1);
    remove();
    addon.kill(process.pid, SIGHUP);
    await told.untilCount(2);
    assert.deepEqual(
      told.all.map(({ number }) => number),
      [SIGTERM, SIGHUP],
    );
  });

  test('a child that sends a signal is inside our tree, and unknown after it has ended', async () => {
    told.all.length = 0;
    const { pid, stdin } = addon.spawn(
      shell(`kill -INT ${process.pid}; read wait`, { stdin: 'pipe', stdout: 'null', stderr: 'null' }),
    );
    await told.untilCount(1);
    assert.deepEqual(told.all, [{ number: SIGINT, origin: 'inside', sender: pid }]);
    closeSync(stdin ?? -1);
    await ending(pid);
    assert.equal(originOf(0, pid, process.pid), 'unknown');
  });

  test('a flood is merged and loses no signal of another kind', async () => {
    told.all.length = 0;
    for (let i = 0; i < 10_000; i += 1) addon.kill(process.pid, SIGWINCH);
    addon.kill(process.pid, SIGTERM);
    while (!told.all.some(({ number }) => number === SIGTERM)) await told.untilCount(told.all.length + 1);
    assert.ok(told.all.length < 10_000);
  });

  test('a new listener replaces the previous one, and signals in between arrive in order', async () => {
    const other = new SignalRecorder();
    intake.listen(other.listener);
    for (const number of [40, 50, 60]) addon.kill(process.pid, number);
    await other.untilCount(3);
    assert.deepEqual(
      other.all.map(({ number }) => number),
      [40, 50, 60],
    );
  });

  test('programs get the default actions', async () => {
    const { stdout } = await run(shell('', { file: '/bin/cat', argv: ['cat', '/proc/self/status'] }));
    assert.equal(BigInt(`0x${field(stdout, 'SigCgt')}`), 0n);
    assert.equal(BigInt(`0x${field(stdout, 'SigBlk')}`), 0n);
  });

  test('the list of handled signals', () => {
    const names = FORWARDED_SIGNALS.flatMap((number) => signalNames.get(number) ?? []);
    for (const name of ['SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGSEGV', 'SIGTTOU', 'SIGPIPE'] as const)
      assert.ok(!names.includes(name), name);
    for (const name of ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGWINCH', 'SIGCONT', 'SIGTSTP', 'SIGPWR'] as const)
      assert.ok(names.includes(name), name);
    assert.ok(FORWARDED_SIGNALS.includes(34) && FORWARDED_SIGNALS.includes(64));
    assert.deepEqual(firstSignals(1), FORWARDED_SIGNALS);
    assert.deepEqual(firstSignals(7), SUPERVISOR_SIGNALS);
    assert.ok(!SUPERVISOR_SIGNALS.includes(SIGUSR1) && SUPERVISOR_SIGNALS.includes(37));
  });
});

describe('the origin of a sender', () => {
  const tree = new Map([
    [10, 1],
    [20, 10],
    [30, 20],
    [40, 41],
    [99, 0],
    [98, 99],
  ]);
  const read = (pid: number): ProcessEntry | null => {
    const parent = tree.get(pid);
    return parent === undefined ? null : { pid, parent, isZombie: pid === 98 };
  };

  test('the kernel, another namespace, inside our tree, outside it, unknown', () => {
    assert.equal(originOf(128, 0, 10, read), 'kernel');
    assert.equal(originOf(0, 0, 10, read), 'outside');
    assert.equal(originOf(0, 30, 10, read), 'inside');
    assert.equal(originOf(0, 10, 10, read), 'inside');
    assert.equal(originOf(0, 99, 10, read), 'outside');
    assert.equal(originOf(0, 10, 20, read), 'outside', 'an ancestor');
    assert.equal(originOf(0, 40, 10, read), 'unknown', 'its parent cannot be seen');
    assert.equal(originOf(0, 98, 10, read), 'unknown', 'a zombie');
    assert.equal(originOf(0, 5, 10, read), 'unknown');
    assert.equal(originOf(0, -1, 10, read), 'unknown');
  });

  test('the walk is bounded, and starts again if an ancestor has ended', () => {
    const endless = (pid: number): ProcessEntry | null => ({ pid, parent: pid + 1, isZombie: false });
    assert.equal(originOf(0, 30, 10, endless), 'inside');
    let looks = 0;
    const changing = (pid: number): ProcessEntry | null => {
      looks += 1;
      if (pid === 20) return null;
      return { pid, parent: looks > 2 ? 10 : 20, isZombie: false };
    };
    assert.equal(originOf(0, 30, 10, changing), 'inside');
  });
});
