/**
 * The last bytes of an output in memory, in a ring that grows up to a limit. Offsets count from the first byte ever
 * pushed, so a client can continue where it stopped. Each byte also has a number in the sequence of the supervisor
 * (stamps.ts). Clients that read several logs continue after a number. tail-lines.ts finds the lines.
 */
import { readRange, tailRange } from './log-offsets.ts';
import type { TailSlice } from './ports.ts';
import { type Mark, Stamps } from './stamps.ts';

/** First size of a ring. Many programs write a few lines only. */
const FIRST_BYTES = 4096;

const NEWLINE = 0x0a;

/** A ring of the last `limit` bytes, with at most as many bytes of stamps. */
export class Tail {
  readonly #limit: number;
  readonly #stamps: Stamps;
  #ring: Buffer | null = null;
  /** Bytes pushed since the start or the last {@link clear}. */
  #total = 0;
  /** Offset of the first byte that was ever in this ring. */
  #oldest = 0;
  #latest = 0;
  /** Number of the last byte that was lost before the first byte of this ring; 0 for none. */
  #lostBefore = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.#stamps = new Stamps(limit);
  }

  /** Maximum number of bytes that are kept. */
  get limit(): number {
    return this.#limit;
  }

  /** Number of bytes pushed since the last {@link clear}. */
  get size(): number {
    return this.#total;
  }

  /** Number of the last byte in the sequence; 0 for none since the last {@link clear}. */
  get latest(): number {
    return this.#latest;
  }

  /** Offset of the first byte whose content and number are still known. {@link size} if there is none. */
  get oldest(): number {
    if (this.#ring === null) return this.#total;
    return Math.max(this.#oldest, this.#total - this.#ring.length, this.#stamps.offsetOf(0));
  }

  /** Origins of the bytes from {@link oldest} on. */
  get stamps(): Stamps {
    return this.#stamps;
  }

  /** Adds bytes with consecutive numbers. Copies only the end of a large piece. */
  push(bytes: Buffer, mark: Mark): void {
    const { length } = bytes;
    if (length === 0) return;
    this.#latest = mark.seq + length - 1;
    const at = this.#total;
    if (this.#limit === 0) {
      this.#total += length;
      return;
    }
    this.#write(bytes);
    this.#stamps.add(at, mark);
    this.#stamps.dropBefore(this.#total - (this.#ring as Buffer).length);
  }

  /** Returns the bytes of {@link tailRange} that are still in the ring. */
  tail(offset: number, length: number): TailSlice {
    const { start, end, overflow } = tailRange(this.#total, offset, length);
    return { bytes: this.slice(start, end), offset: this.#total, overflow };
  }

  /**
   * Returns the bytes of {@link readRange} that are still in the ring. Null for arguments that contradict each other.
   */
  read(offset: number, length: number): Buffer | null {
    const range = readRange(this.#total, offset, length);
    return range === null ? null : this.slice(range.start, range.end);
  }

  /** Returns a tail with another limit, with the same bytes, offsets and numbers. */
  resized(limit: number): Tail {
    const other = new Tail(limit);
    const kept = this.slice(0, this.#total);
    other.#total = this.#total - kept.length;
    other.#oldest = other.#total;
    other.#latest = this.#latest;
    other.#lostBefore = this.#lost;
    if (limit === 0 || kept.length === 0) {
      other.#total = this.#total;
      return other;
    }
    other.#write(kept);
    for (let index = 0; index < this.#stamps.count; index++) {
      const mark = {
        seq: this.#stamps.seqOf(index),
        wallMs: this.#stamps.wallMsOf(index),
        pid: this.#stamps.pidOf(index),
      };
      other.#stamps.add(this.#stamps.offsetOf(index), mark);
    }
    other.#stamps.dropBefore(other.#total - (other.#ring as Buffer).length);
    return other;
  }

  /** Forgets all bytes. Offsets begin at 0 again. Numbers go on. */
  clear(): void {
    this.#ring = null;
    this.#stamps.clear();
    this.#total = 0;
    this.#oldest = 0;
    this.#latest = 0;
    this.#lostBefore = 0;
  }

  /** Returns the number of the byte at `offset`, which must not be older than {@link oldest}. */
  seqAt(offset: number): number {
    const index = this.#stamps.indexAt(offset);
    return this.#stamps.seqOf(index) + offset - this.#stamps.offsetOf(index);
  }

  /** Returns the pid of the byte at `offset`, which must not be older than {@link oldest}. */
  pidAt(offset: number): number {
    return this.#stamps.pidOf(this.#stamps.indexAt(offset));
  }

  /** Returns the offset of the first known byte with a larger number than `seq`. {@link size} if there is none. */
  offsetAfter(seq: number): number {
    if (seq >= this.#latest) return this.#total;
    const { oldest } = this;
    const index = this.#stamps.indexOfSeq(seq);
    if (index === -1) return oldest;
    const end = index + 1 < this.#stamps.count ? this.#stamps.offsetOf(index + 1) : this.#total;
    return Math.max(oldest, Math.min(end, this.#stamps.offsetOf(index) + seq + 1 - this.#stamps.seqOf(index)));
  }

  /**
   * Returns how many bytes with larger numbers than `after` were here and are not known any more, at most: 0 if none
   * was lost. Bytes of other outputs with numbers in between are counted, too, if more bytes were lost in all.
   */
  missedAfter(after: number): number {
    return Math.min(this.oldest, Math.max(0, this.#lost - after));
  }

  /** Returns the offset after the first newline at or after `offset`; -1 if there is none. */
  newlineEnd(offset: number): number {
    const ring = this.#ring as Buffer;
    const at = offset % ring.length;
    const straight = Math.min(this.#total - offset, ring.length - at);
    const found = ring.subarray(at, at + straight).indexOf(NEWLINE);
    if (found !== -1) return offset + found + 1;
    const wrapped = ring.subarray(0, this.#total - offset - straight).indexOf(NEWLINE);
    return wrapped === -1 ? -1 : offset + straight + wrapped + 1;
  }

  /** Returns the offset after the last newline in [floor, end); `floor` if there is none. */
  lastNewlineEnd(end: number, floor: number): number {
    const ring = this.#ring as Buffer;
    const length = end - floor;
    const at = floor % ring.length;
    const straight = Math.min(length, ring.length - at);
    const wrapped = ring.subarray(0, length - straight).lastIndexOf(NEWLINE);
    if (wrapped !== -1) return floor + straight + wrapped + 1;
    return floor + ring.subarray(at, at + straight).lastIndexOf(NEWLINE) + 1;
  }

  /** Returns known bytes [start, end) without a copy if possible. They are valid until the next {@link push}. */
  view(start: number, end: number): Buffer {
    const ring = this.#ring as Buffer;
    const at = start % ring.length;
    const last = at + end - start;
    return last <= ring.length ? ring.subarray(at, last) : this.slice(start, end);
  }

  /** Returns the bytes [start, end) that are still in the ring. */
  slice(start: number, end: number): Buffer {
    const ring = this.#ring;
    if (ring === null) return Buffer.alloc(0);
    const from = Math.max(start, this.#oldest, this.#total - ring.length);
    if (from >= end) return Buffer.alloc(0);
    const at = from % ring.length;
    const straight = Math.min(end - from, ring.length - at);
    return Buffer.concat([ring.subarray(at, at + straight), ring.subarray(0, end - from - straight)]);
  }

  /** Number of the last byte that is not known any more; 0 for none since the last {@link clear}. */
  get #lost(): number {
    if (this.#ring === null) return this.#latest;
    const { oldest } = this;
    const known = this.#stamps.offsetOf(0) < oldest ? this.seqAt(oldest) - 1 : this.#stamps.lost;
    return Math.max(this.#lostBefore, known);
  }

  #write(bytes: Buffer): void {
    const { length } = bytes;
    const ring = this.#ringFor(Math.min(this.#limit, this.#total + length));
    const from = Math.max(0, length - ring.length);
    const at = (this.#total + from) % ring.length;
    const straight = Math.min(length - from, ring.length - at);
    bytes.copy(ring, at, from, from + straight);
    bytes.copy(ring, 0, from + straight, length);
    this.#total += length;
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
