/**
 * The turns of the event loop in which lines are searched for clients. All searches of the process share them: one
 * search works in a turn, for a limited number of steps, and the longest waiting one is next. So the supervisor stays
 * responsive, whatever the patterns are and however many clients search.
 */

/** A queue of searches. */
export class SearchTurns {
  readonly #soon: (wake: () => void) => void;
  readonly #waiting: Array<() => void> = [];

  /** `soon` calls a function in the next turn of the loop. */
  constructor(soon: (wake: () => void) => void) {
    this.#soon = soon;
  }

  /** Resolves when the caller may work. For more work, it asks again. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) this.#soon(this.#wake);
    });
  }

  readonly #wake = (): void => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) this.#soon(this.#wake);
  };
}

/** The turns of this process. */
export const searchTurns = new SearchTurns((wake) => void setImmediate(wake));
