/** The queue of the inputs of the machines: facts and requests. */
import type { ProcessInput } from '../core/process-record.ts';
import type { ShutdownInput } from '../core/shutdown-machine.ts';

/** One input, and its machine. */
export type Input =
  | { readonly to: 'process'; readonly id: string; readonly input: ProcessInput }
  | { readonly to: 'supervisor'; readonly input: ShutdownInput };

/** Hands out one input at a time. An input that is added meanwhile waits for its turn. */
export class InputQueue {
  readonly #inputs: Input[] = [];
  readonly #take: (input: Input) => void;
  #isTurning = false;

  /** `take` applies one input. It must not throw. */
  constructor(take: (input: Input) => void) {
    this.#take = take;
  }

  /** Adds an input: behind all others, or (`next`) before them. */
  add(input: Input, place: 'last' | 'next' = 'last'): void {
    if (place === 'next') this.#inputs.unshift(input);
    else this.#inputs.push(input);
  }

  /** True if the queue has a start of a process. */
  hasStart(id: string): boolean {
    return this.#inputs.some((queued) => queued.to === 'process' && queued.id === id && queued.input.type === 'start');
  }

  /** Takes all inputs. A nested call from `take` does nothing: the outer call continues with the added inputs. */
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
