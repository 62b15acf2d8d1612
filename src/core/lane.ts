/** Limits for work that runs at the same time: the rest waits in line. */
export class Lane {
  readonly #most: number;
  #running = 0;
  readonly #line: Array<() => void> = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** True if the next work would have to wait. */
  get isFull(): boolean {
    return this.#running >= this.#most;
  }

  /** Runs work when its turn comes. Settles as the work does. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.isFull) await new Promise<void>((resolve) => this.#line.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // The place passes on to the next in line.
      const next = this.#line.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
