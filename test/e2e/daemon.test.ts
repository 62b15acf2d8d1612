/** Outside containers: becoming a daemon, the pidfile, and the messages of a failed start. */
import assert from 'node:assert/strict';
import { readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import { isAlive, statusField, until, untilFile } from './observe.ts';

const isGone = (path: string): Promise<boolean> =>
  stat(path).then(
    () => false,
    () => true,
  );

test(
  'a daemon: the call returns with 0, the supervisor lives on in a session of its own, TERM ends it and removes ' +
    'the pidfile',
  async (t) => {
    const launched = await launch(t, {
      as: 'plain',
      config:
        '[supervisord]\npidfile=%FOLDER%/d.pid\nlogfile=%FOLDER%/d.log\n' +
        '[program:a]\ncommand=sleep 1000\nstdout_logfile=NONE\nstderr_logfile=NONE\n',
    });
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    assert.deepEqual([launched.stdout.text, launched.stderr.text], ['', '']);
    const [pidfile, log] = [join(launched.folder, 'd.pid'), join(launched.folder, 'd.log')];
    const pid = Number(await readFile(pidfile, 'utf8'));
    assert.ok(await isAlive(pid));
    const fields = (await readFile(`/proc/${pid}/stat`, 'latin1')).split(') ')[1]?.split(' ') ?? [];
    assert.equal(Number(fields[3]), pid, 'the daemon leads a session');
    for (const fd of [0, 1, 2]) assert.equal(await readlink(`/proc/${pid}/fd/${fd}`), '/dev/null');
    await untilFile(log, /spawned: 'a' with pid \d+/);
    process.kill(pid, 'SIGTERM');
    await until('the end of the daemon', async () => !(await isAlive(pid)));
    assert.ok(await isGone(pidfile));
    assert.match(await readFile(log, 'utf8'), /stopped: a \(terminated by SIGTERM\)\n$/);
  },
);

test('a daemon that cannot start: the call reports the reason, and returns 2', async (t) => {
  const launched = await launch(t, {
    as: 'plain',
    config: '[supervisord]\npidfile=%FOLDER%/d.pid\nlogfile=%FOLDER%/d.log\nminfds=99999999\n',
  });
  assert.deepEqual(await launched.exit, { code: 2, signal: null });
  assert.equal(launched.stdout.text, '');
  assert.match(launched.stderr.text, /^Error: .*minfds/);
  assert.ok(await isGone(join(launched.folder, 'd.pid')));
});

test('a second daemon on the same socket: the call reports the first one, and returns 2', async (t) => {
  const config =
    '[supervisord]\npidfile=%FOLDER%/d.pid\nlogfile=%FOLDER%/d.log\n[unix_http_server]\nfile=%FOLDER%/d.sock\n';
  const launched = await launch(t, { as: 'plain', config });
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  const pid = await readFile(join(launched.folder, 'd.pid'), 'utf8');
  const second = await launched.enter([EXECUTABLE, '-c', 'supervisord.conf']);
  assert.deepEqual(second, {
    code: 2,
    stdout: '',
    stderr: `Error: cannot listen on ${launched.folder}/d.sock: another program listens there already\n`,
  });
  assert.equal(await readFile(join(launched.folder, 'd.pid'), 'utf8'), pid);
});

test('in the foreground (-n): the pidfile exists while it runs; umask and directory apply', async (t) => {
  const launched = await launch(t, {
    as: 'plain',
    config:
      '[supervisord]\npidfile=%FOLDER%/d.pid\nlogfile=%FOLDER%/d.log\numask=077\n' +
      '[program:a]\ncommand=sh -c "umask; exec sleep 1000"\nstdout_logfile=%FOLDER%/a.log\n' +
      'stderr_logfile=NONE\n',
    args: ['-n'],
  });
  await launched.waitForLine(/supervisord started with pid \d+$/);
  assert.equal(await readFile(join(launched.folder, 'd.pid'), 'utf8'), `${launched.pid}\n`);
  await untilFile(join(launched.folder, 'a.log'), /^0077\n$/);
  assert.equal((await stat(join(launched.folder, 'a.log'))).mode & 0o777, 0o600);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.ok(await isGone(join(launched.folder, 'd.pid')));
});

test('in the foreground with silent=true there is no output on stdout', async (t) => {
  const launched = await launch(t, {
    as: 'plain',
    config: '[supervisord]\nnodaemon=true\nsilent=true\npidfile=%FOLDER%/d.pid\nlogfile=%FOLDER%/d.log\n',
  });
  await untilFile(join(launched.folder, 'd.log'), /supervisord started/);
  launched.signal('SIGTERM');
  await launched.exit;
  assert.deepEqual([launched.stdout.text, launched.stderr.text], ['', '']);
});

test('a pidfile with another content is not removed', async (t) => {
  const launched = await launch(t, {
    as: 'plain',
    config: '[supervisord]\nnodaemon=true\npidfile=%FOLDER%/d.pid\nlogfile=NONE\n',
  });
  await launched.waitForLine(/supervisord started/);
  await launched.enter(['sh', '-c', 'echo 1 >d.pid']);
  launched.signal('SIGTERM');
  await launched.exit;
  assert.equal(await readFile(join(launched.folder, 'd.pid'), 'utf8'), '1\n');
});

test(
  'user= in [supervisord]: it becomes that user, and so do the programs',
  { skip: process.getuid?.() === 0 ? false : 'only root can become another user' },
  async (t) => {
    const launched = await launch(t, {
      as: 'plain',
      config:
        '[supervisord]\nnodaemon=true\nuser=nobody\npidfile=%FOLDER%/d.pid\nlogfile=NONE\n' +
        '[program:a]\ncommand=sh -c "id -un; exec sleep 1000"\nstdout_logfile=/dev/stdout\n' +
        'stdout_logfile_maxbytes=0\nstderr_logfile=NONE\n',
    });
    await launched.stdout.waitFor(/^nobody$/);
    assert.match(await statusField(launched.pid, 'Uid'), /^65534\s+65534\s+65534\s+65534$/);
  },
);

test('onevisor --container has container mode without being PID 1', async (t) => {
  const launched = await launch(t, {
    as: 'plain',
    executable: EXECUTABLE,
    config: '[supervisord]\n[program:a]\ncommand=sh -c "echo out; exec sleep 1000"\n',
    args: ['--container'],
    env: { XDG_RUNTIME_DIR: '/nowhere' },
  });
  await launched.stdout.waitFor(/^a \| out$/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test(
  "the debug log has what Supervisor's own tests wait for: output, bytes that are no text, the end of a child, " +
    'each state of a listener',
  { skip: (await pid1SkipReason()) ?? false },
  async (t) => {
    const listener =
      '#!/bin/sh\nprintf "READY\\n"; while read -r line; do head -c "${line##*len:}" >/dev/null; printf ' +
      '"RESULT 2\\nOKREADY\\n"; done\n';
    const launched = await launch(t, {
      env: { ONEVISOR_CONTAINER: '0' },
      as: 'plain',
      args: ['-n'],
      config: `[supervisord]\nloglevel=debug\npidfile=%FOLDER%/d.pid\nlogfile=%FOLDER%/d.log\nchildlogdir=%FOLDER%
[program:odd]\ncommand=printf "\\\\210\\\\n"\nstartsecs=0\nautorestart=false
[program:text]\ncommand=echo plain\nstartsecs=0\nautorestart=false
[eventlistener:mine]\ncommand=%FOLDER%/listener\nevents=PROCESS_STATE_EXITED\nstartsecs=0\n`,
      files: { listener },
    });
    await launched.stdout.waitFor(/DEBG 'odd' stdout output:$/);
    await launched.stdout.waitFor(/^Undecodable: b'\\x88\\n'$/);
    await launched.stdout.waitFor(/^plain$/);
    await launched.stdout.waitFor(/DEBG received SIGCHLD indicating a child quit$/);
    for (const step of ['event was processed', 'BUSY -> ACKNOWLEDGED', 'ACKNOWLEDGED -> READY'])
      await launched.stdout.waitFor(new RegExp(`DEBG mine: ${step}$`));
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
  },
);
