/**
 * A queue of bytes in blocks. A line that fits into a block is never split over two, so a block that cannot be written
 * loses whole lines only. The queue knows neither its writers nor its destination.
 */
import { BLOCK_BYTES } from './blocks.ts';
import type { Block, BlockPool } from './blocks.ts';
import { countLines } from './count-lines.ts';
import type { LogNatives } from './ports.ts';

const NEWLINE_BYTE = 0x0a;

/** Bytes before and after the quoted message of a record; neither is empty. */
export interface RecordFrame {
  readonly head: Buffer;
  readonly tail: Buffer;
  /** True if the caller writes the records of lines that begin with a brace. */
  readonly leavesObjects: boolean;
}

/** Units of which the addon makes records. */
const LINES = 0;
const LINES_TO_OBJECT = 1;
const TEXT = 2;

/** Maximum number of bytes that one byte of a message becomes, and bytes of its quotes. */
const MOST_ESCAPED = 6;
const QUOTES = 2;

/** Result of framing lines: bytes taken, and bytes written. Shared, because a call is over before the next. */
const framed = new Uint32Array(2);

/** A queue of bytes in blocks. An empty queue holds no block. */
export class BlockQueue {
  readonly #pool: BlockPool;
  readonly #natives: LogNatives;
  readonly #blocks: Block[] = [];
  #bytes = 0;
  #added = 0;

  constructor(pool: BlockPool, natives: LogNatives) {
    this.#pool = pool;
    this.#natives = natives;
  }

  /** Bytes in the queue. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of bytes that have left the queue since it exists. */
  get passedBytes(): number {
    return this.#added - this.#bytes;
  }

  /** Returns a copy of the last bytes of the queue, at most `count`. */
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

  /** Counts the lines in the queue, with a line that has no end yet. */
  countLines(): number {
    return this.#blocks.reduce((lines, { bytes, sent, filled }, index) => {
      const isLast = index === this.#blocks.length - 1;
      return lines + countLines(bytes.subarray(sent, filled), isLast);
    }, 0);
  }

  /** The block to write next. */
  get first(): Block | undefined {
    return this.#blocks[0];
  }

  /** Adds bytes[start, end) unchanged. */
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

  /** Adds the whole lines bytes[start, end), with `prefix` before each line. */
  appendLines(bytes: Buffer, start: number, end: number, prefix: Buffer): void {
    if (prefix.length === 0) {
      this.append(bytes, start, end);
      return;
    }
    let from = start;
    while (from < end) {
      const block = this.reserve(1);
      this.#natives.frame(bytes.subarray(from, end), prefix, block.bytes.subarray(block.filled), framed);
      const taken = framed[0] as number;
      this.commit(block.filled + (framed[1] as number));
      from += taken;
      if (taken > 0) continue;
      // The next line does not fit. It begins a new block, unless it is longer than a block.
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
   * Adds records of the whole lines of bytes[start, end), which must be UTF-8. Returns the start of the first line
   * without a record: it has no newline, it might not fit into the rest of a block, or it is left to the caller.
   */
  appendRecords(bytes: Buffer, start: number, end: number, { head, tail, leavesObjects }: RecordFrame): number {
    const unit = leavesObjects ? LINES_TO_OBJECT : LINES;
    let from = start;
    while (from < end) {
      const block = this.reserve(1);
      const target = block.bytes.subarray(block.filled);
      this.#natives.record(bytes.subarray(from, end), head, tail, unit, target, framed);
      const taken = framed[0] as number;
      if (taken === 0) break;
      this.commit(block.filled + (framed[1] as number));
      from += taken;
    }
    return from;
  }

  /** Adds one record of bytes[start, end), which must be UTF-8 and may have newlines in it. */
  appendRecord(bytes: Buffer, start: number, end: number, { head, tail }: RecordFrame): void {
    const most = head.length + tail.length + QUOTES + (end - start) * MOST_ESCAPED;
    if (most > BLOCK_BYTES) {
      const message = JSON.stringify(bytes.toString('utf8', start, end));
      const record = Buffer.concat([head, Buffer.from(message), tail]);
      this.append(record, 0, record.length);
      return;
    }
    const block = this.reserve(most);
    this.#natives.record(bytes.subarray(start, end), head, tail, TEXT, block.bytes.subarray(block.filled), framed);
    this.commit(block.filled + (framed[1] as number));
  }

  /**
   * Returns a block with at least `bytes` free bytes from `filled` on, at most {@link BLOCK_BYTES}. The caller writes
   * there and then calls {@link commit}.
   */
  reserve(bytes: number): Block {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.bytes.length - last.filled >= bytes) return last;
    const block = this.#pool.take();
    this.#blocks.push(block);
    return block;
  }

  /** Adds the bytes that the caller wrote into the block last reserved, up to `filled`. */
  commit(filled: number): void {
    const block = this.#blocks.at(-1);
    if (block === undefined) return;
    this.#bytes += filled - block.filled;
    this.#added += filled - block.filled;
    block.filled = filled;
  }

  /** Removes `count` bytes from the first block, because they are written. */
  advance(count: number): void {
    const block = this.#blocks[0];
    if (block === undefined) return;
    block.sent += count;
    this.#bytes -= count;
    if (block.sent < block.filled) return;
    this.#blocks.shift();
    this.#pool.give(block);
  }

  /** Drops everything but bytes[…, keep) of the first block, which a write is using. Null: no write is under way. */
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
