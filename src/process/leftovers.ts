/**
 * Removes resources when our process exits, however it exits: the pidfile, sockets, the foreground of a terminal. Does
 * not end the process.
 */
import { onExit } from 'signal-exit';

/** Resources to be removed at exit. */
export class Leftovers {
  readonly #removals = new Set<() => void>();
  readonly #report: (error: unknown) => void;

  /** `report` gets the errors of removals. */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
    // Our own exit calls removeAll. This handler is for all others: an uncaught signal, a fatal error of Node.
    onExit(() => {
      this.removeAll();
      return undefined;
    });
  }

  /** Calls `remove` at exit. Returns a function that cancels this without calling `remove`. */
  add(remove: () => void): () => void {
    this.#removals.add(remove);
    return () => this.#removals.delete(remove);
  }

  /** Removes everything now, the latest first. A failure is reported, and the others are still removed. */
  removeAll(): void {
    for (const remove of [...this.#removals].toReversed()) {
      this.#removals.delete(remove);
      try {
        remove();
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
