/**
 * Says when the wait for readers of output is to be given up: at a time that a limit names, which may depend on when
 * bytes last moved, and may come sooner than it seemed at first. One alarm at a time; nothing is looked at in between.
 */
import type { FlushLimit, LogClock } from './ports.ts';

/** See the head of this file. */
export class FlushTimer {
  /** Resolves when the wait is to be given up. */
  readonly late: Promise<void>;
  readonly #clock: LogClock;
  readonly #limit: FlushLimit;
  readonly #movedAtMs: () => number;
  #resolve: () => void = () => undefined;
  #callOff: () => void = () => undefined;
  readonly #stopListening: () => void;
  #isLate = false;

  /** `movedAtMs`: when bytes that are waited for last moved. */
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
    this.#callOff = this.#clock.alarm(this.#limit.giveUpAtMs(this.#movedAtMs()), () => this.#look());
  }

  /** Bytes that moved since the alarm was set have put the time off. */
  #look(): void {
    if (this.#limit.giveUpAtMs(this.#movedAtMs()) > this.#clock.nowMs()) {
      this.#arm();
      return;
    }
    this.#isLate = true;
    this.stop();
    this.#resolve();
  }
}

/** A limit that is a fixed time from now. */
export function within(clock: LogClock, timeoutMs: number): FlushLimit {
  const endMs = clock.nowMs() + timeoutMs;
  return { giveUpAtMs: () => endMs, reason: () => 'it did not take them in time', onChange: () => () => undefined };
}
