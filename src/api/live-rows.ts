/** The rows of the live views: the stream of events, the search in files, the download, the history of usage. */
import { LINE_STREAMS } from '../rpc/lines.ts';
import { STREAM_NAMES } from '../core/stream-name.ts';
import { filterParameters } from './line-filter.ts';
import { selectionParameters } from './log-rows.ts';
import { namesParameter } from './read-rows.ts';
import { type ApiRow, defineRow, defineStream } from './row.ts';
import { dictionary, integer, list, maybe, nullable, number, object, oneOf, text, truth } from './schema.ts';
import type { UsageHistoryAnswer, UsageSamples } from './types.ts';

const MAX_TAIL = 10_000;
const MAX_HITS = 10_000;
const DEFAULT_HITS = 1000;
const MAX_USAGE_SECONDS = 3600;
const NDJSON = 'application/x-ndjson';

/** The rows. */
export const liveRows: readonly ApiRow[] = [
  defineStream({
    method: 'GET',
    path: '/stream',
    role: 'read',
    summary: 'States, events, lines and usage as they happen, as server-sent events',
    query: {
      status: maybe(truth('With states and events')),
      usage: maybe(integer({ min: 0, max: MAX_USAGE_SECONDS, help: 'With the usage every so many seconds' })),
      logs: maybe(list(text({ max: 1000 }), { max: 200, help: 'With the lines of these processes; * for all' })),
      streams: maybe(list(oneOf(LINE_STREAMS), { max: LINE_STREAMS.length, help: 'All streams without this' })),
      tail: maybe(integer({ min: 0, max: MAX_TAIL, help: 'Number of lines to begin with' })),
      after: maybe(text({ max: 200, help: 'Id of the last message, to continue after it, as Last-Event-ID' })),
    },
    type: 'text/event-stream',
    send: ({ context, exchange }) => context.live.stream(exchange),
  }),
  defineStream({
    method: 'GET',
    path: '/logs/files',
    role: 'read',
    summary: 'Search of a log file and its backups, the newest file first',
    query: {
      name: text({ min: 1, max: 1000, help: 'Name of the process' }),
      stream: maybe(oneOf(STREAM_NAMES, 'stdout without this')),
      ...filterParameters,
      limit: maybe(integer({ min: 1, max: MAX_HITS, standard: DEFAULT_HITS })),
    },
    type: NDJSON,
    send: ({ context, exchange }) => context.live.files(exchange),
  }),
  defineStream({
    method: 'GET',
    path: '/logs/download',
    role: 'read',
    summary: 'Lines in memory as a text file',
    query: {
      ...selectionParameters,
      after: maybe(integer({ min: 0, help: 'Only lines with a larger number' })),
      before: maybe(integer({ min: 0, help: 'Only lines with a smaller number' })),
      timestamps: maybe(truth('With the time of each line')),
    },
    type: 'text/plain',
    send: ({ context, exchange }) => context.live.download(exchange),
  }),
  defineRow<{ readonly names?: readonly string[] }, null, UsageHistoryAnswer>({
    method: 'GET',
    path: '/usage/history',
    role: 'read',
    summary: 'Latest samples of processor time and memory, every 10 seconds',
    query: { names: maybe(namesParameter) },
    answer: object<UsageHistoryAnswer>({
      interval_ms: integer({ help: 'Time between two samples' }),
      series: dictionary(
        object<UsageSamples>({
          at: list(integer({ help: 'Milliseconds since 1970' })),
          cpu: list(nullable(number({ help: 'Percent of a processor; null for the first sample of a run' }))),
          memory: list(integer({ help: 'Resident bytes' })),
        }),
      ),
    }),
    run: ({ context, query }) => context.live.usageHistory(query.names ?? []),
  }),
];
