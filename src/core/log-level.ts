/** The levels of the supervisor's own log, with Supervisor's names (`loglevel`). Pure data. */

/** All levels, the most severe first. */
export const levels = ['critical', 'error', 'warn', 'info', 'debug', 'trace', 'blather'] as const;

/** Severity of a line. */
export type Level = (typeof levels)[number];

/** True if a line of this level is written with `loglevel=threshold`: the line is at least as severe. */
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
