/** The rows of lines and events. Both can wait for new ones (long polling). */
import { faults, RpcFault } from '../core/faults.ts';
import { type LineEntry, readEntries } from '../rpc/line-methods.ts';
import { MOMENT_HELP, parseMoment } from '../rpc/moment.ts';
import type { CallContext } from '../rpc/method.ts';
import { LINE_STREAMS, type LineQuery, type LineSelection, type LineStream } from '../rpc/lines.ts';
import { tooMany } from './api-error.ts';
import { eventsSchema, logsSchema } from './answer-schemas.ts';
import type { LineFilter } from '../logs/line-filter.ts';
import { createFilter, type FilterQuery, filterParameters } from './line-filter.ts';
import { displayName } from './names.ts';
import { namesParameter } from './read-rows.ts';
import { type ApiCall, type ApiRow, defineRow } from './row.ts';
import { integer, list, maybe, oneOf, SchemaError, text, truth } from './schema.ts';
import type { EventAnswer, EventsAnswer, LineAnswer, LineEventAnswer, LogsAnswer } from './types.ts';

const MAX_LINES = 10_000;
const DEFAULT_LINES = 1000;
const MAX_EVENTS = 1000;
/** Longest wait in seconds. A client repeats its request, so that a lost connection is not kept for long. */
const MAX_WAIT_S = 30;

/** Bytes of the lines in one answer without a filter, and limits of one reading with a filter. */
const ANSWER_BYTES = 1024 * 1024;
const READING_BYTES = 256 * 1024;
const READING_LINES = 2000;

/** Number of readings of one request with a filter: it searches up to 16 MiB. */
const MAX_READINGS = 64;
/** Steps of the filter of one request: about a second. A slow pattern searches less than 16 MiB. */
const MAX_STEPS = 200_000_000;

/** Parameters of `GET /logs`. */
interface LogsQuery extends FilterQuery {
  readonly names?: readonly string[];
  readonly streams?: readonly LineStream[];
  readonly since?: string;
  readonly until?: string;
  readonly after?: number;
  readonly before?: number;
  readonly limit?: number;
  readonly events?: boolean;
  readonly wait?: number;
  readonly epoch?: string;
  readonly follow?: boolean;
}

const number = (help: string): ReturnType<typeof integer> => integer({ min: 0, help });

/** Parameters that choose lines, also for other rows. */
export const selectionParameters = {
  names: maybe(namesParameter),
  streams: maybe(list(oneOf(LINE_STREAMS), { max: LINE_STREAMS.length, help: 'All streams without this' })),
  since: maybe(text({ max: 40, help: MOMENT_HELP })),
  until: maybe(text({ max: 40, help: MOMENT_HELP })),
  ...filterParameters,
} as const;

/** Returns the outputs that a query selects. The pattern `*` means all of them, as no names do. */
export function selectionOf({ names = [], streams = [] }: Pick<LogsQuery, 'names' | 'streams'>): LineSelection {
  return { names: names.includes('*') ? [] : names, streams };
}

/** Reads a time; null for a missing one. Throws {@link SchemaError}. */
function readMoment(name: 'since' | 'until', text: string | undefined, nowMs: number): number | null {
  if (text === undefined) return null;
  const moment = parseMoment(text, nowMs);
  if (moment === null) throw new SchemaError(`${name} must be a time: ${MOMENT_HELP}`);
  return moment;
}

/** Makes the answer of a line or of an event among lines, with its display name. */
export function entryAnswer(entry: LineEntry): LineAnswer | LineEventAnswer {
  const { name } = entry;
  const answer = typeof name === 'string' ? { ...entry, name: displayName(name) } : entry;
  return answer as unknown as LineAnswer | LineEventAnswer;
}

/** Makes the answer of an event, with its display name. */
export function eventAnswer(event: EventAnswer): EventAnswer {
  return event.name === undefined ? event : { ...event, name: displayName(event.name) };
}

/** A FAILED of a method that waits means that too many clients wait. */
function withWaitError<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    if (error instanceof RpcFault && error.code === faults.FAILED)
      throw tooMany(503, error.faultString.replace(/^FAILED: /, ''));
    throw error;
  });
}

type Found = Pick<LogsAnswer, 'lines' | 'more' | 'next' | 'missed' | 'earlier'>;

/** One search for lines. */
interface Search {
  readonly context: Pick<CallContext, 'api' | 'signal' | 'reserve'>;
  readonly selection: LineSelection;
  readonly query: Omit<LineQuery, 'limits'>;
  readonly limit: number;
  readonly waitMs: number;
  readonly epoch: string | null;
  readonly hasEvents: boolean;
}

async function readAll({ limit, ...search }: Search): Promise<Found> {
  const { entries, hasMore, next, missed } = await readEntries(search.context, {
    ...search,
    query: { ...search.query, limits: { lines: limit, bytes: ANSWER_BYTES } },
    isUnknownIgnored: false,
    isForFiles: false,
  });
  return { lines: entries as unknown as Found['lines'], more: hasMore, next, missed };
}

/** Adds the losses of a reading to those of the readings before. */
function addLosses(all: Found['missed'], more: Found['missed']): Found['missed'] {
  const sums = new Map<string, Found['missed'][number]>();
  for (const lost of [...all, ...more]) {
    const output = JSON.stringify([lost.name, lost.stream]);
    sums.set(output, { ...lost, bytes: lost.bytes + (sums.get(output)?.bytes ?? 0) });
  }
  return [...sums.values()];
}

/**
 * Searches lines in turns of the event loop. Forward after a number, otherwise backward from the latest line. Ends
 * after a number of readings or steps, and says where to continue.
 */
async function search(wanted: Search, filter: LineFilter): Promise<Found> {
  const { context, selection, query, limit, waitMs, epoch } = wanted;
  const limits = { lines: READING_LINES, bytes: READING_BYTES };
  // Programs write between two readings. Each loss is counted once.
  const told = new WeakMap<object, number>();
  let [after, before] = [query.after, query.before];
  let first: Found | null = null;
  let found: LineAnswer[] = [];
  for (let reading = 0; reading < MAX_READINGS && filter.steps < MAX_STEPS; reading++) {
    const read = await readEntries(context, {
      selection,
      query: { ...query, after, before, limits, told },
      waitMs: reading === 0 ? waitMs : 0,
      epoch: reading === 0 ? epoch : null,
      hasEvents: false,
      isUnknownIgnored: reading > 0,
      isForFiles: false,
    });
    const lines = read.entries as unknown as readonly LineAnswer[];
    const space = limit - found.length;
    const chosen = await filter.choose({
      lines,
      read: ({ name, stream, text }) => ({ text, output: `${name} ${stream}` }),
      isOver: () => context.signal.aborted,
      ...(after === null ? {} : { limit: space }),
    });
    context.signal.throwIfAborted();
    first ??= { lines: [], more: false, next: read.next, missed: [] };
    if (after !== null) {
      found = found.concat(chosen);
      first = { ...first, missed: addLosses(first.missed, read.missed) };
      if (chosen.length >= space) {
        const taken = lines.indexOf(chosen[space - 1] as LineAnswer) + 1;
        const rest = lines[taken];
        // The memory may be another by now. A reader that continues before the next line misses nothing.
        const next = rest === undefined ? read.next : rest.seq - 1;
        return { ...first, lines: found, next, more: rest !== undefined || read.hasMore };
      }
      first = { ...first, next: read.next };
      if (!read.hasMore) return { ...first, lines: found };
      after = read.next;
    } else {
      found = chosen.slice(-space).concat(found);
      const oldest = lines[0]?.seq;
      if (found.length >= limit) return { ...first, lines: found, more: true, earlier: found[0]?.seq ?? 0 };
      if (!read.hasMore || oldest === undefined) return { ...first, lines: found };
      before = oldest;
    }
  }
  return { ...(first as Found), lines: found, more: true, ...(before === null ? {} : { earlier: before }) };
}

/** Converts the names of a result to display names. */
function withDisplayNames({ next, more, lines, missed, earlier }: Found): Found {
  return {
    next,
    more,
    ...(earlier === undefined ? {} : { earlier }),
    lines: lines.map((line) => entryAnswer(line as unknown as LineEntry)),
    missed: missed.map((output) => ({ ...output, name: displayName(output.name) })),
  };
}

async function logs({ context, exchange, query }: ApiCall<LogsQuery, null>): Promise<LogsAnswer | null> {
  const { api, live } = context;
  if (query.follow === true) {
    await live.follow(exchange);
    return null;
  }
  const { signal, reserve } = exchange;
  const filter = createFilter(query);
  const now = api.wallMs();
  const wanted: Search = {
    context: { api, signal, reserve },
    selection: selectionOf(query),
    query: {
      after: query.after ?? null,
      before: query.before ?? null,
      sinceMs: readMoment('since', query.since, now),
      untilMs: readMoment('until', query.until, now),
    },
    limit: query.limit ?? DEFAULT_LINES,
    waitMs: (query.wait ?? 0) * 1000,
    epoch: query.epoch ?? null,
    hasEvents: query.events === true,
  };
  const found = await withWaitError(filter.isActive ? search(wanted, filter) : readAll(wanted));
  return { epoch: api.epoch, ...withDisplayNames(found) };
}

const epochParameter = maybe(text({ max: 100, help: 'The epoch of after; numbers of another epoch count as 0' }));
const waitParameter = maybe(integer({ min: 0, max: MAX_WAIT_S, help: 'Seconds to wait for something new' }));

/** The rows. */
export const logRows: readonly ApiRow[] = [
  defineRow<LogsQuery, null, LogsAnswer | null>({
    method: 'GET',
    path: '/logs',
    role: 'read',
    summary: 'Lines in memory in the order of their receipt: the oldest after a number, otherwise the latest',
    query: {
      ...selectionParameters,
      after: maybe(number('Only lines with a larger number, the oldest first')),
      before: maybe(number('Only lines with a smaller number')),
      limit: maybe(integer({ min: 1, max: MAX_LINES, standard: DEFAULT_LINES })),
      events: maybe(truth('With events among the lines; not with grep or level')),
      wait: waitParameter,
      epoch: epochParameter,
      follow: maybe(truth('True for new lines as they come, one JSON object a line, until the client leaves')),
    },
    answer: logsSchema,
    run: logs,
  }),
  defineRow<
    { readonly after?: number; readonly limit?: number; readonly timeout?: number; readonly epoch?: string },
    null,
    EventsAnswer
  >({
    method: 'GET',
    path: '/events',
    role: 'read',
    summary: 'Changes of states, health and groups, and requests, in the order of their numbers',
    query: {
      after: maybe(number('Only events with a larger number')),
      limit: maybe(integer({ min: 1, max: MAX_EVENTS, standard: MAX_EVENTS })),
      timeout: waitParameter,
      epoch: epochParameter,
    },
    answer: eventsSchema,
    run: async ({ context: { api }, query: { after = 0, limit = MAX_EVENTS, timeout = 0, epoch }, ask }) => {
      const start = epoch === undefined || epoch === api.epoch ? after : 0;
      const read = await withWaitError(ask('onevisor.readEvents', start, limit, timeout * 1000));
      const { events, complete, next } = read as unknown as Omit<EventsAnswer, 'epoch'>;
      return { epoch: api.epoch, events: events.map(eventAnswer), complete, next };
    },
  }),
];
