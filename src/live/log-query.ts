/** The query of the routes that read lines from memory: selection, range and filter. */
import { MOMENT_HELP, parseMoment } from '../rpc/moment.ts';
import type { LineQuery, LineSelection, LogLine } from '../rpc/lines.ts';
import { parseLevel } from '../core/line-level.ts';
import { PatternError } from '../core/linear-pattern.ts';
import { type FilterLine, LineFilter } from '../logs/line-filter.ts';
import { QueryError, readNameList, readNumber, readStreams, readSwitch } from './stream-query.ts';

/** Longest text or pattern. */
const MAX_GREP = 1000;

/** A range of lines. Null: no such limit. */
export type LineRange = Omit<LineQuery, 'limits' | 'told'>;

/** The lines that a client wants. */
export interface LogQuery {
  readonly selection: LineSelection;
  readonly range: LineRange;
  readonly filter: LineFilter;
}

/** Reads a number that may be missing. Throws QueryError. */
function readOptional(query: URLSearchParams, name: string): number | null {
  const number = readNumber(query, name, { least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: -1 });
  return number === -1 ? null : number;
}

/** Reads a time that may be missing. Throws QueryError. */
function readMoment(query: URLSearchParams, name: 'since' | 'until', nowMs: number): number | null {
  const text = query.get(name) ?? '';
  if (text === '') return null;
  const moment = parseMoment(text, nowMs);
  if (moment === null) throw new QueryError(`${name} must be a time: ${MOMENT_HELP}`);
  return moment;
}

/** Reads `grep`, `regex` and `level`. Throws QueryError. */
export function readFilter(query: URLSearchParams): LineFilter {
  const grep = query.get('grep') ?? '';
  const level = query.get('level') ?? '';
  const least = level === '' ? null : parseLevel(level);
  if (level !== '' && least === null) throw new QueryError('level must be trace, debug, info, warn, error or fatal');
  if (grep.length > MAX_GREP) throw new QueryError(`grep must have at most ${MAX_GREP} characters`);
  try {
    return new LineFilter({ grep: grep === '' ? null : grep, isPattern: readSwitch(query, 'regex', false), least });
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new QueryError(`grep is not ${error.message}`);
  }
}

/** Returns the parts of a line that a filter looks at. */
export function filterLineOf({ name, stream, text }: LogLine): FilterLine {
  return { text, output: `${name} ${stream}` };
}

/** Reads the query. `nowMs`: for times ago. Throws QueryError. */
export function readLogQuery(query: URLSearchParams, nowMs: number): LogQuery {
  return {
    selection: { names: readNameList(query, 'names'), streams: readStreams(query) },
    range: {
      after: readOptional(query, 'after'),
      before: readOptional(query, 'before'),
      sinceMs: readMoment(query, 'since', nowMs),
      untilMs: readMoment(query, 'until', nowMs),
    },
    filter: readFilter(query),
  };
}
