/** One movable deadline on the clock of the engine. The owner knows the meaning of the deadline. */
import type { Clock } from './ports.ts';

/** A timer for one deadline, which can be moved and cancelled. */
export class Alarm {
  readonly #clock: Clock;
  readonly #wake: (owner: string) => void;
  readonly #owner: string;
  #atMs: number | null = null;
  #cancel: (() => void) | null = null;

  /** `wake` is called at the deadline with the name of the owner. So the alarms of all processes share one function. */
  constructor(clock: Clock, wake: (owner: string) => void, owner = '') {
    this.#owner = owner;
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
      this.#wake(this.#owner);
    });
  }
}
