/**
 * When a log file is due by the calendar or the clock (`rotate_interval`). Pure arithmetic on times of day; it sets no
 * alarm. What people who use logrotate expect: at the full hour, at midnight, in the night to Sunday, of the time zone
 * the supervisor runs in.
 */

/** At the full hour, at midnight, in the night to Sunday, or every so many milliseconds. */
export type RotationInterval = 'hourly' | 'daily' | 'weekly' | number;

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const DAYS_OF_WEEK = 7;

/**
 * The first rotation after `wallMs`, in milliseconds since 1970. The periods of a duration are counted from `anchorMs`,
 * the birth of the file, so that a restart of the supervisor does not move them.
 */
export function nextRotation(interval: RotationInterval, wallMs: number, anchorMs: number): number {
  switch (interval) {
    case 'hourly':
      return nextHour(wallMs);
    case 'daily':
      return nextMidnight(wallMs, 1);
    case 'weekly':
      return nextMidnight(wallMs, DAYS_OF_WEEK - new Date(wallMs).getDay());
    default:
      return anchorMs + (Math.floor((wallMs - anchorMs) / interval) + 1) * interval;
  }
}

/**
 * By counting on from now and not by the name of the hour: the hour that a clock goes through twice is two hours long
 * otherwise.
 */
function nextHour(wallMs: number): number {
  const next = wallMs + untilFullHour(wallMs);
  // Where a clock is changed by half an hour, that is no full hour there.
  return new Date(next).getMinutes() === 0 ? next : next + untilFullHour(next);
}

function untilFullHour(wallMs: number): number {
  const date = new Date(wallMs);
  return HOUR_MS - (date.getMinutes() * MINUTE_MS + date.getSeconds() * 1000 + date.getMilliseconds());
}

/** By the calendar: a day of 23 or 25 hours ends at midnight too, and one that has no midnight begins an hour later. */
function nextMidnight(wallMs: number, days: number): number {
  const date = new Date(wallMs);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days).getTime();
}
