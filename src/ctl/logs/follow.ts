/**
 * Follows the lines of a supervisor: asks again and again for what is new, also of programs that come later. A lost
 * connection is made again, until Ctrl-C. This client asks only after it has written what it has, so a stalled output
 * takes no memory here, and none in the supervisor but its own rings of lines.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { faults, RpcFault } from '../../core/faults.ts';
import { ConnectionError, HttpStatusError, InterruptError } from '../errors.ts';
import type { LinesAnswer, SupervisorClient } from '../supervisor-client.ts';
import { type Entry, makeNotice, shownName } from './entry.ts';
import { MAX_LINES, type Selection, selectionMembers } from './memory.ts';

/** Longest wait of one request. */
const WAIT_MS = 25_000;
/** First and longest pause before the connection is made again. */
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5000;

/** The place to continue at. */
export interface Position {
  readonly next: number;
  readonly epoch: string;
}

/** Parts of a following. */
export interface FollowParts {
  readonly client: Pick<SupervisorClient, 'readLines'>;
  readonly selection: Selection;
  readonly from: Position;
  /** Returns the longest wait for the next answer; null for the usual one. */
  readonly patienceMs: () => number | null;
  /** Aborted by Ctrl-C, or when the reader of our output has gone. */
  readonly signal: AbortSignal;
}

/** Yields the entries of each answer, which may be empty. Ends when the signal is aborted. */
export async function* follow({ client, selection, from, patienceMs, signal }: FollowParts): AsyncGenerator<Entry[]> {
  let { next, epoch } = from;
  let failures = 0;
  while (!signal.aborted) {
    const wait = Math.min(WAIT_MS, patienceMs() ?? WAIT_MS);
    let answer: LinesAnswer;
    try {
      const query = { ...selectionMembers(selection), after: next, epoch, wait, limit: MAX_LINES };
      answer = await client.readLines(query);
    } catch (error) {
      if (error instanceof InterruptError) return;
      if (!isPassing(error)) throw error;
      if (failures === 0) yield [makeNotice('disconnected', 'no supervisor answers; trying again until Ctrl-C')];
      await pause(Math.min(FIRST_PAUSE_MS * 2 ** failures, LAST_PAUSE_MS), signal);
      failures++;
      continue;
    }
    const notices = noticesOf(answer, { isOther: answer.epoch !== epoch, hasFailed: failures > 0 });
    failures = 0;
    ({ next, epoch } = answer);
    yield [...notices, ...answer.entries];
  }
}

/** True for an error that may pass: the supervisor restarts, or too many clients wait. */
function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  if (error instanceof HttpStatusError) return error.status === 503;
  return error instanceof RpcFault && (error.code === faults.SHUTDOWN_STATE || error.code === faults.FAILED);
}

function noticesOf({ missed }: LinesAnswer, { isOther, hasFailed }: { isOther: boolean; hasFailed: boolean }): Entry[] {
  const notices: Entry[] = [];
  if (isOther) notices.push(makeNotice('restarted', 'the supervisor has restarted'));
  else if (hasFailed) notices.push(makeNotice('connected', 'connected again'));
  for (const { name, stream, bytes } of missed) {
    const text = `… ${bytes} bytes of ${shownName(name)} (${stream}) were lost before they could be read`;
    notices.push({ ...makeNotice('missed', text, { stream, bytes }), name });
  }
  return notices;
}

/** Resolves after a time, or when the signal is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
