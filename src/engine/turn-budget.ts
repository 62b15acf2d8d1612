/**
 * Limits how long starts may keep one turn of the event loop busy. Between two turns the loop reads pipes, answers
 * requests, takes signals and reaps. Without the limit, programs that crash as fast as they are started would keep the
 * loop in one turn without end.
 */

import type { StartBudget } from './ports.ts';

/** Milliseconds that starts may take in one turn. A start takes about 0.3 ms, and more on a busy machine. */
const BUDGET_MS = 8;
/**
 * Maximum number of turns without starts after one start that took long. On a busy machine a start takes 100 ms until
 * the new process was executed, and a request takes several turns to be answered.
 */
const MAX_TURNS_OF_DEBT = 8;

/** Clock and event loop of the budget. */
export interface TurnBudgetParts {
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** Calls back in the next turn of the loop, after the loop has looked at its descriptors. */
  readonly nextTurn: (then: () => void) => void;
}

/**
 * Runs tasks in the order in which they were given: at once while the budget of this turn lasts, else in later turns.
 */
export class TurnBudget implements StartBudget {
  readonly #parts: TurnBudgetParts;
  readonly #tasks: Array<() => void> = [];
  #spentMs = 0;
  #isArmed = false;

  constructor(parts: TurnBudgetParts) {
    this.#parts = parts;
  }

  run(task: () => void): void {
    if (this.#tasks.length > 0 || this.#spentMs >= BUDGET_MS) this.#tasks.push(task);
    else this.#take(task);
  }

  #take(task: () => void): void {
    const { nowMs } = this.#parts;
    const beganMs = nowMs();
    task();
    this.#spentMs += nowMs() - beganMs;
    if (this.#spentMs > 0) this.#arm();
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#parts.nextTurn(() => {
      this.#isArmed = false;
      this.#spentMs = Math.max(0, Math.min(this.#spentMs, MAX_TURNS_OF_DEBT * BUDGET_MS) - BUDGET_MS);
      this.#continue();
    });
  }

  #continue(): void {
    // A task may add others: they come after those that wait.
    for (let count = this.#tasks.length; count > 0 && this.#spentMs < BUDGET_MS; count -= 1) {
      const task = this.#tasks.shift();
      if (task !== undefined) this.#take(task);
    }
    if (this.#tasks.length > 0 || this.#spentMs > 0) this.#arm();
  }
}
