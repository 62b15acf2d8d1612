import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { TemplateError } from '../../../src/core/log-template.ts';
import { LinePrefix, PrefixLayout, parsePrefixTemplate, type ShownName } from '../../../src/logs/line-prefix.ts';
import type { LineStyle } from '../../../src/logs/ports.ts';
import type { LogFields } from '../../../src/core/log-fields.ts';
import { formatOwnJson, formatOwnLogfmt } from '../../../src/logs/own-line-format.ts';
import { quoteLogfmt } from '../../../src/logs/record-format.ts';
import { decodeOutput } from '../../../src/core/event-text.ts';
import { PartialWatch } from '../../../src/logs/partial-watch.ts';
import { formatIsoTime, formatLocalTime } from '../../../src/logs/time-format.ts';
import { FakeClock } from './fakes.ts';

const WALL = 1767268800123;

function prefixOf(
  style: Partial<LineStyle>,
  layout = new PrefixLayout(),
  isColored = false,
  name = 'web_00',
): LinePrefix {
  const origin = { group: 'grp', program: 'web', process: name, stream: 'stderr' } as const;
  const whole: LineStyle = {
    prefix: null,
    prefixWidth: 24,
    timestamp: 'none',
    jsonLines: 'nest',
    partialAfterMs: 5000,
    multiline: null,
    ...style,
  };
  return new LinePrefix({ origin, pid: 42, style: whole, layout, isColored });
}

function shown(name: string, limit = 24): ShownName {
  return { process: name, program: name, limit };
}

const TEMPLATES: ReadonlyArray<readonly [template: string, text: string]> = [
  ['[%(process_name)s]', '[web_00] '],
  ['%(group_name)s:%(process_name)s %(pid)s %(channel)s> ', 'grp:web_00 42 stderr> '],
  ['%(time)s %(program_name)s', '2026-01-01T12:00:00.123Z web '],
  ['100%% %(process_name)-8s|%(pid)5s', '100% web_00  |   42 '],
  ['%(process_name).3s|%(pid)05d|', 'web|   42| '],
  ['', ''],
];

for (const [template, text] of TEMPLATES) {
  test(`log_prefix: ${template}`, () => assert.equal(prefixOf({ prefix: template }).at(WALL).toString(), text));
}

test('log_prefix: logs/ and config/ refuse the same templates', () => {
  assert.throws(() => parsePrefixTemplate('%(process_name)s %(nonsense)s'), TemplateError);
});

test('log_timestamp puts the current time once before the prefix', () => {
  const prefix = prefixOf({ timestamp: 'iso8601' });
  assert.equal(prefix.at(WALL).toString(), '2026-01-01T12:00:00.123Z web_00 | ');
  assert.equal(prefix.at(WALL + 1).toString(), '2026-01-01T12:00:00.124Z web_00 | ');
  assert.equal(prefixOf({ timestamp: 'iso8601', prefix: '%(time)s' }).at(WALL).toString(), '2026-01-01T12:00:00.123Z ');
});

test('the prefix is as wide as the longest current name, counted in columns', () => {
  const layout = new PrefixLayout();
  const prefix = prefixOf({}, layout);
  layout.add(shown('web_00'));
  layout.add(shown('a-long-name'));
  layout.add(shown('a-long-name'));
  assert.equal(prefix.at(WALL).toString(), 'web_00      | ');
  layout.remove('a-long-name');
  assert.equal(prefix.at(WALL).toString(), 'web_00      | ');
  layout.remove('a-long-name');
  assert.equal(prefix.at(WALL).toString(), 'web_00 | ');
  layout.add(shown('ünïcödé😀'));
  assert.equal(prefix.at(WALL).toString(), 'web_00    | ');
  layout.add(shown('設定サーバ'));
  assert.equal(prefix.at(WALL).toString(), 'web_00     | ');
  const wide = prefixOf({}, layout, false, '設定');
  assert.equal(wide.at(WALL).toString(), '設定       | ');
});

test('thousands of long names cost no more than each of them', () => {
  const layout = new PrefixLayout();
  const names = Array.from({ length: 20_000 }, (_, index) => `${'a-very-long-name-'.repeat(4)}${index}`);
  const prefix = prefixOf({}, layout, false, names[0]);
  let sum = 0;
  for (const name of names) {
    layout.add(shown(name));
    // A line between two programs, as at a start.
    sum += prefix.at(WALL).length;
  }
  assert.ok(sum > 0);
  assert.equal(layout.shorten(names[19_999] as string), 'a-very-long…g-name-19999');
  for (const name of names.slice(1)) layout.remove(name);
  assert.deepEqual([layout.width, prefix.at(WALL).toString()], [24, 'a-very-long…-long-name-0 | ']);
});

test('wide characters are cut and padded by columns, and never torn', () => {
  const layout = new PrefixLayout();
  const cut = (name: string, limit: number): string => {
    layout.add(shown(name, limit));
    return layout.shorten(name);
  };
  assert.equal(cut('設定サーバの長い名前', 8), '設…名前');
  assert.equal(cut('e\u0301'.repeat(12), 8), `${'e\u0301'.repeat(3)}…${'e\u0301'.repeat(4)}`);
  assert.equal(cut('👨‍👩‍👧👨‍👩‍👧x👨‍👩‍👧', 9), '👨‍👩‍👧…');
  const template = { prefix: '[%(process_name)-6.5s]' };
  assert.equal(prefixOf(template, layout, false, '設定サーバ').at(WALL).toString(), '[設定  ] ');
});

test('names that are too long are cut in the middle, and stay different', () => {
  const layout = new PrefixLayout();
  const names = ['web', 'a-very-long-service-name-worker_1', 'a-very-long-service-name-worker_12'];
  for (const name of names) layout.add(shown(name));
  const cut = (): string[] => names.map((name) => layout.shorten(name));
  assert.deepEqual([cut(), layout.width], [['web', 'a-very-long…ame-worker_1', 'a-very-long…me-worker_12'], 24]);

  // Only the cut middle of these differs. They are numbered by their names, not in the order of their start.
  const before = layout.version;
  const [left, right] = ['b-long-beginning-left-and-a-long-end', 'b-long-beginning-rght-and-a-long-end'];
  layout.add(shown(right));
  const alone = layout.shorten(right);
  assert.equal(alone, 'b-long-begi…d-a-long-end');
  layout.add(shown(left));
  assert.deepEqual(
    [left, right].map((name) => layout.shorten(name)),
    ['b-long-beg…1…-a-long-end', 'b-long-beg…2…-a-long-end'],
  );
  assert.equal(layout.version, before + 2, 'the width is the same, but the texts are not');
  layout.remove(left);
  assert.equal(layout.shorten(right), alone);

  layout.add(shown('web', 0));
  assert.deepEqual([cut(), layout.width], [names, 36]);
  layout.add(shown('😀'.repeat(30), 8));
  assert.equal(layout.shorten('😀'.repeat(30)), `${'😀'.repeat(1)}…${'😀'.repeat(2)}`);
  assert.equal(layout.shorten('web'), 'web');
});

test('a cut name is padded like others, and a template gets the whole name', () => {
  const layout = new PrefixLayout();
  layout.add(shown('web_00', 8));
  layout.add(shown('another_worker', 8));
  assert.equal(prefixOf({}, layout).at(WALL).toString(), 'web_00   | ');
  layout.add(shown('web_00', 8));
  assert.equal(prefixOf({ prefix: '%(process_name)s' }, layout).at(WALL).toString(), 'web_00 ');
});

test('colours follow the names of the programs, not the order of their starts', () => {
  const layout = new PrefixLayout();
  for (const name of ['c', 'a', 'b', 'a']) layout.add(shown(name));
  assert.deepEqual(
    ['c', 'b', 'a'].map((name) => layout.colorOf(name)),
    [32, 33, 36],
  );
  layout.add(shown('aa'));
  layout.add(shown('a'));
  assert.deepEqual(
    ['aa', 'a', 'c'].map((name) => layout.colorOf(name)),
    [35, 36, 32],
  );
});

test('each program has a colour of its own', () => {
  const layout = new PrefixLayout();
  assert.equal(prefixOf({}, layout, true).at(WALL).toString(), '\x1b[36mweb_00 | \x1b[0m');
  assert.deepEqual([layout.colorOf('web'), layout.colorOf('other'), layout.colorOf('web')], [36, 33, 36]);
});

test('times: ISO in UTC, and local time as Supervisor writes it', () => {
  assert.equal(formatIsoTime(WALL), '2026-01-01T12:00:00.123Z');
  for (const ms of [WALL, WALL + 1, WALL + 877, 1, 1782820000999]) {
    const python =
      'import time,sys; now=int(sys.argv[1])/1000; print("%s,%03d" % (time.strftime("%Y-%m-%d %H:%M:%S", ' +
      'time.localtime(now)), int(sys.argv[1]) % 1000))';
    assert.equal(
      `${formatLocalTime(ms)}\n`,
      execFileSync('/usr/bin/python3', ['-c', python, String(ms)], { encoding: 'utf8' }),
    );
  }
});

test('own lines with fields, in the order of the table', () => {
  const origin = { name: 'onevisor', pid: 1, level: 'warn', wallMs: WALL } as const;
  const exited: LogFields = {
    cause: 'a client "x"\udce9',
    event: 'exited',
    process: 'web 1',
    group: 'web',
    exit_code: 0,
    expected: true,
    state: 'EXITED',
    pid: 7,
  };
  assert.equal(
    formatOwnJson({ ...origin, text: 'it ended', fields: exited }),
    '{"time":"2026-01-01T12:00:00.123Z","level":"warn","program":"onevisor","event":"exited","group":"web",' +
      '"process":"web 1","pid":7,"state":"EXITED","exit_code":0,"expected":true,"cause":"a client \\"x\\"\ufffd",' +
      '"message":"it ended"}\n',
  );
  assert.equal(
    formatOwnLogfmt({ ...origin, text: 'it ended', fields: exited }),
    'time=2026-01-01T12:00:00.123Z level=warn program=onevisor event=exited group=web process="web 1" pid=7 ' +
      'state=EXITED exit_code=0 expected=true cause="a client \\"x\\"\ufffd" message="it ended"\n',
  );
  const pidOf = (fields: LogFields): unknown =>
    (JSON.parse(formatOwnJson({ ...origin, text: '', fields })) as { pid?: number }).pid;
  assert.deepEqual(
    [pidOf({ event: 'fatal', process: 'web' }), pidOf({ event: 'waiting' }), pidOf({ event: 'reaped', pid: 9 })],
    [undefined, 1, 9],
  );
});

test('own lines as records', () => {
  assert.deepEqual(
    JSON.parse(
      formatOwnJson({ name: 'onevisor', pid: 1, level: 'warn', text: 'a "b"\nc', fields: null, wallMs: WALL }),
    ),
    {
      time: '2026-01-01T12:00:00.123Z',
      level: 'warn',
      program: 'onevisor',
      pid: 1,
      message: 'a "b"\nc',
    },
  );
  assert.equal(
    formatOwnLogfmt({ name: 'onevisor', pid: 1, level: 'info', text: "spawned: 'web'", fields: null, wallMs: WALL }),
    'time=2026-01-01T12:00:00.123Z level=info program=onevisor pid=1 message="spawned: \'web\'"\n',
  );
  assert.deepEqual(['', 'a', 'a b', 'a=b', 'a"b', 'ü', 'a\tb'].map(quoteLogfmt), [
    '""',
    'a',
    '"a b"',
    '"a=b"',
    '"a\\"b"',
    'ü',
    '"a\\tb"',
  ]);
});

test('partial lines: one alarm serves all holders, and no holder means no alarm', () => {
  const clock = new FakeClock();
  const watch = new PartialWatch(clock, (check) => check());
  const told: string[] = [];
  const holder = (name: string): { onDue(): void } => ({ onDue: () => told.push(name) });
  const [slow, quick, gone] = [holder('slow'), holder('quick'), holder('gone')];
  watch.hold(slow, 5000);
  clock.advance(60);
  watch.hold(quick, 100);
  watch.hold(gone, 50);
  assert.equal(clock.pending, 1);
  watch.release(gone);
  clock.advance(99);
  assert.deepEqual(told, []);
  clock.advance(1);
  assert.deepEqual([told, clock.pending], [['quick'], 1]);
  clock.advance(4840);
  assert.deepEqual([told, clock.pending], [['quick', 'slow'], 0]);
});

test('partial lines: after a busy loop, pipes are read before a line counts as late', () => {
  const clock = new FakeClock();
  const checks: Array<() => void> = [];
  const watch = new PartialWatch(clock, (check) => checks.push(check));
  const told: string[] = [];
  const holder = { onDue: () => told.push('told') };
  watch.hold(holder, 100);
  clock.advance(1000);
  watch.hold(holder, 100);
  checks.shift()?.();
  assert.deepEqual([told, clock.pending], [[], 1]);
  clock.advance(100);
  checks.shift()?.();
  assert.deepEqual([told, clock.pending], [['told'], 0]);
});

test('compat: output in the debug log is text, or bytes as Python prints them', () => {
  const shown: ReadonlyArray<readonly [bytes: readonly number[] | string, text: string]> = [
    ['Malmö\n', 'Malmö\n'],
    [[0x88, 0x0a], "Undecodable: b'\\x88\\n'"],
    [[0xff, 0x27], 'Undecodable: b"\\xff\'"'],
    [[0xff, 0x27, 0x22, 0x5c, 0x09], "Undecodable: b'\\xff\\'\"\\\\\\t'"],
  ];
  for (const [bytes, text] of shown) assert.equal(decodeOutput(Buffer.from(bytes as string)), text);
});
