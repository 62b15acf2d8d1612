import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cron, nextTime, timeZone } from '../../../src/config/cron.ts';
import { type Context, WrongValue } from '../../../src/config/datatype.ts';
import { configOf, printed, readText } from './memory-source.ts';

const plain: Context = { cwd: '/home/me', home: '/root', host: null };

/** Returns the next times of a schedule in UTC, as `2026-11-21 04:00`. */
function times(text: string, zone: string, from: string, count: number): string[] {
  const schedule = cron.parse(text, plain);
  const found: string[] = [];
  let after = Date.parse(from);
  while (found.length < count) {
    const next = nextTime(schedule, zone, after);
    assert.ok(next !== null && next > after, `${text} goes on after ${new Date(after).toISOString()}`);
    after = next;
    found.push(
      new Date(next)
        .toISOString()
        .replace('T', ' ')
        .replace(/(:00)?\.000Z$/, ''),
    );
  }
  return found;
}

test('a schedule is shown as written', () => {
  for (const [text, shown] of Object.entries({
    '*/5 * * * *': '*/5 * * * *',
    ' 0  0 1-5,7 jan MON-fri': '0 0 1-5,7 jan MON-fri',
    '@Daily': '@daily',
    '0 0 0 L * ?': '0 0 0 L * ?',
  })) {
    assert.equal(cron.show?.(cron.parse(text, plain)), shown);
  }
  assert.deepEqual(
    ['* * * * *', '* * * * * *', '@hourly'].map((text) => cron.parse(text, plain).hasSeconds),
    [false, true, false],
  );
});

const FROM = '2026-11-21T03:58:30.400Z';
const CASES: ReadonlyArray<readonly [text: string, expected: readonly string[]]> = [
  ['*/5 * * * *', ['2026-11-21 04:00', '2026-11-21 04:05']],
  ['*/20 * * * * *', ['2026-11-21 03:58:40', '2026-11-21 03:59']],
  ['* * * * * *', ['2026-11-21 03:58:31', '2026-11-21 03:58:32']],
  [
    '0,30 8-9 * * *',
    ['2026-11-21 08:00', '2026-11-21 08:30', '2026-11-21 09:00', '2026-11-21 09:30', '2026-11-22 08:00'],
  ],
  [
    '5/15 * * * *',
    ['2026-11-21 04:05', '2026-11-21 04:20', '2026-11-21 04:35', '2026-11-21 04:50', '2026-11-21 05:05'],
  ],
  ['0 4 * jan-FEB Mon-fri', ['2027-01-01 04:00', '2027-01-04 04:00']],
  ['0 4 * * 0', ['2026-11-22 04:00', '2026-11-29 04:00']],
  ['0 4 * * 7', ['2026-11-22 04:00', '2026-11-29 04:00']],
  ['0 4 * * sat-7', ['2026-11-21 04:00', '2026-11-22 04:00', '2026-11-28 04:00']],
  // Both fields are restricted: a match of either is enough.
  ['0 0 13 * 5', ['2026-11-27 00:00', '2026-12-04 00:00', '2026-12-11 00:00', '2026-12-13 00:00', '2026-12-18 00:00']],
  ['0 0 13 * *', ['2026-12-13 00:00']],
  ['0 0 L * ?', ['2026-11-30 00:00', '2026-12-31 00:00', '2027-01-31 00:00', '2027-02-28 00:00']],
  ['0 0 * * 5#2', ['2026-12-11 00:00', '2027-01-08 00:00']],
  ['0 0 * * 5L', ['2026-11-27 00:00', '2026-12-25 00:00']],
  ['0 0 29 2 *', ['2028-02-29 00:00', '2032-02-29 00:00']],
  ['@hourly', ['2026-11-21 04:00', '2026-11-21 05:00']],
  ['@daily', ['2026-11-22 00:00', '2026-11-23 00:00']],
  ['@midnight', ['2026-11-22 00:00']],
  ['@weekly', ['2026-11-22 00:00', '2026-11-29 00:00']],
  ['@monthly', ['2026-12-01 00:00', '2027-01-01 00:00']],
  ['@yearly', ['2027-01-01 00:00', '2028-01-01 00:00']],
  ['@annually', ['2027-01-01 00:00']],
];
for (const [text, expected] of CASES)
  test(`the times of ${text}`, () => assert.deepEqual(times(text, 'UTC', FROM, expected.length), expected));

test('times are in the time zone of the schedule', () => {
  assert.deepEqual(times('0 4 * * *', 'Asia/Tokyo', FROM, 2), ['2026-11-21 19:00', '2026-11-22 19:00']);
  const local = nextTime(cron.parse('30 4 * * *', plain), null, Date.parse(FROM));
  assert.deepEqual([new Date(local ?? 0).getHours(), new Date(local ?? 0).getMinutes()], [4, 30]);
});

test('a time that the clocks skip runs once, right after the gap', () => {
  assert.deepEqual(times('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2), [
    '2026-03-29 01:00',
    '2026-03-30 00:30',
  ]);
  assert.deepEqual(times('0,30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2), [
    '2026-03-29 01:00',
    '2026-03-30 00:00',
  ]);
});

test('a repeated time runs once, but an interval schedule continues during the repeated hour', () => {
  assert.deepEqual(times('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2), [
    '2026-10-25 00:30',
    '2026-10-26 01:30',
  ]);
  assert.deepEqual(times('*/30 * * * *', 'Europe/Berlin', '2026-10-25T00:00:00Z', 4), [
    '2026-10-25 00:30',
    '2026-10-25 01:00',
    '2026-10-25 01:30',
    '2026-10-25 02:00',
  ]);
});

const WRONG: ReadonlyArray<readonly [text: string, message: string]> = [
  [
    '',
    'the value is empty; expected a schedule of five fields (minute hour day month weekday), or six with seconds first',
  ],
  ['* * * *', '"* * * *" is not a schedule of five fields (minute hour day month weekday), or six with seconds first'],
  [
    '* * * * * * *',
    '"* * * * * * *" is not a schedule of five fields (minute hour day month weekday), or six with seconds first',
  ],
  ['60 * * * *', '"60" is not the minute of a schedule: *, or numbers from 0 to 59, as 0,30 or */5'],
  ['60 0 * * * *', '"60" is not the second of a schedule: *, or numbers from 0 to 59, as 0 or */10'],
  ['* 5-1 * * *', '"5-1" is not the hour of a schedule: *, or numbers from 0 to 23, as 4 or 8-18'],
  [
    '* * 0 * *',
    '"0" is not the day of month of a schedule: *, or numbers from 1 to 31, or L for the last, as 1,15 or L',
  ],
  ['* * * foo *', '"foo" is not the month of a schedule: *, or numbers from 1 to 12 or names, as 6 or jan-mar'],
  [
    '* * * * 8',
    '"8" is not the day of week of a schedule: *, or numbers from 0 (Sunday) to 7 (also Sunday) or names, as ' +
      'mon-fri, 5#2 for the second Friday, 5L for the last',
  ],
  // Croner would take it for a date.
  ['5 : * * *', '":" is not the hour of a schedule: *, or numbers from 0 to 23, as 4 or 8-18'],
  ['0 0 31 feb,apr *', '"0 0 31 feb,apr *" never occurs: none of its months has such a day'],
  [
    '@reboot',
    '"@reboot" is not a schedule; the known words are @hourly, @daily, @midnight, @weekly, @monthly, ' +
      '@yearly, @annually',
  ],
];
for (const [text, message] of WRONG)
  test(`${JSON.stringify(text)} is refused`, () =>
    assert.throws(
      () => cron.parse(text, plain),
      (error) => error instanceof WrongValue && error.message === message,
    ));

test('extra fields that are invalid', () => {
  for (const text of [
    '*/0',
    'a',
    '1-2-3',
    '*/1/2',
    '1,',
    ',',
    '1.5',
    '-1',
    '*-5',
    '*/61',
    'L',
    'jan',
    '+1',
    '60/5',
    '1,60/5',
  ])
    assert.throws(() => cron.parse(`${text} * * * *`, plain), WrongValue, text);
  for (const text of ['5#6', '5#0', 'L', '*/8', 'jan'])
    assert.throws(() => cron.parse(`* * * * ${text}`, plain), WrongValue, text);
});

test('a time zone must be in the database', () => {
  assert.deepEqual(
    ['UTC', ' Europe/Berlin'].map((text) => timeZone.parse(text, plain)),
    ['UTC', 'Europe/Berlin'],
  );
  assert.throws(
    () => timeZone.parse('', plain),
    /the value is empty; expected a time zone, for example Europe\/Berlin or UTC/,
  );
});

test('the error of an invalid value has file, line and advice', () => {
  const errors = (line: string): string[] =>
    printed(readText(`[supervisord]\n[program:a]\ncommand=x\n${line}\n`).errors);
  assert.deepEqual(errors('cron=0 25 * * *'), [
    '/etc/supervisord.conf:4: [program:a] cron: "25" is not the hour of a schedule: *, or numbers from 0 to ' +
      '23, as 4 or 8-18',
  ]);
  assert.deepEqual(errors('tz=Nowhere/Town'), [
    '/etc/supervisord.conf:4: [program:a] tz: "Nowhere/Town" is not a time zone, for example Europe/Berlin or UTC',
  ]);
  assert.deepEqual(errors('max_memory=0'), [
    '/etc/supervisord.conf:4: [program:a] max_memory: "0" is not a size of memory above 0, for example 300MB',
  ]);
  assert.deepEqual(errors('max_memory=300M'), [
    '/etc/supervisord.conf:4: [program:a] max_memory: "300M" is not a size: a whole number of bytes, or a ' +
      'number with KB, MB or GB, for example 50MB',
  ]);
});

test('a scheduled program starts with the supervisor only if the file says so', () => {
  const starts = (line: string): boolean[] =>
    configOf(readText(`[supervisord]\n[program:a]\ncommand=x\ncron=@daily\n${line}`)).groups.flatMap(({ processes }) =>
      processes.map(({ options }) => options.autostart),
    );
  assert.deepEqual([starts(''), starts('autostart=true\n')], [[false], [true]]);
});
