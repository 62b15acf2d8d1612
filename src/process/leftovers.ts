/**
 * What must not outlive us: the pidfile, sockets, the foreground of a terminal. It is removed however the process ends.
 * It does not end the process.
 */
import { onExit } from 'signal-exit';

/** Things to be removed at the end. */
export class Leftovers {
  readonly #removals = new Set<() => void>();
  readonly #report: (error: unknown) => void;

  /** `report` hears what could not be removed. */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
    // An end that we choose calls removeAll; this is for all others: a signal that nobody takes, a fatal error of Node.
    onExit(() => {
      this.removeAll();
      return undefined;
    });
  }

  /** Calls `remove` at the end. The function returned takes it off the list, without calling it. */
  add(remove: () => void): () => void {
    this.#removals.add(remove);
    return () => this.#removals.delete(remove);
  }

  /** Removes everything now, the latest first; what fails is reported and does not keep the rest. */
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
