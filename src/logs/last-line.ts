/** Finds the last line that a run has written, for the status of a process that has failed. */
import { decodeBytes } from '../files/bytes.ts';
import { AnsiStripper } from './ansi.ts';
import type { Tail } from './tail.ts';

/** Number of bytes at the end of the output of a run that are searched. The cost does not depend on the output. */
const SEARCHED_BYTES = 4096;

/** A run whose output is searched. */
export interface WantedRun {
  readonly pid: number;
  /** Number of the start of the next run in the sequence (core/sequence.ts); null if there is no next run. */
  readonly before: number | null;
}

/**
 * Returns the last line of a run that is not blank, without control sequences of a terminal and without blanks at its
 * ends. Null if there is none at the end of the output.
 */
export function lastLineOf(tail: Tail, { pid, before }: WantedRun): string | null {
  const { oldest, size } = tail;
  const end = before === null ? size : tail.offsetAfter(before - 1);
  if (end <= oldest || tail.pidAt(end - 1) !== pid) return null;
  const start = startOfRun(tail, Math.max(oldest, end - SEARCHED_BYTES), end);
  const lines = decodeBytes(new AnsiStripper().strip(tail.slice(start, end))).split('\n');
  return lines.findLast((line) => line.trim() !== '')?.trim() ?? null;
}

/** Returns where the last run of the bytes [start, end) begins. */
function startOfRun({ stamps }: Tail, start: number, end: number): number {
  const last = stamps.indexAt(end - 1);
  for (let index = last; index > 0 && stamps.offsetOf(index) > start; index--)
    if (stamps.pidOf(index - 1) !== stamps.pidOf(last)) return stamps.offsetOf(index);
  return start;
}
