/**
 * Memory for queued output: blocks of one size, reused, so that a flood of output allocates nothing.
 */

/** Size of a block. Also the most bytes of one read. */
export const BLOCK_BYTES = 256 * 1024;

/** Number of blocks that are kept for reuse. The garbage collector frees further ones. */
const KEPT_BLOCKS = 8;

/** One block. bytes[sent, filled) is to be written, bytes[filled, …) is free. */
export interface Block {
  readonly bytes: Buffer;
  sent: number;
  filled: number;
}

/** Lends blocks to all sinks. A sink with an empty queue holds none. */
export class BlockPool {
  readonly #free: Block[] = [];

  /** Returns an empty block. */
  take(): Block {
    return this.#free.pop() ?? { bytes: Buffer.allocUnsafeSlow(BLOCK_BYTES), sent: 0, filled: 0 };
  }

  /** Takes back a block. The caller must not use the block any more. */
  give(block: Block): void {
    if (this.#free.length >= KEPT_BLOCKS) return;
    block.sent = 0;
    block.filled = 0;
    this.#free.push(block);
  }
}
