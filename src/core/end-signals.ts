/**
 * When a signal that comes during a shutdown means "kill now". Pure.
 *
 * Rule: the same signal again, at least a second after the first, both of them from the terminal, the kernel, another
 * pid namespace (as `docker stop`) or a living process outside our own tree. Programs, event listeners and traps of
 * shells send second signals by habit, and several at once.
 */

/** Sender of a signal, as far as it is known when the signal is read. */
export type SignalOrigin =
  /** The terminal or the kernel. */
  | 'kernel'
  /** Another pid namespace, or a living process that does not descend from us. */
  | 'outside'
  /** A process that descends from us, or ourselves. */
  | 'inside'
  /** A process that has ended, or an unknown sender. */
  | 'unknown';

/** First time of each signal from outside our tree, on the monotonic clock in milliseconds. */
export type EndSignals = ReadonlyMap<number, number>;

/** Outcome of one signal: the signals known from now on, and whether it kills. */
export interface EndSignalOutcome {
  readonly seen: EndSignals;
  readonly isKill: boolean;
}

/**
 * Signals closer together than this are one wish: Ctrl-C reaches an entrypoint script and us, and its trap sends
 * another signal.
 */
export const REPEAT_MS = 1000;

/** Judges one signal that asks for the end of everything. */
export function judgeEndSignal(seen: EndSignals, signal: number, origin: SignalOrigin, atMs: number): EndSignalOutcome {
  if (origin === 'inside' || origin === 'unknown') return { seen, isKill: false };
  const firstMs = seen.get(signal);
  if (firstMs !== undefined) return { seen, isKill: atMs - firstMs >= REPEAT_MS };
  return { seen: new Map([...seen, [signal, atMs]]), isKill: false };
}
