/** Meaning of signals, and the rule for a second signal that kills. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { type ShutdownSignals, judgeShutdownSignal, type SignalOrigin } from '../../../src/core/shutdown-signals.ts';
import { isWorthLogging, meaningOf, stopSignals } from '../../../src/core/signal-meaning.ts';
import { formatSignal, parseSignal, type SignalName, signalNumbers } from '../../../src/core/signals.ts';

const { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGPWR, SIGWINCH } = signalNumbers;

/** Returns, for each signal, true if it kills. */
function kills(...signals: ReadonlyArray<readonly [signal: number, origin: SignalOrigin, atMs: number]>): boolean[] {
  let seen: ShutdownSignals = new Map();
  return signals.map(([signal, origin, atMs]) => {
    const outcome = judgeShutdownSignal(seen, signal, origin, atMs);
    seen = outcome.seen;
    return outcome.isKill;
  });
}

test('the same signal again after a second kills, from the terminal, the kernel, or outside', () => {
  assert.deepEqual(kills([SIGTERM, 'outside', 0], [SIGTERM, 'outside', 1000]), [false, true]);
  assert.deepEqual(
    kills([SIGINT, 'kernel', 0], [SIGINT, 'kernel', 999], [SIGINT, 'kernel', 1000], [SIGINT, 'outside', 1001]),
    [false, false, true, true],
  );
});

test('another signal, or one from inside or from an unknown sender, never kills, and is not counted', () => {
  assert.deepEqual(kills([SIGINT, 'kernel', 0], [SIGTERM, 'outside', 5000]), [false, false]);
  for (const origin of ['inside', 'unknown'] as const) {
    assert.deepEqual(kills([SIGTERM, 'outside', 0], [SIGTERM, origin, 5000], [SIGTERM, origin, 9000]), [
      false,
      false,
      false,
    ]);
    assert.deepEqual(kills([SIGTERM, origin, 0], [SIGTERM, 'outside', 5000], [SIGTERM, 'outside', 6000]), [
      false,
      false,
      true,
    ]);
  }
});

test('the meaning of each signal', () => {
  for (const signal of [SIGTERM, SIGINT, SIGQUIT, SIGPWR, 37]) assert.equal(meaningOf(signal, []), 'shutdown');
  assert.equal(meaningOf(SIGHUP, []), 'reload');
  assert.equal(meaningOf(SIGUSR2, []), 'reopen');
  for (const signal of [SIGUSR1, SIGWINCH, 36, 38]) assert.equal(meaningOf(signal, []), 'none');
  for (const signal of [SIGHUP, SIGUSR2, SIGWINCH, 40])
    assert.equal(meaningOf(signal, [SIGHUP, SIGUSR2, SIGWINCH, 40]), 'shutdown');
});

test('SIGWINCH of a terminal stops nothing', () => {
  assert.deepEqual(stopSignals([SIGWINCH, SIGUSR1], false), [SIGWINCH, SIGUSR1]);
  assert.deepEqual(stopSignals([SIGWINCH, SIGUSR1], true), [SIGUSR1]);
});

test('routine signals are not logged', () => {
  for (const name of ['WINCH', 'CHLD', 'CONT', 'URG', 'PIPE', 'ALRM', 'TSTP'])
    assert.equal(isWorthLogging(parseSignal(name) ?? 0), false, name);
  for (const name of ['USR1', 'IO', 'RTMIN', 'RTMAX']) assert.equal(isWorthLogging(parseSignal(name) ?? 0), true, name);
});

test('SIGRTMIN+3 is number 37 whatever the libc', () => {
  assert.equal(parseSignal('SIGRTMIN+3'), 37);
  assert.equal(formatSignal(37), 'SIGRTMIN+3');
});

test('the numbers of signals are those of this machine', () => {
  const own = constants.signals as Readonly<Record<SignalName, number>>;
  for (const [name, number] of Object.entries(signalNumbers)) assert.equal(number, own[name as SignalName], name);
});
