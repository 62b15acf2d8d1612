/**
 * `update` on a running supervisor: only necessary restarts, numprocs affects only the difference, and all other
 * changes apply while the programs run.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { order, statusesOf } from './connections.ts';
import { launch, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;

/** A group of workers next to another program. Each prints its number when it starts. */
function configuration(numprocs: number, worker = '', web = ''): string {
  return `[supervisord]
[program:web]
command=sh -c "echo web is up; exec sleep 1000"
${web}
[program:worker]
command=sh -c "echo worker %(process_num)s is up; exec sleep 1000"
process_name=%(process_num)s
numprocs=${numprocs}
startsecs=0
${worker}
`;
}

test('update restarts only programs that must be executed again', { skip }, async (t) => {
  const launched = await launch(t, { config: configuration(2) });
  const file = join(launched.folder, 'supervisord.conf');
  const pids = async (): Promise<Record<string, number>> =>
    Object.fromEntries((await statusesOf(launched)).map(({ group, name, pid }) => [`${group}:${name}`, pid]));
  await launched.stdout.waitFor(/worker 1 is up$/);
  await launched.stdout.waitFor(/web is up$/);
  const first = await pids();

  await writeFile(file, configuration(3, 'stopwaitsecs=3', 'log_format=raw'));
  assert.deepEqual(await launched.ctl('update'), {
    code: 0,
    stdout: 'web: updated process group\nworker: updated process group\n',
    stderr: '',
  });
  await launched.stdout.waitFor(/worker 2 is up$/);
  const second = await pids();
  assert.deepEqual({ ...second, 'worker:2': 0 }, { ...first, 'worker:2': 0 }, 'running programs continue');
  assert.ok((second['worker:2'] ?? 0) > 0);

  await writeFile(file, configuration(1, 'stopwaitsecs=3', 'log_format=raw\nenvironment=A=1'));
  assert.equal(
    (await launched.ctl('update')).stdout,
    'web: stopped\nweb: updated process group\nworker: stopped\nworker: updated process group\n',
  );
  await launched.stdout.waitFor(/^web is up$/, { count: 1 });
  const third = await pids();
  assert.deepEqual(Object.keys(third).toSorted(), ['web:web', 'worker:0']);
  assert.equal(third['worker:0'], first['worker:0']);
  assert.notEqual(third['web:web'], first['web:web']);
  assert.equal((await launched.ctl('update')).stdout, '');

  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test('update --dry-run lists the processes, and changes none', { skip }, async (t) => {
  const text = (numprocs: number, command: string, stopwaitsecs: number, listener: number): string => `[supervisord]
[program-default]
startsecs=0
[program:worker]
command=sh -c "echo worker %(process_num)s is up; exec sleep 1000"
process_name=%(program_name)s_%(process_num)s
numprocs=${numprocs}
[program:web]
command=sh -c "echo web is up; exec ${command}"
[program:db]
command=sh -c "echo db is up; exec sleep 1000"
stopwaitsecs=${stopwaitsecs}
[program:idle]
command=${command}
autostart=false
[eventlistener:ears]
command=sh -c "echo READY; exec sleep 1000"
events=TICK_5
startsecs=0
priority=${listener}
`;
  const launched = await launch(t, { config: text(3, 'sleep 1000', 10, 1) });
  const status = async (): Promise<unknown> =>
    (await statusesOf(launched)).map(({ group, name, pid, statename }) => ({ group, name, pid, statename }));
  for (const name of ['worker 2', 'web', 'db']) await launched.stdout.waitFor(new RegExp(`${name} is up$`));
  const before = await status();

  await writeFile(join(launched.folder, 'supervisord.conf'), text(5, 'sleep 2000', 3, 2));
  const said = `ears: would be updated
  all its processes would be stopped and started
db: would be updated
  db would change without a restart
idle: would be updated
  idle would change without a restart
web: would be updated
  web would be restarted
worker: would be updated
  worker:worker_3 would be started
  worker:worker_4 would be started
`;
  assert.deepEqual(await launched.ctl('update', '--dry-run'), { code: 0, stdout: said, stderr: '' });
  assert.deepEqual(await launched.ctl('update', 'web', '--dry-run'), {
    code: 0,
    stdout: 'web: would be updated\n  web would be restarted\n',
    stderr: '',
  });
  assert.deepEqual(await status(), before, 'a dry run touches nothing');

  await launched.ctl('update');
  await launched.stdout.waitFor(/worker 4 is up$/);
  await writeFile(join(launched.folder, 'supervisord.conf'), text(4, 'sleep 2000', 3, 2));
  assert.deepEqual(await launched.ctl('update', '--dry-run'), {
    code: 0,
    stdout: 'worker: would be updated\n  worker:worker_4 would be stopped\n',
    stderr: '',
  });
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test('scale changes the number of processes until numprocs changes', { skip }, async (t) => {
  const launched = await launch(t, { config: configuration(2) });
  const file = join(launched.folder, 'supervisord.conf');
  const scale = async (word: string): Promise<string> => (await launched.ctl('scale', word)).stdout;
  const names = async (): Promise<string> => (await statusesOf(launched)).map(({ name }) => name).join(' ');
  await launched.stdout.waitFor(/worker 1 is up$/);
  assert.equal(await scale('worker=4'), '2: added\n3: added\nworker: scaled from 2 to 4\n');
  await launched.stdout.waitFor(/worker 3 is up$/);
  assert.equal(await scale('worker=4'), 'worker: has 4 processes already\n');
  assert.equal((await launched.ctl('update')).stdout, '', 'update keeps it');
  assert.equal(await names(), 'web 0 1 2 3');
  assert.equal(await scale('worker=3'), '3: stopped\nworker: scaled from 4 to 3\n');
  assert.equal(await names(), 'web 0 1 2');
  // One after the other, whatever the order in which they arrive.
  await Promise.all([scale('worker=1'), scale('worker=5'), scale('worker=2')]);
  assert.match(await names(), /^web 0( 1( 2 3 4)?)?$/);
  assert.equal(await scale('worker=3').then(names), 'web 0 1 2');

  assert.match(await scale('web=2'), /^web: ERROR .*process_name: must contain %\(process_num\)/);
  assert.equal(await names(), 'web 0 1 2', 'a refused scale changes nothing');
  assert.match(await scale('nobody=2'), /no such program/);

  await writeFile(file, configuration(2, 'stopwaitsecs=3'));
  assert.match(await scale('worker=4'), /the configuration of worker has changed; .* onevisor update worker/);
  await launched.ctl('update');
  assert.equal(await names(), 'web 0 1 2', 'another option keeps the number');
  await writeFile(file, configuration(1, 'stopwaitsecs=3'));
  await launched.ctl('update');
  assert.equal(await names(), 'web 0', 'numprocs has changed');
  await launched.waitForLine(/'worker' is scaled no more: numprocs of the configuration has changed$/);
});

test('update changes the limits of a log file while its program runs', { skip }, async (t) => {
  const text = (limits: string): string => `[supervisord]
[program:web]
command=sh -c "while :; do echo $$ 3456789012345678901234567890; sleep 0.02; done"
startsecs=0
stdout_logfile=%(here)s/web.log
${limits}
`;
  const launched = await launch(t, { config: text('stdout_logfile_backups=0') });
  const read = (name: string): Promise<string> => readFile(join(launched.folder, name), 'utf8').catch(() => '');
  await launched.waitForLine(/spawned: 'web'/);
  await writeFile(
    join(launched.folder, 'supervisord.conf'),
    text('stdout_logfile_backups=3\nstdout_logfile_maxbytes=200'),
  );
  assert.equal((await launched.ctl('update')).stdout, 'web: updated process group\n');
  while ((await read('web.log.2')) === '') await new Promise((resolve) => setTimeout(resolve, 20));
  assert.match(await read('web.log.2'), /^(\d+) 3456789012345678901234567890\n(\1 [^\n]*\n)*$/);
  assert.equal((await read('web.log.2')).split(' ')[0], (await read('web.log.1')).split(' ')[0], 'the same process');
});

test('programs that depend on a scaled program depend on its new number of processes', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `[supervisord]
[program:gate]
command=sh -c "echo closed; while [ ! -e %(here)s/open ]; do sleep 0.05; done"
oneshot=true
startsecs=0
[program:pool]
command=sh -c "echo pool %(process_num)s is up; exec sleep 1000"
process_name=%(process_num)s
numprocs=3
startsecs=0
depends_on=gate:completed
[program:after]
command=sh -c "echo after %(process_num)s is up; exec sleep 1000"
process_name=%(process_num)s
numprocs=2
startsecs=0
depends_on=pool:restart
`,
  });
  const scale = async (word: string): Promise<string> => (await launched.ctl('scale', word)).stdout;
  await launched.stdout.waitFor(/closed$/);
  assert.equal(await scale('pool=1'), '1: stopped\n2: stopped\npool: scaled from 3 to 1\n');
  assert.deepEqual(
    (await statusesOf(launched)).filter(({ group }) => group === 'after').map(({ description }) => description),
    Array.from({ length: 2 }, () => 'waits for pool:0 to be started'),
  );
  assert.equal(await scale('after=1'), '1: stopped\nafter: scaled from 2 to 1\n');
  await writeFile(join(launched.folder, 'open'), '');
  await launched.stdout.waitFor(/after 0 is up$/);
  assert.equal(await scale('pool=2'), '1: added\npool: scaled from 1 to 2\n');
  await launched.stdout.waitFor(/pool 1 is up$/);
  assert.equal((await launched.ctl('update')).stdout, '', 'nothing is left to update');
  assert.equal(launched.stdout.all.filter((line) => line.endsWith('after 0 is up')).length, 1, 'no restart yet');
  await launched.ctl('restart', 'pool:1');
  await launched.stdout.waitFor(/after 0 is up$/, { count: 2 });
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test('update applies settings of the supervisor itself, and names those that it cannot', { skip }, async (t) => {
  const configured = (settings: string): string =>
    `[supervisord]\nloglevel=error\n${settings}[program:a-program-with-a-long-name]\nstartsecs=0\n` +
    `command=sh -c "trap 'echo again' USR1; echo up; while :; do sleep 1000 & wait; done"\n`;
  const launched = await launch(t, { config: configured('') });
  const file = join(launched.folder, 'supervisord.conf');
  await launched.stdout.waitFor(/ \| up$/);
  await writeFile(
    file,
    configured(
      'loglevel=info\nlog_prefix_width=10\numask=027\nflapping_window=20\n[inet_http_server]\nport=127.0.0.1:9001\n',
    ),
  );
  assert.deepEqual(await launched.ctl('update'), { code: 0, stdout: '', stderr: '' });
  await launched.stdout.waitFor(/ INFO \[supervisord\] loglevel, log_prefix_width, flapping_window updated$/);
  await launched.stdout.waitFor(/ WARN an update does not apply umask, \[inet_http_server\]; use onevisor reload$/);
  await order(launched, 'supervisor.signalProcess', 'a-program-with-a-long-name', 'USR1');
  await launched.stdout.waitFor(/^a-pr…-name \| again$/);
  // A setting that is applied is not told again.
  await writeFile(file, configured('loglevel=info\nlog_prefix_width=10\nflapping_window=20\nflapping_restarts=5\n'));
  await launched.ctl('update');
  await launched.stdout.waitFor(/ INFO \[supervisord\] flapping_restarts updated$/);
  launched.signal('SIGTERM');
  assert.equal((await launched.exit).code, 0);
});
