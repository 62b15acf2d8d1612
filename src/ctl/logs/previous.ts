/**
 * The lines of the latest run of a program that has ended. Memory has them with their pid. If the memory has dropped
 * some, the log files have them: by the times in their lines, or by the time of a rotation. Bytes that cannot be told
 * from those of another run are reported, not shown.
 */
import type { ProcessInfo, RunInfo, SupervisorClient } from '../supervisor-client.ts';
import { type Entry, type LineEntry, makeNotice, outputKey, shownName } from './entry.ts';
import { type HistoryParts, readHistory } from './history.ts';
import { readSnapshot, type Selection, selectionMembers } from './memory.ts';

/** A run that has ended. */
type EndedRun = RunInfo & { readonly end: NonNullable<RunInfo['end']> };

/** Yields the entries in their order, in batches. Nothing for a program without such a run. */
export async function* readPreviousRun(
  client: SupervisorClient,
  parts: HistoryParts,
  proc: ProcessInfo,
  chosen: Selection,
): AsyncGenerator<readonly Entry[]> {
  const id = `${proc.group}:${proc.name}`;
  const runs = await client.getRuns(id);
  const run = runs.findLast((one): one is EndedRun => one.end !== null);
  if (run === undefined) return;
  // The last output of a run is often read after its end, so the start of the next run is the limit.
  const next = runs.at(-1) === run ? null : (runs.at(-1)?.startSeq ?? null);
  const selection = { ...chosen, names: [id] };
  const isOfRun = (entry: Entry): boolean => isInMemoryOf(run, id, entry);
  const lost = await bytesLost(client, selection, { after: run.startSeq, until: next });
  const snapshot = await readSnapshot(client, selection, Infinity);
  if (lost.size === 0) {
    yield snapshot.entries.filter(isOfRun);
    return;
  }
  const streams = chosen.streams.filter((stream) => lost.has(outputKey({ name: id, stream })));
  const wanted = { sinceMs: run.startedMs, untilMs: null, lines: Infinity };
  const found = new Set<string>();
  const entries: Entry[] = [];
  for await (const batch of readHistory(parts, { processes: [proc], streams, snapshot, ...wanted }))
    for (const entry of batch) {
      const isFromFile = entry.kind === 'line' && entry.seq === null;
      if (isFromFile ? !isInFileOf(run, entry) : !isOfRun(entry)) continue;
      if (isFromFile) found.add(outputKey(entry));
      entries.push(entry);
    }
  yield [...noticesOf(lost, found), ...entries];
}

/**
 * Returns the largest number of bytes that memory may have dropped between two numbers of the sequence, by output. Each
 * byte has a number of its own, and other outputs have numbers in between.
 */
async function bytesLost(
  client: Pick<SupervisorClient, 'readLines'>,
  selection: Selection,
  { after, until }: { readonly after: number; readonly until: number | null },
): Promise<Map<string, number>> {
  const { missed } = await client.readLines({ ...selectionMembers(selection), after, limit: 1 });
  const most = until === null ? Infinity : until - after;
  return new Map(missed.map(({ name, stream, bytes }) => [outputKey({ name, stream }), Math.min(bytes, most)]));
}

function isInMemoryOf({ startSeq, end, pid }: EndedRun, id: string, entry: Entry): boolean {
  const seq = entry.seq ?? 0;
  if (entry.kind === 'line') return entry.pid === pid && seq >= startSeq;
  return entry.name === id && seq >= startSeq && seq <= end.seq;
}

/** True if the time of a line shows that the run has written it. */
function isInFileOf({ startedMs, end }: EndedRun, { at, bounds }: LineEntry): boolean {
  if (at !== null) return at >= startedMs && at <= end.atMs;
  return bounds !== undefined && bounds.afterMs >= startedMs && bounds.beforeMs <= end.atMs;
}

/** Reports what is neither in memory nor found in files. A file with times has all lines that were not rotated away. */
function noticesOf(lost: ReadonlyMap<string, number>, found: ReadonlySet<string>): Entry[] {
  return [...lost].flatMap(([key, bytes]) => {
    if (found.has(key)) return [];
    const [stream = '', name = ''] = key.split(/ (.*)/s);
    const text =
      `… up to ${bytes} bytes of ${shownName(name)} (${stream}) of this run are missing: they are no longer in ` +
      'memory, and no log file has them with a time';
    return [{ ...makeNotice('missed', text, { stream, bytes }), name }];
  });
}
