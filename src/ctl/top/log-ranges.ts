/** The parts of a log that the keys 0 to 6 choose. Pure data. */

/** A part of a log. */
export interface LogRange {
  /** The word for people; empty for the usual part. */
  readonly title: string;
  /** The word of the palette. */
  readonly word: string;
  /** `tail`: the newest lines in memory. `head`: the oldest lines of all. `since`: the lines of a time until now. */
  readonly kind: 'tail' | 'head' | 'since';
  /** Length of the time in milliseconds; 0 for the other kinds. */
  readonly ms: number;
}

const MINUTE_MS = 60_000;

function since(text: string, minutes: number): LogRange {
  return { title: `last ${text}`, word: text, kind: 'since', ms: minutes * MINUTE_MS };
}

/** The newest lines in memory. */
export const TAIL: LogRange = { title: '', word: 'tail', kind: 'tail', ms: 0 };

/** The parts, in the order of their keys. */
export const LOG_RANGES: readonly LogRange[] = [
  TAIL,
  { title: 'from the beginning', word: 'head', kind: 'head', ms: 0 },
  since('1m', 1),
  since('5m', 5),
  since('15m', 15),
  since('30m', 30),
  since('1h', 60),
];

/** Returns the part that a key chooses; null for another key. */
export function rangeOfKey(name: string): LogRange | null {
  return /^\d$/.test(name) ? (LOG_RANGES[Number(name)] ?? null) : null;
}
