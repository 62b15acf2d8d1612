/**
 * Bytes in the order in which they are to be written, in blocks. Whole lines are kept within one block where they fit,
 * so that a block that cannot be written takes no half of a line with it. Knows nothing of who writes and where to.
 */
import { BLOCK_BYTES } from './blocks.ts';
import type { Block, BlockPool } from './blocks.ts';
import { countLines } from './count-lines.ts';
import type { LogNatives } from './ports.ts';

const NEWLINE_BYTE = 0x0a;

/** See the head of this file. An empty queue holds no block. */
export class BlockQueue {
  readonly #pool: BlockPool;
  readonly #natives: LogNatives;
  readonly #blocks: Block[] = [];
  #bytes = 0;
  readonly #framed = new Uint32Array(2);

  constructor(pool: BlockPool, natives: LogNatives) {
    this.#pool = pool;
    this.#natives = natives;
  }

  /** Bytes in the queue. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A copy of the last bytes of the queue, at most `count`. */
  last(count: number): Buffer {
    const pieces: Buffer[] = [];
    let missing = count;
    for (let index = this.#blocks.length - 1; index >= 0 && missing > 0; index--) {
      const { bytes, sent, filled } = this.#blocks[index] as Block;
      const piece = bytes.subarray(Math.max(sent, filled - missing), filled);
      pieces.unshift(piece);
      missing -= piece.length;
    }
    return Buffer.concat(pieces);
  }

  /** Lines in the queue; one that has no end yet counts. */
  countLines(): number {
    return this.#blocks.reduce((lines, { bytes, sent, filled }, index) => {
      const isLast = index === this.#blocks.length - 1;
      return lines + countLines(bytes.subarray(sent, filled), isLast);
    }, 0);
  }

  /** The block that is to be written next. */
  get first(): Block | undefined {
    return this.#blocks[0];
  }

  /** Adds bytes[start, end) as they are. */
  append(bytes: Buffer, start: number, end: number): void {
    let from = start;
    while (from < end) {
      const block = this.reserve(1);
      const count = Math.min(end - from, block.bytes.length - block.filled);
      bytes.copy(block.bytes, block.filled, from, from + count);
      this.commit(block.filled + count);
      from += count;
    }
  }

  /** Adds the whole lines bytes[start, end), `prefix` before each. */
  appendLines(bytes: Buffer, start: number, end: number, prefix: Buffer): void {
    if (prefix.length === 0) {
      this.append(bytes, start, end);
      return;
    }
    let from = start;
    while (from < end) {
      const block = this.reserve(1);
      this.#natives.frame(bytes, from, end, prefix, block.bytes, block.filled, this.#framed);
      const taken = this.#framed[0] as number;
      this.commit(block.filled + (this.#framed[1] as number));
      from += taken;
      if (taken > 0) continue;
      // The next line does not fit. It gets a block of its own, unless it is longer than that.
      const lineEnd = bytes.indexOf(NEWLINE_BYTE, from) + 1;
      const length = prefix.length + lineEnd - from;
      if (length <= BLOCK_BYTES) {
        this.reserve(length);
        continue;
      }
      this.append(prefix, 0, prefix.length);
      this.append(bytes, from, lineEnd);
      from = lineEnd;
    }
  }

  /**
   * A block with at least `bytes` (at most {@link BLOCK_BYTES}) free from `filled` on, to be written there and told by
   * {@link commit}.
   */
  reserve(bytes: number): Block {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.bytes.length - last.filled >= bytes) return last;
    const block = this.#pool.take();
    this.#blocks.push(block);
    return block;
  }

  /** Adds what was written into the block last reserved, up to `filled`. */
  commit(filled: number): void {
    const block = this.#blocks.at(-1);
    if (block === undefined) return;
    this.#bytes += filled - block.filled;
    block.filled = filled;
  }

  /** Takes `count` bytes off the first block. */
  advance(count: number): void {
    const block = this.#blocks[0];
    if (block === undefined) return;
    block.sent += count;
    this.#bytes -= count;
    if (block.sent < block.filled) return;
    this.#blocks.shift();
    this.#pool.give(block);
  }

  /** Drops everything, save bytes[…, keep) of the first block, which is being written; null: it is not. */
  drop(keep: number | null): void {
    const kept = keep === null ? undefined : this.#blocks.shift();
    for (const block of this.#blocks.splice(0)) this.#pool.give(block);
    this.#bytes = 0;
    if (kept === undefined || keep === null) return;
    kept.filled = keep;
    this.#blocks.push(kept);
    this.#bytes = kept.filled - kept.sent;
  }
}
