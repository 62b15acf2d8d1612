/**
 * The monotonic clock with alarms for the engine and the logs, and the wall clock. An alarm never fires before its
 * time.
 */
import { closeSync } from 'node:fs';
import type { Addon } from '../native/addon.ts';

/** A clock for the engine and the logs. */
export interface SystemClock {
  /** Milliseconds of the monotonic clock. */
  nowMs(): number;
  /** Milliseconds since 1970. The wall clock can jump. */
  wallMs(): number;
  /** Calls `wake` once, at `atMs` or soon after. Returns a function that cancels the alarm. */
  alarm(atMs: number, wake: () => void): () => void;
}

/** Functions of the addon that report changes of the wall clock. */
export type ClockNatives = Pick<Addon, 'openClockWatch' | 'rearmClockWatch' | 'watchReadable' | 'unwatchReadable'>;

/**
 * Calls `changed` from the loop whenever the wall clock is set. Returns a function that stops this. If the kernel
 * cannot report changes, calls `warn` and never calls `changed`.
 */
export function watchClock(addon: ClockNatives, changed: () => void, warn: (text: string) => void): () => void {
  let fd = -1;
  try {
    fd = addon.openClockWatch();
    addon.watchReadable(fd, (errno) => {
      const failed = errno === 0 ? addon.rearmClockWatch(fd) : errno;
      if (failed !== 0) addon.unwatchReadable(fd);
      changed();
    });
  } catch (error) {
    if (fd >= 0) closeSync(fd);
    warn(`cannot watch for changes of the system clock: ${(error as Error).message}`);
    return () => undefined;
  }
  return () => {
    addon.unwatchReadable(fd);
    closeSync(fd);
  };
}

/** Limit of setTimeout. A longer wait takes several timers. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function alarm(atMs: number, wake: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const remainingMs = Math.ceil(atMs - performance.now());
    timer = setTimeout(
      () => {
        // setTimeout counts whole milliseconds from the start of the loop's turn, and may fire a little early.
        if (performance.now() < atMs) arm();
        else wake();
      },
      Math.min(Math.max(remainingMs, 0), LONGEST_TIMER_MS),
    );
  };
  arm();
  return () => clearTimeout(timer);
}

/** Waits for work, but only for a time in milliseconds. Rejects if the work does in that time. */
export async function waitAtMost(ms: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The clock of this machine. */
export const systemClock: SystemClock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  alarm,
};
