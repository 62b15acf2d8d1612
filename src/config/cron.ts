/**
 * Schedules: the types of `cron` and `tz`, and the next time of a schedule. The package croner does the arithmetic of
 * calendars and time zones; its timers are not used. Pure, except for the time zone of this process.
 */
import { Cron, type CronOptions } from 'croner';
import { dataType, reject, WrongValue } from './datatype.ts';
import { strip } from './python-text.ts';

/** Times at which a program is started. */
export interface Schedule {
  /** As written, with single spaces. */
  readonly text: string;
  /** True for six fields, of which the first is seconds. */
  readonly hasSeconds: boolean;
  /**
   * True with a `*` or a step in the seconds, minutes or hours. Such a schedule follows the time that passes, even if
   * the clock is changed.
   */
  readonly isWildcard: boolean;
}

const FIELDS: ReadonlyArray<readonly [name: string, values: string, example: string]> = [
  ['second', 'numbers from 0 to 59', '0 or */10'],
  ['minute', 'numbers from 0 to 59', '0,30 or */5'],
  ['hour', 'numbers from 0 to 23', '4 or 8-18'],
  ['day of month', 'numbers from 1 to 31, or L for the last', '1,15 or L'],
  ['month', 'numbers from 1 to 12 or names', '6 or jan-mar'],
  [
    'day of week',
    'numbers from 0 (Sunday) to 7 (also Sunday) or names',
    'mon-fri, 5#2 for the second Friday, 5L for the last',
  ],
];
/** The last fields: day of month, month, day of week. */
const DATE_FIELDS = 3;
const WORDS = ['@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually'];

/**
 * Five fields, six fields with seconds first, or a word as `@daily`. If both day of month and day of week are
 * restricted, one of the two is enough (Vixie cron). `5/15` means every 15 from 5 on (robfig/cron, as in the
 * Supervisor that is written in Go).
 */
export const cron = dataType<Schedule>('schedule', parseSchedule, ({ text }) => text);

function parseSchedule(value: string): Schedule {
  const word = strip(value);
  if (word.startsWith('@'))
    return WORDS.includes(word.toLowerCase())
      ? { text: word.toLowerCase(), hasSeconds: false, isWildcard: word.toLowerCase() === '@hourly' }
      : reject(word, `a schedule; the known words are ${WORDS.join(', ')}`);
  const fields = word.split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6)
    reject(value, 'a schedule of five fields (minute hour day month weekday), or six with seconds first');
  const rules = FIELDS.slice(FIELDS.length - fields.length);
  for (const [index, [name, values, example]] of rules.entries()) {
    const field = fields[index] ?? '';
    // Test each field alone, with stars in the others, to find the wrong field.
    if (!isPattern(rules.map((_rule, other) => (other === index ? field : '*')).join(' ')))
      reject(field, `the ${name} of a schedule: *, or ${values}, as ${example}`);
  }
  const isWildcard = fields.slice(0, -DATE_FIELDS).some((field) => /[*/]/.test(field));
  const schedule = { text: fields.join(' '), hasSeconds: fields.length === 6, isWildcard };
  if (nextTime(schedule, 'UTC', 0) === null)
    throw new WrongValue(`"${schedule.text}" never occurs: none of its months has such a day`);
  return schedule;
}

function isPattern(pattern: string): boolean {
  // Croner takes a text with a colon for a date.
  if (pattern.includes(':')) return false;
  // Croner does not compare the start of a step with the range, and then searches for seconds: `60/5`.
  const compared = pattern.replace(/(^|[\s,])(\d+)\//g, '$1$2-$2/');
  try {
    read(compared, 'UTC');
    return true;
  } catch (error) {
    // The errors that croner throws for a wrong pattern.
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    return false;
  }
}

function read(pattern: string, timezone: string | null): Cron {
  const zone: Pick<CronOptions, 'timezone'> = timezone === null ? {} : { timezone };
  return new Cron(pattern, { ...zone, mode: '5-or-6-parts', sloppyRanges: true, fixedTimeRule: 'no-wildcard' });
}

/**
 * Returns the first time of a schedule after `afterMs`, in milliseconds since 1970; null if there is none.
 *
 * compat: changes of the clock are treated as in Vixie cron. A fixed time that is skipped runs right after the gap. A
 * fixed time that comes twice runs once. A schedule with `*` or a step in its seconds, minutes or hours follows the
 * time that passes.
 *
 * @param timeZone - null for the time zone of this process (TZ, else that of the system)
 */
export function nextTime({ text }: Schedule, timeZone: string | null, afterMs: number): number | null {
  return read(text, timeZone).nextRun(new Date(afterMs))?.getTime() ?? null;
}

/** A name of the time zone database, or an alias of one. */
export const timeZone = dataType('time zone', (value) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: strip(value) }).resolvedOptions().timeZone;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return reject(value, 'a time zone, for example Europe/Berlin or UTC');
  }
});
