/**
 * The lines that were written before: those in memory, and before them those of the log files, merged by time. Within a
 * program the order is exact. Between programs it is exact for lines in memory, and as good as the times in the lines
 * of files.
 */
import { messageOf } from '../../core/error-text.ts';
import { STREAM_NAMES, type StreamName } from '../../core/stream-name.ts';
import { encodeBytes } from '../../files/bytes.ts';
import { parseServerUrl } from '../server-url.ts';
import type { ProcessInfo, SupervisorClient } from '../supervisor-client.ts';
import { type Entry, type LineEntry, outputKey } from './entry.ts';
import { type DatedLine, type FileQuery, readFileLines } from './file-lines.ts';
import type { Snapshot } from './memory.ts';
import { openSegments, remoteSegment } from './segments.ts';

/** The parts that reading needs. */
export interface HistoryParts {
  readonly client: Pick<SupervisorClient, 'getLogSize' | 'readProcessLog'>;
  readonly serverUrl: string;
  /** Shows a problem with one file, without which the rest is read. */
  readonly warn: (text: string) => void;
}

/** The lines that are wanted. */
export interface HistoryQuery {
  readonly processes: readonly ProcessInfo[];
  readonly streams: readonly string[];
  readonly snapshot: Snapshot;
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** Number of lines that are enough, counted from the end; Infinity for all. */
  readonly lines: number;
}

/** A log file of a process. */
interface LoggedOutput {
  readonly name: string;
  readonly stream: StreamName;
  readonly path: string;
}

/** Returns the outputs that have log files. Devices have no past, and other targets cannot be read. */
function loggedOutputs({ processes, streams }: HistoryQuery): LoggedOutput[] {
  return processes.flatMap(({ group, name, struct }) =>
    STREAM_NAMES.flatMap((stream) => {
      const path = struct[`${stream}_logfile`];
      const isFile = typeof path === 'string' && path.startsWith('/') && !path.startsWith('/dev/');
      return isFile && streams.includes(stream) ? [{ name: `${group}:${name}`, stream, path }] : [];
    }),
  );
}

/** Yields the entries within the times, in batches and in order. */
export async function* readHistory(parts: HistoryParts, query: HistoryQuery): AsyncGenerator<readonly Entry[]> {
  const { snapshot, sinceMs, untilMs } = query;
  const memories = memoriesOf(snapshot.entries);
  const queries: FileQuery[] = [];
  for (const output of isMemoryEnough(query) ? [] : loggedOutputs(query)) {
    const memory = memories.get(outputKey(output));
    if (sinceMs !== null && memory !== undefined && memory.firstMs < sinceMs) continue;
    const segments = await openOutput(parts, output);
    const wanted = { sinceMs, untilMs, lines: sinceMs === null ? query.lines : Infinity };
    const known = { memory: Buffer.concat(memory?.pieces ?? []), memoryMs: memory?.firstMs ?? Infinity };
    queries.push({ ...wanted, ...known, ...output, segments });
  }
  const inMemory = snapshot.entries.filter(
    ({ at }) => at === null || ((sinceMs === null || at >= sinceMs) && (untilMs === null || at <= untilMs)),
  );
  if (queries.length === 0) yield inMemory;
  else yield* merge(parts, queries, inMemory);
}

/** True if no line of a file can be wanted. */
function isMemoryEnough({ snapshot, sinceMs, lines }: HistoryQuery): boolean {
  return sinceMs === null && (snapshot.hasMore || snapshot.entries.length >= lines);
}

/** The bytes of an output in memory. */
interface Memory {
  readonly firstMs: number;
  readonly pieces: Buffer[];
}

function memoriesOf(entries: readonly Entry[]): Map<string, Memory> {
  const memories = new Map<string, Memory>();
  for (const entry of entries) {
    if (entry.kind !== 'line') continue;
    const key = outputKey(entry);
    const memory = memories.get(key) ?? { firstMs: entry.at ?? 0, pieces: [] };
    memory.pieces.push(bytesOf(entry));
    memories.set(key, memory);
  }
  return memories;
}

function bytesOf({ text, isPartial }: LineEntry): Buffer {
  return encodeBytes(isPartial ? text : `${text}\n`);
}

/** Finds the files of an output, or reads its log through the supervisor. Without either, says so. */
async function openOutput(parts: HistoryParts, { name, stream, path }: LoggedOutput): Promise<FileQuery['segments']> {
  const isNear = parseServerUrl(parts.serverUrl).kind === 'unix';
  const opened = isNear ? await openSegments(path) : null;
  if (opened !== null) {
    if (!opened.isSteady) parts.warn(`${path} is rotated faster than it can be read: lines may be missing`);
    return opened.segments;
  }
  try {
    return [await remoteSegment(parts.client, name, stream)];
  } catch (error) {
    parts.warn(`cannot read the log of ${name} (${stream}): ${messageOf(error)}`);
    return [];
  }
}

/** A log while it is merged. */
interface Cursor {
  readonly batches: AsyncIterator<readonly DatedLine[]>;
  readonly name: string;
  batch: readonly DatedLine[];
  at: number;
}

/** Moves to the next batch if this one is used up. Returns false at the end, also after an error, which is shown. */
async function refill({ warn }: HistoryParts, cursor: Cursor): Promise<boolean> {
  while (cursor.at >= cursor.batch.length) {
    try {
      const { done, value } = await cursor.batches.next();
      if (done === true) return false;
      cursor.batch = value;
      cursor.at = 0;
    } catch (error) {
      warn(`cannot read the log file of ${cursor.name}: ${messageOf(error)}`);
      return false;
    }
  }
  return true;
}

/** Number of entries that are given at once. */
const BATCH = 1000;

async function* merge(
  parts: HistoryParts,
  queries: readonly FileQuery[],
  inMemory: readonly Entry[],
): AsyncGenerator<readonly Entry[]> {
  let open: Cursor[] = [];
  for (const query of queries) {
    const cursor = { batches: readFileLines(query), name: `${query.name} (${query.stream})`, batch: [], at: 0 };
    if (await refill(parts, cursor)) open.push(cursor);
  }
  let merged: Entry[] = [];
  let taken = 0;
  try {
    while (open.length > 0) {
      const first = open.reduce((least, cursor) => (keyOf(cursor) < keyOf(least) ? cursor : least));
      const next = inMemory[taken];
      if (next !== undefined && (next.at ?? 0) < keyOf(first)) {
        merged.push(next);
        taken++;
      } else {
        merged.push((first.batch[first.at++] as DatedLine).line);
        if (!(await refill(parts, first))) open = open.filter((cursor) => cursor !== first);
      }
      if (merged.length >= BATCH) {
        yield merged;
        merged = [];
      }
    }
  } finally {
    // The caller may want no more. A file that is being read is closed.
    for (const { batches } of open) await batches.return?.();
  }
  yield [...merged, ...inMemory.slice(taken)];
}

function keyOf({ batch, at }: Cursor): number {
  return batch[at]?.keyMs ?? Infinity;
}
