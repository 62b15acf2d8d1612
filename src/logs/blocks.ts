/**
 * The memory that output waits in: blocks of one size, reused, so that a flood allocates nothing.
 * Knows nothing of lines, files or streams.
 */

/** Size of a block; also the most that one read takes. */
export const BLOCK_BYTES = 256 * 1024;

/** Blocks kept for reuse; what is given back beyond that is left to the garbage collector. */
const KEPT_BLOCKS = 8;

/** bytes[sent, filled) waits to be written, bytes[filled, …) is free. */
export interface Block {
  readonly bytes: Buffer;
  sent: number;
  filled: number;
}

/** Lends blocks to all sinks. A sink that has nothing to write holds none. */
export class BlockPool {
  readonly #free: Block[] = [];

  /** An empty block. */
  take(): Block {
    return this.#free.pop() ?? { bytes: Buffer.allocUnsafeSlow(BLOCK_BYTES), sent: 0, filled: 0 };
  }

  /** Takes back a block that nothing refers to any more. */
  give(block: Block): void {
    if (this.#free.length >= KEPT_BLOCKS) return;
    block.sent = 0;
    block.filled = 0;
    this.#free.push(block);
  }
}
