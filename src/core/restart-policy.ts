/**
 * When a process is started again: the growing delay between failed starts, and the pause after a run that was over at once.
 * Pure arithmetic in milliseconds.
 */

const SECOND_MS = 1000;

/**
 * The delay before the next try after so many failed starts in a row.
 * compat: one second more each time (Supervisor, `startretries`).
 */
export function backoffDelayMs(failedStarts: number): number {
  return failedStarts * SECOND_MS;
}

/**
 * The delay before an automatic restart of a process that was RUNNING and ended after `upMs`.
 * At once, as a rule. A run shorter than a second starts again one second after it began: with `startsecs=0` a program that fails at once
 * would otherwise be executed thousands of times a second (Supervisor's loop, which turns once a second, has the same effect there).
 */
export function restartDelayMs(upMs: number): number {
  return upMs >= SECOND_MS ? 0 : SECOND_MS - upMs;
}
