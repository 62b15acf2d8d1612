/** One movable deadline on the clock of the engine. The owner knows the meaning of the deadline. */
import type { Clock } from './ports.ts';

/** A timer for one deadline, which can be moved and cancelled. */
export class Alarm {
  readonly #clock: Clock;
  readonly #wake: () => void;
  #atMs: number | null = null;
  #cancel: (() => void) | null = null;

  /** `wake` is called at the deadline. */
  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Sets the deadline; null cancels. An equal deadline changes nothing, unless it has passed: then it is set again. */
  set(atMs: number | null): void {
    if (atMs === this.#atMs) return;
    this.#cancel?.();
    this.#cancel = null;
    this.#atMs = atMs;
    if (atMs === null) return;
    this.#cancel = this.#clock.alarm(atMs, () => {
      this.#atMs = null;
      this.#cancel = null;
      this.#wake();
    });
  }
}
