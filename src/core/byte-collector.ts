/**
 * Collects the pieces of a body or an answer in one piece of memory. Keeping each piece would take hundreds of bytes
 * for a piece of one byte, and the other side may send a million of those. Pure.
 */

const FIRST_BYTES = 1024;
/** Pieces of fewer bytes on average are too many, beyond the first {@link FEW_PIECES}: each takes time, too. */
const LEAST_BYTES = 64;
const FEW_PIECES = 1024;

/** Outcome of adding a piece. `tooMany`: the other side sends only a few bytes at a time. */
export type Added = 'taken' | 'tooLong' | 'tooMany';

/** Bytes that come in pieces. */
export class ByteCollector {
  #bytes = new Uint8Array(0);
  #size = 0;
  #pieces = 0;

  /** The collected bytes. Valid until the next piece. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  /** Adds a piece, unless there are more than `limit` bytes then, or too many pieces. */
  add(piece: Uint8Array, limit: number): Added {
    const size = this.#size + piece.length;
    this.#pieces += 1;
    if (size > limit) return 'tooLong';
    if (this.#pieces > Math.max(FEW_PIECES, limit / LEAST_BYTES)) return 'tooMany';
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(FIRST_BYTES, size, Math.min(limit, 2 * this.#bytes.length)));
      larger.set(this.bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#size);
    this.#size = size;
    return 'taken';
  }
}
