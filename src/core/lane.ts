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

  /**
   * Runs work when its turn comes. Settles as the work does. Rejects if the signal is aborted before its turn: the work
   * leaves the line and does not run.
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.isFull) await this.#turn(signal);
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

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#line.splice(this.#line.indexOf(begin), 1);
        reject(signal?.reason);
      };
      const begin = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      this.#line.push(begin);
      signal?.addEventListener('abort', leave);
    });
  }
}
