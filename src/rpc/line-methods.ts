/**
 * `onevisor.readLines`: the lines of several programs, merged in the order of their receipt. The lines are one string
 * of JSON: 1,000 lines are 190 KB, which a client reads in 1 ms. As structs of XML they are 570 KB, which take 10 ms.
 * Events of the history can stand among the lines, because both have numbers of one sequence.
 */
import { RpcFault } from '../core/faults.ts';
import type { HistoryEvent } from '../core/history.ts';
import { eventAmongLines } from './history-structs.ts';
import { stringifyExactly } from './json-answer.ts';
import { type CallContext, type Method, readInteger, readNames, readText, readTruth } from './method.ts';
import {
  LINE_STREAMS,
  type LineQuery,
  type LineSelection,
  type LineStream,
  type LogLine,
  type LogLines,
} from './lines.ts';
import type { SupervisorApi } from './supervisor-api.ts';
import { isStruct, type XmlRpcStruct, type XmlRpcValue } from './xmlrpc.ts';

/** Number of lines without `limit`, and the largest limit. */
const DEFAULT_LINES = 1000;
const MAX_LINES = 10_000;

/** Maximum number of bytes of the lines in one answer. Making the answer blocks the event loop for some 10 ms. */
const MAX_BYTES = 1024 * 1024;

/** Longest wait. A client repeats its call, so that a connection that is lost without notice is not kept for long. */
const MAX_WAIT_MS = 30_000;

/** Longest wait for log files. The disk may be full, or hang. */
const MAX_WRITE_MS = 1000;

/** A call, with all defaults filled in. */
export interface LineCall {
  readonly selection: LineSelection;
  readonly query: LineQuery;
  readonly waitMs: number;
  /** The supervisor that `after` is from; null if the client does not know. */
  readonly epoch: string | null;
  /** True if events of the selected processes and of the supervisor are to stand among the lines. */
  readonly hasEvents: boolean;
  /** True if a name without a process is no error: its process may come later. */
  readonly isUnknownIgnored: boolean;
  /** True for a client that reads log files, too: see `written`. */
  readonly isForFiles: boolean;
}

const MEMBERS: ReadonlySet<string> = new Set([
  'names',
  'streams',
  'after',
  'before',
  'since',
  'until',
  'limit',
  'wait',
  'epoch',
  'events',
  'ignore_unknown',
  'written',
]);

const incorrect = (): RpcFault => RpcFault.of('INCORRECT_PARAMETERS');

function readStream(text: string): LineStream {
  const stream = LINE_STREAMS.find((known) => known === text);
  if (stream === undefined) throw incorrect();
  return stream;
}

function readOptional(value: XmlRpcValue | undefined): number | null {
  return value === undefined || value === null ? null : readInteger(value);
}

function readCall(struct: XmlRpcValue = {}): LineCall {
  if (!isStruct(struct) || Object.keys(struct).some((name) => !MEMBERS.has(name))) throw incorrect();
  const limit = readOptional(struct['limit']) ?? DEFAULT_LINES;
  const wait = readOptional(struct['wait']) ?? 0;
  if (limit < 1 || wait < 0) throw incorrect();
  return {
    selection: { names: readNames(struct['names']), streams: readNames(struct['streams']).map(readStream) },
    query: {
      after: readOptional(struct['after']),
      before: readOptional(struct['before']),
      sinceMs: readOptional(struct['since']),
      untilMs: readOptional(struct['until']),
      limits: { lines: Math.min(limit, MAX_LINES), bytes: MAX_BYTES },
    },
    waitMs: Math.min(wait, MAX_WAIT_MS),
    epoch: struct['epoch'] === undefined ? null : readText(struct['epoch']),
    hasEvents: readTruth(struct['events'], false),
    isUnknownIgnored: readTruth(struct['ignore_unknown'], false),
    isForFiles: readTruth(struct['written'], false),
  };
}

/** Returns the events of a selection with numbers above `after`, in order. */
function eventsOf(api: SupervisorApi, { names }: LineSelection, after: number): readonly HistoryEvent[] {
  const isNamed = names.length === 0 ? (): boolean => true : api.nameFilter(names);
  return api.history.eventsAfter(after, Infinity).events.filter((event) => {
    switch (event.kind) {
      case 'supervisor':
        return true;
      case 'group':
        return names.length === 0;
      case 'state':
      case 'ready':
      case 'health':
      case 'reload':
        return isNamed(event.id);
      case 'held':
        return event.hold !== null && isNamed(event.id);
      case 'request':
        // The events that follow have it as their cause.
        return false;
    }
  });
}

/** A line, or an event that stands among lines. */
export type LineEntry = LogLine | XmlRpcStruct;

/** The objects of an answer: lines, and events. */
interface Entries {
  readonly entries: readonly LineEntry[];
  readonly hasMore: boolean;
}

/** The answer to a call, before it is encoded. */
export type EntriesRead = Entries & Pick<LogLines, 'next' | 'missed'>;

/**
 * Puts events among the lines. Without `after`, the latest lines and events up to the limit are wanted. Events before
 * the first line are then left out if lines before it are left out, too.
 */
function withEvents(api: SupervisorApi, selection: LineSelection, query: LineQuery, read: LogLines): Entries {
  const { after, before, sinceMs, untilMs, limits } = query;
  const { lines, hasMore, next } = read;
  const floor = after ?? (hasMore ? (lines[0]?.seq ?? 0) : 0);
  const events = eventsOf(api, selection, floor).filter(
    ({ seq, atMs }) =>
      seq <= next &&
      (before === null || seq < before) &&
      (sinceMs === null || atMs >= sinceMs) &&
      (untilMs === null || atMs <= untilMs),
  );
  const entries: LineEntry[] = [];
  let taken = 0;
  for (const line of lines) {
    for (let event = events[taken]; event !== undefined && event.seq < line.seq; event = events[++taken])
      entries.push(eventAmongLines(event));
    entries.push(line);
  }
  entries.push(...events.slice(taken).map(eventAmongLines));
  if (after !== null || entries.length <= limits.lines) return { entries, hasMore };
  return { entries: entries.slice(-limits.lines), hasMore: true };
}

/**
 * Reads lines, and events if they are asked for; waits before for lines after a number. Throws BAD_NAME, and FAILED if
 * too many clients wait.
 */
export async function readEntries(
  { api, signal, reserve }: Pick<CallContext, 'api' | 'signal' | 'reserve'>,
  { selection, query, waitMs, epoch, hasEvents, isUnknownIgnored, isForFiles }: LineCall,
): Promise<EntriesRead> {
  const unknown = isUnknownIgnored ? null : api.findUnknownName(selection.names);
  if (unknown !== null) throw RpcFault.of('BAD_NAME', unknown);
  // The numbers of an earlier supervisor mean nothing here. The client gets all lines of this supervisor.
  const isOtherEpoch = epoch !== null && epoch !== api.epoch;
  const after = query.after !== null && isOtherEpoch ? 0 : query.after;
  if (after !== null && waitMs > 0) {
    const isOtherwiseReady = (): boolean => hasEvents && eventsOf(api, selection, after).length > 0;
    const hasWaited = await api.waitForLines(selection, { after, waitMs, isOtherwiseReady, signal });
    if (!hasWaited) throw RpcFault.of('FAILED', 'too many clients wait for lines; repeat the call later');
    // A client that has gone reads no answer. A server that closes still gives its clients the last lines.
    if (signal.reason instanceof DOMException) throw signal.reason;
  }
  const read = api.readLines(selection, { ...query, after }, reserve);
  const { next, missed } = read;
  const { entries, hasMore } = hasEvents
    ? withEvents(api, selection, { ...query, after }, read)
    : { entries: read.lines, hasMore: read.hasMore };
  // Memory is read before: it may drop lines during the wait, and those are in the files afterwards.
  if (isForFiles) await api.waitForFiles(selection, MAX_WRITE_MS, signal);
  return { entries, hasMore, next, missed };
}

/** The methods about lines. */
export const lineMethods: readonly Method[] = [
  {
    name: 'onevisor.readLines',
    help: 'Read lines of several programs from memory, in the order of their receipt, and wait for new ones',
    parameters: [
      {
        type: 'struct',
        name: 'query',
        help: `Lines to read: ${[...MEMBERS].join(', ')}; all are optional`,
        isOptional: true,
      },
    ],
    returns: {
      type: 'struct',
      name: 'result',
      help: 'lines (JSON text), next (the next value of after), more, missed, epoch',
    },
    call: async (context, [value]) => {
      const { entries, hasMore, next, missed } = await readEntries(context, readCall(value));
      return {
        epoch: context.api.epoch,
        next,
        more: hasMore,
        lines: stringifyExactly(entries),
        missed: missed.map(({ name, stream, bytes }) => ({ name, stream, bytes })),
      };
    },
  },
];
