/** The parameters `grep`, `regex` and `level` of rows about lines. */
import { type LogLevel, levels } from '../core/line-level.ts';
import { PatternError } from '../core/linear-pattern.ts';
import { LineFilter } from '../logs/line-filter.ts';
import { maybe, oneOf, SchemaError, text, truth } from './schema.ts';

/** The parameters of a filter. */
export interface FilterQuery {
  readonly grep?: string;
  readonly regex?: boolean;
  readonly level?: LogLevel;
}

/** Longest text or pattern. */
const MAX_LENGTH = 1000;

/** These parameters as parts of a row. */
export const filterParameters = {
  grep: maybe(text({ min: 1, max: MAX_LENGTH, help: 'Only lines that contain this text' })),
  regex: maybe(truth('True if grep is a pattern; (?i) at its beginning ignores upper and lower case')),
  level: maybe(oneOf(levels, 'Only lines of this level or above; lines without a level are left out')),
} as const;

/** Makes the filter. Throws {@link SchemaError} for a wrong pattern. */
export function createFilter({ grep, regex, level }: FilterQuery): LineFilter {
  try {
    return new LineFilter({ grep: grep ?? null, isPattern: regex === true, least: level ?? null });
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new SchemaError(`grep is not ${error.message}`);
  }
}
