/**
 * The last bytes of an output in memory, in a ring that grows up to a limit. Offsets count from the first byte ever
 * pushed, so a client can continue where it stopped.
 */
import { readRange, tailRange } from './log-offsets.ts';
import type { TailSlice } from './ports.ts';

/** First size of a ring. Many programs write a few lines only. */
const FIRST_BYTES = 4096;

/** A ring of the last `limit` bytes. */
export class Tail {
  readonly #limit: number;
  #ring: Buffer | null = null;
  /** Bytes pushed since the start or the last {@link clear}. */
  #total = 0;
  /** Offset of the first byte that was ever in this ring. */
  #oldest = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Number of bytes pushed since the last {@link clear}. */
  get size(): number {
    return this.#total;
  }

  /** Adds bytes[start, end). Copies only the end of a large piece. */
  push(bytes: Buffer, start: number, end: number): void {
    if (this.#limit === 0 || start === end) {
      this.#total += end - start;
      return;
    }
    const ring = this.#ringFor(Math.min(this.#limit, this.#total + end - start));
    const from = Math.max(start, end - ring.length);
    const at = (this.#total + from - start) % ring.length;
    const straight = Math.min(end - from, ring.length - at);
    bytes.copy(ring, at, from, from + straight);
    bytes.copy(ring, 0, from + straight, end);
    this.#total += end - start;
  }

  /** Returns the bytes of {@link tailRange} that are still in the ring. */
  tail(offset: number, length: number): TailSlice {
    const { start, end, overflow } = tailRange(this.#total, offset, length);
    return { bytes: this.#slice(start, end), offset: this.#total, overflow };
  }

  /**
   * Returns the bytes of {@link readRange} that are still in the ring. Null for arguments that contradict each other.
   */
  read(offset: number, length: number): Buffer | null {
    const range = readRange(this.#total, offset, length);
    return range === null ? null : this.#slice(range.start, range.end);
  }

  /** Returns a tail with another limit, with the same bytes and offsets. */
  resized(limit: number): Tail {
    const other = new Tail(limit);
    const kept = this.#slice(0, this.#total);
    other.#total = this.#total - kept.length;
    other.#oldest = other.#total;
    other.push(kept, 0, kept.length);
    return other;
  }

  /** Forgets all bytes. Offsets begin at 0 again. */
  clear(): void {
    this.#ring = null;
    this.#total = 0;
    this.#oldest = 0;
  }

  #slice(start: number, end: number): Buffer {
    const ring = this.#ring;
    if (ring === null) return Buffer.alloc(0);
    const from = Math.max(start, this.#oldest, this.#total - ring.length);
    if (from >= end) return Buffer.alloc(0);
    const at = from % ring.length;
    const straight = Math.min(end - from, ring.length - at);
    return Buffer.concat([ring.subarray(at, at + straight), ring.subarray(0, end - from - straight)]);
  }

  /** Returns a ring for `wanted` bytes. The size doubles, so that growing copies each byte about once. */
  #ringFor(wanted: number): Buffer {
    const old = this.#ring;
    if (old !== null && (old.length >= wanted || old.length >= this.#limit)) return old;
    let size = Math.min(FIRST_BYTES, this.#limit);
    while (size < wanted) size = Math.min(size * 2, this.#limit);
    const ring = Buffer.allocUnsafeSlow(size);
    // A ring below its limit never wrapped, so its bytes are at their offsets.
    if (old !== null) old.copy(ring, 0, 0, this.#total);
    this.#ring = ring;
    return ring;
  }
}
