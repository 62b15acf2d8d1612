/**
 * Formats times as Supervisor does with Python's `timedelta` and `strftime`. Pure, except for the time zone of this
 * process.
 */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const twoDigits = (number: number): string => String(number).padStart(2, '0');

/** Formats a duration: `0:00:08`, `1 day, 3:04:05`. A negative duration becomes 0. */
export function formatUptime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const days = Math.floor(seconds / 86_400);
  const minutes = twoDigits(Math.floor((seconds % 3600) / 60));
  const time = `${Math.floor((seconds % 86_400) / 3600)}:${minutes}:${twoDigits(seconds % 60)}`;
  return days === 0 ? time : `${days} day${days === 1 ? '' : 's'}, ${time}`;
}

/** Optional parts of a time. */
interface DaytimeParts {
  readonly hasSeconds?: boolean;
  readonly hasYear?: boolean;
}

/** Formats seconds since 1970 as local time: `Nov 21 01:02 AM`, `Nov 21 2027 01:02:05 AM`. */
export function formatDaytime(seconds: number, { hasSeconds = false, hasYear = false }: DaytimeParts = {}): string {
  const date = new Date(seconds * 1000);
  const hours = date.getHours();
  const day = `${MONTHS[date.getMonth()] ?? ''} ${twoDigits(date.getDate())}${hasYear ? ` ${date.getFullYear()}` : ''}`;
  const minutes = `${twoDigits(hours % 12 === 0 ? 12 : hours % 12)}:${twoDigits(date.getMinutes())}`;
  return `${day} ${minutes}${hasSeconds ? `:${twoDigits(date.getSeconds())}` : ''} ${hours < 12 ? 'AM' : 'PM'}`;
}
