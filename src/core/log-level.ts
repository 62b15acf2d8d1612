/**
 * The levels of the supervisor's own log, by Supervisor's names (`loglevel`), from the gravest down. Pure data.
 */

/** All levels, the gravest first. */
export const levels = ['critical', 'error', 'warn', 'info', 'debug', 'trace', 'blather'] as const;

/** Severity of a line. */
export type Level = (typeof levels)[number];

/** Returns true if a line of this level is written where `threshold` is set: the line is at least as grave. */
export function isLogged(level: Level, threshold: Level): boolean {
  return RANKS[level] <= RANKS[threshold];
}

const RANKS = Object.fromEntries(levels.map((level, rank) => [level, rank])) as Readonly<Record<Level, number>>;

/** Names of the levels in the lines of the log, as Supervisor writes them. */
export const LEVEL_LABELS: Readonly<Record<Level, string>> = {
  critical: 'CRIT',
  error: 'ERRO',
  warn: 'WARN',
  info: 'INFO',
  debug: 'DEBG',
  trace: 'TRAC',
  blather: 'BLAT',
};
