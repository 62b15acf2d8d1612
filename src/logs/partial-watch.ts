/**
 * Tells the holders of partial lines when a line has waited long enough (`log_partial_after`).
 * One alarm serves all holders. There is no alarm while no partial line is held.
 */
import type { LogClock } from './ports.ts';

/** A holder of a partial line. */
export interface PartialHolder {
  /** Called when the partial line has waited long enough. The watch has released the holder already. */
  onDue(): void;
}

/** Counts the time of all partial lines. */
export class PartialWatch {
  readonly #clock: LogClock;
  readonly #afterReading: (check: () => void) => void;
  readonly #dueMs = new Map<PartialHolder, number>();
  /** Time of the alarm. Infinity: no alarm is set. */
  #alarmMs = Infinity;
  #callOff: () => void = () => undefined;

  /** `afterReading` calls back after the loop has read all pipes that are readable. */
  constructor(clock: LogClock, afterReading: (check: () => void) => void) {
    this.#clock = clock;
    this.#afterReading = afterReading;
  }

  /** Calls {@link PartialHolder.onDue} in `delayMs`, unless the holder is released before. Replaces an earlier call. */
  hold(holder: PartialHolder, delayMs: number): void {
    const dueMs = this.#clock.nowMs() + delayMs;
    this.#dueMs.set(holder, dueMs);
    this.#arm(dueMs);
  }

  /** Forgets a holder without a partial line, or whose pipe is not read for now. */
  release(holder: PartialHolder): void {
    // The alarm stays set. In a flood, partial lines come and go with every read, and setting alarms would cost time.
    this.#dueMs.delete(holder);
  }

  #arm(dueMs: number): void {
    if (dueMs >= this.#alarmMs) return;
    this.#callOff();
    this.#alarmMs = dueMs;
    this.#callOff = this.#clock.alarm(dueMs, () => {
      // If the loop was busy, the end of the line may be in the pipe already. It must be read first.
      this.#afterReading(() => {
        this.#alarmMs = Infinity;
        this.#callOff = () => undefined;
        this.#check();
      });
    });
  }

  #check(): void {
    const now = this.#clock.nowMs();
    let nextMs = Infinity;
    for (const [holder, dueMs] of this.#dueMs) {
      if (dueMs > now) {
        nextMs = Math.min(nextMs, dueMs);
        continue;
      }
      this.#dueMs.delete(holder);
      holder.onDue();
    }
    if (nextMs !== Infinity) this.#arm(nextMs);
  }
}
