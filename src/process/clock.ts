/**
 * The monotonic clock with alarms that the engine and the logs live by, and the time of day for what is shown.
 * The only place with timers; an alarm never comes before its time.
 */
import { closeSync } from 'node:fs';
import type { Addon } from '../native/addon.ts';

/** A clock as the engine and the logs want it. */
export interface SystemClock {
  /** Milliseconds of the monotonic clock. */
  nowMs(): number;
  /** Milliseconds since 1970, for display only. */
  wallMs(): number;
  /** Calls `wake` once, at `atMs` or soon after; the function returned calls it off. */
  alarm(atMs: number, wake: () => void): () => void;
}

/** Functions of the addon that tell of a wall clock that is set. */
export type ClockNatives = Pick<Addon, 'openClockWatch' | 'rearmClockWatch' | 'watchReadable' | 'unwatchReadable'>;

/**
 * Calls `changed` from the loop whenever the wall clock is set; the function returned ends that. Where the kernel does
 * not tell, `warn` is told, and it is only noticed when the clock is looked at for another reason.
 */
export function watchClock(addon: ClockNatives, changed: () => void, warn: (text: string) => void): () => void {
  let fd: number;
  try {
    fd = addon.openClockWatch();
  } catch (error) {
    warn(`cannot hear of a clock that is set: ${(error as Error).message}`);
    return () => undefined;
  }
  addon.watchReadable(fd, (errno) => {
    const failed = errno === 0 ? addon.rearmClockWatch(fd) : errno;
    if (failed !== 0) addon.unwatchReadable(fd);
    changed();
  });
  return () => {
    addon.unwatchReadable(fd);
    closeSync(fd);
  };
}

/** setTimeout takes no more; a longer wait is made of several. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function alarm(atMs: number, wake: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const restMs = Math.ceil(atMs - performance.now());
    timer = setTimeout(
      () => {
        // A timer counts whole milliseconds from the start of the loop's turn and may come a little early.
        if (performance.now() < atMs) arm();
        else wake();
      },
      Math.min(Math.max(restMs, 0), LONGEST_TIMER_MS),
    );
  };
  arm();
  return () => clearTimeout(timer);
}

/** The clock of this machine. */
export const systemClock: SystemClock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  alarm,
};
