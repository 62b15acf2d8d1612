/**
 * The write-up that explains Supervisor on Ubuntu with a program called hardware: its commented configuration, its
 * commands, "supervisor无法启动".
 */
import assert from 'node:assert/strict';
import { mkdir, readFile, readlink } from 'node:fs/promises';
import { isAlive } from '../e2e/observe.ts';
import { assertOrder, describeWriteUp, standIn, withRpc, type World } from './write-up-world.ts';

const LEFT_OUT = {
  'sudo apt-get install supervisor': 'installs a package',
  'yum install supervisor': 'installs a package',
  'ps -ef|grep supervisor': 'looks at all of the machine; the pidfile says the same',
};

const HOME = '/home/visbodyfit/visfitdevice/hardwareServer';

async function prepare(world: World): Promise<void> {
  // The text omits the section that Supervisor needs for supervisorctl.
  await world.place('/etc/supervisor/supervisord.conf', withRpc(world, world.block('[program:xx]', '[include]')));
  await world.place(`${HOME}/hardware`, standIn('hardware', 'sleep 1000 &\necho "$LD_LIBRARY_PATH"'));
  await world.place('/etc/supervisor/relative/directory/es.ini', '[program:es]\ncommand=sleep 1000\n');
  world.cwd = '/etc/supervisor';
}

async function hardware(world: World): Promise<void> {
  await prepare(world);
  const start = 'supervisord -c /etc/supervisor/supervisord.conf';
  // "需要手动创建目录": without the directory of the log it does not start, and reports the reason.
  const refused = await world.run(start);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /hardwareServer\/logs\/hardware_out\.log does not exist/);
  await mkdir(world.at(`${HOME}/logs`));
  assert.deepEqual(await world.run(start), { code: 0, stdout: '', stderr: '' });
  const daemon = await world.daemon('/tmp/supervisord.pid');
  assert.equal(await world.mode('/tmp/supervisor.sock'), 0o700);
  await assert.rejects(world.page(null), 'the web server is commented out');

  const log = await world.untilFile(`${HOME}/logs/hardware_out.log`, /hardware err/);
  assert.equal(log, `${world.move(`${HOME}/lib`)}\nhardware out \nhardware err\n`);
  await world.untilStatus('es', /RUNNING/);
  assertOrder(await world.read('/tmp/supervisord.log'), /spawned: 'xx'/, /spawned: 'es'/);

  assert.equal((await world.run('supervisorctl stop es')).stdout, 'es: stopped\n');
  assert.equal((await world.run('supervisorctl start es')).stdout, 'es: started\n');
  // The text says that this restarts es. It has no name, and Supervisor requires one.
  assert.match((await world.run('supervisorctl restart')).stdout, /^Error: restart requires a process name/);
  const es = await world.pidOf('es');
  assert.equal((await world.run('supervisorctl update')).stdout, '');
  await world.place('/etc/supervisor/relative/directory/new.ini', '[program:new]\ncommand=sleep 1000\n');
  assert.equal((await world.run('supervisorctl update')).stdout, 'new: added process group\n');
  assert.equal(await world.pidOf('es'), es);

  // startsecs=10: STARTING until then.
  const [, seconds = ''] = /uptime 0:00:(\d\d)/.exec(await world.untilStatus('xx', /^xx {31}RUNNING/)) ?? [];
  assert.ok(Number(seconds) >= 10, `startsecs is 10, and it is RUNNING after ${seconds} s`);
  assert.match((await world.run('supervisorctl status')).stdout, /^es {31}RUNNING .*\nnew .*\nxx {31}RUNNING .*\n$/);
  const pid = await world.pidOf('xx');
  assert.equal(await readlink(`/proc/${pid}/cwd`), world.at(HOME));
  assert.match(await readFile(`/proc/${pid}/environ`, 'utf8'), /SUPERVISOR_PROCESS_NAME=xx\0/);

  // stopasgroup=false, killasgroup=false: child processes of the program live on.
  const [child = 0] = await world.childrenOf('xx');
  assert.equal(await world.ctl('stop xx'), 'xx: stopped\n');
  assert.ok(await isAlive(child));
  assert.equal((await world.run('supervisorctl reload')).stdout, 'Restarted supervisord\n');
  await world.untilNewPid('xx', pid);
  assert.equal(await world.daemon('/tmp/supervisord.pid'), daemon);
}

/** "supervisor无法启动": supervisorctl reports that nothing runs, and the two commands repair it. */
async function notRunning(world: World): Promise<void> {
  await prepare(world);
  await mkdir(world.at(`${HOME}/logs`));
  assert.match((await world.run('supervisord -v')).stdout, /^\d+\.\d+\.\d+\n$/);
  const missing = world.move('unix:///tmp/supervisor.sock no such file\n');
  const shell = await world.run('sudo supervisorctl');
  assert.ok(shell.stdout.startsWith(`${missing}supervisor> `), shell.stdout);
  assert.ok(world.text.includes('unix:///var/run/supervisor.sock no such file\nsupervisor>'));
  assert.equal((await world.run('supervisorctl status')).stdout, missing);

  assert.equal((await world.run('sudo supervisord -c /etc/supervisor/supervisord.conf')).code, 0);
  assert.equal((await world.run('sudo supervisorctl reload')).stdout, 'Restarted supervisord\n');
  await world.untilStatus('all', /^es .*\nxx /);
  const interactive = await world.shell('supervisorctl', 'status es\nstop es\nstart es\nexit\n');
  assert.match(
    interactive.stdout,
    /^es .*\nxx .*\nsupervisor> es .*\nsupervisor> es: stopped\nsupervisor> es: started\nsupervisor> \n$/,
  );
}

/** autorestart=true, false and unexpected, as the comment explains them; the default is unexpected. */
async function autorestart(world: World): Promise<void> {
  await prepare(world);
  await mkdir(world.at(`${HOME}/logs`));
  assert.match(world.text, /说明：\[unexpected,true,false\]/);
  const ends = (name: string, status: number, option: string): string =>
    `[program:${name}]\ncommand=sh -c "sleep 1.3; exit ${status}"\n${option}\n`;
  await world.place(
    '/etc/supervisor/relative/directory/ends.ini',
    [
      ends('always', 0, 'autorestart=true'),
      ends('never', 1, 'autorestart=false'),
      ends('fine', 0, 'autorestart=unexpected'),
      ends('broken', 1, 'autorestart=unexpected'),
      ends('unset', 1, ''),
    ].join(''),
  );
  await world.run('supervisord -c /etc/supervisor/supervisord.conf');
  const log = await world.untilFile(
    '/tmp/supervisord.log',
    new RegExp(
      "^(?=[^]*(spawned: 'always'[^]*){2})(?=[^]*(spawned: 'broken'[^]*){2})" +
        "(?=[^]*(spawned: 'unset'[^]*){2})(?=[^]*exited: never)[^]*exited: fine",
    ),
  );
  assert.match(log, /exited: always \(exit status 0; expected\)/);
  assert.match(log, /exited: broken \(exit status 1; not expected\)/);
  for (const name of ['never', 'fine']) {
    assert.match(await world.ctl(`status ${name}`), /EXITED/);
    assert.equal(log.split(`spawned: '${name}'`).length, 2);
  }
}

describeWriteUp('commented-configuration', LEFT_OUT, {
  'the commented configuration': hardware,
  'when nothing runs': notRunning,
  autorestart: autorestart,
});
