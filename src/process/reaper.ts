/**
 * Collects every process that ended, its own children and adopted orphans alike, and hands them over in batches.
 * The only caller of `waitpid(-1)` in the program. It does not know what a process was.
 */
import type { Addon, Reaped } from '../native/addon.ts';

/** Children collected by one call of the addon. */
const BATCH = 128;
/**
 * Milliseconds after which the loop gets its turn: the ends of a fork bomb's orphans, or of programs that crash in a
 * loop, must not keep us from other work.
 */
const TURN_MS = 8;

/** Gets what has ended, at least one process, before anything else runs. Must not throw. */
export type ReapListener = (ended: readonly Reaped[]) => void;

/** Reaps on SIGCHLD. Signals of that kind merge, so each one means "at least one ended", and everything is drained. */
export class Reaper {
  readonly #addon: Pick<Addon, 'reap'>;
  readonly #listeners = new Set<ReapListener>();
  #next: NodeJS.Immediate | null = null;
  #isStarted = false;

  constructor(addon: Pick<Addon, 'reap'>) {
    this.#addon = addon;
  }

  /** Calls `listener` with every batch; the function returned ends that. */
  subscribe(listener: ReapListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Begins to reap, with those that ended before: SIGCHLD was ignored until now, and as PID 1 we may have inherited
   * children.
   */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    process.on('SIGCHLD', this.#onSignal);
    this.drain();
  }

  /** Stops reaping; children that end stay zombies. */
  stop(): void {
    this.#isStarted = false;
    process.removeListener('SIGCHLD', this.#onSignal);
    if (this.#next !== null) clearImmediate(this.#next);
    this.#next = null;
  }

  /**
   * Collects what has ended by now and hands it over, before it returns; what is left after {@link TURN_MS} comes in
   * the next turn of the loop.
   */
  drain(): void {
    const beganMs = performance.now();
    do {
      const ended = this.#addon.reap(BATCH);
      if (ended.length > 0) for (const listener of this.#listeners) listener(ended);
      if (ended.length < BATCH) return;
    } while (performance.now() - beganMs < TURN_MS);
    this.#next ??= setImmediate(() => {
      this.#next = null;
      this.drain();
    });
  }

  readonly #onSignal = (): void => this.drain();
}
