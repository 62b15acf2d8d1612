/** Waits for the end of one child of a program that is no supervisor. */
import type { Addon } from '../native/addon.ts';
import { Reaper } from '../process/reaper.ts';

/** A wait, which keeps the loop of Node alive until {@link ChildWait.stop}. Waiting for signals alone does not. */
export class ChildWait {
  /** Resolves with the raw status of waitpid(2). */
  readonly ended: Promise<number>;
  readonly #reaper: Reaper;
  readonly #hold = new MessageChannel().port1;

  constructor(addon: Addon, child: number) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.#hold.ref();
    this.#reaper = new Reaper(addon);
    this.#reaper.subscribe((ended) => {
      for (const { pid, status } of ended) if (pid === child) resolve(status);
    });
    this.#reaper.start();
  }

  /** Ends the wait. */
  stop(): void {
    this.#reaper.stop();
    this.#hold.close();
  }
}
