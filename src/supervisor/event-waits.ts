/** Lets clients wait for events of the history. Without waiting clients, events cost nothing more. */
import type { HistoryReader } from '../core/history.ts';
import type { Clock } from '../engine/ports.ts';

/** Maximum number of waiting clients. */
export const MAX_WAITERS = 64;

/** Time for which events are collected before a waiting client gets them. */
const COLLECT_MS = 50;

/** A wait for events. */
export interface EventWait {
  /** Number of the last event that the client knows. */
  readonly after: number;
  readonly waitMs: number;
  /** Aborted when the client has gone. The wait ends then, too. */
  readonly signal: AbortSignal;
}

/** The waiting clients of one supervisor. */
export class EventWaits {
  readonly #history: HistoryReader;
  readonly #clock: Clock;
  #waiting = 0;

  constructor(history: HistoryReader, clock: Clock) {
    this.#history = history;
    this.#clock = clock;
  }

  /** Number of waiting clients. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Resolves soon after an event with a number above `after`, when the time is over, or when the client has gone.
   * Resolves at once with false if too many clients wait.
   */
  async wait({ after, waitMs, signal }: EventWait): Promise<boolean> {
    if (this.#history.eventsAfter(after, 1).events.length > 0) return true;
    if (this.#waiting >= MAX_WAITERS) return false;
    this.#waiting += 1;
    await this.#sleep(waitMs, signal);
    this.#waiting -= 1;
    return true;
  }

  #sleep(waitMs: number, signal: AbortSignal): Promise<void> {
    const endMs = this.#clock.nowMs() + waitMs;
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        unsubscribe();
        signal.removeEventListener('abort', wake);
        resolve();
      };
      let cancel = this.#clock.alarm(endMs, wake);
      const unsubscribe = this.#history.subscribe(() => {
        // More events follow within the same turn: of a restart, of a group.
        unsubscribe();
        cancel();
        cancel = this.#clock.alarm(Math.min(endMs, this.#clock.nowMs() + COLLECT_MS), wake);
      });
      signal.addEventListener('abort', wake);
      if (signal.aborted) wake();
    });
  }
}
