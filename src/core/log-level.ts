/**
 * The severities of the supervisor's own log, by Supervisor's names (`loglevel`), from the gravest down. Pure data.
 */

/** All levels, the gravest first. */
export const levels = ['critical', 'error', 'warn', 'info', 'debug', 'trace', 'blather'] as const;

/** Severity of a line. */
export type Level = (typeof levels)[number];

/** Whether a line of this level is written where `threshold` is set: it is at least as grave. */
export function isLogged(level: Level, threshold: Level): boolean {
  return levels.indexOf(level) <= levels.indexOf(threshold);
}
