/** Ready by a line of the output (`ready_log`), and starts that fail because nothing says so (`ready_timeout`). */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from './observe.ts';
import { order, statusOf } from './connections.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;

const indexOf = (launched: Launched, pattern: RegExp): number =>
  launched.stdout.all.findIndex((line) => pattern.test(line));
const rewrite = (launched: Launched, config: string): Promise<void> =>
  writeFile(join(launched.folder, 'supervisord.conf'), config);
const countOf = (launched: Launched, pattern: RegExp): number =>
  launched.stdout.all.filter((line) => pattern.test(line)).length;

/** Writes a line in two pieces; the first run that finds the file `go` goes on. */
const SAYS = `#!/bin/sh
echo starting; echo starting >&2
printf 'Listen' >&$1
until [ -e go ]; do sleep 0.02; done
printf 'ing on port 8080\\n' >&$1
echo 'listening on port 9' >&$1
exec sleep 3600
`;

test('either stream, joined, on a terminal and without a log; the line comes in pieces', { skip }, async (t) => {
  const cases: ReadonlyArray<readonly [name: string, stream: 1 | 2, options: string]> = [
    ['out', 1, ''],
    ['err', 2, ''],
    ['joined', 2, 'redirect_stderr=true'],
    ['tty', 2, 'tty=true'],
    ['none', 2, 'stdout_logfile=NONE\nstderr_logfile=NONE'],
    ['file', 1, 'stdout_logfile=/tmp/file.log'],
  ];
  const sections = cases.map(
    ([name, stream, options]) =>
      `[program:${name}]\ncommand=%FOLDER%/says.sh ${stream}\nready_log=(?i)listening on port \\d+$\nstartsecs=0\n` +
      `${options}\n[program:after-${name}]\ncommand=sleep 3600\ndepends_on=${name}:ready\n`,
  );
  const launched = await launch(t, { config: `[supervisord]\n${sections.join('')}`, files: { 'says.sh': SAYS } });
  await launched.waitForLine(/after-\w+ waits for \w+ to be ready/, { count: cases.length });
  await launched.waitForLine(/entered RUNNING/, { count: cases.length });
  assert.equal(countOf(launched, /INFO ready|spawned: 'after/), 0);
  await launched.enter(['touch', 'go']);
  for (const [name] of cases) {
    await launched.waitForLine(new RegExp(`spawned: 'after-${name}'`));
    assert.ok(
      indexOf(launched, new RegExp(`INFO ready: ${name}$`)) < indexOf(launched, new RegExp(`spawned: 'after-${name}'`)),
      name,
    );
    assert.equal(countOf(launched, new RegExp(`INFO ready: ${name}$`)), 1, name);
  }
});

test('a program that says it before startsecs is ready then, and a new run must say it again', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:web]\ncommand=sh -c "echo ready; exec sleep 3600"\nready_log=^ready\n' +
      'startsecs=100000\n' +
      '[program:after]\ncommand=sleep 3600\nstartsecs=0\ndepends_on=web:ready\n',
  });
  await launched.waitForLine(/spawned: 'after'/);
  assert.match((await launched.ctl('status', 'web')).stdout, /^web +STARTING/);
  assert.equal((await launched.enter([EXECUTABLE, 'wait', 'web:ready'])).code, 0);
  assert.equal((await launched.enter([EXECUTABLE, 'health'])).code, 0);
  await order(launched, 'supervisor.signalProcess', 'web', 'KILL');
  await launched.waitForLine(/INFO ready: web/, { count: 2 });
});

test('ready_timeout: stopped by its signals, tried again, FATAL; every view has the reason', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:web]\ncommand=%FOLDER%/web.sh\nready_log=^ready\nready_timeout=1500ms\n' +
      'stopsignal=INT\nstopwaitsecs=2\nstartsecs=0\nstartretries=1\n' +
      '[program:pipe]\ncommand=sleep 3600\nnotification_fd=3\nready_timeout=1.5\nstartretries=0\n' +
      '[program:socket]\ncommand=sleep 3600\nnotify=sd\nready_timeout=1.5\nstartretries=0\n' +
      '[program:after]\ncommand=sleep 3600\ndepends_on=web:ready\n[inet_http_server]\nport=127.0.0.1:9001\n',
    files: { 'web.sh': '#!/bin/sh\ntrap "echo got INT" INT\necho not ready\nwhile :; do sleep 0.1; done\n' },
  });
  for (const name of ['web', 'pipe', 'socket']) {
    await launched.waitForLine(
      new RegExp(`WARN stopping '${name}': not ready within 1\\.5 seconds \\(ready_timeout\\)$`),
    );
    await launched.waitForLine(
      new RegExp(`WARN ${name} is FATAL: not ready within 1\\.5 seconds \\(ready_timeout\\)$`),
    );
  }
  assert.equal(countOf(launched, /^web +\| got INT$/), 2);
  assert.equal(countOf(launched, /WARN killing 'web' .* with SIGKILL/), 2);
  assert.equal(countOf(launched, /spawned: 'web'/), 2);
  await launched.waitForLine(/after cannot start: web must be ready and is FATAL/);
  const reason = 'not ready within 1.5 seconds (ready_timeout)';
  const own = async (...args: string[]): Promise<string> => (await launched.enter([EXECUTABLE, ...args])).stdout;
  assert.match(
    (await launched.ctl('status', 'web')).stdout,
    /^web +FATAL +not ready within 1\.5 seconds \(ready_timeout\)$/m,
  );
  assert.ok((await own('why', 'web')).includes(`web is FATAL: ${reason}; startretries=1 allows no more tries`));
  const described = await own('describe', 'web');
  assert.ok(described.includes('Ready by: ready_log=^ready, ready_timeout=1.5'), described);
  assert.ok(described.includes(`terminated by SIGKILL, stopped: ${reason}`), described);
  const [status] = JSON.parse(await own('status', '--json', 'web')) as ReadonlyArray<{
    readonly stop_cause: { readonly kind: string; readonly limit_ms: number };
    readonly last_end: { readonly why: string };
  }>;
  assert.deepEqual(
    [status?.stop_cause.kind, status?.stop_cause.limit_ms, status?.last_end.why],
    ['not_ready', 1500, 'not_ready'],
  );
  assert.ok((await own('logs', '--no-color', 'web')).includes(reason));
  const metrics = await launched.enter(['curl', '-sf', 'http://127.0.0.1:9001/metrics']);
  assert.match(metrics.stdout, /^onevisor_process_\w+_total\{.*name="web".*reason="not_ready".*\} 2$/m);
  const started = await launched.ctl('start', 'pipe');
  assert.match(started.stdout, /^pipe: ERROR \((spawn error|abnormal termination)\)$/m);
  assert.equal((await launched.ctl('stop', 'all')).code, 0);
});

test('a flood before the line: every byte is searched, and after the line nothing is', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:web]\ncommand=sh -c "yes 0123456789 | head -c 20000000; echo; echo ready; ' +
      'exec sleep 3600"\nready_log=(0|1|2|3)*ready$\nstdout_logfile=NONE\nready_timeout=10m\nstartsecs=0\n',
  });
  await launched.waitForLine(/INFO ready: web$/);
  await until('it is RUNNING', async () => (await statusOf(launched, 'web')).statename === 'RUNNING');
});

test('update: a new ready_log restarts, a new ready_timeout does not', { skip }, async (t) => {
  const config = (options: string): string =>
    `[supervisord]\n[program:web]\ncommand=sh -c "echo ready; exec sleep 3600"\n${options}`;
  const launched = await launch(t, { config: config('ready_log=ready\nready_timeout=5m\n') });
  await launched.waitForLine(/INFO ready: web$/);
  await launched.waitForLine(/web entered RUNNING/);
  await rewrite(launched, config('ready_log=ready\nready_timeout=6m\n'));
  assert.equal((await launched.ctl('update')).code, 0);
  assert.equal(countOf(launched, /spawned: 'web'/), 1);
  await rewrite(launched, config('ready_log=^ready$\nready_timeout=6m\n'));
  await launched.ctl('update');
  await launched.waitForLine(/INFO ready: web$/, { count: 2 });
  assert.equal(countOf(launched, /spawned: 'web'/), 2);
});
