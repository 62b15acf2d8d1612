/** The address of the log view: the part of `#/logs?…` after the question mark. Pure. */
import { levels, type LogLevel } from '../../core/line-level.ts';

/** A line, by the number that all views know. */
export interface LineAddress {
  readonly epoch: string;
  readonly seq: number;
}

/** Choices that the address of the view holds. */
export interface LogsQuery {
  /** Names and patterns of programs; empty for all. */
  readonly names: readonly string[];
  /** Streams; empty for both. */
  readonly streams: readonly string[];
  /** True if each name has a column of its own. */
  readonly isSplit: boolean;
  /** True if columns scroll together, by time. */
  readonly isSynchronised: boolean;
  readonly filter: string;
  /** Lines that are shown around each line of the filter. */
  readonly context: number;
  readonly level: LogLevel | null;
  readonly find: string;
  readonly highlight: string;
  /** A span of time, in milliseconds since 1970. Such a view does not follow. */
  readonly since: number | null;
  readonly until: number | null;
  /** The line to show. */
  readonly at: LineAddress | null;
}

/** Maximum number of columns. */
export const MAX_COLUMNS = 4;

/** Maximum number of lines around a line of the filter. */
export const MAX_CONTEXT = 20;

/** Reads an address. Wrong values count as missing. */
export function parseLogsQuery(query: URLSearchParams): LogsQuery {
  const level = query.get('level');
  return {
    names: [...new Set(query.getAll('names').filter((name) => name !== '' && name !== '*'))],
    streams: query.getAll('streams').filter((name) => name === 'stdout' || name === 'stderr'),
    isSplit: query.get('layout') === 'columns',
    isSynchronised: query.get('sync') === '1',
    filter: query.get('filter') ?? '',
    context: Math.min(numberIn(query, 'context') ?? 0, MAX_CONTEXT),
    level: levels.find((known) => known === level) ?? null,
    find: query.get('find') ?? '',
    highlight: query.get('highlight') ?? '',
    since: numberIn(query, 'since'),
    until: numberIn(query, 'until'),
    at: parseAddress(query.get('at') ?? ''),
  };
}

/** Writes an address. Choices that are as by default are left out. */
export function formatLogsQuery(query: LogsQuery): string {
  const params = new URLSearchParams();
  for (const name of query.names) params.append('names', name);
  for (const name of query.streams) params.append('streams', name);
  const set = (name: string, value: string | number | null): void => {
    if (value !== null && value !== '' && value !== 0) params.set(name, String(value));
  };
  set('layout', query.isSplit ? 'columns' : '');
  set('sync', query.isSynchronised ? '1' : '');
  set('filter', query.filter);
  set('context', query.context);
  set('level', query.level);
  set('find', query.find);
  set('highlight', query.highlight);
  set('since', query.since);
  set('until', query.until);
  set('at', query.at === null ? null : formatAddress(query.at));
  return params.toString();
}

/** Writes the address of a line: `EPOCH-SEQ`. */
export function formatAddress({ epoch, seq }: LineAddress): string {
  return `${epoch}-${seq}`;
}

function parseAddress(text: string): LineAddress | null {
  const [, epoch, seq] = /^(.{1,100})-(\d{1,16})$/.exec(text) ?? [];
  return epoch === undefined ? null : { epoch, seq: Number(seq) };
}

/** Reads a number that is not negative; null for anything else. */
function numberIn(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  return text !== null && /^\d{1,16}$/.test(text) ? Number(text) : null;
}
