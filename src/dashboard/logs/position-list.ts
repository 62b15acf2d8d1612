/** Sorted positions of rows. The first ones leave when their rows leave the ring. Pure. */

/** Positions in rising order. An index stays the same when positions before it leave. */
export class PositionList {
  #positions: number[] = [];
  #head = 0;
  #removed = 0;

  /** Index of the first position. */
  get start(): number {
    return this.#removed;
  }

  /** Index after the last position. */
  get end(): number {
    return this.#removed + this.#positions.length - this.#head;
  }

  /** Number of positions. */
  get size(): number {
    return this.#positions.length - this.#head;
  }

  /** Returns the position at an index. */
  at(index: number): number | undefined {
    return index < this.#removed ? undefined : this.#positions[index - this.#removed + this.#head];
  }

  /** Adds a position that is greater than all others. */
  push(position: number): void {
    this.#positions.push(position);
  }

  /** Adds a position in its place. Indexes after it grow by one. */
  insert(position: number): void {
    const index = this.lowerBound(position);
    if (this.at(index) !== position) this.#positions.splice(index - this.#removed + this.#head, 0, position);
  }

  /** Removes the positions below `first`. */
  dropBefore(first: number): void {
    while (this.#head < this.#positions.length && (this.#positions[this.#head] as number) < first) {
      this.#head++;
      this.#removed++;
    }
    if (this.#head > 4096 && this.#head > this.#positions.length / 2) {
      this.#positions = this.#positions.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Removes all positions. Indexes begin at 0 again. */
  clear(): void {
    this.#positions = [];
    this.#head = 0;
    this.#removed = 0;
  }

  /** Returns the index of the first position that is at least `position`. */
  lowerBound(position: number): number {
    let [low, high] = [this.start, this.end];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.at(middle) as number) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
