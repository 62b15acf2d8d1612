/** Places of rows in pixels: rows of one height, or rows whose heights are guessed first and measured later. Pure. */

/** Heights of the rows with the indexes from `start` to before `end`. */
export interface RowHeights {
  readonly start: number;
  readonly end: number;
  /** Pixels of all rows. */
  readonly total: number;
  /** Pixels from the first row to the row at an index. */
  offsetOf(index: number): number;
  /** Index of the row at a pixel. */
  indexAt(pixel: number): number;
  /** Makes the rows those from `start` to before `end`. Returns the pixels that have left before the first row. */
  resize(start: number, end: number): number;
  /** Sets the measured height of a row. Returns true if it has changed. */
  measure(index: number, height: number): boolean;
}

/** Rows of one height. */
export class UniformHeights implements RowHeights {
  readonly #height: number;
  start = 0;
  end = 0;

  constructor(height: number) {
    this.#height = height;
  }

  get total(): number {
    return (this.end - this.start) * this.#height;
  }

  offsetOf(index: number): number {
    return (index - this.start) * this.#height;
  }

  indexAt(pixel: number): number {
    const index = this.start + Math.floor(Math.max(0, pixel) / this.#height);
    return Math.max(this.start, Math.min(index, this.end - 1));
  }

  resize(start: number, end: number): number {
    const removed = Math.max(0, start - this.start) * this.#height;
    this.start = start;
    this.end = end;
    return removed;
  }

  measure(): boolean {
    return false;
  }
}

/** Rows of a block. */
const BLOCK = 256;

/** Heights of the rows of one block, and their sum. */
interface Block {
  readonly heights: Float64Array;
  sum: number;
}

/** Rows of different heights. A sum over blocks of rows gives the place of a row. */
export class MeasuredHeights implements RowHeights {
  readonly #guess: (index: number) => number;
  #blocks: Block[] = [];
  /** Number of the first block: its first index divided by {@link BLOCK}. */
  #firstBlock = 0;
  #total = 0;
  start = 0;
  end = 0;

  constructor(guess: (index: number) => number) {
    this.#guess = guess;
  }

  get total(): number {
    return this.#total;
  }

  offsetOf(index: number): number {
    const number = Math.floor(index / BLOCK);
    let offset = 0;
    for (let at = this.#firstBlock; at < number; at++) offset += this.#blocks[at - this.#firstBlock]?.sum ?? 0;
    const heights = this.#blocks[number - this.#firstBlock]?.heights;
    for (let at = 0; at < index - number * BLOCK; at++) offset += heights?.[at] ?? 0;
    return offset;
  }

  indexAt(pixel: number): number {
    let left = pixel;
    for (const [at, { heights, sum }] of this.#blocks.entries()) {
      if (left >= sum && at < this.#blocks.length - 1) {
        left -= sum;
        continue;
      }
      const base = (this.#firstBlock + at) * BLOCK;
      let inside = 0;
      while (inside < BLOCK - 1 && left >= (heights[inside] as number)) left -= heights[inside++] as number;
      return Math.max(this.start, Math.min(base + inside, this.end - 1));
    }
    return this.start;
  }

  resize(start: number, end: number): number {
    if (start < this.start || start > this.end) {
      const before = this.#total;
      this.#blocks = [];
      this.#firstBlock = Math.floor(start / BLOCK);
      this.#total = 0;
      this.start = start;
      this.end = start;
      this.#grow(end);
      return Math.max(0, before - this.#total);
    }
    let removed = 0;
    for (; this.start < start; this.start++) removed += this.#set(this.start, 0);
    const full = Math.floor(this.start / BLOCK) - this.#firstBlock;
    if (full > 0) {
      this.#blocks.splice(0, full);
      this.#firstBlock += full;
    }
    this.#grow(end);
    return removed;
  }

  measure(index: number, height: number): boolean {
    return index >= this.start && index < this.end && this.#set(index, height) !== height;
  }

  #grow(end: number): void {
    for (; this.end < end; this.end++) {
      const at = Math.floor(this.end / BLOCK) - this.#firstBlock;
      if (this.#blocks[at] === undefined) this.#blocks.push({ heights: new Float64Array(BLOCK), sum: 0 });
      this.#set(this.end, this.#guess(this.end));
    }
  }

  /** Sets a height. Returns the height before. */
  #set(index: number, height: number): number {
    const block = this.#blocks[Math.floor(index / BLOCK) - this.#firstBlock];
    if (block === undefined) return height;
    const inside = index % BLOCK;
    const before = block.heights[inside] as number;
    block.heights[inside] = height;
    block.sum += height - before;
    this.#total += height - before;
    return before;
  }
}
