/**
 * The write-up "supervisor 进程管理": from the sample configuration to a PHP program with a web page next to it. A shell
 * script replaces PHP.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { statusField } from '../e2e/observe.ts';
import { describeWriteUp, type World } from './write-up-world.ts';

const LEFT_OUT = {
  'sudo apt-get install supervisor': 'installs a package',
  'pip install supervisor': 'installs a package',
  'kill -l': "lists the shell's signals",
};

/** Has the behaviour of task1.php. */
const PHP =
  '#!/bin/sh\n[ "$1" = task1.php ] && [ -f task1.php ] || exit 9\n' +
  'trap \'printf "stop stop stop ..."; exit\' TERM\n' +
  'while :; do echo; date "+%Y-%m-%d %H:%M:%S"; sleep 0.2; done\n';

async function task(world: World): Promise<void> {
  const sample = await world.run('echo_supervisord_conf');
  assert.match(sample.stdout, /^; Sample /);
  assert.equal((await world.run('echo_supervisord_conf > /etc/supervisord.conf')).code, 0);
  assert.equal(await world.read('/etc/supervisord.conf'), sample.stdout);
  // The rest of the block is the added sections.
  const block = world.block('[program:task1]');
  await world.place('/etc/supervisord.conf', `${sample.stdout}\n${block.slice(block.indexOf('[inet_http_server]'))}`);
  await world.place('/usr/bin/php', PHP);
  await world.place('/root/task1.php', world.block('<?php').replace('task1.php\n', ''));
  world.cwd = '/etc';
  assert.equal((await world.run('supervisord -c /etc/supervisord.conf')).code, 0);
  const daemon = await world.daemon('/tmp/supervisord.pid');
  await world.untilFile('/root/task1.log', /^\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n/);

  const [, seconds = ''] =
    /^task1 {28}RUNNING {3}pid \d+, uptime 0:00:(\d\d)\n$/.exec(await world.untilStatus('task1', /RUNNING/)) ?? [];
  assert.ok(Number(seconds) >= 3, `startsecs is 3, and it is RUNNING after ${seconds} s`);
  assert.match((await world.run('supervisorctl status')).stdout, /^task1 {28}RUNNING/);
  assert.deepEqual([(await world.page(null)).status, (await world.page('user:12')).status], [401, 401]);
  const page = await world.page('user:123');
  assert.equal(page.status, 200);
  assert.match(page.text, /task1/);
  assert.match((await world.page('user:123', '/tail.html?processname=task1')).text, /\d\d:\d\d:\d\d/);

  // Without a name the commands ask for one.
  for (const action of ['start', 'stop', 'restart'])
    assert.match(
      (await world.run(`supervisorctl ${action}`)).stdout,
      new RegExp(`^Error: ${action} requires a process name`),
    );
  // autorestart=true: a restart after any exit.
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await world.untilStatus('task1', /RUNNING/);
    const pid = await world.pidOf('task1');
    process.kill(pid, signal);
    await world.untilNewPid('task1', pid);
  }
  await world.untilFile(
    '/tmp/supervisord.log',
    /exited: task1 \(exit status 0; expected\)[^]*exited: task1 \(terminated by SIGKILL; not expected\)/,
  );

  // The new run has its handler by then: it is RUNNING after three seconds.
  await world.untilStatus('task1', /RUNNING/);
  const before = (await world.read('/root/task1.log')).split('stop stop stop ...').length;
  assert.equal(await world.ctl('stop task1'), 'task1: stopped\n');
  assert.equal(
    (await world.read('/root/task1.log')).split('stop stop stop ...').length,
    before + 1,
    'the handler of SIGTERM ran',
  );
  assert.equal((await world.run('supervisorctl reload')).stdout, 'Restarted supervisord\n');
  await world.untilNewPid('task1', 0);
  assert.equal((await world.run('supervisorctl shutdown')).stdout, 'Shut down\n');
  await world.untilEnded(daemon);
}

/** The list "配置说明", its options together in one program: umask, serverurl, events and captures too. */
async function everyOption(world: World): Promise<void> {
  const values: Readonly<Record<string, string>> = {
    command: 'sh -c "umask; echo $SUPERVISOR_SERVER_URL; exec sleep 1000"',
    process_name: '%(program_name)s-%(process_num)d',
    numprocs: '2',
    numprocs_start: '1',
    priority: '5',
    autostart: 'true',
    autorestart: 'unexpected',
    startsecs: '1',
    startretries: '3',
    exitcodes: '0,2',
    stopsignal: 'INT',
    stopwaitsecs: '5',
    stopasgroup: 'true',
    killasgroup: 'true',
    user: 'root',
    redirect_stderr: 'false',
    stdout_logfile: world.at('/tmp/%(process_num)d.log'),
    stdout_logfile_maxbytes: '1KB',
    stdout_logfile_backups: '0',
    stdout_capture_maxbytes: '1KB',
    stdout_events_enabled: 'true',
    stderr_logfile: 'AUTO',
    stderr_logfile_maxbytes: '0',
    stderr_logfile_backups: '3',
    stderr_capture_maxbytes: '1MB',
    stderr_events_enabled: 'true',
    environment: 'A=1',
    directory: world.at('/root'),
    umask: '027',
    serverurl: 'AUTO',
  };
  const listed = [...world.block('- command：').matchAll(/^- (\w+)：/gm)].map(([, name = '']) => name);
  assert.deepEqual(listed, Object.keys(values), 'every option of the list, in its order');
  const options = listed.map((name) => `${name}=${values[name] ?? ''}`).join('\n');
  await world.place(
    '/etc/supervisord.conf',
    `${(await world.run('echo_supervisord_conf')).stdout}\n[program:all]\n${options}\n`,
  );
  world.cwd = '/etc';
  assert.deepEqual(await world.run('supervisord -c /etc/supervisord.conf'), { code: 0, stdout: '', stderr: '' });
  for (const number of [1, 2])
    await world.untilFile(`/tmp/${number}.log`, new RegExp(`^0027\nunix://${world.at('/tmp/supervisor.sock')}\n$`));
  await world.untilStatus('all:*', /^all:all-1 +RUNNING.*\nall:all-2 +RUNNING/);
  const pid = await world.pidOf('all:all-1');
  assert.match(await readFile(`/proc/${pid}/environ`, 'utf8'), /\0A=1\0/);
  assert.equal(await statusField(pid, 'Umask'), '0027');
  assert.equal(
    (await world.shell('ls .. | grep ^all-1-stderr')).stdout.split('\n').length,
    2,
    'AUTO is a file of its own',
  );
  assert.deepEqual((await world.ctl('stop all:*')).split('\n').toSorted(), [
    '',
    'all:all-1: stopped',
    'all:all-2: stopped',
  ]);
  await world.untilFile('/tmp/supervisord.log', /stopped: all-1 \(terminated by SIGINT\)/);
}

describeWriteUp('web-page', LEFT_OUT, {
  'from the sample to task1': task,
  'every option of the list 配置说明': everyOption,
});
