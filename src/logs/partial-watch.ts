/**
 * Tells those who hold a partial line when it has waited long enough (`log_partial_after`).
 * One alarm serves all holders. There is no alarm while no partial line is held.
 */
import type { LogClock } from './ports.ts';

/** Someone who holds a partial line. */
export interface PartialHolder {
  /** The partial line has waited long enough. The watch has released the holder already. */
  onDue(): void;
}

/** See the head of this file. */
export class PartialWatch {
  readonly #clock: LogClock;
  readonly #afterReading: (check: () => void) => void;
  readonly #dueMs = new Map<PartialHolder, number>();
  /** Time of the alarm that is set; infinite while there is none. */
  #alarmMs = Infinity;
  #callOff: () => void = () => undefined;

  /** `afterReading` calls back once the loop has read what there is to read. */
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

  /** The holder holds nothing any more, or cannot get the rest of its line for now. */
  release(holder: PartialHolder): void {
    // The alarm stays: in a flood, partial lines come and go with every read. The alarm goes off once and finds nothing
    // due.
    this.#dueMs.delete(holder);
  }

  #arm(dueMs: number): void {
    if (dueMs >= this.#alarmMs) return;
    this.#callOff();
    this.#alarmMs = dueMs;
    this.#callOff = this.#clock.alarm(dueMs, () => {
      // If the loop was held up, the end of the line may be in the pipe already: read first.
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
