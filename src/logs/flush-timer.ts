/**
 * Ends the wait for slow readers of output at the time that a {@link FlushLimit} names. That time may depend on when
 * bytes last moved, and the limit may bring it forward. There is one alarm at a time.
 */
import type { FlushLimit, LogClock } from './ports.ts';

/** The end of one wait for slow readers. */
export class FlushTimer {
  /** Resolves when the wait must end. */
  readonly late: Promise<void>;
  readonly #clock: LogClock;
  readonly #limit: FlushLimit;
  readonly #movedAtMs: () => number;
  #resolve: () => void = () => undefined;
  #callOff: () => void = () => undefined;
  readonly #stopListening: () => void;
  #isLate = false;

  /** `movedAtMs` returns the time at which bytes of the output last moved. */
  constructor(clock: LogClock, limit: FlushLimit, movedAtMs: () => number) {
    this.#clock = clock;
    this.#limit = limit;
    this.#movedAtMs = movedAtMs;
    this.late = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#stopListening = limit.onChange(() => this.#arm());
    this.#arm();
  }

  get isLate(): boolean {
    return this.#isLate;
  }

  stop(): void {
    this.#callOff();
    this.#stopListening();
  }

  #arm(): void {
    this.#callOff();
    this.#callOff = this.#clock.alarm(this.#limit.giveUpAtMs(this.#movedAtMs()), () => this.#check());
  }

  /** Ends the wait, unless bytes that moved after the alarm was set have moved the limit to a later time. */
  #check(): void {
    if (this.#limit.giveUpAtMs(this.#movedAtMs()) > this.#clock.nowMs()) {
      this.#arm();
      return;
    }
    this.#isLate = true;
    this.stop();
    this.#resolve();
  }
}

/** Makes a limit that is a fixed time from now. */
export function within(clock: LogClock, timeoutMs: number): FlushLimit {
  const endMs = clock.nowMs() + timeoutMs;
  return {
    giveUpAtMs: () => endMs,
    reason: () => 'its reader did not take them in time',
    onChange: () => () => undefined,
  };
}
