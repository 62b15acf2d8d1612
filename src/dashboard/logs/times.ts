/** Times of rows: in the time zone of the browser with its offset, in UTC, or none. Pure. */

/** Forms of times, in the order in which a key goes through them. */
export const TIME_FORMS = ['local', 'utc', 'none'] as const;

/** A form of times. */
export type TimeForm = (typeof TIME_FORMS)[number];

const two = (value: number): string => String(value).padStart(2, '0');

/** Minutes east of Greenwich as `+08:00`. */
export function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** Returns a time as `2026-11-29 12:33:56.123+08:00`, or with `Z` for UTC. */
export function fullTime(at: number, isUtc: boolean): string {
  // An answer of the server is no reason for an exception.
  if (!(Math.abs(at) <= 8.64e15)) return '?';
  if (isUtc) return new Date(at).toISOString().replace('T', ' ');
  const minutes = -new Date(at).getTimezoneOffset();
  const shifted = new Date(at + minutes * 60_000).toISOString().replace('T', ' ');
  return `${shifted.slice(0, -1)}${offsetText(minutes)}`;
}

/** Returns the time of a row. The date is left out if it is that of `now`. */
export function rowTime(at: number, form: TimeForm, now: number): string {
  if (form === 'none') return '';
  const isUtc = form === 'utc';
  const text = fullTime(at, isUtc);
  return text.startsWith(fullTime(now, isUtc).slice(0, 10)) ? text.slice(11) : text.slice(5);
}
