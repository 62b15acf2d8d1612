/**
 * An answer that takes long to make. Clients that ask while its making waits get the same one, and a pause follows
 * each. So the work of the supervisor for such answers is limited, whatever the number of clients.
 */

/** Maximum length of the pause in milliseconds: an answer may have waited for a disk. */
const LONGEST_PAUSE_MS = 5000;

/** The time, for tests. */
export interface PauseClock {
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

const systemClock: PauseClock = {
  nowMs: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Answers of one kind. */
export class SharedAnswer<T> {
  readonly #pauseFactor: number;
  readonly #clock: PauseClock;
  /** Answer that was not begun yet. */
  #waiting: Promise<T> | null = null;
  /** Resolves when the latest answer is made, and its pause over. */
  #free: Promise<void> = Promise.resolve();

  /** `pauseFactor`: length of the pause after an answer, as a multiple of the time that it took. */
  constructor(pauseFactor: number, clock: PauseClock = systemClock) {
    this.#pauseFactor = pauseFactor;
    this.#clock = clock;
  }

  /**
   * Resolves with an answer whose making begins after this call. Rejects with the error of `make`, and when the signal
   * of the client is aborted.
   */
  ask(make: () => Promise<T>, signal: AbortSignal): Promise<T> {
    // Without a client, nothing would take the error of an answer.
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const answer = (this.#waiting ??= this.#make(make));
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason);
      signal.addEventListener('abort', abort);
      void answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }

  async #make(make: () => Promise<T>): Promise<T> {
    await this.#free;
    this.#waiting = null;
    const beganMs = this.#clock.nowMs();
    const answer = make();
    this.#free = answer.then(
      () => this.#pause(beganMs),
      () => this.#pause(beganMs),
    );
    return answer;
  }

  #pause(beganMs: number): Promise<void> {
    return this.#clock.sleep(Math.min(this.#pauseFactor * (this.#clock.nowMs() - beganMs), LONGEST_PAUSE_MS));
  }
}
