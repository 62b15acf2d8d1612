/** Durations, times and sizes for people. Pure, except for the time zone of this process. */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Formats a duration for a column: `12s`, `3m 4s`, `2h 5m`, `3d 4h`. A negative duration becomes 0. */
export function formatShort(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < MINUTE) return `${seconds}s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)}m ${seconds % MINUTE}s`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)}h ${Math.floor((seconds % HOUR) / MINUTE)}m`;
  return `${Math.floor(seconds / DAY)}d ${Math.floor((seconds % DAY) / HOUR)}h`;
}

/** Formats a duration in a sentence, to the nearest unit: `0.3 s`, `12 s`, `3 min`, `2 h`, `5 days`. */
export function formatLong(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  if (seconds > 0 && seconds < 9.95) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 2 * MINUTE) return `${Math.round(seconds)} s`;
  if (seconds < 2 * HOUR) return `${Math.round(seconds / MINUTE)} min`;
  if (seconds < 2 * DAY) return `${Math.round(seconds / HOUR)} h`;
  return `${Math.round(seconds / DAY)} days`;
}

/** Formats the distance of a past time: `just now`, `12 s ago`. Whole seconds, since the clocks differ a little. */
export function formatAgo(ms: number): string {
  return ms < 1000 ? 'just now' : `${formatLong(Math.max(1, Math.round(ms / 1000)) * 1000)} ago`;
}

/** Formats a time as local time: `2026-11-29 12:00:05`. */
export function formatTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Formats a time of day as local time: `12:00:05`, or `12:00:05.123`. */
export function formatDaytime(atMs: number, hasMilliseconds = false): string {
  const time = formatTime(atMs).slice(-'12:00:05'.length);
  return hasMilliseconds ? `${time}.${String(new Date(atMs).getMilliseconds()).padStart(3, '0')}` : time;
}

const UNITS = ['kB', 'MB', 'GB', 'TB'] as const;

/** Formats a number of bytes, with 1024 as in the options: `0 B`, `12 MB`, `1.5 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 'B';
  for (const next of UNITS) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return `${value < 9.95 && unit !== 'B' ? Math.round(value * 10) / 10 : Math.round(value)} ${unit}`;
}
