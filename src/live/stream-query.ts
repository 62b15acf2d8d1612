/** The query of a stream: what a client wants to be told. Pure. */
import { LINE_STREAMS, type LineSelection, type LineStream } from '../rpc/lines.ts';

/** Maximum number of names in a query. */
const MAX_NAMES = 200;
/** Maximum number of lines that a stream begins with. */
const MAX_TAIL = 10_000;
/** Longest interval of the usage. */
const MAX_USAGE_SECONDS = 3600;

/** A query that is not understood. The message is for the client. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

/** The wishes of a client. */
export interface StreamQuery {
  /** True for states and events. */
  readonly hasStatus: boolean;
  /** Interval of the usage in milliseconds; null for none. */
  readonly usageMs: number | null;
  /** Lines of these outputs; null for none. */
  readonly selection: LineSelection | null;
  /** Number of lines to begin with. */
  readonly tail: number;
  /** Text of the last position; null for none. */
  readonly after: string | null;
}

/** Reads a whole number between two limits; `otherwise` if it is missing. Throws {@link QueryError}. */
export function readNumber(
  query: URLSearchParams,
  name: string,
  { least, most, otherwise }: { readonly least: number; readonly most: number; readonly otherwise: number },
): number {
  const text = query.get(name);
  if (text === null || text === '') return otherwise;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most))
    throw new QueryError(`${name} must be a whole number from ${least} to ${most}`);
  return number;
}

/** Reads `true`, `false`, `1` or `0`; `otherwise` if it is missing. Throws {@link QueryError}. */
export function readSwitch(query: URLSearchParams, name: string, otherwise: boolean): boolean {
  const text = query.get(name);
  if (text === null || text === '') return otherwise;
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw new QueryError(`${name} must be true or false`);
}

/** Reads the names of a parameter. `*` alone means all, which is an empty list. Throws {@link QueryError}. */
export function readNameList(query: URLSearchParams, parameter: string): readonly string[] {
  const names = [...new Set(query.getAll(parameter).filter((name) => name !== ''))];
  if (names.length > MAX_NAMES) throw new QueryError(`at most ${MAX_NAMES} values of ${parameter}`);
  return names.includes('*') ? [] : names;
}

/** Reads the names of streams. Throws {@link QueryError}. */
export function readStreams(query: URLSearchParams): readonly LineStream[] {
  return readNameList(query, 'streams').map((text) => {
    const stream = LINE_STREAMS.find((known) => known === text);
    if (stream === undefined) throw new QueryError(`streams must be ${LINE_STREAMS.join(', ')}`);
    return stream;
  });
}

/** Returns the query of a request target. */
export function queryOf(target: string | undefined): URLSearchParams {
  return new URLSearchParams((target ?? '').split('#')[0]?.split('?').slice(1).join('?') ?? '');
}

/** Reads the query of a stream. `lastEventId` is the header of that name. Throws {@link QueryError}. */
export function readStreamQuery(query: URLSearchParams, lastEventId: string | null): StreamQuery {
  const hasLines = query.getAll('logs').some((name) => name !== '');
  const usageSeconds = readNumber(query, 'usage', { least: 0, most: MAX_USAGE_SECONDS, otherwise: 0 });
  return {
    hasStatus: readSwitch(query, 'status', false),
    usageMs: usageSeconds === 0 ? null : usageSeconds * 1000,
    selection: hasLines ? { names: readNameList(query, 'logs'), streams: readStreams(query) } : null,
    tail: readNumber(query, 'tail', { least: 0, most: MAX_TAIL, otherwise: 0 }),
    // A browser repeats the URL when it connects again, and its header is newer.
    after: lastEventId ?? query.get('after'),
  };
}
