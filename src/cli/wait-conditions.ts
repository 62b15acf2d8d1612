/** The conditions of `onevisor wait`, as they are written after a name, and their meanings. Pure data. */

/** Meanings of the conditions. */
export const conditionMeanings = {
  started: 'it has started',
  ready: 'it is ready, or started if it does not report that',
  healthy: 'its health check passes',
  completed: 'it has ended with an expected exit code',
  exited: 'it has ended in any way',
} as const;

/** A condition of `onevisor wait`. */
export type WaitCondition = keyof typeof conditionMeanings;

/** All conditions. */
export const WAIT_CONDITIONS = Object.keys(conditionMeanings) as readonly WaitCondition[];
