/** The clock and the timers of the streams. Tests use others. */

/** Clock and timers. */
export interface LiveTimers {
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number;
  /** Calls `wake` once after a time. Returns the function that cancels. */
  readonly after: (ms: number, wake: () => void) => () => void;
  /** Calls `wake` in the next turn of the loop. */
  readonly soon: (wake: () => void) => void;
}

/** The real ones. */
export const systemTimers: LiveTimers = {
  nowMs: () => performance.now(),
  after: (ms, wake) => {
    const timer = setTimeout(wake, ms);
    return () => clearTimeout(timer);
  },
  soon: (wake) => void setImmediate(wake),
};
