/**
 * Tells pipes that hold a partial line when nothing has come for a while. One alarm for all of them, and none when there is no partial line.
 */
import type { LogClock } from './ports.ts';

/** Silence after which a partial line is written. */
export const SILENCE_MS = 100;

/** Someone who holds a partial line. */
export interface Holder {
  onSilence(): void;
}

/** See the head of this file. */
export class SilenceWatch {
  readonly #clock: LogClock;
  readonly #afterReading: (check: () => void) => void;
  /** Holder → time of its last bytes; in the order of those times, since a holder that is touched moves to the end. */
  readonly #touched = new Map<Holder, number>();
  #isArmed = false;

  /** `afterReading` calls back once the loop has read what there is to read. */
  constructor(clock: LogClock, afterReading: (check: () => void) => void) {
    this.#clock = clock;
    this.#afterReading = afterReading;
  }

  /** The holder just got bytes and holds a partial line. */
  touch(holder: Holder): void {
    this.#touched.delete(holder);
    this.#touched.set(holder, this.#clock.nowMs());
    if (!this.#isArmed) this.#arm(this.#clock.nowMs() + SILENCE_MS);
  }

  /** The holder holds nothing any more, or is not to be told for now. */
  forget(holder: Holder): void {
    // The alarm is left alone: in a flood partial lines come and go with every read, and it goes off once at most.
    this.#touched.delete(holder);
  }

  #arm(atMs: number): void {
    this.#isArmed = true;
    this.#clock.alarm(atMs, () => {
      // If it was the loop that was held up, and not the program that was silent, what the program wrote meanwhile is read first.
      this.#afterReading(() => {
        this.#isArmed = false;
        this.#check();
      });
    });
  }

  #check(): void {
    const now = this.#clock.nowMs();
    for (const [holder, touchedMs] of this.#touched) {
      if (now - touchedMs < SILENCE_MS) {
        this.#arm(touchedMs + SILENCE_MS);
        return;
      }
      this.#touched.delete(holder);
      holder.onSilence();
    }
  }
}
