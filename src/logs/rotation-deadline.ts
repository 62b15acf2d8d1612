/**
 * The one deadline of a log file that has something in it: when it is to be rotated by time. A file that is empty has
 * none, and sets no alarm. The time of day may be put forward or back meanwhile, so it is looked at again when the
 * alarm comes and before each write.
 */
import type { LogClock } from './ports.ts';
import { nextRotation } from './rotation-time.ts';
import type { RotationInterval } from './rotation-time.ts';

/** See the head of this file. */
export class RotationDeadline {
  readonly #clock: LogClock;
  readonly #wake: () => void;
  #dueAtMs = Infinity;
  #callOff: (() => void) | null = null;

  /** `wake` is called when the deadline has come. */
  constructor(clock: LogClock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Whether the file is to be rotated before more is written. */
  get isDue(): boolean {
    return this.#dueAtMs !== Infinity && this.#clock.wallMs() >= this.#dueAtMs;
  }

  /**
   * The file has something in it that was last written at `lastWriteMs`: it is due at the first rotation after that,
   * which may be over. `anchorMs` is its birth. Null for the interval: it is never due.
   */
  set(interval: RotationInterval | null, anchorMs: number, lastWriteMs: number): void {
    this.clear();
    if (interval === null) return;
    // A file from the future was written before a clock was put back.
    this.#dueAtMs = nextRotation(interval, Math.min(lastWriteMs, this.#clock.wallMs()), anchorMs);
    this.#arm(interval, anchorMs);
  }

  /** There is nothing to be rotated. */
  clear(): void {
    this.#dueAtMs = Infinity;
    this.#callOff?.();
    this.#callOff = null;
  }

  #arm(interval: RotationInterval, anchorMs: number): void {
    const restMs = Math.max(0, this.#dueAtMs - this.#clock.wallMs());
    this.#callOff = this.#clock.alarm(this.#clock.nowMs() + restMs, () => {
      this.#callOff = null;
      const wallMs = this.#clock.wallMs();
      if (wallMs >= this.#dueAtMs) {
        this.#wake();
        return;
      }
      this.#dueAtMs = nextRotation(interval, wallMs, anchorMs);
      this.#arm(interval, anchorMs);
    });
  }
}
