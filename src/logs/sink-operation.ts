/** One operation on the destination of a sink, with the callers that wait for its end. */
import type { LogClock } from './ports.ts';

/**
 * Time that callers wait for an operation. A sink does one thing at a time, so a reader that stalls, or a disk that
 * hangs, delays the operations after the write under way without limit.
 */
export const OPERATION_MS = 10_000;

/** The operations that callers wait for, with their participles for messages. */
const LIMITED = { reopen: 'reopened', clear: 'cleared', rotate: 'rotated' } as const;

/** An operation that waits for its turn, or is under way. */
export class Operation {
  readonly kind: keyof typeof LIMITED | 'open' | 'close';
  readonly #name: string;
  readonly #clock: LogClock;
  #isBegun = false;
  /** The promise of all callers that wait. Null: no caller waits. */
  #waiting: PromiseWithResolvers<void> | null = null;
  #callOff: (() => void) | null = null;

  /** `name` is the name of the destination in messages. */
  constructor(kind: Operation['kind'], name: string, clock: LogClock) {
    this.kind = kind;
    this.#name = name;
    this.#clock = clock;
  }

  /**
   * Resolves at the end of the operation. Rejects after {@link OPERATION_MS}, unless it opens or closes the place. The
   * operation is done nevertheless, when its turn has come. All callers share one promise.
   */
  get ended(): Promise<void> {
    if (this.#waiting === null) {
      this.#waiting = Promise.withResolvers();
      if (this.kind in LIMITED)
        this.#callOff = this.#clock.alarm(this.#clock.nowMs() + OPERATION_MS, () => this.#giveUp());
    }
    return this.#waiting.promise;
  }

  /** Notes that the turn of the operation has come. */
  begin(): void {
    this.#isBegun = true;
  }

  /** Tells the callers the end of the operation. */
  end(error: Error | null): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    this.#callOff?.();
    if (error === null) waiting?.resolve();
    else waiting?.reject(error);
  }

  #giveUp(): void {
    const { kind } = this;
    if (kind === 'open' || kind === 'close') return;
    const seconds = OPERATION_MS / 1000;
    const reason = this.#isBegun
      ? `${this.#name} is not ${LIMITED[kind]} within ${seconds} s; the work goes on`
      : `${this.#name} has taken nothing for ${seconds} s; it is ${LIMITED[kind]} as soon as it does`;
    this.end(new Error(reason));
  }
}
