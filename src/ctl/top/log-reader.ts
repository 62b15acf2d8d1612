/**
 * The log of one pane: reads the wanted part of it, from memory and from files, and then follows it. A program that
 * floods is shown ten times a second, without the lines that cannot be shown.
 */
import { faults, RpcFault } from '../../core/faults.ts';
import { ConnectionError, HttpStatusError } from '../errors.ts';
import { type Entry, makeNotice, shownName } from '../logs/entry.ts';
import { readHistory } from '../logs/history.ts';
import { readSnapshot, type Selection, selectionMembers } from '../logs/memory.ts';
import { STREAM_NAMES } from '../../core/stream-name.ts';
import type { LinesAnswer, SupervisorClient } from '../supervisor-client.ts';
import { type LogLine, MAX_LINES } from './log-buffer.ts';
import type { LogPane, TopEvent } from './state.ts';
import type { Waiter } from './waiter.ts';

/** Number of the newest lines, and the longest wait for more. */
const TAIL_LINES = 1000;
const WAIT_MS = 25_000;
/** Shortest pause between two batches of lines. */
const LINES_MS = 100;
/** Pause before a lost connection is made again. */
const RETRY_MS = 1000;

const MORE_LINES = `these are the oldest ${MAX_LINES} lines; 0 shows the newest`;
const FEWER_LINES = `older lines of this time are left out: at most ${MAX_LINES} are shown`;

/** The parts that a reader needs. */
export interface LogReaderParts {
  readonly client: SupervisorClient;
  readonly serverUrl: string;
  readonly dispatch: (event: TopEvent) => void;
  /** Returns the reason of a failed request. Throws an error in this client. */
  readonly reasonOf: (error: unknown) => string;
  readonly nowMs: () => number;
  readonly waiter: Waiter;
  /** Aborted when another log is wanted. The requests of the client end then, too. */
  readonly signal: AbortSignal;
}

/** Number of the last entry that was read, and the supervisor that it is from. */
type Place = Pick<LinesAnswer, 'next' | 'epoch'>;

/** Lines to show, and the place to continue at. */
interface Batch {
  readonly place: Place;
  readonly lines: readonly LogLine[];
  /** True if more lines are there already. */
  readonly hasMore: boolean;
  /** True if no later line may be added. */
  readonly isFull: boolean;
}

/** Reads a log, and follows it until the signal is aborted, or until no more lines are wanted. */
export async function readLog(parts: LogReaderParts, pane: LogPane): Promise<void> {
  const { signal, dispatch, nowMs, reasonOf, waiter } = parts;
  const target = pane.target.name;
  let place: Place | null = null;
  let [isLost, isBehind, count] = [false, false, 0];
  while (!signal.aborted) {
    try {
      const batch: Batch = place === null ? await load(parts, pane) : await more(parts, pane, { place, isBehind });
      if (signal.aborted) return;
      const notices = noticesOf(place, batch.place, isLost).map((text) => noticeAt(nowMs(), text));
      const lines = [...notices, ...batch.lines];
      if (place === null || lines.length > 0) dispatch({ kind: 'lines', target, lines, isReset: place === null });
      count += lines.length;
      isLost = false;
      if (batch.isFull || (pane.range.kind === 'head' && count >= MAX_LINES)) return;
      // A program that writes faster than this view reads would be shown later and later.
      isBehind = place !== null && batch.hasMore && pane.range.kind !== 'head';
      if (place !== null && !isBehind) await waiter.wait(LINES_MS);
      ({ place } = batch);
    } catch (error) {
      if (signal.aborted) return;
      const reason = reasonOf(error);
      if (!isLost) dispatch({ kind: 'lines', target, lines: [noticeAt(nowMs(), reason)] });
      if (!isPassing(error)) return;
      isLost = true;
      await waiter.wait(RETRY_MS);
    }
  }
}

function selectionOf({ target }: LogPane): Selection {
  return { names: [target.request], streams: STREAM_NAMES, hasEvents: true };
}

/** Reads what comes after a place. If the view is behind, reads the newest lines instead. */
async function more(
  { client }: LogReaderParts,
  pane: LogPane,
  { place, isBehind }: { readonly place: Place; readonly isBehind: boolean },
): Promise<Batch> {
  const members = selectionMembers(selectionOf(pane));
  const answer = await client.readLines(
    isBehind
      ? { ...members, limit: TAIL_LINES }
      : { ...members, after: place.next, epoch: place.epoch, wait: WAIT_MS, limit: MAX_LINES },
  );
  const lines = toLines(isBehind ? withoutShown(place, answer) : answer);
  return { place: answer, lines, hasMore: !isBehind && answer.hasMore, isFull: false };
}

/** Reads the wanted part of the lines that were written before. */
async function load(parts: LogReaderParts, pane: LogPane): Promise<Batch> {
  const { client, serverUrl, nowMs, signal } = parts;
  const { range, target } = pane;
  const selection = selectionOf(pane);
  if (range.kind === 'tail') {
    const answer = await client.readLines({ ...selectionMembers(selection), limit: TAIL_LINES });
    return { place: answer, lines: toLines(answer), hasMore: false, isFull: false };
  }
  const snapshot = await readSnapshot(client, selection, Infinity);
  const known = await client.getAllProcessInfo();
  const processes = known.filter(({ group, name }) => target.ids.includes(`${group}:${name}`));
  const sinceMs = range.kind === 'since' ? nowMs() - range.ms : null;
  const warnings: LogLine[] = [];
  const warn = (text: string): void => void warnings.push(noticeAt(nowMs(), text));
  const wanted = { sinceMs, untilMs: null, lines: Infinity };
  const query = { processes, streams: selection.streams, snapshot, ...wanted };
  let lines: LogLine[] = [];
  let isCut = false;
  for await (const entries of readHistory({ client, serverUrl, warn }, query)) {
    if (signal.aborted) break;
    for (const entry of entries) lines.push(toLine(entry));
    if (lines.length <= MAX_LINES) continue;
    isCut = true;
    if (range.kind === 'head') break;
    lines = lines.slice(-MAX_LINES);
  }
  const isFull = isCut && range.kind === 'head';
  if (isFull) lines = [...lines.slice(0, MAX_LINES - 1), noticeAt(nowMs(), MORE_LINES)];
  else if (isCut) lines = [noticeAt(lines[0]?.at ?? null, FEWER_LINES), ...lines.slice(1)];
  return { place: snapshot, lines: [...warnings, ...lines], hasMore: false, isFull };
}

/** Returns the texts about what happened between two answers. */
function noticesOf(before: Place | null, answer: Place, isLost: boolean): string[] {
  if (before !== null && before.epoch !== answer.epoch) return ['the supervisor has been started anew'];
  return isLost ? ['connected again'] : [];
}

/** Returns the latest lines without those that were shown before. A notice stands for lines between both. */
function withoutShown(before: Place, answer: LinesAnswer): LinesAnswer {
  if (before.epoch !== answer.epoch) return answer;
  const entries = answer.entries.filter(({ seq }) => seq === null || seq > before.next);
  if (entries.length < answer.entries.length) return { ...answer, entries };
  const at = entries[0]?.at ?? null;
  const skipped = makeNotice('skipped', 'lines were skipped: more come than can be shown');
  return { ...answer, entries: [{ ...skipped, at }, ...entries] };
}

/** True for an error that may pass: the supervisor restarts, or too many clients wait. */
function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof HttpStatusError) return true;
  return error instanceof RpcFault && (error.code === faults.SHUTDOWN_STATE || error.code === faults.FAILED);
}

/** Makes a line of this client. */
export function noticeAt(at: number | null, text: string): LogLine {
  return { at, name: '', stream: 'notice', text, isPartial: false, isRest: false };
}

/** Reads the lines and events of an answer. Output that was dropped becomes a notice. */
function toLines({ entries, missed }: LinesAnswer): LogLine[] {
  const read = entries.map(toLine);
  const notices = missed.map(({ name, stream, bytes }) =>
    noticeAt(read[0]?.at ?? null, `up to ${bytes} bytes of ${shownName(name)} (${stream}) are lost`),
  );
  return [...notices, ...read];
}

function toLine(entry: Entry): LogLine {
  const { name, at } = entry;
  if (entry.kind === 'event') return { ...noticeAt(at, entry.text), name };
  const { text, isPartial, isRest } = entry;
  return { at, name, stream: entry.stream === 'stderr' ? 'stderr' : 'stdout', text, isPartial, isRest };
}
