/**
 * The two formats of times in logs. Each keeps its last text, because many lines come in one millisecond.
 */

let isoMs = Number.NaN;
let isoText = '';

/** Formats a time as `2026-01-01T12:00:00.123Z`. */
export function formatIsoTime(wallMs: number): string {
  if (wallMs !== isoMs) {
    isoMs = wallMs;
    isoText = new Date(wallMs).toISOString();
  }
  return isoText;
}

let localSecond = Number.NaN;
let localText = '';

/** Formats a local time as Supervisor's own log does: `2026-01-01 12:00:00,123`. */
export function formatLocalTime(wallMs: number): string {
  const second = Math.floor(wallMs / 1000);
  if (second !== localSecond) {
    localSecond = second;
    const date = new Date(second * 1000);
    const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    localText = `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  }
  return `${localText},${String(Math.floor(wallMs - second * 1000)).padStart(3, '0')}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
