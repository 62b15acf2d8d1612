/** The write-up that translates Supervisor's introduction: echo_supervisord_conf, and a table of program options. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { assertOrder, describeWriteUp, isRoot, standIn, type World } from './write-up-world.ts';

/** Starts with the sample with adapted paths, and the programs for the table. */
async function begin(world: World, programs: string): Promise<number> {
  assert.equal((await world.run('echo_supervisord_conf > /etc/supervisord.conf')).code, 0);
  await world.place('/etc/supervisord.conf', `${await world.read('/etc/supervisord.conf')}\n${programs}`);
  world.cwd = '/etc';
  assert.equal((await world.shell('supervisord -c /etc/supervisord.conf')).code, 0);
  return world.daemon('/tmp/supervisord.pid');
}

const logs = (world: World): string =>
  `stdout_logfile=${world.at('/tmp')}/%(program_name)s-%(process_num)d.log\nredirect_stderr=true\n`;

async function sample(world: World): Promise<void> {
  const daemon = await begin(world, '');
  // "如果您没有root访问权限": every user can start it unchanged, so its files are in /tmp.
  const sample = (await world.shell('echo_supervisord_conf')).stdout;
  for (const line of [
    'file=/tmp/supervisor.sock',
    'logfile=/tmp/supervisord.log',
    'pidfile=/tmp/supervisord.pid',
    'serverurl=unix:///tmp/supervisor.sock',
  ])
    assert.match(sample, new RegExp(`^${line} `, 'm'));
  assert.equal(await world.mode('/tmp/supervisor.sock'), 0o700);
  assert.deepEqual(await world.shell('supervisorctl status'), { code: 0, stdout: '', stderr: '' });
  assert.equal(await world.ctl('shutdown'), 'Shut down\n');
  await world.untilEnded(daemon);
  // In the working directory, for users who cannot write to /etc. It is found there without -c, too.
  world.cwd = '/home/me';
  await world.makeFolder(world.cwd);
  assert.equal((await world.run('echo_supervisord_conf > supervisord.conf')).code, 0);
  await world.place('/home/me/supervisord.conf', await world.read('/home/me/supervisord.conf'));
  assert.equal((await world.shell('supervisord -c supervisord.conf')).code, 0);
  assert.match(await world.ctl('pid'), /^\d+\n$/);
}

/** Names, numbers, command lines with their variables, environment, user. */
async function commands(world: World): Promise<void> {
  const examples = [...world.text.matchAll(/^ *> (\/path\/to\/program .*?) *$/gm)].map(([, command = '']) => command);
  assert.deepEqual(examples, [
    '/path/to/program foo bar',
    '/path/to/program -p "foo bar"',
    '/path/to/program --port=80%(process_num)02d',
  ]);
  await world.place(
    '/path/to/program',
    '#!/bin/sh\nfor word; do echo "[$word]"; done\necho err >&2\nexec sleep 1000\n',
  );
  await begin(
    world,
    [
      ...examples.map(
        (command, index) =>
          `[program:example${index}]\ncommand=${command}\nprocess_name=%(program_name)s_%(process_num)02d\n` +
          `numprocs=${index === 2 ? 3 : 1}\nnumprocs_start=${index === 2 ? 7 : 0}\n${logs(world)}`,
      ),
      `[program:variables]\n` +
        `command=/path/to/program %(group_name)s %(host_node_name)s %(process_num)d %(program_name)s ` +
        `%(ENV_HOME)s\nenvironment=A="1",B=2\nuser=${isRoot ? 'nobody' : process.getuid?.()}\n${logs(world)}`,
      '[group:both]\nprograms=example0,example1\n',
      '[program:searched]\ncommand=sleep 1000\nautostart=false\n',
    ].join('\n'),
  );
  await world.untilFile('/tmp/example0-0.log', /^\[foo\]\n\[bar\]\nerr\n$/);
  await world.untilFile('/tmp/example1-0.log', /^\[-p\]\n\[foo bar\]\nerr\n$/);
  for (const number of [7, 8, 9])
    await world.untilFile(`/tmp/example2-${number}.log`, new RegExp(`^\\[--port=800${number}\\]\nerr\n$`));
  const words = ['variables', hostname(), '0', 'variables', world.root];
  assert.equal(
    await world.untilFile('/tmp/variables-0.log', /err/),
    `${words.map((word) => `[${word}]\n`).join('')}err\n`,
  );
  const pid = await world.pidOf('variables');
  assert.match(await readFile(`/proc/${pid}/environ`, 'utf8'), /(?=[^]*\0A=1\0)[^]*\0B=2\0/);
  await world.untilStatus(
    'all',
    new RegExp(
      '^both:example0_00 +RUNNING.*\\nboth:example1_00 +RUNNING.*' +
        '\\nexample2:example2_07 +RUNNING.*\\nexample2:example2_08 .*\\nexample2:example2_09 .*' +
        '\\nsearched +STOPPED {3}Not started\\nvariables ',
    ),
  );
  // "command 相对路径": found in PATH; "group 作为一个单元".
  assert.equal(await world.ctl('start searched'), 'searched: started\n');
  assert.deepEqual((await world.ctl('stop both:*')).split('\n').toSorted(), [
    '',
    'both:example0_00: stopped',
    'both:example1_00: stopped',
  ]);
}

const SIGNALS = ['TERM', 'HUP', 'INT', 'QUIT', 'KILL', 'USR1', 'USR2'];

/** stopsignal, stopwaitsecs, and the order by priority. */
async function stopping(world: World): Promise<void> {
  assert.ok(world.text.includes('TERM，HUP，INT，QUIT，KILL，USR1说明USR2'));
  await world.place(
    '/path/to/program',
    standIn(
      'it',
      SIGNALS.filter((name) => name !== 'KILL')
        .map((name) => `trap 'echo got ${name}; exit 0' ${name}`)
        .join('\n'),
    ),
  );
  await world.place('/path/to/stubborn', standIn('stubborn', "trap '' TERM"));
  const daemon = await begin(
    world,
    [
      ...SIGNALS.map(
        (name) => `[program:${name.toLowerCase()}]\ncommand=/path/to/program\nstopsignal=${name}\n${logs(world)}`,
      ),
      `[program:stubborn]\ncommand=/path/to/stubborn\nstopwaitsecs=1\n${logs(world)}`,
      `[program:first]\ncommand=sleep 1000\npriority=1\n[program:last]\ncommand=sleep 1000\npriority=2000\n`,
    ].join('\n'),
  );
  for (const name of [...SIGNALS.map((name) => name.toLowerCase()), 'stubborn'])
    await world.untilFile(`/tmp/${name}-0.log`, /out/);
  await world.untilStatus('last', /RUNNING/);
  const started = await world.read('/tmp/supervisord.log');
  assertOrder(started, /spawned: 'first'/, /spawned: 'int'/, /spawned: 'last'/);
  assert.equal(await world.ctl('stop stubborn'), 'stubborn: stopped\n');
  await world.untilFile(
    '/tmp/supervisord.log',
    /WARN killing 'stubborn' \(\d+\) with SIGKILL\n[^]*stopped: stubborn \(terminated by SIGKILL\)/,
  );
  assert.equal(await world.ctl('shutdown'), 'Shut down\n');
  await world.untilEnded(daemon);
  const log = await world.read('/tmp/supervisord.log');
  assertOrder(log, /stopped: last/, /stopped: int/, /stopped: first/);
  for (const name of SIGNALS.filter((name) => name !== 'KILL')) {
    assert.match(await world.read(`/tmp/${name.toLowerCase()}-0.log`), new RegExp(`got ${name}\n$`));
    assert.match(log, new RegExp(`stopped: ${name.toLowerCase()} \\(exit status 0\\)`));
  }
  assert.match(log, /stopped: kill \(terminated by SIGKILL\)/);
}

/** "奔溃时自动重启": at once for a program that was up, with startretries for one that never comes up. */
async function crashing(world: World): Promise<void> {
  await begin(
    world,
    '[program:crash]\ncommand=sleep 1000\nautorestart=unexpected\nexitcodes=0\n' +
      '[program:never]\ncommand=sh -c "exit 3"\nstartretries=1\nstartsecs=10\n',
  );
  await world.untilStatus('crash', /RUNNING/);
  const pid = await world.pidOf('crash');
  process.kill(pid, 'SIGSEGV');
  await world.untilNewPid('crash', pid);
  const log = await world.untilFile('/tmp/supervisord.log', /gave up: never entered FATAL state/);
  assert.equal(log.split('exited: never (exit status 3; not expected)').length - 1, 2);
  await world.untilStatus('never', /FATAL/);
}

describeWriteUp(
  'program-options',
  {},
  {
    echo_supervisord_conf: sample,
    'the examples of command, and what goes with them': commands,
    stopping: stopping,
    crashing: crashing,
  },
);
