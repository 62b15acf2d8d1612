/**
 * The lines of the files of one log, up to the first line that is in memory, too. Lines in files have no times of their
 * own. The time that a line begins with counts, if there is one, and holds for the following lines without one. If a
 * file has no times at all, only its last write is known: its lines have no time, and stand where the file ended.
 */
import { decodeBytes } from '../../files/bytes.ts';
import type { LineEntry } from './entry.ts';
import { findOverlap } from './overlap.ts';
import { closeAll, type Segment } from './segments.ts';
import { timeOfLine } from './times.ts';

const NEWLINE = 0x0a;
/** Longest line. A longer one is given in pieces. */
const MAX_LINE_BYTES = 1024 * 1024;
/** Lines whose times are looked for before a file counts as one without times. */
const TRIED_LINES = 200;
/**
 * Bytes that may be written to a file between the reading of the memory and of the file: those that are searched first,
 * and at most.
 */
const NEWER_BYTES = 1024 * 1024;
const MOST_NEWER_BYTES = 16 * 1024 * 1024;
/** Bytes at the end of a file that are first searched for the last lines. */
const FIRST_WINDOW = 256 * 1024;

/** A line with the time by which it is merged with other logs. */
export interface DatedLine {
  readonly line: LineEntry;
  readonly keyMs: number;
}

/** The log to read, and the wanted part of it. */
export interface FileQuery {
  readonly name: string;
  readonly stream: string;
  /** The oldest first. */
  readonly segments: readonly Segment[];
  /** The bytes of this output that are in memory. */
  readonly memory: Uint8Array;
  /** Time of the first byte in memory; Infinity for none. */
  readonly memoryMs: number;
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** Number of lines that are enough, counted from the end; Infinity for all. */
  readonly lines: number;
}

/** A range of one file. */
interface Part {
  readonly segment: Segment;
  readonly start: number;
  readonly end: number;
  /** Time of the last write to the file before; 0 for none. */
  readonly afterMs: number;
}

/** Yields the lines in their order, in batches. Closes the files at the end. */
export async function* readFileLines(query: FileQuery): AsyncGenerator<readonly DatedLine[]> {
  const { segments, sinceMs } = query;
  try {
    const { drop, isFound } = await findMemory(segments, query.memory);
    const parts = await lastLines(await withoutEnd(segments, drop), query.lines);
    const dater = new Dater(query, isFound);
    for (const part of parts) {
      if (sinceMs !== null && part.segment.mtimeMs < sinceMs) continue;
      yield* dater.dateLines(part, linesOf(part.segment.chunks(part.start, part.end)));
    }
  } finally {
    await closeAll(segments);
  }
}

/** Returns the number of bytes at the end of the files that are in memory, too. */
async function findMemory(
  segments: readonly Segment[],
  memory: Uint8Array,
): Promise<{ readonly drop: number; readonly isFound: boolean }> {
  if (memory.length === 0) return { drop: 0, isFound: false };
  for (let newer = NEWER_BYTES; ; newer *= 4) {
    const window = memory.length + newer;
    const end = await endOfAll(segments, window);
    const found = findOverlap(end, memory);
    if (found !== null) return { drop: end.length - found, isFound: true };
    if (end.length < window || newer >= MOST_NEWER_BYTES) return { drop: 0, isFound: false };
  }
}

/** Reads at most `window` bytes from the end of all files. */
async function endOfAll(segments: readonly Segment[], window: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (let index = segments.length - 1; index >= 0 && size < window; index--) {
    const piece = await endOfSegment(segments[index] as Segment, window - size);
    pieces.unshift(piece);
    size += piece.length;
  }
  return Buffer.concat(pieces);
}

/** Reads at most `count` bytes from the end of a file. */
async function endOfSegment({ length, chunks }: Segment, count: number): Promise<Buffer> {
  const kept: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks(length === null ? 0 : Math.max(0, length - count), length ?? Infinity)) {
    kept.push(chunk);
    size += chunk.length;
    for (let [first] = kept; first !== undefined && size - first.length >= count; [first] = kept) {
      kept.shift();
      size -= first.length;
    }
  }
  return Buffer.concat(kept).subarray(Math.max(0, size - count));
}

/** Returns the files without the last `drop` bytes. */
async function withoutEnd(segments: readonly Segment[], drop: number): Promise<Part[]> {
  const parts: Part[] = [];
  let rest = drop;
  for (let index = segments.length - 1; index >= 0; index--) {
    const segment = segments[index] as Segment;
    const isCut = rest > 0;
    const length = segment.length ?? (isCut ? await lengthOf(segment) : Infinity);
    const end = Math.max(0, length - rest);
    rest = Math.max(0, rest - length);
    parts.unshift({ segment, start: 0, end, afterMs: segments[index - 1]?.mtimeMs ?? 0 });
  }
  return parts;
}

async function lengthOf({ chunks }: Segment): Promise<number> {
  let length = 0;
  for await (const chunk of chunks(0, Infinity)) length += chunk.length;
  return length;
}

/** Leaves out files, and the beginning of a file, before the last `wanted` lines. */
async function lastLines(parts: readonly Part[], wanted: number): Promise<Part[]> {
  if (wanted === Infinity) return [...parts];
  const kept: Part[] = [];
  let missing = wanted;
  for (let index = parts.length - 1; index >= 0 && missing > 0; index--) {
    const part = parts[index] as Part;
    const starts = await lineStarts(await endingOf(part, missing), missing);
    kept.unshift({ ...part, start: starts.first });
    missing -= starts.count;
  }
  return kept;
}

/** Returns the end of a part with more than `wanted` lines, so that a large file is not read as a whole. */
async function endingOf(part: Part, wanted: number): Promise<Part> {
  const { segment, start, end } = part;
  for (let size = FIRST_WINDOW; segment.length !== null && end - size > start; size *= 8) {
    const ending = { ...part, start: end - size };
    if ((await lineStarts(ending, wanted)).count > wanted) return ending;
  }
  return part;
}

/** Counts the lines of a part, up to more than `wanted`, and finds the beginning of the last `wanted` lines. */
async function lineStarts(
  { segment, start, end }: Part,
  wanted: number,
): Promise<{ readonly count: number; readonly first: number }> {
  const starts: number[] = [start];
  let at = start;
  for await (const chunk of segment.chunks(start, end)) {
    for (let newline = chunk.indexOf(NEWLINE); newline !== -1; newline = chunk.indexOf(NEWLINE, newline + 1)) {
      starts.push(at + newline + 1);
      if (starts.length > 2 * wanted + 2) starts.splice(0, starts.length - wanted - 1);
    }
    at += chunk.length;
  }
  if (starts.at(-1) === at) starts.pop();
  return { count: starts.length, first: starts.at(-wanted) ?? starts[0] ?? at };
}

/** Splits chunks into lines, in batches of one chunk. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly Piece[]> {
  let held: Buffer[] = [];
  let size = 0;
  let isRest = false;
  for await (const chunk of chunks) {
    const pieces: Piece[] = [];
    let at = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline !== -1; newline = chunk.indexOf(NEWLINE, at)) {
      const bytes = Buffer.concat([...held, chunk.subarray(at, newline)]);
      pieces.push({ text: decodeBytes(bytes), isPartial: false, isRest });
      [held, size, isRest] = [[], 0, false];
      at = newline + 1;
    }
    held.push(chunk.subarray(at));
    size += chunk.length - at;
    if (size > MAX_LINE_BYTES) {
      pieces.push({ text: decodeBytes(Buffer.concat(held)), isPartial: true, isRest });
      [held, size, isRest] = [[], 0, true];
    }
    yield pieces;
  }
  if (size > 0) yield [{ text: decodeBytes(Buffer.concat(held)), isPartial: true, isRest }];
}

interface Piece {
  readonly text: string;
  readonly isPartial: boolean;
  readonly isRest: boolean;
}

/** Gives the lines of the files of one log their times. */
class Dater {
  readonly #query: FileQuery;
  /** True if the lines in memory were found in the file, so that what remains is older. */
  readonly #isCut: boolean;
  #keyMs = 0;

  constructor(query: FileQuery, isCut: boolean) {
    this.#query = query;
    this.#isCut = isCut;
  }

  async *dateLines(part: Part, batches: AsyncIterable<readonly Piece[]>): AsyncGenerator<readonly DatedLine[]> {
    const { mtimeMs } = part.segment;
    const first: Piece[] = [];
    let isTimed: boolean | null = null;
    let timeMs: number | null = null;
    const date = (pieces: readonly Piece[]): DatedLine[] =>
      pieces.flatMap((piece) => {
        if (isTimed === true && !piece.isRest) timeMs = timeOfLine(piece.text, mtimeMs) ?? timeMs;
        const line = this.#lineOf(piece, timeMs, part);
        return this.#isWanted(timeMs, part.afterMs)
          ? [{ line, keyMs: this.#keyOf(timeMs, isTimed === true ? part.afterMs : mtimeMs) }]
          : [];
      });
    for await (const pieces of batches) {
      if (isTimed !== null) {
        yield date(pieces);
        continue;
      }
      first.push(...pieces);
      isTimed = first.some(({ text }) => timeOfLine(text, mtimeMs) !== null) ? true : null;
      if (isTimed === null && first.length > TRIED_LINES) isTimed = false;
      if (isTimed !== null) yield date(first.splice(0));
    }
    yield date(first);
  }

  #lineOf({ text, isPartial, isRest }: Piece, at: number | null, { afterMs, segment }: Part): LineEntry {
    const { name, stream, memoryMs } = this.#query;
    const line = { kind: 'line', seq: null, at, name, stream, pid: null, text, isPartial, isRest } as const;
    if (at !== null) return line;
    return { ...line, bounds: { afterMs, beforeMs: Math.min(segment.mtimeMs, memoryMs) } };
  }

  #isWanted(timeMs: number | null, afterMs: number): boolean {
    const { sinceMs, untilMs, memoryMs } = this.#query;
    if (timeMs === null) return untilMs === null || afterMs <= untilMs;
    if (!this.#isCut && timeMs >= memoryMs) return false;
    return (sinceMs === null || timeMs >= sinceMs) && (untilMs === null || timeMs <= untilMs);
  }

  /** Lines of one log stay in their order, and before its lines in memory, whatever times they begin with. */
  #keyOf(timeMs: number | null, otherwiseMs: number): number {
    this.#keyMs = Math.min(Math.max(this.#keyMs, timeMs ?? otherwiseMs), this.#query.memoryMs);
    return this.#keyMs;
  }
}
