/**
 * Kills test files that have stalled. Node's runner waits without end for a file whose tests left a handle or a child
 * behind. Only descendants of this process are killed.
 */
import { childrenOf, commandOf, descendantsOf, kill } from './process-tree.ts';

/** Time between two searches for stalled files. */
const PERIOD_MS = 5_000;

/** Watches the test files of one run. */
export class StalledFiles {
  readonly #lastSeen = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  /** Kills files without an event for `limitMs`. `onKilled` gets the file and the commands of its descendants. */
  constructor(limitMs: number, onKilled: (file: string, commands: readonly string[]) => void) {
    this.#timer = setInterval(() => {
      void this.#killSilent(limitMs, onKilled);
    }, PERIOD_MS);
  }

  /** Notes an event of a file. */
  seen(file: string): void {
    this.#lastSeen.set(file, performance.now());
  }

  /** Ends the watch. */
  close(): void {
    clearInterval(this.#timer);
  }

  async #killSilent(limitMs: number, onKilled: (file: string, commands: readonly string[]) => void): Promise<void> {
    for (const pid of await childrenOf(process.pid)) {
      const file = (await commandOf(pid)).at(-1) ?? '';
      const last = this.#lastSeen.get(file);
      if (last === undefined || performance.now() - last < limitMs) continue;
      this.#lastSeen.delete(file);
      const below = await descendantsOf(pid);
      const commands = await Promise.all(below.map(async (one) => (await commandOf(one)).join(' ')));
      onKilled(file, commands);
      // Kill parents first, so that no parent can replace a killed child.
      for (const one of [pid, ...below]) kill(one);
    }
  }
}
