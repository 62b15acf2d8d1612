/**
 * When a process is started again, and when no more: the growing delay between failed starts, the pause before a
 * restart, the limit on both. Pure arithmetic in milliseconds.
 */

const SECOND_MS = 1000;
/** The share of a delay that chance may add, so that programs which failed together do not come back together. */
const JITTER = 0.1;

/** What the configuration says about starting again. */
export interface RestartPolicy {
  /** `restartpause`: the least time between an end and the next start. */
  readonly pauseMs: number;
  /** `maxbackoff`: the longest delay between failed starts; Infinity for none. */
  readonly maxBackoffMs: number;
  /** `backoff_factor`: 1 for Supervisor's linear growth. */
  readonly backoffFactor: number;
  /** `max_restarts`: automatic starts within the window after which it is given up; Infinity for no limit. */
  readonly maxRestarts: number;
  /** `max_restarts_window`. */
  readonly windowMs: number;
}

/**
 * The delay before the next try after so many failed starts in a row. `chance` is in [0, 1).
 * compat: one second more each time (Supervisor, `startretries`), unless backoff_factor says that it is multiplied.
 */
export function backoffDelayMs(
  failedStarts: number,
  { pauseMs, maxBackoffMs, backoffFactor }: RestartPolicy,
  chance: number,
): number {
  const grown =
    backoffFactor > 1
      ? SECOND_MS * backoffFactor ** (failedStarts - 1) * (1 + JITTER * chance)
      : failedStarts * SECOND_MS;
  return Math.max(pauseMs, Math.min(grown, maxBackoffMs));
}

/**
 * The delay before an automatic restart of a process that was RUNNING and ended after `upMs`. At once, as a rule. A run
 * shorter than a second starts again one second after it began: with `startsecs=0` a program that fails at once would
 * otherwise be executed thousands of times a second (Supervisor's loop, which turns once a second, has the same effect
 * there).
 */
export function restartDelayMs(upMs: number, { pauseMs }: RestartPolicy): number {
  return Math.max(pauseMs, upMs >= SECOND_MS ? 0 : SECOND_MS - upMs);
}

/** The automatic starts that still count at `atMs`: those within the window. */
export function recentRestarts(restartsMs: readonly number[], atMs: number, { windowMs }: RestartPolicy): number[] {
  return restartsMs.filter((startedMs) => startedMs > atMs - windowMs);
}

/** Whether one more automatic start would be one too many. */
export function isRestartedTooOften(restartsMs: readonly number[], atMs: number, policy: RestartPolicy): boolean {
  return recentRestarts(restartsMs, atMs, policy).length >= policy.maxRestarts;
}
