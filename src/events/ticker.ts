/**
 * The events TICK_5, TICK_60 and TICK_3600: one each time the time of day passes a multiple of the period. The alarm
 * runs only for periods with subscribers.
 */
import { type TickPeriod, tickPeriods } from '../core/event-types.ts';
import type { Clock } from '../engine/ports.ts';

const SECOND_MS = 1000;

/** A clock that also knows the time of day. */
export interface WallClock extends Clock {
  /** Milliseconds since 1970. The time of day may be changed at any time. */
  wallMs(): number;
}

/** Makes the ticks of the periods with subscribers. */
export class Ticker {
  readonly #clock: WallClock;
  readonly #tick: (period: TickPeriod, whenS: number) => void;
  /** The latest multiple of each followed period, in seconds. */
  readonly #latest = new Map<TickPeriod, number>();
  #cancel: () => void = () => undefined;

  constructor(clock: WallClock, tick: (period: TickPeriod, whenS: number) => void) {
    this.#clock = clock;
    this.#tick = tick;
  }

  /** Makes ticks of these periods from now on, and of no others. */
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
    // Each longer period is a multiple of the shorter ones.
    const periodMs = Math.min(...this.#latest.keys()) * SECOND_MS;
    this.#cancel = this.#clock.alarm(this.#clock.nowMs() + periodMs - (this.#clock.wallMs() % periodMs), () =>
      this.#check(),
    );
  }

  /**
   * Makes the ticks that are due. compat: if the time of day was changed, in either direction, any other multiple is a
   * tick.
   */
  #check(): void {
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
