/**
 * Merges the lines of many outputs by their numbers. The cost follows the lines that are returned: with k outputs and
 * n lines it is O(k log s + n log k), where s is the number of stamps of an output, and the search for n newlines.
 * Kept lines that are not returned cost nothing, so 4,000 outputs can be read as often as clients like. Pure.
 */
import type { Tail } from './tail.ts';
import {
  BackwardCursor,
  cutLine,
  ForwardCursor,
  type LineBounds,
  type LineCursor,
  type LineExtent,
} from './tail-lines.ts';

/** An output with lines in memory. */
export interface LineSource {
  readonly memory: Tail;
}

/** Limits of one answer. At least one line is returned, if there is one. */
export interface LineLimits {
  readonly lines: number;
  readonly bytes: number;
}

/** A line and its output. */
export interface MergedLine<Source extends LineSource> {
  readonly source: Source;
  readonly line: LineExtent;
}

/** Lines in the order of their numbers. */
export interface MergedLines<Source extends LineSource> {
  readonly lines: ReadonlyArray<MergedLine<Source>>;
  /**
   * A reader that continues after this number has neither a gap nor a repetition. Null: all lines were returned, so
   * it continues after the latest number of the sequence.
   */
  readonly next: number | null;
  /** True if the limits left out lines. */
  readonly hasMore: boolean;
}

/** A cursor in the heap. */
interface Entry<Source extends LineSource> {
  readonly source: Source;
  readonly cursor: LineCursor;
  key: number;
}

/** Entries with the least at the top, or the greatest with `sign` -1. Only the key of the top may change. */
class Heap<Source extends LineSource> {
  readonly #entries: Array<Entry<Source>>;
  readonly #sign: 1 | -1;

  constructor(entries: Array<Entry<Source>>, sign: 1 | -1) {
    this.#entries = entries;
    this.#sign = sign;
    for (let at = (entries.length >>> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  get top(): Entry<Source> | undefined {
    return this.#entries[0];
  }

  /** Moves the top to its place after its cursor has moved. Removes the top if its cursor is at the end. */
  update(): void {
    const top = this.#entries[0] as Entry<Source>;
    const { key } = top.cursor;
    if (key === null) {
      const last = this.#entries.pop() as Entry<Source>;
      if (last === top) return;
      this.#entries[0] = last;
    } else {
      top.key = key;
    }
    this.#sink(0);
  }

  #sink(from: number): void {
    const entries = this.#entries;
    const moved = entries[from] as Entry<Source>;
    let at = from;
    for (let child = 2 * at + 1; child < entries.length; child = 2 * at + 1) {
      const right = child + 1;
      if (right < entries.length && this.#isBefore(entries[right] as Entry<Source>, entries[child] as Entry<Source>))
        child = right;
      const below = entries[child] as Entry<Source>;
      if (!this.#isBefore(below, moved)) break;
      entries[at] = below;
      at = child;
    }
    entries[at] = moved;
  }

  #isBefore(one: Entry<Source>, other: Entry<Source>): boolean {
    return (one.key - other.key) * this.#sign < 0;
  }
}

/** Returns a heap of the sources that have a line. */
function heapOf<Source extends LineSource>(
  sources: readonly Source[],
  makeCursor: (tail: Tail) => LineCursor,
  sign: 1 | -1,
): Heap<Source> {
  const entries = sources.flatMap((source): Array<Entry<Source>> => {
    const cursor = makeCursor(source.memory);
    const { key } = cursor;
    return key === null ? [] : [{ source, cursor, key }];
  });
  return new Heap(entries, sign);
}

/** Takes lines from a heap up to the limits. */
function takeLines<Source extends LineSource>(heap: Heap<Source>, limits: LineLimits): Array<MergedLine<Source>> {
  const lines: Array<MergedLine<Source>> = [];
  let bytes = 0;
  for (let { top } = heap; top !== undefined && lines.length < limits.lines; { top } = heap) {
    const line = top.cursor.take();
    if (line !== null) {
      bytes += line.end - line.start;
      if (bytes > limits.bytes && lines.length > 0) {
        // This line was taken and is not returned. Its key is still the first of the remaining ones.
        break;
      }
      lines.push({ source: top.source, line });
    }
    heap.update();
  }
  return lines;
}

/** Returns the oldest lines within the bounds. For a reader that continues (`bounds.after`). */
export function oldestLines<Source extends LineSource>(
  sources: readonly Source[],
  bounds: LineBounds,
  limits: LineLimits,
): MergedLines<Source> {
  const heap = heapOf(sources, (tail) => new ForwardCursor(tail, bounds), 1);
  const taken = takeLines(heap, limits);
  if (heap.top === undefined) return { lines: taken, next: null, hasMore: false };
  const next = heap.top.key - 1;
  // A line may end after the first line that is not returned. Its rest is read next time.
  const lines = taken.map(({ source, line }) => ({ source, line: cutLine(source.memory, line, next) }));
  return { lines, next, hasMore: true };
}

/** Returns the latest lines within the bounds, in the order of their numbers. */
export function latestLines<Source extends LineSource>(
  sources: readonly Source[],
  bounds: LineBounds,
  limits: LineLimits,
): MergedLines<Source> {
  const heap = heapOf(sources, (tail) => new BackwardCursor(tail, bounds), -1);
  const lines = takeLines(heap, limits).reverse();
  return { lines, next: null, hasMore: heap.top !== undefined };
}
