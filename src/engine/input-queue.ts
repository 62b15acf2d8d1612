/**
 * The queue of what has happened and what was asked for. One input is taken at a time; what comes while one is taken
 * waits for its turn. It knows nothing of what the inputs mean.
 */
import type { ProcessInput } from '../core/process-record.ts';
import type { ShutdownInput } from '../core/shutdown-machine.ts';

/** One input, and the machine that it is for. */
export type Input =
  | { readonly to: 'process'; readonly id: string; readonly input: ProcessInput }
  | { readonly to: 'supervisor'; readonly input: ShutdownInput };

/** See the head of this file. */
export class InputQueue {
  readonly #inputs: Input[] = [];
  readonly #take: (input: Input) => void;
  #isTurning = false;

  /** `take` takes one input to its end; it must not throw. */
  constructor(take: (input: Input) => void) {
    this.#take = take;
  }

  /** Adds an input; `next` before all others. */
  add(input: Input, place: 'last' | 'next' = 'last'): void {
    if (place === 'next') this.#inputs.unshift(input);
    else this.#inputs.push(input);
  }

  /** Whether a start of a process waits for its turn. */
  hasStart(id: string): boolean {
    return this.#inputs.some((queued) => queued.to === 'process' && queued.id === id && queued.input.type === 'start');
  }

  /**
   * Takes inputs until none is left. A call from within a taking does nothing: the turn under way goes on to what was
   * added.
   */
  turn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    try {
      for (let input = this.#inputs.shift(); input !== undefined; input = this.#inputs.shift()) this.#take(input);
    } finally {
      this.#isTurning = false;
    }
  }
}
