/** Meaning of a signal for the supervisor itself, unless a program gets the signal instead. Pure. */
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
