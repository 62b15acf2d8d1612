/** Meaning of signals, and the rule for a second signal that kills. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import {
  endsDelay,
  type ShutdownSignals,
  judgeShutdownSignal,
  type SignalOrigin,
} from '../../../src/core/shutdown-signals.ts';
import {
  beginsStop,
  isFromKeyboard,
  isWorthLogging,
  meaningOf,
  signalForMain,
  stopSignals,
} from '../../../src/core/signal-meaning.ts';
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

test('shutdown_delay is ended by any stop signal from outside, a second after the first one', () => {
  const seen: ShutdownSignals = new Map([[SIGTERM, 500]]);
  assert.equal(endsDelay(seen, 'outside', 1500), true);
  assert.equal(endsDelay(seen, 'kernel', 1500), true);
  assert.equal(endsDelay(seen, 'outside', 1499), false, 'a trap may send a second signal at once');
  for (const origin of ['inside', 'unknown'] as const) assert.equal(endsDelay(seen, origin, 9000), false);
  assert.equal(endsDelay(new Map(), 'outside', 9000), false, 'the first one, after a request of a client');
});

test('a signal that asks a program to end, or that is in its stopsignal, begins its stop', () => {
  for (const signal of [SIGTERM, SIGINT, SIGQUIT]) assert.equal(beginsStop(signal, []), true);
  assert.deepEqual([beginsStop(SIGUSR1, [SIGTERM]), beginsStop(SIGUSR1, [SIGTERM, SIGUSR1])], [false, true]);
});

test('the main program of init mode gets its stopsignal for TERM, and other signals as they are', () => {
  assert.equal(signalForMain(SIGTERM, [SIGQUIT, SIGTERM]), SIGQUIT);
  assert.equal(signalForMain(SIGTERM, []), SIGTERM);
  assert.equal(signalForMain(SIGINT, [SIGQUIT]), SIGINT);
  assert.deepEqual([SIGINT, SIGQUIT, SIGTERM, SIGHUP].map(isFromKeyboard), [true, true, false, false]);
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
