/**
 * The origin of the bytes in a tail: time, number and pid of each block that was received. A block costs one stamp, or
 * none if it continues the block before. So the cost does not depend on the number of lines.
 */

/** Origin of a block of output. */
export interface Mark {
  /** Number of the first byte in the sequence of the supervisor (core/sequence.ts). Each byte has the next number. */
  readonly seq: number;
  /** Time of the receipt, in milliseconds since 1970. */
  readonly wallMs: number;
  /** The process that owns the pipe: a new pid is a new run. */
  readonly pid: number;
}

const OFFSET = 0;
const SEQ = 1;
const WALL_MS = 2;
const PID = 3;
const FIELDS = 4;

/** Memory of one stamp. */
export const STAMP_BYTES = FIELDS * 8;

/** First size of the ring. Many programs write a few lines only. */
const FIRST_STAMPS = 8;
/** Number of stamps that even the smallest tail may have. */
const LEAST_STAMPS = 16;

/**
 * A ring of stamps that grows as needed, up to a limit. A full ring loses its oldest stamp. Merging stamps instead
 * would give bytes a wrong number, and numbers must stay exact for a reader that continues.
 */
export class Stamps {
  readonly #limit: number;
  #ring: Float64Array | null = null;
  /** Slot of the oldest stamp. */
  #first = 0;
  #count = 0;
  #lost = 0;

  /** @param bytes maximum memory of the stamps */
  constructor(bytes: number) {
    this.#limit = Math.max(LEAST_STAMPS, Math.floor(bytes / STAMP_BYTES));
  }

  get count(): number {
    return this.#count;
  }

  /** Number of the last byte of the stamps that were dropped; 0 for none. */
  get lost(): number {
    return this.#lost;
  }

  /** Returns the offset of the first byte of stamp `index`. 0 is the oldest stamp. */
  offsetOf(index: number): number {
    return this.#get(index, OFFSET);
  }

  /** Returns the number of the first byte of a stamp. */
  seqOf(index: number): number {
    return this.#get(index, SEQ);
  }

  wallMsOf(index: number): number {
    return this.#get(index, WALL_MS);
  }

  pidOf(index: number): number {
    return this.#get(index, PID);
  }

  /** Adds the stamp of a block that begins at `offset`. */
  add(offset: number, { seq, wallMs, pid }: Mark): void {
    const last = this.#count - 1;
    if (
      last >= 0 &&
      this.wallMsOf(last) === wallMs &&
      this.pidOf(last) === pid &&
      seq - this.seqOf(last) === offset - this.offsetOf(last)
    )
      return;
    if (this.#count === this.#limit) this.#dropFirst();
    const ring = this.#ringFor(this.#count + 1);
    const at = ((this.#first + this.#count++) * FIELDS) % ring.length;
    ring[at + OFFSET] = offset;
    ring[at + SEQ] = seq;
    ring[at + WALL_MS] = wallMs;
    ring[at + PID] = pid;
  }

  /** Drops the stamps of bytes that are all before `offset`, except for the last stamp. */
  dropBefore(offset: number): void {
    while (this.#count > 1 && this.offsetOf(1) <= offset) this.#dropFirst();
  }

  clear(): void {
    this.#ring = null;
    this.#first = 0;
    this.#count = 0;
    this.#lost = 0;
  }

  /** Returns the index of the stamp that the byte at `offset` belongs to; -1 if it is older than all stamps. */
  indexAt(offset: number): number {
    return this.#countUpTo(OFFSET, offset) - 1;
  }

  /** Returns the index of the last stamp whose first byte has at most the number `seq`; -1 if there is none. */
  indexOfSeq(seq: number): number {
    return this.#countUpTo(SEQ, seq) - 1;
  }

  /**
   * Returns the index of the first stamp that is later than `wallMs`; {@link count} if there is none. If the clock was
   * set back in between, a stamp near the change may be found instead.
   */
  indexLaterThan(wallMs: number): number {
    return this.#countUpTo(WALL_MS, wallMs);
  }

  #get(index: number, field: number): number {
    const ring = this.#ring as Float64Array;
    const at = (this.#first + index) * FIELDS;
    // No remainder, which is slow: this is called some ten times for each block.
    return ring[(at < ring.length ? at : at - ring.length) + field] as number;
  }

  /** Returns the number of leading stamps whose field is at most `value`. */
  #countUpTo(field: number, value: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#get(middle, field) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Drops the oldest of at least two stamps. */
  #dropFirst(): void {
    const ring = this.#ring as Float64Array;
    this.#lost = this.seqOf(0) + this.offsetOf(1) - this.offsetOf(0) - 1;
    this.#first = (this.#first + 1) % (ring.length / FIELDS);
    this.#count--;
  }

  /** Returns a ring for `wanted` stamps. The size doubles, so that growing copies each stamp about once. */
  #ringFor(wanted: number): Float64Array {
    const old = this.#ring;
    if (old !== null && old.length >= wanted * FIELDS) return old;
    const ring = new Float64Array(Math.min(Math.max(FIRST_STAMPS, 2 * this.#count), this.#limit) * FIELDS);
    if (old !== null) {
      const at = this.#first * FIELDS;
      ring.set(old.subarray(at));
      ring.set(old.subarray(0, at), old.length - at);
    }
    this.#first = 0;
    this.#ring = ring;
    return ring;
  }
}
