/** The table of `onevisor status`, as screens. Look at them: they are what people see. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProcessStatus, reasonOf } from '../../../src/ctl/process-status.ts';
import type { Screen } from '../../../src/ctl/screen.ts';
import { widthOf } from '../../../src/logs/columns.ts';
import { formatStatusTable, sortStatuses } from '../../../src/ctl/status-table.ts';
import { endStruct, EXIT_3, NOW, statusOf, STOPPED_BY_CLIENT, screen } from './status-structs.ts';

const LONG_NAME = `worker-${'abcdefghij'.repeat(5)}-production-1`.slice(0, 66);

const SEGV = { outcome: 'signaled', exit_signal: 'SIGSEGV', core: true } as const;

/** One process of each kind. */
async function everyKind(): Promise<ProcessStatus[]> {
  return Promise.all([
    statusOf('p10', 'RUNNING', { health: 'healthy', start: NOW - 90_000 }),
    statusOf('p2', 'RUNNING', {
      usage: { memory: 12_900_000, cpu_percent: 1.3, cpu_ms: 5, processes: 2 },
      status_text: 'serving',
    }),
    statusOf('db', 'RUNNING', {
      health: 'unhealthy',
      health_reason: 'connection refused',
      usage: { memory: 1_500_000_000, processes: 2 },
    }),
    statusOf('slow', 'RUNNING', { ready: false, start: NOW - 3 }),
    statusOf('quick', 'RUNNING', { ready: true, restarts: 1, last_end: endStruct(3600, EXIT_3) }),
    statusOf('loop', 'RUNNING', {
      flapping: true,
      unexpected_restarts: 4,
      restarts: 17,
      start: NOW - 8000,
      last_end: endStruct(8, EXIT_3),
      last_line: 'no module named flask',
    }),
    statusOf('warming', 'RUNNING', { health: 'starting' }),
    statusOf('new', 'STARTING', { start: NOW }),
    statusOf('again', 'STARTING', { start: NOW, failed_starts: 2, last_end: endStruct(1, EXIT_3) }),
    statusOf('retried', 'BACKOFF', { failed_starts: 1, last_end: endStruct(0, EXIT_3) }),
    statusOf('web', 'FATAL', { last_end: endStruct(12, EXIT_3), last_line: 'ModuleNotFoundError: gunicorn' }),
    statusOf('missing', 'FATAL', {
      last_end: endStruct(12, { outcome: 'not_executed', reason: "can't find command '/x'" }),
    }),
    statusOf('crashed', 'EXITED', { last_end: endStruct(180, SEGV) }),
    statusOf('eaten', 'EXITED', { last_end: endStruct(400_000, { outcome: 'out_of_memory' }) }),
    statusOf('done', 'EXITED', {
      last_end: endStruct(65, { outcome: 'exited', exit_code: 0, planned: true }),
      purpose: 'oneshot',
    }),
    statusOf('off', 'STOPPED', { autostart: false }),
    statusOf('later', 'STOPPED'),
    statusOf('nightly', 'STOPPED', { purpose: 'scheduled', next_run: NOW + 7200 }),
    statusOf('halted', 'STOPPED', {
      start: NOW - 50,
      stop_cause: STOPPED_BY_CLIENT,
      last_end: endStruct(20, { outcome: 'signaled', exit_signal: 'SIGTERM', core: false, planned: true }),
    }),
    statusOf('ending', 'STOPPING', { stop_cause: STOPPED_BY_CLIENT, restarting: true }),
    statusOf('killed', 'EXITED', {
      last_end: endStruct(2, {
        outcome: 'signaled',
        exit_signal: 'SIGKILL',
        cause: { kind: 'memory', text: 'uses 120 MB, more than max_memory (100 MB)' },
      }),
    }),
    statusOf('held', 'STOPPED', {
      hold: 'waiting',
      description: 'waits for db to be healthy',
      waits_for: [{ name: 'db', conditions: ['healthy'] }],
    }),
    statusOf('stuck', 'STOPPED', { hold: 'stuck', description: 'cannot start: web must be started and is FATAL' }),
    statusOf('lost', 'UNKNOWN', { description: 'strange' }),
  ]);
}

const PLAIN: Screen = { columns: 200, hasColour: false, hasUnicode: true };

test('all kinds of processes at 200 columns, in natural order', async () => {
  const text = formatStatusTable(sortStatuses(await everyKind(), false), PLAIN).join('\n');
  assert.equal(text, screen('status-200-columns'));
});

test('a start that waits says so', async () => {
  const status = await statusOf('web', 'STARTING', { start: NOW, start_waits_for: 'post_stop_command' });
  assert.equal(reasonOf(status), 'waits for post_stop_command of its last run');
});

test('failures first at 80 columns: columns are left out, and nothing is wrapped', async () => {
  const lines = formatStatusTable(sortStatuses(await everyKind(), true), { ...PLAIN, columns: 80 });
  assert.equal(lines.slice(0, 24).join('\n'), screen('status-problems-80-columns'));
});

test('no line is wider than the terminal, whatever its width', async () => {
  const statuses = await everyKind();
  statuses.push(await statusOf(`全角の名前:${LONG_NAME}`, 'FATAL', { description: '日本語の理由'.repeat(20) }));
  for (let columns = 14; columns < 220; columns += 1)
    for (const line of formatStatusTable(statuses, { ...PLAIN, columns }))
      assert.ok(widthOf(line) <= columns, `${columns}: ${line}`);
});

test('a name of 66 characters is cut in its middle, and wide characters keep the columns straight', async () => {
  const statuses = await Promise.all([
    statusOf(LONG_NAME, 'RUNNING'),
    statusOf('データベース', 'RUNNING'),
    statusOf('e\u0301te\u0301', 'RUNNING'),
    statusOf('bad\u001b[31m\nname', 'RUNNING'),
  ]);
  assert.equal(LONG_NAME.length, 66);
  assert.equal(formatStatusTable(statuses, { ...PLAIN, columns: 80 }).join('\n'), screen('status-names'));
});

test('300 programs are 302 lines, in natural order', async () => {
  const statuses = await Promise.all(
    Array.from({ length: 300 }, (_none, index) => statusOf(`pool:p${300 - index}`, 'RUNNING')),
  );
  const lines = formatStatusTable(sortStatuses(statuses, false), { ...PLAIN, columns: 80 });
  assert.equal(lines.length, 302);
  assert.deepEqual(
    [1, 2, 10, 300].map((at) => lines[at]?.trimEnd()),
    [1, 2, 10, 300].map((number) => `● ${`pool:p${number}`.padEnd(9)}  RUNNING         0  3m 20s  4711`),
  );
  assert.equal(lines.at(-1), '300 processes: 300 running');
});

test('colours say the same as the symbols, which are ASCII without UTF-8', async () => {
  const statuses = await Promise.all([
    statusOf('a', 'RUNNING'),
    statusOf('b', 'BACKOFF'),
    statusOf('c', 'FATAL'),
    statusOf('d', 'STOPPED'),
  ]);
  const coloured = formatStatusTable(statuses, { ...PLAIN, hasColour: true });
  assert.deepEqual(
    coloured.slice(1, 5).map((line) => /^(\x1b\[\d+m.\x1b\[0m) . {5}(\x1b\[\d+m)/u.exec(line)?.slice(1)),
    [
      ['\x1b[32m●\x1b[0m', '\x1b[32m'],
      ['\x1b[33m◐\x1b[0m', '\x1b[33m'],
      ['\x1b[31m✗\x1b[0m', '\x1b[31m'],
      ['\x1b[90m○\x1b[0m', '\x1b[90m'],
    ],
  );
  const ascii = formatStatusTable(statuses, { ...PLAIN, hasUnicode: false, columns: 30 }).join('\n');
  assert.match(ascii, /^[\x20-\x7e\n]*$/);
  assert.deepEqual(
    ascii
      .split('\n')
      .slice(1, 5)
      .map((line) => line.charAt(0)),
    ['*', '~', '!', '-'],
  );
});

test('through a pipe the table is complete', async () => {
  const [line] = formatStatusTable([await statusOf(LONG_NAME, 'FATAL', { description: 'x'.repeat(300) })], {
    ...PLAIN,
    columns: null,
  }).slice(1);
  assert.ok(line?.includes(LONG_NAME) === true && line.includes('x'.repeat(300)));
  assert.deepEqual(formatStatusTable([], PLAIN), ['no processes']);
});

test('a supervisord sends fewer facts', async () => {
  const bare = { restarts: null, autostart: null, flapping: null, unexpected_restarts: null } as never;
  const statuses = await Promise.all([
    statusOf('web', 'RUNNING', { ...(bare as object), description: 'pid 4711, uptime 0:03:20' }),
    statusOf('gone', 'EXITED', { ...(bare as object), exitstatus: 2, description: 'Nov 29 12:00 PM' }),
    statusOf('halted', 'STOPPED', { ...(bare as object), start: 5, description: 'Nov 29 12:00 PM' }),
    statusOf('idle', 'STOPPED', bare),
  ]);
  assert.equal(formatStatusTable(statuses, { ...PLAIN, columns: 80 }).join('\n'), screen('status-supervisord'));
});
