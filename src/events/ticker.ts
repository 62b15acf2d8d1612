/**
 * TICK_5, TICK_60 and TICK_3600: told when the time of day passes a multiple of the period. Wakes up only for periods
 * that are wanted.
 */
import { type TickPeriod, tickPeriods } from '../core/event-types.ts';
import type { Clock } from '../engine/ports.ts';

const SECOND_MS = 1000;

/** A clock that also knows the time of day. */
export interface WallClock extends Clock {
  /** Milliseconds since 1970; it may be set. */
  wallMs(): number;
}

/** See the head of this file. */
export class Ticker {
  readonly #clock: WallClock;
  readonly #tick: (period: TickPeriod, whenS: number) => void;
  /** The latest multiple of each period that is wanted, in seconds. */
  readonly #latest = new Map<TickPeriod, number>();
  #cancel: () => void = () => undefined;

  constructor(clock: WallClock, tick: (period: TickPeriod, whenS: number) => void) {
    this.#clock = clock;
    this.#tick = tick;
  }

  /** From now on ticks of these periods are made, and of no others. */
  follow(isWanted: (period: TickPeriod) => boolean): void {
    for (const period of tickPeriods) {
      if (!isWanted(period)) this.#latest.delete(period);
      else if (!this.#latest.has(period)) this.#latest.set(period, this.#multipleOf(period));
    }
    this.#arm();
  }

  #multipleOf(period: TickPeriod): number {
    const seconds = Math.floor(this.#clock.wallMs() / SECOND_MS);
    return seconds - (seconds % period);
  }

  #arm(): void {
    this.#cancel();
    this.#cancel = () => undefined;
    if (this.#latest.size === 0) return;
    // The longer periods are multiples of the shorter ones.
    const periodMs = Math.min(...this.#latest.keys()) * SECOND_MS;
    this.#cancel = this.#clock.alarm(this.#clock.nowMs() + periodMs - (this.#clock.wallMs() % periodMs), () =>
      this.#wake(),
    );
  }

  /**
   * The clock may have been set meanwhile: another multiple is a tick, whichever, and the same one is none (as in
   * Supervisor).
   */
  #wake(): void {
    this.#arm();
    for (const period of tickPeriods) {
      const before = this.#latest.get(period);
      const whenS = this.#multipleOf(period);
      if (before === undefined || before === whenS) continue;
      this.#latest.set(period, whenS);
      this.#tick(period, whenS);
    }
  }
}
