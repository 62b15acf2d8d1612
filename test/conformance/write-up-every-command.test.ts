/**
 * The write-up "进程管理工具：supervisor", command by command: a configuration under /utxt, a program that is restarted, all
 * of supervisorctl.
 */
import assert from 'node:assert/strict';
import { readlink, stat } from 'node:fs/promises';
import { isAlive, statusField, until } from '../e2e/observe.ts';
import { describeWriteUp, isRoot, standIn, type World } from './write-up-world.ts';

const LEFT_OUT = {
  'sudo apt-get install supervisor': 'installs a package',
  'sudo yum install supervisor': 'installs a package',
  'pip install supervisor': 'installs a package',
  'python setup.py install': 'builds the Python program',
  'sudo systemctl start supervisord':
    'needs systemd as PID 1; the commands of its unit, ExecStart and ExecStop, are run',
  'nohup bash test.sh &': 'is about nohup, not about Supervisor',
  '* * * * * /root/nohup/monitor.sh': 'is about cron, not about Supervisor',
};

const PROCESS1 = standIn('process1', `trap 'yes ${'x'.repeat(99)} | head -n 25000' USR1`);

async function quickStart(world: World): Promise<void> {
  await world.run('mkdir -p /utxt/soft/supervisor');
  world.cwd = '/utxt/soft/supervisor';
  await world.run('mkdir conf log');
  await world.place('/utxt/soft/supervisor/supervisord.conf', world.block('说明 include 说明'));
  for (const command of world
    .block('sudo mkdir')
    .split('\n')
    .filter((line) => line.startsWith('sudo ')))
    assert.equal((await world.run(command)).code, 0, command);

  const started = await world.run('supervisord -c /utxt/soft/supervisor/supervisord.conf');
  assert.deepEqual(started, {
    code: 0,
    stdout: '',
    stderr: world.move('Unlinking stale socket /var/run/supervisor/supervisor.sock\n'),
  });
  assert.ok((await stat(world.at('/var/run/supervisor/supervisor.sock'))).isSocket());
  // The text sets mode 777 on a file here. The socket in its place has the default of `chmod`.
  assert.equal(await world.mode('/var/run/supervisor/supervisor.sock'), 0o700);
  const daemon = await world.daemon('/var/run/supervisord.pid');
  await world.untilFile('/var/log/supervisord.log', new RegExp(`supervisord started with pid ${daemon}`));

  await world.place('/root/process1', PROCESS1);
  await world.place('/utxt/soft/supervisor/conf/process1.conf', world.block('[program:process1]'));
  await world.place('/utxt/soft/supervisor/conf/other.conf', '[program:other]\ncommand=sleep 1000\n');
  // The text has "Restarted supervisord" here, which is the output of `reload`.
  assert.deepEqual((await world.run('supervisorctl update')).stdout.split('\n').toSorted(), [
    '',
    'other: added process group',
    'process1: added process group',
  ]);
  const [, uptime = ''] =
    /^process1 {25}RUNNING {3}pid \d+, uptime 0:00:(\d\d)$/m.exec(await world.untilStatus('process1', /RUNNING/)) ?? [];
  assert.ok(Number(uptime) >= 5, `startsecs is 5, and it is RUNNING after ${uptime} s`);
  await world.untilFile('/utxt/soft/supervisor/log/process1.out.log', /^process1 out/);
  await world.untilFile('/utxt/soft/supervisor/log/process1.err.log', /^process1 err/);

  await pullUpAgain(world);
  await rotate(world);
  await web(world);
  await useCtl(world);
  assert.ok(await isAlive(daemon), 'reload keeps the process');
  assert.equal((await world.run('supervisorctl shutdown')).stdout, 'Shut down\n');
  await world.untilEnded(daemon);
  await assert.rejects(stat(world.at('/var/run/supervisor/supervisor.sock')), { code: 'ENOENT' });
}

async function pullUpAgain(world: World): Promise<void> {
  const pid = await world.pidOf('process1');
  await world.run('kill -9 12654', { 12654: String(pid) });
  await world.untilNewPid('process1', pid);
  const log = await world.untilFile(
    '/var/log/supervisord.log',
    /exited: process1 \(terminated by SIGKILL; not expected\)\n[^]*spawned: 'process1'/,
  );
  const [, exited = ''] =
    /^(\S+ \S+),\d+ \w+ exited: process1 \(terminated by SIGKILL; not expected\)$/m.exec(log) ?? [];
  const [, spawned = ''] =
    /^(\S+ \S+),\d+ \w+ spawned: 'process1' with pid \d+$/m.exec(log.slice(log.indexOf(exited))) ?? [];
  assert.ok(
    exited !== '' && Date.parse(spawned) - Date.parse(exited) <= 3000,
    `gone at ${exited}, there again at ${spawned}`,
  );
}

async function rotate(world: World): Promise<void> {
  await world.ctl('signal USR1 process1');
  // 2.5 MB with a limit of 1 MB. The actual size of a file depends on the size of a read.
  await until(
    'a rotated log',
    async () => (await stat(world.at('/utxt/soft/supervisor/log/process1.out.log.2')).catch(() => null)) !== null,
  );
  const { size } = await stat(world.at('/utxt/soft/supervisor/log/process1.out.log.1'));
  assert.ok(size >= 1024 * 1024 && size < 1.5 * 1024 * 1024, `${size} bytes`);
}

async function web(world: World): Promise<void> {
  assert.equal((await world.page(null)).status, 401);
  assert.equal((await world.page('admin:wrong')).status, 401);
  const page = await world.page('admin:yourpassword');
  assert.equal(page.status, 200);
  assert.match(page.text, /process1/);
}

async function useCtl(world: World): Promise<void> {
  const named = { '<program_name>': 'process1', program_name: 'process1' };
  const say = async (command: string): Promise<string> => (await world.run(command, named)).stdout;
  assert.equal(await say('supervisorctl stop <program_name>'), 'process1: stopped\n');
  assert.match(
    await say('supervisorctl status <program_name>'),
    /^process1 {25}STOPPED {3}\w{3} \d\d \d\d:\d\d [AP]M\n$/,
  );
  assert.equal(await say('supervisorctl start all'), 'process1: started\n');
  assert.match(await say('supervisorctl tail program_name'), /process1 out/);
  await world.follow('supervisorctl tail -f program_name', named, /process1 out/);
  await world.follow('supervisorctl tail -f program_name stdout', named, /process1 out/);
  await world.follow('supervisorctl tail -f program_name stderr', named, /process1 err/);

  // reread reads the file and reports syntax errors. It stops and starts nothing.
  const conf = '/utxt/soft/supervisor/conf/process1.conf';
  const [process1, other] = [await world.pidOf('process1'), await world.pidOf('other')];
  await world.place(conf, 'this is no configuration\n');
  assert.match((await world.run('supervisorctl reread')).stdout, /CANT_REREAD|ERROR/);
  await world.place(
    conf,
    `${world.block('[program:process1]').replace('startsecs = 5', 'startsecs = 1')}\nenvironment=NEW=1\n`,
  );
  assert.equal(await say('supervisorctl reread'), 'process1: changed\n');
  assert.deepEqual([await world.pidOf('process1'), await world.pidOf('other')], [process1, other]);
  assert.equal(await say('supervisorctl update'), 'process1: stopped\nprocess1: updated process group\n');
  await world.untilStatus('process1', /RUNNING/);
  assert.notEqual(await world.pidOf('process1'), process1);
  assert.equal(await world.pidOf('other'), other, 'only what changed is restarted');

  assert.equal(await say('supervisorctl restart <program_name>'), 'process1: stopped\nprocess1: started\n');
  assert.deepEqual((await say('supervisorctl stop all')).split('\n').toSorted(), [
    '',
    'other: stopped',
    'process1: stopped',
  ]);
  assert.equal(await say('supervisorctl start <program_name>'), 'process1: started\n');
  const before = await world.pidOf('process1');
  assert.equal(await say('supervisorctl reload'), 'Restarted supervisord\n');
  await world.untilNewPid('process1', before);
  await world.untilNewPid('other', 0);
  assert.match(await say('supervisorctl status'), /^other .*\nprocess1 .*\n$/);
}

/**
 * The fragments of the chapter "配置文件", in one file. The first option of the group's programs is the text's own program.
 */
async function everyOption(world: World): Promise<void> {
  const program = world.block('[program:my_program]');
  const copy = (name: string): string =>
    program.replace('[program:my_program]', `[program:${name}]`).replaceAll('my_program.', `${name}.`);
  await world.place(
    '/etc/supervisord.conf',
    [
      world.block('[supervisord]', 'identifier=supervisor'),
      program,
      copy('my_program1'),
      copy('my_program2'),
      world.block('stdout_logfile_backups=5'),
      world.block('[group:my_group]'),
      world.block('[include]', '/etc/supervisor/conf.d'),
      world.block('[inet_http_server]', 'username=user'),
      world.block('[supervisorctl]', 'unix:///var/run/supervisord.sock   ;'),
      world.block('[processcontrol]'),
      // The text configures this socket for supervisorctl only, and omits the interface.
      '[unix_http_server]\nfile=/var/run/supervisord.sock\n' +
        '[rpcinterface:supervisor]\n' +
        'supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n',
    ].join('\n'),
  );
  for (const path of ['/path/to/working/dir', '/var/log/supervisor']) await world.makeFolder(path);
  await world.place('/path/to/your/program', standIn('mine', 'sleep 1000 &\necho "$VAR1 $VAR2 $(pwd)"'));
  await world.place(
    '/etc/supervisor/conf.d/included.conf',
    '[program:included]\ncommand=sleep 1000\nautostart=false\n',
  );
  world.cwd = '/etc';
  const { code, stderr } = await world.shell('supervisord -c /etc/supervisord.conf');
  assert.equal(code, 0, stderr);
  const daemon = await world.daemon('/var/run/supervisord.pid');
  const user = isRoot ? 65_534 : process.getuid?.();
  for (const pid of [daemon, await world.pidOf('my_program')])
    assert.match(await statusField(pid, 'Uid'), new RegExp(`^${user}\\s`));
  assert.equal(await statusField(daemon, 'Umask'), '0022');
  assert.equal(await readlink(`/proc/${daemon}/cwd`), world.at('/tmp'));

  assert.equal(
    (await world.ctl('status')).replace(/RUNNING.*|STOPPED.*|STARTING.*/g, '').replace(/ +$/gm, ''),
    'included\nmy_group:my_program1\nmy_group:my_program2\nmy_program\n',
  );
  const log = await world.untilFile('/var/log/my_program.log', /mine err/);
  assert.equal(log, `value1 value2 ${world.at('/path/to/working/dir')}\nmine out \nmine err\n`);

  // stopasgroup and killasgroup: the child of the program ends with it.
  await world.untilStatus('my_program', /RUNNING/);
  const children = await world.childrenOf('my_program');
  assert.equal(await world.ctl('stop my_program'), 'my_program: stopped\n');
  for (const child of children) await world.untilEnded(child);

  // Supervisor accepts a group as `my_group:*`; the bare name of the text is not a process.
  await world.ctl('stop my_group:*');
  assert.equal((await world.run('sudo supervisorctl start my_group')).stdout, 'my_group: ERROR (no such process)\n');
  assert.deepEqual((await world.ctl('start my_group:*')).split('\n').toSorted(), [
    '',
    'my_group:my_program1: started',
    'my_group:my_program2: started',
  ]);
  assert.deepEqual([(await world.page('user:pass')).status, (await world.page(null)).status], [200, 401]);
  // Options that do not exist have no effect. Ours reports them.
  if (world.subject.isOurs) {
    const main = await world.read('/var/log/supervisord.log');
    for (const pattern of [
      /WARN .*\[processcontrol\]/,
      /WARN .*\[program:my_program\] group/,
      /WARN .*\[program:my_program\] loglevel/,
    ])
      assert.match(main, pattern);
  }
  await world.ctl('shutdown');
  await world.untilEnded(daemon);
}

/** ExecStart and ExecStop of the unit are these commands, with the path of the executable. */
async function unit(world: World): Promise<void> {
  await world.run('mkdir -p /utxt/soft/supervisor');
  world.cwd = '/utxt/soft/supervisor';
  await world.makeFolder('/var/run/supervisor');
  await world.place('/utxt/soft/supervisor/supervisord.conf', world.block('说明 include 说明'));
  const [, start = ''] = /^ *ExecStart=\/usr\/local\/bin\/(.*)$/m.exec(world.text) ?? [];
  const [, stop = ''] = /^ *ExecStop=\/usr\/local\/bin\/(.*)$/m.exec(world.text) ?? [];
  assert.equal((await world.run(start)).code, 0);
  const daemon = await world.daemon('/var/run/supervisord.pid');
  assert.equal((await world.run(stop)).stdout, 'Shut down\n');
  await world.untilEnded(daemon);
}

describeWriteUp('every-command', LEFT_OUT, {
  'quick start': quickStart,
  'the options of the chapter 配置文件': everyOption,
  'the commands of the systemd unit': unit,
});
