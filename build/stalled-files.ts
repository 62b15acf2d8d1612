/**
 * Ends test files that no longer do anything: Node's runner waits for ever for one whose tests left a handle or a child
 * behind. It looks only at processes below this one.
 */
import { childrenOf, commandOf, descendantsOf, kill } from './process-tree.ts';

/** How often is looked, in ms. */
const PERIOD_MS = 5_000;

/** Watches the files of one run; `seen(file)` says that one has shown life. */
export class StalledFiles {
  readonly #lastSeen = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  /** `limitMs`: how long a file may be silent. `onKilled` gets the file and what was running in it. */
  constructor(limitMs: number, onKilled: (file: string, commands: readonly string[]) => void) {
    this.#timer = setInterval(() => {
      void this.#killSilent(limitMs, onKilled);
    }, PERIOD_MS);
  }

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
      // From the top, so that nothing there starts something new in the place of what ended.
      for (const one of [pid, ...below]) kill(one);
    }
  }
}
