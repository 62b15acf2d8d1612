/**
 * Readiness: `notification_fd` and `notify=sd` as programs use them, their dependents, the status text, and the
 * watchdog.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { order } from './connections.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';
import { until } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;
const rootSkip = process.getuid?.() === 0 ? skip : 'only root can start programs as another user';
const toolSkip = await promisify(execFile)('systemd-notify', ['--version']).then(
  () => skip,
  () => 'systemd-notify is not installed',
);
const NOTIFIES = `python3 ${join(import.meta.dirname, 'programs', 'notifies.py')}`;

const countOf = (launched: Launched, pattern: RegExp): number =>
  launched.stdout.all.filter((line) => pattern.test(line)).length;
const health = (launched: Launched): ReturnType<Launched['enter']> => launched.enter([EXECUTABLE, 'health']);

test(
  'dependents start on readiness, reported by a descriptor, by the program or by a short-lived child',
  { skip },
  async (t) => {
    const after = (name: string): string => `[program:after-${name}]\ncommand=sleep 3600\ndepends_on=${name}:ready\n`;
    const config = `[supervisord]
[program:pipe]
command=${NOTIFIES} fd 7
notification_fd=7
[program:self]
command=${NOTIFIES} sd READY=1
notify=sd
[program:child]
command=${NOTIFIES} child READY=1
notify=sd
[program:never]
command=${NOTIFIES} sd STATUS=waiting
notify=sd
${['pipe', 'self', 'child', 'never'].map(after).join('')}`;
    const launched = await launch(t, { config });
    for (const name of ['pipe', 'self', 'child']) {
      await launched.waitForLine(new RegExp(`INFO spawned: 'after-${name}' with pid`));
      const at = (pattern: string): number => launched.stdout.all.findIndex((line) => new RegExp(pattern).test(line));
      assert.ok(at(`INFO ready: ${name}$`) > at(`INFO spawned: '${name}' with`), name);
      assert.ok(at(`INFO spawned: 'after-${name}'`) > at(`INFO ready: ${name}$`), name);
    }
    await launched.waitForLine(/entered RUNNING state/, { count: 7 });
    const { stdout } = await launched.ctl('status', 'never', 'after-never');
    assert.match(stdout, /^never +RUNNING +pid \d+, uptime \d+:\d\d:\d\d, waiting$/m);
    assert.match(stdout, /^after-never +STOPPED /m);
    assert.equal(countOf(launched, /ready: never|spawned: 'after-never'/), 0);
    const told = await health(launched);
    assert.equal(told.code, 1);
    assert.match(told.stdout, /never/);
    assert.doesNotMatch(told.stdout, /\b(pipe|self|child)\b/);
  },
);

test('as another user', { skip: rootSkip }, async (t) => {
  const statements = [
    'import os,socket,time',
    's=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)',
    "s.sendto(b'READY=1',chr(0)+os.environ['NOTIFY_SOCKET'][1:])",
    'time.sleep(3600)',
  ];
  const send = `/usr/bin/python3 -c "${statements.join(';')}"`;
  const config =
    `[supervisord]\n[program-default]\nuser=nobody\ndirectory=/\n` +
    `[program:pipe]\ncommand=sh -c "echo >/dev/fd/3; exec sleep 3600"\nnotification_fd=3\n` +
    `[program:socket]\ncommand=${send}\nnotify=sd\n`;
  const launched = await launch(t, { config });
  await launched.waitForLine(/INFO ready: pipe$/);
  await launched.waitForLine(/INFO ready: socket$/);
});

test('by systemd-notify', { skip: toolSkip }, async (t) => {
  const launched = await launch(t, {
    config:
      `[supervisord]\n[program:web]\ncommand=${NOTIFIES} tool --status=warming tool --ready sd STATUS=serving\n` +
      `notify=sd\n`,
  });
  await launched.waitForLine(/INFO ready: web$/);
  await launched.waitForLine(/web entered RUNNING/);
  const { stdout } = await launched.ctl('status');
  assert.match(stdout, /^web +RUNNING +pid \d+, uptime \d+:\d\d:\d\d, serving$/m);
  assert.equal(countOf(launched, /WARN|ERRO|CRIT/), 0);
});

test(
  'readiness belongs to one run: a program that is restarted or reloaded must report it again',
  { skip },
  async (t) => {
    const files = {
      'web.sh': `#!/bin/sh\n[ -e late ] && until [ -e now ]; do sleep 0.02; done\necho >&5\nexec sleep 3600\n`,
    };
    const launched = await launch(t, {
      config: '[supervisord]\n[program:web]\ncommand=%FOLDER%/web.sh\nnotification_fd=5\n',
      files,
    });
    await launched.waitForLine(/INFO ready: web$/);
    await launched.waitForLine(/web entered RUNNING/);
    assert.deepEqual(await health(launched), { code: 0, stdout: '', stderr: '' });
    await launched.enter(['touch', 'late']);
    assert.equal((await launched.ctl('restart', 'web')).code, 0);
    assert.equal((await health(launched)).code, 1);
    assert.equal(countOf(launched, /ready: web/), 1);
    await launched.enter(['touch', 'now']);
    await launched.waitForLine(/INFO ready: web$/, { count: 2 });
    assert.equal((await health(launched)).code, 0);
    launched.signal('SIGHUP');
    await launched.waitForLine(/INFO ready: web$/, { count: 3 });
  },
);

test('a watchdog without a message restarts the program', { skip }, async (t) => {
  const launched = await launch(t, {
    // A watchdog for us, as under systemd, must not reach programs.
    env: { WATCHDOG_PID: '1', WATCHDOG_USEC: '5' },
    config:
      `[supervisord]\n[program:web]\ncommand=${NOTIFIES} env sd READY=1 each 0.2 WATCHDOG=1\nnotify=sd\n` +
      `watchdog_sec=1.5\nstartsecs=0\n[program:plain]\ncommand=${NOTIFIES} env\n`,
  });
  await launched.waitForLine(/^web +\| env @onevisor\/[0-9a-f]{32} 1500000 -$/);
  await launched.waitForLine(/^plain +\| env - - -$/);
  await launched.waitForLine(/INFO ready: web$/);
  // Twice the limit of the watchdog.
  await launched.waitForLine(/^web +\| said 15$/);
  assert.equal(countOf(launched, /restarting/), 0);
  await launched.enter(['touch', 'silent']);
  await launched.waitForLine(/^web +\| silent$/);
  await launched.waitForLine(/WARN restarting 'web': no WATCHDOG=1 for 1\.5 seconds$/);
  await launched.waitForLine(/INFO stopped: web \(terminated by SIGTERM\)$/);
  await launched.waitForLine(/INFO ready: web$/, { count: 2 });
  assert.equal(countOf(launched, /restarting 'plain'/), 0);
});

test('200 restarts leave no descriptor open', { skip }, async (t) => {
  const program = (name: string, option: string): string =>
    `[program:${name}]\ncommand=sh -c "exec sleep 3600"\nprocess_name=${name}%(process_num)d\nnumprocs=10\n` +
    `startsecs=0\n${option}\n`;
  const launched = await launch(t, {
    config:
      `[supervisord]\n${program('pipe', 'notification_fd=3')}${program('socket', 'notify=sd')}[program:gone]\n` +
      `command=/does/not/exist\nnotify=sd\nstartretries=0\n`,
  });
  await launched.waitForLine(/entered RUNNING/, { count: 20 });
  const open = async (): Promise<number> => (await readdir(`/proc/${launched.pid}/fd`)).length;
  assert.equal((await launched.ctl('restart', 'pipe:*', 'socket:*')).code, 0);
  const before = await open();
  for (let round = 0; round < 10; round++) {
    for (const method of ['stopProcessGroup', 'startProcessGroup'])
      for (const group of ['pipe', 'socket']) await order(launched, `supervisor.${method}`, group);
    await assert.rejects(order(launched, 'supervisor.startProcess', 'gone'), /NO_FILE/);
  }
  assert.equal(countOf(launched, /spawned: '(pipe|socket)\d'/), 240);
  // The connection of the last request ends a moment later.
  await until(`no more than ${before} descriptors`, async () => (await open()) <= before);
  assert.equal((await launched.ctl('stop', 'all')).code, 0);
  const idle = await open();
  // Each run had a standard input, two outputs and its channel.
  assert.ok(idle <= before - 20 * 4, `${before} descriptors, then ${idle}`);
});
