/** Times: of the options `--since` and `--until`, at the beginning of lines in files, and as they are shown. Pure. */
import { WrongValue } from '../../config/datatype.ts';
import { duration } from '../../config/datatypes.ts';

/** Reads `10m` (ago), a time of RFC 3339, `2026-11-29 10:30`, or `10:30` (today). Null for any other text. */
export function parseMoment(text: string, nowMs: number): number | null {
  const ago = parseDuration(text);
  if (ago !== null) return nowMs - ago;
  const today = /^(\d\d?):(\d\d)(?::(\d\d))?$/.exec(text);
  if (today !== null) {
    const [, hours, minutes, seconds = '0'] = today;
    return new Date(nowMs).setHours(Number(hours), Number(minutes), Number(seconds), 0);
  }
  if (!/^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/i.test(text)) return null;
  // A date alone begins at midnight here. JavaScript would take midnight of UTC.
  const ms = Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'));
  return Number.isNaN(ms) ? null : ms;
}

/** Reads a duration in milliseconds; null for any other text. A number alone has no unit, so it is refused. */
function parseDuration(text: string): number | null {
  if (/^[\d.]*$/.test(text)) return null;
  try {
    return duration.parse(text, { cwd: '/', home: null, host: null }) * 1000;
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    return null;
  }
}

/** Formats a time as `2026-11-29 12:33:56.123`, or with `isUtc` as `2026-11-29T12:33:56.123Z`. */
export function formatTime(ms: number, isUtc: boolean): string {
  if (isUtc) return new Date(ms).toISOString();
  const offsetMs = new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(ms - offsetMs).toISOString().replace('T', ' ').slice(0, -1);
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Characters of a line that are searched for a time. */
const HEAD = 300;

const ISO = new RegExp(
  String.raw`^[[("'<\s]{0,3}(?:time=|ts=|timestamp=)?["']?(\d{4})[-/](\d\d)[-/](\d\d)[T ]` +
    String.raw`(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?`,
  'i',
);
const JSON_TIME = /"(?:time|timestamp|ts|@timestamp|@t|datetime)"\s*:\s*("?)([^",}]{8,40})/i;
/** The form of access logs of nginx and Apache. */
const ACCESS = /\[(\d\d)\/([a-z]{3})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\]/i;
const SYSLOG = /^(?:<\d{1,3}>)?([a-z]{3}) {1,2}(\d\d?) (\d\d):(\d\d):(\d\d)\b/i;
const EPOCH = /^\[?(\d{10})(?:\.(\d{1,9})|(\d{3}))?(?!\d)/;

/**
 * Returns the time that a line of a file begins with, in milliseconds since 1970; null if there is none. A time without
 * a zone is taken as local time. `lastMs`: a time not before the line, which has the year of syslog's form.
 */
export function timeOfLine(line: string, lastMs: number): number | null {
  const head = line.slice(0, HEAD);
  if (head.startsWith('{')) {
    const [, quote, value = ''] = JSON_TIME.exec(head) ?? [];
    if (quote === undefined) return null;
    return quote === '' ? epochOf(value) : (isoOf(value) ?? epochOf(value));
  }
  return isoOf(head) ?? syslogOf(head, lastMs) ?? epochOf(head) ?? accessOf(head);
}

/** The parts of a date and a time, as text. The fraction is of a second. */
interface Parts {
  readonly date: readonly [year: string, month: string, day: string];
  readonly time: readonly [hours: string, minutes: string, seconds: string];
  readonly fraction?: string | undefined;
  readonly zone?: string | undefined;
}

function toMs({ date: [year, month, day], time, fraction = '', zone = '' }: Parts): number | null {
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const ms = Date.parse(`${year}-${month}-${day.padStart(2, '0')}T${time.join(':')}${offset}`);
  return Number.isNaN(ms) ? null : ms + Number(fraction.slice(0, 3).padEnd(3, '0'));
}

function monthOf(name: string): string | null {
  const index = MONTHS.indexOf(name.toLowerCase());
  return index === -1 ? null : String(index + 1).padStart(2, '0');
}

function isoOf(head: string): number | null {
  const [found, year = '', month = '', day = '', hours = '', minutes = '', seconds = '', fraction, zone] =
    ISO.exec(head) ?? [];
  if (found === undefined) return null;
  return toMs({ date: [year, month, day], time: [hours, minutes, seconds], fraction, zone });
}

function accessOf(head: string): number | null {
  const [, day = '', name = '', year = '', hours = '', minutes = '', seconds = '', zone] = ACCESS.exec(head) ?? [];
  const month = monthOf(name);
  return month === null ? null : toMs({ date: [year, month, day], time: [hours, minutes, seconds], zone });
}

function syslogOf(head: string, lastMs: number): number | null {
  const [, name = '', day = '', hours = '', minutes = '', seconds = ''] = SYSLOG.exec(head) ?? [];
  const month = monthOf(name);
  if (month === null) return null;
  const year = new Date(lastMs).getFullYear();
  const ofYear = (number: number): number | null =>
    toMs({ date: [String(number), month, day], time: [hours, minutes, seconds] });
  const ms = ofYear(year);
  // A day of tolerance: clocks and zones differ. December in a file of January is of the year before.
  return ms !== null && ms > lastMs + 86_400_000 ? ofYear(year - 1) : ms;
}

function epochOf(head: string): number | null {
  const [, seconds, fraction, millis] = EPOCH.exec(head) ?? [];
  if (seconds === undefined) return null;
  return Number(seconds) * 1000 + Number(millis ?? (fraction ?? '').slice(0, 3).padEnd(3, '0'));
}
