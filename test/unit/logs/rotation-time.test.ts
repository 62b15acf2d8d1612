/**
 * Times of rotation in zones with daylight saving time. Each zone needs a process of its own, because Node reads TZ
 * once.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { nextRotation } from '../../../src/logs/rotation-time.ts';
import type { RotationInterval } from '../../../src/logs/rotation-time.ts';

const SOURCE = join(import.meta.dirname, '../../../src/logs/rotation-time.ts');

/** Returns the rotations after a time, written by Python, whose calendar is independent of Node. */
function rotations(zone: string, interval: RotationInterval, from: string, count: number): string[] {
  const program = `
    import { nextRotation } from ${JSON.stringify(SOURCE)};
    let at = Date.parse(${JSON.stringify(from)});
    const times = [];
    for (let i = 0; i < ${count}; i++) times.push(at = nextRotation(${JSON.stringify(interval)}, at, 0));
    console.log(JSON.stringify(times));
  `;
  const env = { ...process.env, TZ: zone };
  const times = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', env });
  const show =
    'import json, sys, datetime\nfor ms in json.loads(sys.argv[1]): ' +
    'print(datetime.datetime.fromtimestamp(ms / 1000).astimezone().strftime("%a %m-%d %H:%M:%S %z"))';
  return execFileSync('/usr/bin/python3', ['-c', show, times], { encoding: 'utf8', env }).trim().split('\n');
}

const table: ReadonlyArray<readonly [zone: string, interval: RotationInterval, from: string, ...expected: string[]]> = [
  ['UTC', 'hourly', '2026-01-01T10:20:30.123Z', 'Thu 01-01 11:00:00 +0000', 'Thu 01-01 12:00:00 +0000'],
  ['UTC', 'hourly', '2026-01-01T10:00:00.000Z', 'Thu 01-01 11:00:00 +0000'],
  ['Asia/Kathmandu', 'hourly', '2026-01-01T10:20:30Z', 'Thu 01-01 17:00:00 +0545'],
  [
    'Europe/Berlin',
    'hourly',
    '2026-10-25T00:30:00+02:00',
    'Sun 10-25 01:00:00 +0200',
    'Sun 10-25 02:00:00 +0200',
    'Sun 10-25 02:00:00 +0100',
    'Sun 10-25 03:00:00 +0100',
  ],
  ['Europe/Berlin', 'hourly', '2026-03-29T01:30:00+01:00', 'Sun 03-29 03:00:00 +0200', 'Sun 03-29 04:00:00 +0200'],
  [
    'Australia/Lord_Howe',
    'hourly',
    '2026-04-05T01:45:00+11:00',
    'Sun 04-05 02:00:00 +1030',
    'Sun 04-05 03:00:00 +1030',
  ],
  ['UTC', 'daily', '2026-01-31T23:59:59.999Z', 'Sun 02-01 00:00:00 +0000', 'Mon 02-02 00:00:00 +0000'],
  ['America/New_York', 'daily', '2026-01-01T03:00:00Z', 'Thu 01-01 00:00:00 -0500'],
  ['Europe/Berlin', 'daily', '2026-10-24T12:00:00+02:00', 'Sun 10-25 00:00:00 +0200', 'Mon 10-26 00:00:00 +0100'],
  ['Europe/Berlin', 'daily', '2026-03-28T12:00:00+01:00', 'Sun 03-29 00:00:00 +0100', 'Mon 03-30 00:00:00 +0200'],
  // The clock goes from 00:00 to 01:00 there: this day has no midnight.
  ['Africa/Cairo', 'daily', '2026-04-23T12:00:00+02:00', 'Fri 04-24 01:00:00 +0300', 'Sat 04-25 00:00:00 +0300'],
  // The clock goes from 01:00 to 00:00 there: this day has two, and begins once.
  ['America/Havana', 'daily', '2026-10-31T12:00:00-04:00', 'Sun 11-01 00:00:00 -0400', 'Mon 11-02 00:00:00 -0500'],
  ['UTC', 'weekly', '2026-01-01T10:00:00Z', 'Sun 01-04 00:00:00 +0000', 'Sun 01-11 00:00:00 +0000'],
  ['UTC', 'weekly', '2026-01-03T23:59:59Z', 'Sun 01-04 00:00:00 +0000'],
  ['Europe/Berlin', 'weekly', '2026-10-22T10:00:00Z', 'Sun 10-25 00:00:00 +0200', 'Sun 11-01 00:00:00 +0100'],
];
for (const [zone, interval, from, ...expected] of table) {
  test(`${interval} in ${zone} after ${from}`, () =>
    assert.deepEqual(rotations(zone, interval, from, expected.length), expected));
}

test('a duration is counted from the birth of the file', () => {
  const anchor = 5_000_000;
  assert.equal(nextRotation(1000, anchor, anchor), anchor + 1000);
  assert.equal(nextRotation(1000, anchor + 999, anchor), anchor + 1000);
  assert.equal(nextRotation(1000, anchor + 1000, anchor), anchor + 2000);
  assert.equal(nextRotation(1000, anchor + 123_456, anchor), anchor + 124_000);
  // The clock was put back.
  assert.equal(nextRotation(1000, anchor - 1500, anchor), anchor - 1000);
});

test('the next rotation is later, by at most the length of the interval', () => {
  let seed = 1;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const longest: ReadonlyArray<readonly [RotationInterval, number]> = [
    ['hourly', 2 * 3_600_000],
    ['daily', 25 * 3_600_000],
    ['weekly', (7 * 24 + 1) * 3_600_000],
    [90_000, 90_000],
  ];
  for (let i = 0; i < 2000; i++) {
    const at = Math.floor(random() * 2e12);
    for (const [interval, most] of longest) {
      const step = nextRotation(interval, at, 123_456) - at;
      assert.ok(step > 0 && step <= most, `${interval} after ${at}: ${step}`);
    }
  }
});
