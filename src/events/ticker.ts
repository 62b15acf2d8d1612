/**
 * TICK_5, TICK_60 and TICK_3600: told when the time of day passes a multiple of the period. Wakes up only for periods that are wanted.
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
  /** What calls off the next tick of each period that is wanted. */
  readonly #alarms = new Map<TickPeriod, () => void>();

  constructor(clock: WallClock, tick: (period: TickPeriod, whenS: number) => void) {
    this.#clock = clock;
    this.#tick = tick;
  }

  /** From now on ticks of these periods are made, and of no others. */
  follow(isWanted: (period: TickPeriod) => boolean): void {
    for (const period of tickPeriods) {
      const cancel = this.#alarms.get(period);
      if (isWanted(period) === (cancel !== undefined)) continue;
      cancel?.();
      this.#alarms.delete(period);
      if (cancel === undefined) this.#arm(period, this.#slice(period));
    }
  }

  /** The latest multiple of the period, in seconds. */
  #slice(period: TickPeriod): number {
    const seconds = Math.floor(this.#clock.wallMs() / SECOND_MS);
    return seconds - (seconds % period);
  }

  /** The clock may have been set meanwhile: another multiple is a tick, whichever, and the same one is none (as in Supervisor). */
  #arm(period: TickPeriod, lastS: number): void {
    const restMs = period * SECOND_MS - (this.#clock.wallMs() % (period * SECOND_MS));
    this.#alarms.set(period, this.#clock.alarm(this.#clock.nowMs() + restMs, () => {
      const whenS = this.#slice(period);
      this.#arm(period, whenS);
      if (whenS !== lastS) this.#tick(period, whenS);
    }));
  }
}
