/** A pause that can be ended early. */

/** Pauses of one loop. */
export class Waiter {
  #wake: (() => void) | null = null;

  /** Resolves after a time, or when {@link wake} is called. `ms`: null for no time. */
  async wait(ms: number | null): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (ms !== null) timer = setTimeout(resolve, ms);
    });
    this.#wake = null;
    clearTimeout(timer);
  }

  /** Ends the pause that is under way, if there is one. */
  wake(): void {
    this.#wake?.();
  }
}
