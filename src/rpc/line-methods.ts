/**
 * `onevisor.readLines`: the lines of several programs, merged in the order of their receipt. The lines are one string
 * of JSON: 1,000 lines are 190 KB, which a client reads in 1 ms. As structs of XML they are 570 KB, which take 10 ms.
 */
import { RpcFault } from '../core/faults.ts';
import { stringifyExactly } from './json-answer.ts';
import { type Method, readInteger, readText } from './method.ts';
import { LINE_STREAMS, type LineQuery, type LineSelection, type LineStream } from './supervisor-api.ts';
import { isStruct, type XmlRpcValue } from './xmlrpc.ts';

/** Number of lines without `limit`, and the largest limit. */
const DEFAULT_LINES = 1000;
const MAX_LINES = 10_000;

/** Maximum number of bytes of the lines in one answer. Making the answer blocks the event loop for some 10 ms. */
const MAX_BYTES = 1024 * 1024;

/** Longest wait. A client repeats its call, so that a connection that is lost without notice is not kept for long. */
const MAX_WAIT_MS = 30_000;

/** A call, with all defaults filled in. */
interface LineCall {
  readonly selection: LineSelection;
  readonly query: LineQuery;
  readonly waitMs: number;
  /** The supervisor that `after` is from; null if the client does not know. */
  readonly epoch: string | null;
}

const MEMBERS: readonly string[] = ['names', 'streams', 'after', 'before', 'since', 'until', 'limit', 'wait', 'epoch'];

const incorrect = (): RpcFault => RpcFault.of('INCORRECT_PARAMETERS');

function readNames(value: XmlRpcValue | undefined): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw incorrect();
  return (value as readonly XmlRpcValue[]).map(readText);
}

function readStream(text: string): LineStream {
  const stream = LINE_STREAMS.find((known) => known === text);
  if (stream === undefined) throw incorrect();
  return stream;
}

function readOptional(value: XmlRpcValue | undefined): number | null {
  return value === undefined || value === null ? null : readInteger(value);
}

function readCall(struct: XmlRpcValue = {}): LineCall {
  if (!isStruct(struct) || Object.keys(struct).some((name) => !MEMBERS.includes(name))) throw incorrect();
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
  };
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
        help: 'Lines to read: names, streams, after, before, since, until, limit, wait, epoch; all are optional',
        isOptional: true,
      },
    ],
    returns: {
      type: 'struct',
      name: 'result',
      help: 'lines (JSON text), next (the next value of after), more, missed, epoch',
    },
    call: async ({ api, signal, reserve }, [value]) => {
      const { selection, query, waitMs, epoch } = readCall(value);
      const unknown = api.findUnknownName(selection.names);
      if (unknown !== null) throw RpcFault.of('BAD_NAME', unknown);
      // The numbers of an earlier supervisor mean nothing here. The client gets all lines of this supervisor.
      const isOtherEpoch = epoch !== null && epoch !== api.epoch;
      const after = query.after !== null && isOtherEpoch ? 0 : query.after;
      if (after !== null && waitMs > 0) {
        const hasWaited = await api.waitForLines(selection, { after, waitMs, signal });
        if (!hasWaited) throw RpcFault.of('FAILED', 'too many clients wait for lines; repeat the call later');
        signal.throwIfAborted();
      }
      const { lines, next, hasMore, missed } = api.readLines(selection, { ...query, after }, reserve);
      return {
        epoch: api.epoch,
        next,
        more: hasMore,
        lines: stringifyExactly(lines),
        missed: missed.map(({ name, stream, bytes }) => ({ name, stream, bytes })),
      };
    },
  },
];
