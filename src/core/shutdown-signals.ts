/**
 * Decides when a signal during a shutdown means "kill now". Pure.
 *
 * Rule: the same signal arrives again, at least a second after the first, and both come from the terminal, the kernel,
 * another PID namespace (as `docker stop`) or a living process outside our process tree. Programs, event listeners and
 * traps of shells often send a second signal, and several at once.
 */

/** Sender of a signal, as known when the signal is read. */
export type SignalOrigin =
  /** The terminal or the kernel. */
  | 'kernel'
  /** Another PID namespace, or a living process that does not descend from us. */
  | 'outside'
  /** A process that descends from us, or ourselves. */
  | 'inside'
  /** A process that has ended, or an unknown sender. */
  | 'unknown';

/** Time of the first signal of each kind from outside our tree, on the monotonic clock in milliseconds. */
export type ShutdownSignals = ReadonlyMap<number, number>;

/** Result of one signal: the signals seen so far, and whether this one kills. */
export interface ShutdownSignalOutcome {
  readonly seen: ShutdownSignals;
  readonly isKill: boolean;
}

/**
 * Signals closer together than this are one request. Ctrl-C reaches an entrypoint script and us, and the trap of the
 * script sends another signal.
 */
export const REPEAT_MS = 1000;

/** Judges one signal that asks for a shutdown. */
export function judgeShutdownSignal(
  seen: ShutdownSignals,
  signal: number,
  origin: SignalOrigin,
  atMs: number,
): ShutdownSignalOutcome {
  if (origin === 'inside' || origin === 'unknown') return { seen, isKill: false };
  const firstMs = seen.get(signal);
  if (firstMs !== undefined) return { seen, isKill: atMs - firstMs >= REPEAT_MS };
  return { seen: new Map([...seen, [signal, atMs]]), isKill: false };
}

/**
 * Judges one signal during `shutdown_delay`: true if it ends the delay. Any stop signal from outside does, a second
 * after the first one: less is lost than by a kill. `seen`: the signals before this one.
 */
export function endsDelay(seen: ShutdownSignals, origin: SignalOrigin, atMs: number): boolean {
  if (origin === 'inside' || origin === 'unknown') return false;
  return [...seen.values()].some((firstMs) => atMs - firstMs >= REPEAT_MS);
}
