/** Records of several lines, of the executable: JSON on the console, messages at a log server, and the ends of both. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { StreamServer } from '../process/log-servers.ts';
import { statusOf } from './connections.ts';
import { launch, pid1SkipReason } from './launch.ts';
import { until } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;

const TRACES = `#!/bin/sh
printf '2026-01-01 first\\n  at a\\n  at b\\n'
printf '2026-01-02 bad\\n  at c\\n' >&2
echo '{"level":"info"}'
printf '2026-01-03 last\\n  at d'
test -n "$STAY" && exec sleep 1000
`;

/** Returns the records of a program among the lines of a stream. */
function recordsIn(lines: readonly string[], program: string): Array<Record<string, unknown>> {
  return lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((record) => record['program'] === program);
}

test('both streams, objects, the end of a program, a stop and a shutdown', { skip }, async (t) => {
  const server = await StreamServer.listen(t);
  const launched = await launch(t, {
    config:
      '[supervisord]\nlog_format=json\nlog_multiline=^\\d{4}-\n' +
      '[program:once]\ncommand=%FOLDER%/traces\nstartsecs=0\nautorestart=false\n' +
      `stdout_logfile=/dev/stdout, syslog+tcp://127.0.0.1:${server.port}?sd=[app@1 a="b"]\n` +
      '[program:stays]\ncommand=%FOLDER%/traces\nenvironment=STAY="1"\nstdout_logfile=/dev/stdout\n' +
      '[program:plain]\ncommand=%FOLDER%/traces\nlog_multiline=^\nstartsecs=0\nautorestart=false\n',
    files: { traces: TRACES },
  });
  const first = '2026-01-01 first\n  at a\n  at b';
  const last = '2026-01-03 last\n  at d';
  const textsOf = (program: string): unknown[] =>
    recordsIn(launched.stdout.all, program).map(({ message, data }) => data ?? message);
  await until('the records of the first program', () => textsOf('once').length === 3);
  assert.deepEqual(textsOf('once'), [first, { level: 'info' }, last]);
  await until('stderr', () => recordsIn(launched.stderr.all, 'once').length === 1);
  assert.deepEqual(
    recordsIn(launched.stderr.all, 'once').map(({ message }) => message),
    ['2026-01-02 bad\n  at c'],
  );
  // At the server a record is one message, with its newlines and the structured data of the URL.
  await server.until(({ text }) => text === last);
  assert.deepEqual(server.texts('once'), [first, '{"level":"info"}', last]);
  assert.ok(server.messages.every(({ data }) => data === '[app@1 a="b"]'));
  // A record that may have more lines is written soon, and its last line, which has not ended, with the end.
  await until('the records of the program that stays', () => textsOf('stays').includes('2026-01-03 last'));
  await until('each line', () => textsOf('plain').length === 6);
  assert.deepEqual(textsOf('plain').slice(0, 3), ['2026-01-01 first', '  at a', '  at b']);
  assert.match(
    (await launched.ctl('describe', 'once')).stdout,
    /Log records *: begin at lines that match \^\\d\{4\}-$/m,
  );
  assert.match((await launched.ctl('tail', 'once')).stdout, /^2026-01-01 first\n {2}at a\n/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.deepEqual(textsOf('stays').slice(0, 2), [first, { level: 'info' }]);
  assert.equal(textsOf('stays').flat().join('\n').endsWith('  at d'), true);
});

test('update changes the pattern of a running program', { skip }, async (t) => {
  const config = (pattern: string): string =>
    `[supervisord]\nlog_format=json\n[program:web]\ncommand=sh -c "while printf '1 a\\n b\\n'; do sleep 0.1; done"\n` +
    `stdout_logfile=/dev/stdout\nlog_multiline=${pattern}\n`;
  const launched = await launch(t, { config: config('^') });
  await launched.waitForLine(/"message":" b"/);
  const { pid } = await statusOf(launched, 'web');
  await writeFile(join(launched.folder, 'supervisord.conf'), config('^\\d'));
  await launched.ctl('update');
  await launched.waitForLine(/"message":"1 a\\n b"/);
  assert.equal((await statusOf(launched, 'web')).pid, pid, 'the program was not restarted');
});

test('a wrong pattern is an error with its place', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\n[program:web]\ncommand=cat\nlog_multiline=(a\n',
  });
  assert.deepEqual(await launched.exit, { code: 2, signal: null });
  assert.match(
    launched.stderr.text,
    /supervisord\.conf:4: \[program:web\] log_multiline: "\(a" is not a valid pattern/,
  );
});
