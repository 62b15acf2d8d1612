/**
 * The lines of a tail, from the oldest on or from the latest back. A line has the time, the number and the pid of its
 * first byte. A cursor reads only the lines that are taken, and copies no bytes.
 */
import type { Tail } from './tail.ts';

/** Maximum number of bytes of a piece. A longer line is given in pieces. */
export const PIECE_BYTES = 64 * 1024;

/** The lines to read. Null: no limit. */
export interface LineBounds {
  /** Only bytes with larger numbers. If such a byte is inside a line, the rest of that line is read. */
  readonly after: number | null;
  /** Only lines that begin before the byte with this number. */
  readonly before: number | null;
  /** Only lines that began at this time or later. */
  readonly sinceMs: number | null;
  /** Only lines that began at this time or earlier. */
  readonly untilMs: number | null;
}

/** A line, or a piece of a line: bytes [start, end) of its tail, with the newline. */
export interface LineExtent {
  readonly seq: number;
  readonly wallMs: number;
  readonly pid: number;
  readonly start: number;
  readonly end: number;
  /** True if the line has not ended here: its program may write more of it, or its run has ended. */
  readonly isPartial: boolean;
  /** True if the beginning of the line is older: lost, or read before. */
  readonly isRest: boolean;
}

/** Offsets of the bytes that a reader wants. */
interface Range {
  readonly start: number;
  /** Lines that begin before this offset are read to their end. */
  readonly end: number;
}

/** Finds the range of bytes within the bounds. Takes O(log stamps), and the search for one newline. */
function rangeOf(tail: Tail, { after, before, sinceMs, untilMs }: LineBounds): Range {
  const { oldest, size, stamps } = tail;
  let start = after === null ? oldest : tail.offsetAfter(after);
  let end = before === null ? size : tail.offsetAfter(before - 1);
  if (start < size && sinceMs !== null) {
    const index = stamps.indexLaterThan(sinceMs - 1);
    const since = index === stamps.count ? size : Math.max(oldest, stamps.offsetOf(index));
    if (since > start) start = isLineStart(tail, since) ? since : endOfLine(tail, since);
  }
  if (start < size && untilMs !== null) {
    const index = stamps.indexLaterThan(untilMs);
    if (index < stamps.count) end = Math.min(end, stamps.offsetOf(index));
  }
  return { start, end };
}

/** True if a line begins at `offset`: after a newline, or with another pid. False if that is not known. */
function isLineStart(tail: Tail, offset: number): boolean {
  if (offset === 0 || offset === tail.size) return true;
  if (offset <= tail.oldest) return false;
  return tail.lastNewlineEnd(offset, offset - 1) === offset || tail.pidAt(offset) !== tail.pidAt(offset - 1);
}

/** Returns the end of the line that has the byte at `offset`: after its newline, or where another pid begins. */
function endOfLine(tail: Tail, offset: number): number {
  const newline = tail.newlineEnd(offset);
  const end = newline === -1 ? tail.size : newline;
  const { stamps } = tail;
  const first = stamps.indexAt(offset);
  for (let index = first + 1; index < stamps.count && stamps.offsetOf(index) < end; index++)
    if (stamps.pidOf(index) !== stamps.pidOf(first)) return stamps.offsetOf(index);
  return end;
}

/** Returns the beginning of the line that has the byte at `offset`, or `floor` if the line begins earlier. */
function startOfLine(tail: Tail, offset: number, floor: number): number {
  const start = tail.lastNewlineEnd(offset, floor);
  const { stamps } = tail;
  const last = stamps.indexAt(offset);
  for (let index = last; index > 0 && stamps.offsetOf(index) > start; index--)
    if (stamps.pidOf(index - 1) !== stamps.pidOf(last)) return stamps.offsetOf(index);
  return start;
}

function extentOf(tail: Tail, start: number, end: number, isRest: boolean): LineExtent {
  const index = tail.stamps.indexAt(start);
  return {
    seq: tail.seqAt(start),
    wallMs: tail.stamps.wallMsOf(index),
    pid: tail.stamps.pidOf(index),
    start,
    end,
    isPartial: tail.lastNewlineEnd(end, end - 1) !== end,
    isRest,
  };
}

/** Returns the part of a line whose bytes have numbers up to `seq`. The line must begin with such a byte. */
export function cutLine(tail: Tail, line: LineExtent, seq: number): LineExtent {
  const end = tail.offsetAfter(seq);
  return end >= line.end ? line : { ...line, end, isPartial: true };
}

/** A position between two lines of a tail. */
export interface LineCursor {
  /**
   * Number that orders the next line among the lines of other tails; null if there is no next line. From the oldest
   * on: the number of its first byte. From the latest back: at least that.
   */
  readonly key: number | null;
  /** Takes the next line; null if {@link key} must be compared again, because it was too large. */
  take(): LineExtent | null;
}

/** Reads from the oldest line on. */
export class ForwardCursor implements LineCursor {
  readonly #tail: Tail;
  readonly #end: number;
  #at: number;
  #isRest: boolean;

  constructor(tail: Tail, bounds: LineBounds) {
    const { start, end } = rangeOf(tail, bounds);
    this.#tail = tail;
    this.#at = start;
    this.#end = end;
    this.#isRest = start < end && !isLineStart(tail, start);
  }

  get key(): number | null {
    return this.#at < this.#end ? this.#tail.seqAt(this.#at) : null;
  }

  take(): LineExtent {
    const start = this.#at;
    const lineEnd = endOfLine(this.#tail, start);
    this.#at = Math.min(lineEnd, start + PIECE_BYTES);
    const line = extentOf(this.#tail, start, this.#at, this.#isRest);
    this.#isRest = this.#at < lineEnd;
    return line;
  }
}

/** Reads from the latest line back. */
export class BackwardCursor implements LineCursor {
  readonly #tail: Tail;
  readonly #start: number;
  /** End of the next line. */
  #end: number;
  #line: LineExtent | null = null;

  constructor(tail: Tail, bounds: LineBounds) {
    const { start, end } = rangeOf(tail, bounds);
    this.#tail = tail;
    this.#start = start;
    this.#end = start < end ? this.#endOfPiece(end - 1) : start;
  }

  get key(): number | null {
    if (this.#line !== null) return this.#line.seq;
    return this.#start < this.#end ? this.#tail.seqAt(this.#end - 1) : null;
  }

  take(): LineExtent | null {
    const line = this.#line;
    if (line === null) {
      const { start, isRest } = this.#pieceAt(this.#end - 1);
      this.#line = extentOf(this.#tail, start, this.#end, isRest);
      return null;
    }
    this.#line = null;
    this.#end = line.start;
    return line;
  }

  /** Finds the piece of a line that has the byte at `offset`. Pieces are counted from the beginning of the line. */
  #pieceAt(offset: number): { readonly start: number; readonly isRest: boolean } {
    const lineStart = startOfLine(this.#tail, offset, this.#start);
    const start = offset - ((offset - lineStart) % PIECE_BYTES);
    return { start, isRest: start > lineStart || !isLineStart(this.#tail, start) };
  }

  #endOfPiece(offset: number): number {
    return Math.min(endOfLine(this.#tail, offset), this.#pieceAt(offset).start + PIECE_BYTES);
  }
}
