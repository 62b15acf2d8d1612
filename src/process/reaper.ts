/**
 * Collects every ended child, both programs and adopted orphans, and passes them on in batches. It is the only caller
 * of {@link Addon.reap}, and so of wait4(-1). A failed spawn collects its own child in C, before any code knows the
 * pid.
 */
import type { Addon, Reaped } from '../native/addon.ts';

/** Maximum number of children that one call of the addon collects. */
const BATCH = 128;
/**
 * Milliseconds of reaping in one turn of the loop. The orphans of a fork bomb, or programs that crash in a loop, must
 * not block other work.
 */
const TURN_MS = 8;

/** Takes a batch of at least one ended child, before any other code runs. Must not throw. */
export type ReapListener = (ended: readonly Reaped[]) => void;

/** Reaps on SIGCHLD. The kernel merges pending SIGCHLD signals, so each signal means one or more ended children. */
export class Reaper {
  readonly #addon: Pick<Addon, 'reap'>;
  readonly #listeners = new Set<ReapListener>();
  #next: NodeJS.Immediate | null = null;
  #isStarted = false;

  constructor(addon: Pick<Addon, 'reap'>) {
    this.#addon = addon;
  }

  /** Calls `listener` with every batch. Returns a function that ends the calls. */
  subscribe(listener: ReapListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Starts reaping. Also collects children that have ended already: there was no handler for SIGCHLD, and PID 1 may
   * have inherited children.
   */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    process.on('SIGCHLD', this.#onSignal);
    this.drain();
  }

  /** Stops reaping. Children that end later stay zombies. */
  stop(): void {
    this.#isStarted = false;
    process.removeListener('SIGCHLD', this.#onSignal);
    if (this.#next !== null) clearImmediate(this.#next);
    this.#next = null;
  }

  /**
   * Collects the children that have ended and passes them on before it returns. After {@link TURN_MS}, the rest follows
   * in the next turn of the loop.
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
