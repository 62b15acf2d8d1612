/**
 * The times of rotation (`rotate_interval`), as users of logrotate expect them: at the full hour, at midnight, at
 * midnight before Sunday, in the time zone of the supervisor. Pure arithmetic.
 */

/** At the full hour, at midnight, at midnight before Sunday, or each time this number of milliseconds has passed. */
export type RotationInterval = 'hourly' | 'daily' | 'weekly' | number;

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const DAYS_OF_WEEK = 7;

/**
 * Returns the first rotation after `wallMs`, in milliseconds since 1970. The periods of a duration are counted from
 * `anchorMs`, the birth of the file, so that a restart of the supervisor does not move them.
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
 * Returns the next full hour, counted from now. By the number of the hour, the hour that a clock repeats at the end of
 * daylight saving time would be two hours long.
 */
function nextHour(wallMs: number): number {
  const next = wallMs + untilFullHour(wallMs);
  // Where daylight saving time is half an hour, this may not be a full hour yet.
  return new Date(next).getMinutes() === 0 ? next : next + untilFullHour(next);
}

function untilFullHour(wallMs: number): number {
  const date = new Date(wallMs);
  return HOUR_MS - (date.getMinutes() * MINUTE_MS + date.getSeconds() * 1000 + date.getMilliseconds());
}

/**
 * Returns a midnight of the calendar. Days of 23 or 25 hours end at midnight too. A day without a midnight begins an
 * hour later.
 */
function nextMidnight(wallMs: number, days: number): number {
  const date = new Date(wallMs);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days).getTime();
}
