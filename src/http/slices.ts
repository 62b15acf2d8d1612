/** Divides the work for an answer into slices, so that everything else has its turns of the event loop in between. */
import { nextTurn } from './answers.ts';

/** Longest time to keep the loop, in milliseconds. */
const SLICE_MS = 4;

/** The slices of the work for one answer. */
export class Slices {
  #beganMs = performance.now();

  /** Resolves at once while the slice lasts, otherwise in the next turn of the loop. Ask after each little work. */
  async next(): Promise<void> {
    if (performance.now() - this.#beganMs < SLICE_MS) return;
    await nextTurn();
    this.#beganMs = performance.now();
  }
}
