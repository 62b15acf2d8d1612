/**
 * The next rotation by time of a log file. An empty file has no deadline and no alarm. The time of day may be changed
 * at any time, so it is read again at the alarm and before each write.
 */
import type { LogClock } from './ports.ts';
import { nextRotation } from './rotation-time.ts';
import type { RotationInterval } from './rotation-time.ts';

/** The next rotation by time of one log file. */
export class RotationDeadline {
  readonly #clock: LogClock;
  readonly #wake: () => void;
  #dueAtMs = Infinity;
  #callOff: (() => void) | null = null;

  /** Calls `wake` at the deadline. */
  constructor(clock: LogClock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** True if the file must be rotated before the next write. */
  get isDue(): boolean {
    return this.#dueAtMs !== Infinity && this.#clock.wallMs() >= this.#dueAtMs;
  }

  /**
   * Sets the deadline to the first rotation time after `lastWriteMs`, which may be in the past. `anchorMs` is the birth
   * of the file. Null as interval: no deadline.
   */
  set(interval: RotationInterval | null, anchorMs: number, lastWriteMs: number): void {
    this.clear();
    if (interval === null) return;
    // A last write in the future was before the clock was set back.
    this.#dueAtMs = nextRotation(interval, Math.min(lastWriteMs, this.#clock.wallMs()), anchorMs);
    this.#arm(interval, anchorMs);
  }

  /** Removes the deadline. */
  clear(): void {
    this.#dueAtMs = Infinity;
    this.#callOff?.();
    this.#callOff = null;
  }

  #arm(interval: RotationInterval, anchorMs: number): void {
    const remainingMs = Math.max(0, this.#dueAtMs - this.#clock.wallMs());
    this.#callOff = this.#clock.alarm(this.#clock.nowMs() + remainingMs, () => {
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
