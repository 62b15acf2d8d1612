/**
 * Removes resources when our process exits, however it exits: the pidfile, sockets, the foreground of a terminal. Does
 * not end the process.
 */
import { onExit } from 'signal-exit';
import { pathProbe } from '../files/path-probe.ts';
import { waitAtMost } from './clock.ts';

/** Longest wait at the end for what is on a file system that may hang: our sockets and the pidfile. */
export const LAST_WAIT_MS = 2000;

/** Resources to be removed at exit. */
export class Leftovers {
  readonly #removals = new Map<() => void, readonly string[]>();
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

  /**
   * Calls `remove` at exit, unless the absolute `paths` that it touches cannot be reached. Returns a function that
   * cancels this without calling `remove`.
   */
  add(remove: () => void, paths: readonly string[] = []): () => void {
    this.#removals.set(remove, paths);
    return () => this.#removals.delete(remove);
  }

  /** Removes everything, and waits for what is removed later, but not for long. */
  async finish(): Promise<void> {
    this.removeAll();
    await waitAtMost(LAST_WAIT_MS, pathProbe.idle());
  }

  /**
   * Removes everything now, the latest first; later what is on a file system that may hang. A failure is reported, and
   * the others are still removed.
   */
  removeAll(): void {
    for (const [remove, paths] of [...this.#removals].toReversed()) {
      this.#removals.delete(remove);
      const attempt = (): (() => void) => {
        try {
          remove();
        } catch (error) {
          this.#report(error);
        }
        return () => undefined;
      };
      pathProbe.whenReached(
        () => paths,
        attempt,
        (reason) => this.#report(new Error(reason)),
      );
    }
  }
}
