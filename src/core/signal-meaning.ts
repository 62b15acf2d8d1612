/**
 * Meaning of a signal for the supervisor itself, if no program gets it instead. Pure.
 */
import { signalNumbers, SYSTEMD_STOP } from './signals.ts';

/** `end`: shut down. `reload`: restart on a configuration read anew. `reopen`: open the log files anew. */
export type SignalMeaning = 'end' | 'reload' | 'reopen' | 'none';

/** SIGPWR and SIGRTMIN+3 are STOPSIGNAL of images whose own init is not there. compat: the others are Supervisor's. */
const ENDING: ReadonlySet<number> = new Set([
  signalNumbers.SIGTERM,
  signalNumbers.SIGINT,
  signalNumbers.SIGQUIT,
  signalNumbers.SIGPWR,
  SYSTEMD_STOP,
]);

/**
 * Sent as a matter of course, by the kernel or a terminal, to processes that have no use for them: not worth a line.
 */
const COMMONPLACE: ReadonlySet<number> = new Set([
  signalNumbers.SIGWINCH,
  signalNumbers.SIGCHLD,
  signalNumbers.SIGCONT,
  signalNumbers.SIGURG,
  signalNumbers.SIGPIPE,
  signalNumbers.SIGALRM,
  signalNumbers.SIGTSTP,
]);

/** Meaning of a signal. `stopOn`: further signals that end everything (`stop_on_signals`). */
export function meaningOf(signal: number, stopOn: readonly number[]): SignalMeaning {
  if (ENDING.has(signal) || stopOn.includes(signal)) return 'end';
  if (signal === signalNumbers.SIGHUP) return 'reload';
  return signal === signalNumbers.SIGUSR2 ? 'reopen' : 'none';
}

/** Signals of `stop_on_signals` that count. A terminal sends SIGWINCH whenever its window changes. */
export function stopSignals(configured: readonly number[], hasTerminal: boolean): readonly number[] {
  return hasTerminal ? configured.filter((signal) => signal !== signalNumbers.SIGWINCH) : configured;
}

/** True if the first signal of its kind that is dropped is worth a line in the log. */
export function isWorthALine(signal: number): boolean {
  return !COMMONPLACE.has(signal);
}
