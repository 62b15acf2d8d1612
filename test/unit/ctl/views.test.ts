/** The views for people, from the command line to the terminal: which view, for whom, from which methods. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { readScreen } from '../../../src/ctl/screen.ts';
import { formatAgo, formatBytes, formatLong, formatShort } from '../../../src/ctl/amounts.ts';
import { compareNatural } from '../../../src/ctl/natural-order.ts';
import { cutEnd, cutMiddle } from '../../../src/ctl/screen.ts';
import { widthOf } from '../../../src/logs/columns.ts';
import type { XmlRpcStruct } from '../../../src/rpc/xmlrpc.ts';
import { type FakeServer, type Methods, processStruct, run, runForPerson, serve, start } from './fake-server.ts';
import { endStruct, EXIT_3 } from './status-structs.ts';

const WEB = processStruct('web', 'RUNNING', { pid: 7, start: 1, now: 61, description: 'pid 7, uptime 0:01:00' });
const BAD = processStruct('jobs:p10', 'FATAL', { now: 61, description: 'Exited too quickly' });
const P2 = processStruct('jobs:p2', 'STOPPED', { now: 61, description: 'Not started', start: 0 });
const ALL = [WEB, BAD, P2];
const FACTS = { restarts: 2, autostart: true, flapping: false, last_end: endStruct(0, EXIT_3) };
const fullName = ({ group, name }: XmlRpcStruct): string => `${group as string}:${name as string}`;
const SUPERVISORD: Methods = { getAllProcessInfo: () => ALL };
const OWN: Methods = {
  ...SUPERVISORD,
  'onevisor.getStatus': () => ALL.map((struct) => ({ ...struct, ...FACTS })),
  'onevisor.describeProcess': (name) => ({
    ...(ALL.find((struct) => fullName(struct) === name) ?? WEB),
    ...FACTS,
    ...(name === 'jobs:p2' ? { hold: 'waiting', description: 'waits for web to be healthy' } : {}),
    waits_for: [{ name: 'web', conditions: ['healthy'] }],
    runs: [
      { run: 1, pid: 5, start_seq: 10, end: endStruct(0, EXIT_3) },
      { run: 2, pid: 7, start_seq: 90 },
      { run: 3, start_seq: 95 },
    ].slice(0, name === 'jobs:p10' ? 3 : 2),
  }),
  'onevisor.readLines': (query) => {
    const { streams, before } = query as unknown as { streams: string[]; before?: number };
    const pid = before === undefined ? 7 : 5;
    const lines = [
      { pid: 4, text: 'older' },
      { pid, text: `\u001b[31m${String(streams[0])}\u001b[0m of ${pid}\u001b[2J` },
    ];
    return { lines: JSON.stringify(lines), next: 1, more: false, missed: [], epoch: 'e' };
  },
};
const UTF8 = { LC_ALL: 'C.UTF-8' };

async function withServer(methods: Methods, test: (server: FakeServer) => Promise<void>): Promise<void> {
  const server = await serve(methods);
  try {
    await test(server);
  } finally {
    await server.close();
  }
}

test('people get the table, also from a supervisord; scripts and supervisorctl get that of Supervisor', async () => {
  for (const methods of [SUPERVISORD, OWN])
    await withServer(methods, async (server) => {
      const person = await runForPerson(server, 'status', { ...UTF8, NO_COLOR: '1' });
      assert.match(person.stdout, /^ {2}NAME .*\n✗? ?.*jobs:p2 .*\n✗ jobs:p10 .*\n● web .*\n3 processes: /);
      assert.equal(person.code, 3);
      const script = await run(server, 'status');
      const listing = [WEB, BAD, P2].length;
      assert.equal(script.stdout.split('\n').length, listing + 1);
      assert.match(script.stdout, /^web {30}RUNNING {3}pid 7, uptime 0:01:00\n/);
      const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
      const supervisorctl = start(['status'], { cwd: server.directory, stdout });
      await supervisorctl.code;
      assert.equal(supervisorctl.text(), script.stdout);
    });
});

test('the end of a start that executed nothing is not shown as 1970, except by supervisorctl', async () => {
  const texts = ['Jan 01 12:00 AM', 'Dec 31 07:00 PM, next run Nov 21 04:00 AM', 'Jan 01 12:00 AM'];
  const structs = texts.map((description, index) =>
    processStruct(`p${index}`, 'STOPPED', { description, stop: index < 2 ? 0 : 5 }),
  );
  await withServer({ getAllProcessInfo: () => structs, getAllConfigInfo: () => [] }, async (server) => {
    const texted = async (words: readonly string[], isOwnName: boolean): Promise<string> => {
      const running = start(words, { cwd: server.directory, isOwnName });
      await running.code;
      return running.text().replace(/^\S+ +STOPPED +/gm, '');
    };
    const own = ['Not started', 'Not started, next run Nov 21 04:00 AM', 'Jan 01 12:00 AM'];
    assert.equal(await texted(['status'], false), `${texts.join('\n')}\n`);
    assert.equal(await texted(['status'], true), `${own.join('\n')}\n`);
    assert.equal(await texted(['health', 'p0'], true), 'Not started\n');
    const person = await runForPerson(server, 'status', { ...UTF8, NO_COLOR: '1' });
    assert.doesNotMatch(person.stdout.replace(/^.* p2 .*$/m, ''), /Jan 01|Dec 31/);
  });
});

test('colours need a terminal, no NO_COLOR and a terminal with colours; symbols need UTF-8', () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 100 });
  const screen = (env: Record<string, string>, stdout = terminal): unknown => readScreen({ stdout, env });
  assert.deepEqual(screen({ LANG: 'de_DE.utf8' }), { columns: 100, hasColour: true, hasUnicode: true });
  assert.deepEqual(screen({ NO_COLOR: '1', LC_ALL: 'C', LANG: 'C.UTF-8' }), {
    columns: 100,
    hasColour: false,
    hasUnicode: false,
  });
  assert.deepEqual(screen({ TERM: 'dumb', LC_CTYPE: 'C.UTF-8', LC_ALL: '' }), {
    columns: 100,
    hasColour: false,
    hasUnicode: true,
  });
  const unsized = Object.assign(new PassThrough(), { isTTY: true, columns: 0 });
  assert.deepEqual(screen({}, unsized), { columns: 80, hasColour: true, hasUnicode: true });
  const pipe = new PassThrough() as typeof terminal;
  assert.deepEqual(screen({}, pipe), { columns: null, hasColour: false, hasUnicode: true });
});

test('--problems and --stats give our table through a pipe, and JSON keeps its form', () =>
  withServer(OWN, async (server) => {
    const problems = await run(server, 'status --problems');
    assert.match(problems.stdout, /^ {2}NAME .*\n✗ jobs:p10 /);
    await run(server, 'status --stats');
    assert.ok(server.calls.includes('onevisor.getStatus([], true)'));
    const json = JSON.parse((await run(server, 'status --json --problems')).stdout) as XmlRpcStruct[];
    assert.deepEqual(
      json.map(({ name, restarts }) => [name, restarts]),
      [
        ['p10', 2],
        ['p2', 2],
        ['web', 2],
      ],
    );
    const unordered = JSON.parse((await run(server, 'status --json')).stdout) as XmlRpcStruct[];
    assert.deepEqual(
      unordered.map(({ name }) => name),
      ['web', 'p10', 'p2'],
    );
  }));

test('a description has the last lines of both streams, also of the run before, without control sequences', () =>
  withServer(OWN, async (server) => {
    const { stdout, code } = await run(server, 'describe web');
    assert.equal(code, 0);
    assert.match(stdout, /Last lines of stdout \(pid 7\):\n {2}stdout of 7\\u001b\[2J\n/);
    assert.match(stdout, /Last lines of stderr of the run before \(pid 5\):\n {2}stderr of 5\\u001b\[2J\n$/);
    assert.ok(!stdout.includes('older') && !stdout.includes('\u001b'));
    const verbose = await run(server, 'status -v web');
    assert.equal(verbose.stdout, stdout);
    const both = await run(server, 'describe web jobs:*');
    assert.equal(both.stdout.split('\n\n').filter((part) => / {7}State: /.test(part)).length, 3);
  }));

test('why explains each named process, with those that it waits for', () =>
  withServer(OWN, async (server) => {
    const { stdout } = await run(server, 'why jobs:p2');
    assert.match(stdout, /^jobs:p2 waits for web to be healthy\. web is RUNNING with pid 7 /);
    const many = await run(server, 'why jobs:* jobs:p2');
    assert.equal(many.stdout.trim().split('\n').length, 2);
  }));

test('describe and why say less with a supervisord, and refuse unknown names and options', () =>
  withServer(SUPERVISORD, async (server) => {
    assert.match((await run(server, 'describe web')).stdout, /^● web\n {7}State: RUNNING since .*, pid 7\n$/);
    assert.match((await run(server, 'why jobs:p10')).stdout, /^jobs:p10 is FATAL: Exited too quickly\./);
    const unknown = await run(server, 'why nosuch');
    assert.deepEqual([unknown.stdout, unknown.code], ['nosuch: ERROR (no such process)\n', 4]);
    assert.match((await runForPerson(server, 'describe wen')).stdout, /did you mean web\?\n$/);
    const option = await run(server, 'describe --all');
    assert.deepEqual([option.stdout.split('\n')[0], option.code], ['Error: describe has no option --all', 2]);
    assert.equal((await run(server, 'why')).code, 2);
  }));

test('no view passes a control character of a server or a program on', async () => {
  const evil = 'x\n\u001b[2J\u009b1m\u202e';
  const struct = {
    ...processStruct('web', 'RUNNING', { pid: 7, start: 1, now: 61 }),
    name: evil,
    statename: evil,
    description: evil,
    health: 'unhealthy',
    health_reason: evil,
    status_text: evil,
    last_line: evil,
    stop_cause: { text: evil },
    start_cause: { text: evil },
    last_end: { ...endStruct(0, { outcome: 'signaled', exit_signal: evil }), text: evil },
    configured: { file: evil, line: 1, command: evil, user: evil, directory: evil },
    policy: { autorestart: evil, cron: evil, tz: evil },
    healthcheck: { check: evil, action: evil },
    limits: { max_memory: evil },
    depends_on: [{ name: evil, conditions: [evil], state: evil }],
    dependents: [evil],
    log_targets: { stdout: evil },
    process_tree: [{ pid: 7, parent: 1, name: evil }],
    runs: [{ run: 1, pid: 7, start_seq: 1, start_cause: { text: evil }, end: endStruct(1, { text: evil }) }],
  };
  for (const more of [{}, { hold: 'stuck', blocked_by: [{ name: evil }] }]) {
    const whole = { ...struct, ...more } as XmlRpcStruct;
    const methods: Methods = {
      ...OWN,
      'onevisor.getStatus': () => [whole],
      'onevisor.describeProcess': () => whole,
      'onevisor.readEvents': () => ({ events: [], next: 1 }),
      'onevisor.readLines': () => ({ lines: JSON.stringify([{ pid: 7, text: evil }]) }),
    };
    await withServer(methods, async (server) => {
      for (const line of ['status --problems', 'describe web:*', 'why web:*', 'wait --timeout 3 web:*:completed']) {
        const { stdout } = await run(server, line);
        assert.match(stdout, /x/);
        assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/, line);
        assert.ok(!stdout.includes('x\n'), `${line}: ${stdout}`);
      }
    });
  }
});

test('answers that are no lines are errors', async () => {
  for (const lines of ['[{"pid":"x"}]', '[null]', '{}', '['])
    await withServer({ ...OWN, 'onevisor.readLines': () => ({ lines }) }, async (server) => {
      assert.match((await run(server, 'describe web')).stdout, /the answer of the server is not a list of lines/);
    });
});

test('durations, times and sizes', () => {
  assert.deepEqual([-1, 59_999, 61_000, 3_600_000, 90_000_000].map(formatShort), [
    '0s',
    '59s',
    '1m 1s',
    '1h 0m',
    '1d 1h',
  ]);
  assert.deepEqual([0, 300, 9960, 119_000, 130_000, 7_300_000, 400_000_000].map(formatLong), [
    '0 s',
    '0.3 s',
    '10 s',
    '119 s',
    '2 min',
    '2 h',
    '5 days',
  ]);
  assert.deepEqual([0, 1400, 12_000].map(formatAgo), ['just now', '1 s ago', '12 s ago']);
  assert.deepEqual([0, 1023, 1024, 20_000_000, 3_000_000_000, 5e15].map(formatBytes), [
    '0 B',
    '1023 B',
    '1 kB',
    '19 MB',
    '2.8 GB',
    '4547 TB',
  ]);
});

test('natural order', () => {
  const names = ['p10', 'p2', 'p', 'P2', 'p02', 'p2:b', 'p2:a10', 'p2:a9', '10', '9', 'p2'];
  assert.deepEqual(names.toSorted(compareNatural), [
    '9',
    '10',
    'P2',
    'p',
    'p02',
    'p2',
    'p2',
    'p2:a9',
    'p2:a10',
    'p2:b',
    'p10',
  ]);
});

test('widths and cuts', () => {
  const screen = { hasUnicode: true };
  assert.deepEqual(['abc', '日本', 'e\u0301', '\u200d', '🙂'].map(widthOf), [3, 4, 1, 0, 2]);
  assert.deepEqual(
    [5, 4, 1, 0].map((columns) => cutEnd('日本語', columns, screen)),
    ['日本…', '日…', '…', ''],
  );
  assert.deepEqual(
    [6, 5, 4, 1, 0].map((columns) => cutMiddle('abcdefg', columns, screen)),
    ['abc…fg', 'ab…fg', 'ab…g', '…', ''],
  );
  // A letter stays with its marks, a flag and a family are one character, and half a wide character is none.
  const letter = 'e\u0301';
  const marked = `${letter.repeat(5)}日本`;
  assert.deepEqual(
    [5, 6].map((columns) => cutMiddle(marked, columns, screen)),
    [2, 3].map((count) => `${letter.repeat(count)}…本`),
  );
  assert.equal(cutEnd('a👨‍👩‍👧b👨‍👩‍👧', 9, screen), 'a👨‍👩‍👧b…');
  assert.equal(cutMiddle('🇩🇪🇫🇷🇮🇹🇪🇸', 6, screen), '🇩🇪…🇪🇸');
  assert.equal(cutMiddle('abcdefg', 5, { hasUnicode: false }), 'ab~fg');
});
