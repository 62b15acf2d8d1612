/** The delays before restarts and retries, and the limit on restarts. Pure arithmetic in milliseconds. */

import type { Cause } from './cause.ts';

const SECOND_MS = 1000;
/** Largest random part added to a delay. It spreads the restarts of programs that failed together. */
const JITTER = 0.1;

/** Options for restarts. */
export interface RestartPolicy {
  /** `restartpause`: minimum time between an exit and the next start. */
  readonly pauseMs: number;
  /** `maxbackoff`: maximum delay between failed starts; Infinity for none. */
  readonly maxBackoffMs: number;
  /** `backoff_factor`: 1 for Supervisor's linear growth. */
  readonly backoffFactor: number;
  /** `max_restarts`: maximum number of automatic starts within the window; Infinity for no limit. */
  readonly maxRestarts: number;
  /** `max_restarts_window`. */
  readonly windowMs: number;
}

/**
 * Returns the delay before the next try after a number of failed starts in a row. `chance` is in [0, 1). compat: by
 * default the delay grows by a second each time (Supervisor, `startretries`). With `backoff_factor` above 1 it is
 * multiplied.
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
 * Returns the delay before the automatic restart of a process that was RUNNING and ended after `upMs`. Usually there is
 * none. After a run shorter than a second, the next run starts one second after that run began. Otherwise a program
 * with `startsecs=0` that fails at once would be executed thousands of times a second. Supervisor's main loop, which
 * runs once a second, has the same effect.
 */
export function restartDelayMs(upMs: number, { pauseMs }: RestartPolicy): number {
  return Math.max(pauseMs, upMs >= SECOND_MS ? 0 : SECOND_MS - upMs);
}

/** Returns the automatic starts within the window that ends at `atMs`. */
export function recentRestarts(restartsMs: readonly number[], atMs: number, { windowMs }: RestartPolicy): number[] {
  return restartsMs.filter((startedMs) => startedMs > atMs - windowMs);
}

/** True if one more automatic start would exceed max_restarts. */
export function isRestartedTooOften(restartsMs: readonly number[], atMs: number, policy: RestartPolicy): boolean {
  return recentRestarts(restartsMs, atMs, policy).length >= policy.maxRestarts;
}

/** True for a restart that is no sign of a failure, so that it counts for no limit of restarts. */
export function isPlannedRestart(cause: Cause | null): boolean {
  return cause?.kind === 'file' || (cause?.kind === 'dependency' && cause.request === null);
}
