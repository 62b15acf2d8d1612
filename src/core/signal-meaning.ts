/** Meaning of a signal for the supervisor itself, and for a program that it is forwarded to. Pure. */
import { signalNumbers, SYSTEMD_STOP } from './signals.ts';

/** `shutdown`: shut down. `reload`: restart with a configuration that is read again. `reopen`: reopen the log files. */
export type SignalMeaning = 'shutdown' | 'reload' | 'reopen' | 'none';

/**
 * SIGPWR and SIGRTMIN+3 are the STOPSIGNAL of images that usually run another init. compat: the others are
 * Supervisor's.
 */
const SHUTDOWN_SIGNALS: ReadonlySet<number> = new Set([
  signalNumbers.SIGTERM,
  signalNumbers.SIGINT,
  signalNumbers.SIGQUIT,
  signalNumbers.SIGPWR,
  SYSTEMD_STOP,
]);

/**
 * Signals that the kernel or a terminal sends routinely. Most processes have no use for them, so they are not logged.
 */
const ROUTINE_SIGNALS: ReadonlySet<number> = new Set([
  signalNumbers.SIGWINCH,
  signalNumbers.SIGCHLD,
  signalNumbers.SIGCONT,
  signalNumbers.SIGURG,
  signalNumbers.SIGPIPE,
  signalNumbers.SIGALRM,
  signalNumbers.SIGTSTP,
]);

/** Returns the meaning of a signal. `stopOn`: further signals that shut down the supervisor (`stop_on_signals`). */
export function meaningOf(signal: number, stopOn: readonly number[]): SignalMeaning {
  if (SHUTDOWN_SIGNALS.has(signal) || stopOn.includes(signal)) return 'shutdown';
  if (signal === signalNumbers.SIGHUP) return 'reload';
  return signal === signalNumbers.SIGUSR2 ? 'reopen' : 'none';
}

/** Returns the signals of `stop_on_signals` that apply. A terminal sends SIGWINCH whenever its window changes. */
export function stopSignals(configured: readonly number[], hasTerminal: boolean): readonly number[] {
  return hasTerminal ? configured.filter((signal) => signal !== signalNumbers.SIGWINCH) : configured;
}

/** True if the first dropped signal of this kind should be logged. */
export function isWorthLogging(signal: number): boolean {
  return !ROUTINE_SIGNALS.has(signal);
}

/** Signals that ask a program to end. */
export const ENDING_SIGNALS: ReadonlySet<number> = new Set([
  signalNumbers.SIGTERM,
  signalNumbers.SIGINT,
  signalNumbers.SIGQUIT,
]);

/** True if a signal, sent to a program because of a shutdown, begins the stop of the program (`stopsignal`). */
export function beginsStop(signal: number, stopSignals: readonly number[]): boolean {
  return ENDING_SIGNALS.has(signal) || stopSignals.includes(signal);
}

/** Returns the signal that the main program of init mode gets for a received one: its `stopsignal` for SIGTERM. */
export function signalForMain(signal: number, stopSignals: readonly number[]): number {
  return signal === signalNumbers.SIGTERM ? (stopSignals[0] ?? signal) : signal;
}

/** True for a stop signal that a terminal sends. In init mode, it is meant for the main program alone. */
export function isFromKeyboard(signal: number): boolean {
  return signal === signalNumbers.SIGINT || signal === signalNumbers.SIGQUIT;
}
