/**
 * The last bytes of an output, kept in memory in a ring that grows up to its limit. Offsets count from the first byte
 * ever pushed, so a client can go on where it stopped. Never looks at what the bytes mean.
 */
import { readRange, tailRange } from './log-offsets.ts';
import type { TailSlice } from './ports.ts';

/** Bytes of a ring at first; many programs write a few lines only. */
const FIRST_BYTES = 4096;

/** A ring of the last `limit` bytes. */
export class Tail {
  readonly #limit: number;
  #ring: Buffer | null = null;
  /** Bytes pushed since the start or the last {@link clear}. */
  #total = 0;
  /** Offset before which nothing was ever kept. */
  #oldest = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that were ever pushed, since the last {@link clear}. */
  get size(): number {
    return this.#total;
  }

  /** Adds bytes[start, end); of a large piece only the end is copied. */
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

  /** The bytes that {@link tailRange} names, as far as they are still here. */
  tail(offset: number, length: number): TailSlice {
    const { start, end, overflow } = tailRange(this.#total, offset, length);
    return { bytes: this.#slice(start, end), offset: this.#total, overflow };
  }

  /** The bytes that {@link readRange} names, as far as they are still here; null for contradicting arguments. */
  read(offset: number, length: number): Buffer | null {
    const range = readRange(this.#total, offset, length);
    return range === null ? null : this.#slice(range.start, range.end);
  }

  /** A tail with another limit that goes on from this one, offsets included. */
  resized(limit: number): Tail {
    const other = new Tail(limit);
    const kept = this.#slice(0, this.#total);
    other.#total = this.#total - kept.length;
    other.#oldest = other.#total;
    other.push(kept, 0, kept.length);
    return other;
  }

  /** Forgets everything; offsets begin at 0 again. */
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

  /** The ring, made large enough for `wanted` bytes; it doubles, so that growing copies each byte about once. */
  #ringFor(wanted: number): Buffer {
    const old = this.#ring;
    if (old !== null && (old.length >= wanted || old.length >= this.#limit)) return old;
    let size = Math.min(FIRST_BYTES, this.#limit);
    while (size < wanted) size = Math.min(size * 2, this.#limit);
    const ring = Buffer.allocUnsafeSlow(size);
    // A ring below the limit has never wrapped: it grew before, so its bytes stand at their offsets.
    if (old !== null) old.copy(ring, 0, 0, this.#total);
    this.#ring = ring;
    return ring;
  }
}
