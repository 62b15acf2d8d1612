/**
 * One deadline that moves: armed, moved and called off as the record that it belongs to says. It knows nothing of what
 * is due.
 */
import type { Clock } from './ports.ts';

/** An alarm for one deadline. */
export class Alarm {
  readonly #clock: Clock;
  readonly #wake: () => void;
  #atMs: number | null = null;
  #cancel: () => void = () => undefined;

  /** `wake` is called when the deadline has come. */
  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /**
   * Sets the deadline, null for none. The same one again changes nothing, unless it has come: then it is armed anew.
   */
  set(atMs: number | null): void {
    if (atMs === this.#atMs) return;
    this.#cancel();
    this.#cancel = () => undefined;
    this.#atMs = atMs;
    if (atMs === null) return;
    this.#cancel = this.#clock.alarm(atMs, () => {
      this.#atMs = null;
      this.#wake();
    });
  }
}
