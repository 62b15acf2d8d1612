/**
 * Command lines run with Supervisor's supervisorctl and with ours, against one Supervisor in the same state: output,
 * error output and exit code are identical.
 */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { controlSocketPaths } from '../../src/core/control-socket.ts';
import { start } from '../unit/ctl/fake-server.ts';
import {
  findFreePort,
  needsSupervisor,
  normalise,
  runOurs,
  runReal,
  startWorld,
  until,
  type World,
} from './ctl-world.ts';

const PORT = await findFreePort();
// Two programs exit by themselves. Their time is controlled, since supervisord looks for ended programs within a start.
// `exited` waits for a line, so each start finds it up. `fatal` waits until its supervisord sleeps in poll, after the
// start has looked.
const PROGRAMS = `
[program:run]
command=/bin/sh -c 'echo hello; printf "tab\\there \\303\\251 <&> end\\n"; echo err >&2; exec sleep 10000'
startsecs=0
[program:stopped]
command=sleep 10000
startsecs=0
autostart=false
[program:exited]
command=/bin/sh -c 'echo bye; read line'
autorestart=false
startsecs=0
[program:fatal]
command=/bin/sh -c 'until grep -q "^State:.S" /proc/$PPID/status; do :; done; exit 3'
startretries=0
startsecs=10000
[program:nofile]
command=/nonexistent/file
startretries=0
[program:notexec]
command=/etc/passwd
startretries=0
[program:starting]
command=sleep 10000
startsecs=10000
[program:stubborn]
command=/bin/sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done'
stopwaitsecs=200
autorestart=false
startsecs=0
stopasgroup=false
killasgroup=true
[program:nolog]
command=sleep 10000
startsecs=0
stdout_logfile=NONE
stderr_logfile=NONE
[program:many]
command=sleep 10000
process_name=%(program_name)s_%(process_num)02d
numprocs=3
startsecs=0
[program:g1]
command=sleep 10000
startsecs=0
[program:g2]
command=/nonexistent
startretries=0
autostart=false
[program:redir]
command=sh -c 'echo redirected; exec sleep 10000'
redirect_stderr=true
startsecs=0
[program:a-very-long-name-that-is-longer-than-thirty-characters]
command=sleep 10000
autostart=false
startsecs=0
[group:grp]
programs=g1,g2
`;

const CHANGED =
  PROGRAMS.replace('[program:nolog]\ncommand=sleep 10000', '[program:nolog]\ncommand=sleep 10001').replace(
    /\[program:redir\][^[]*/,
    '',
  ) +
  '[program:new]\ncommand=sleep 10000\nstartsecs=0\npriority=5\n' +
  '[program:new2]\ncommand=sleep 10000\nstartsecs=0\n[group:newg]\nprograms=new2\npriority=7\n';
const BROKEN = `${PROGRAMS}[program:bad]\n`;

/**
 * A command line, with the steps before each of the two runs: methods with an argument; `config:NAME` writes a
 * configuration.
 */
type Case = readonly [line: string, ...prepare: string[]];

const READING: readonly Case[] = [
  ['status'],
  ['status all'],
  ['status run'],
  ['status run stopped'],
  ['status stopped nosuch'],
  ['status nosuch'],
  ['status run nosuch'],
  ['status nosuch:*'],
  ['status grp:*'],
  ['status grp:'],
  ['status grp:g1 grp:g2'],
  ['status grp:nosuch'],
  ['status many'],
  ['status many:*'],
  ['status many:many_01'],
  ['status fatal'],
  ['status exited'],
  ['status starting'],
  ['status run run'],
  ['status a-very-long-name-that-is-longer-than-thirty-characters'],
  ['pid'],
  ['pid run'],
  ['pid stopped'],
  ['pid all'],
  ['pid nosuch'],
  ['pid run stopped'],
  ['pid stopped run'],
  ['pid nosuch run'],
  ['pid many:many_00 nosuch'],
  ['pid many'],
  ['version'],
  ['version x'],
  ['avail'],
  ['avail x'],
  ['maintail'],
  ['maintail -60'],
  ['maintail -0'],
  ['maintail x'],
  ['maintail -x'],
  ['maintail 50'],
  ['maintail -f x'],
  ['maintail a b'],
  ['help'],
  ['?'],
  ['help nosuch'],
  ['help EOF'],
  ['help start stop'],
  ['?start'],
  ['? tail'],
  ['help  tail'],
  ...[
    'add',
    'avail',
    'clear',
    'exit',
    'fg',
    'help',
    'maintail',
    'open',
    'pid',
    'quit',
    'reload',
    'remove',
    'reread',
    'restart',
    'shutdown',
    'signal',
    'start',
    'status',
    'stop',
    'tail',
    'update',
    'version',
  ].map((name): Case => [`help ${name}`]),
  ['nosuch'],
  ['nosuch a  b'],
  ['STATUS'],
  ['.'],
  ['!ls'],
  ['#x'],
  ['pid-x'],
  ['status;'],
  ['EOF'],
  ['quit'],
  ['exit 3'],
  ['tail'],
  ['tail run'],
  ['tail run stdout'],
  ['tail run STDERR'],
  ['tail run foo'],
  ["tail run it's"],
  ['tail run stdout foo'],
  ['tail a b c d'],
  ['tail -f'],
  ['tail -5 run'],
  ['tail -2 run stderr'],
  ['tail -x run'],
  ['tail -0 run'],
  ['tail -+4 run'],
  ['tail - run'],
  ['tail -f run stdout foo'],
  ['tail -f nosuch'],
  ['tail -f nolog stderr'],
  ['tail -f run foo'],
  ['tail nosuch'],
  ['tail nolog'],
  ['tail nolog stderr'],
  ['tail redir stderr'],
  ['tail stopped'],
  ['tail grp:*'],
  ['tail grp:g1'],
  ['fg'],
  ['fg nosuch'],
  ['fg fatal'],
  ['fg run run'],
  ['fg grp:*'],
  ['start'],
  ['start nosuch'],
  ['start nosuch:*'],
  ['start grp:nosuch'],
  ['start run'],
  ['start nofile'],
  ['start notexec'],
  ['start run nosuch'],
  ['start many:*'],
  ['stop'],
  ['stop nosuch'],
  ['stop nosuch:*'],
  ['stop fatal'],
  ['restart'],
  ['restart nosuch'],
  ['restart nosuch:*'],
  ['signal'],
  ['signal HUP'],
  ['signal BADSIG run'],
  ['signal TERM nosuch'],
  ['signal TERM nosuch:*'],
  ['signal USR1 exited'],
  ['signal CONT run'],
  ['signal 18 many:* run'],
  ['signal CONT all'],
  ['signal BADSIG all'],
  ['signal BADSIG many:*'],
  ['signal CONT grp:*'],
  ['clear'],
  ['clear nosuch'],
  ['clear nosuch:*'],
  ['clear nolog'],
  ['clear run nosuch'],
  ['clear all'],
  ['add'],
  ['add nosuch'],
  ['add run'],
  ['add run nosuch'],
  ['remove'],
  ['remove nosuch'],
  ['remove run'],
  ['remove run nosuch'],
  ['reread x'],
  ['reread'],
  ['update'],
  ['update nosuch'],
  ['update run'],
  ['update all'],
  ['update all nosuch'],
  ['reload x'],
  ['shutdown x'],
  ['open'],
  ['open foo'],
  ['open http://127.0.0.1:1'],
  ['open unix:///nonexistent.sock'],
  ['open HTTP://127.0.0.1:1'],
];

const CHANGING: readonly Case[] = [
  ['start stopped', 'stop stopped'],
  ['stop run', 'start run'],
  ['stop stopped run', 'start run', 'stop stopped'],
  ['start exited'],
  ['start fatal'],
  ['start grp:*', 'stop grp:g1'],
  ['stop grp:*', 'start grp:g1'],
  ['stop many:*', 'everything'],
  ['start many:many_00 many:many_01', 'stop many:many_00', 'stop many:many_01'],
  ['restart run', 'start run'],
  ['restart stopped', 'stop stopped'],
  ['restart grp:*', 'start grp:g1'],
  ['restart fatal'],
  ['restart run nosuch stopped', 'start run', 'stop stopped'],
  [
    'stop all',
    'end stubborn',
    'stop stopped',
    'stop a-very-long-name-that-is-longer-than-thirty-characters',
    'everything',
  ],
  ['restart many:*', 'everything'],
  [
    'start all',
    'end stubborn',
    'start stubborn',
    'everything',
    'stop run',
    'stop stopped',
    'stop a-very-long-name-that-is-longer-than-thirty-characters',
  ],
  ['signal HUP run', 'start run'],
  ['tail run', 'start run', 'clear run'],
  ['remove stopped', 'add stopped', 'stop stopped'],
  ['remove stopped nosuch fatal', 'add stopped', 'add fatal', 'stop stopped'],
  ['add stopped', 'add stopped', 'stop stopped', 'remove stopped'],
  ['reread', 'config:changed'],
  ['avail', 'config:changed'],
  ['add new', 'config:changed', 'reread', 'stop new', 'remove new'],
  ['update new', 'config:changed', 'stop new', 'remove new'],
  ['update', 'config:changed', 'reset'],
  ['update nosuch newg', 'config:changed', 'reset'],
  ['update redir nolog', 'config:changed', 'reset'],
  ['reread', 'config:broken'],
  ['update', 'config:broken'],
  ['avail', 'config:broken'],
  ['status run', 'config:broken', 'start run'],
  ['status stubborn', 'stopping stubborn'],
  ['stop stubborn', 'stopping stubborn'],
  ['start stubborn', 'stopping stubborn'],
  ['signal CONT stubborn', 'stopping stubborn'],
  ['pid stubborn', 'stopping stubborn'],
  ['fg stubborn', 'stopping stubborn'],
  ['remove stubborn', 'stopping stubborn'],
];

/** Arguments without the selection of the server. */
const ARGUMENTS: ReadonlyArray<readonly string[]> = [
  ['-h'],
  ['-?'],
  ['--help'],
  ['-z'],
  ['-v'],
  ['--version'],
  ['--nosuch=1'],
  ['-c'],
  ['--configuration'],
  ['-s', 'foo', 'status'],
  ['-s', '', 'pid'],
  ['-s', 'http://', 'pid'],
  ['-s', '127.0.0.1:1', 'pid'],
  ['--h'],
  ['--'],
  ['-c', '/nonexistent', 'status'],
  ['-c', '/tmp', 'status'],
  ['-c', 'nonexistent.conf', 'status'],
  ['-c', 'empty.conf', 'pid'],
  ['-c', 'empty.conf', '-s', 'unix:///x', 'pid'],
  ['-c', 'x', '-h'],
  ['-h', '-z'],
  ['-i', '-i', 'pid'],
  ['-u', 'a', '-u', 'a', 'pid'],
  ['-i', '--interactive', 'pid'],
  ['--interactive=1', 'pid'],
  ['--username'],
];

const SERVERS: ReadonlyArray<readonly string[]> = [
  ['-s', 'http://127.0.0.1:1', 'status'],
  ['-s', 'http://127.0.0.1:1', 'pid'],
  ['-s', 'http://localhost:1', 'pid'],
  ['-s', 'http://[::1]:1', 'pid'],
  ['-s', 'http://nosuch.invalid:1', 'pid'],
  ['-s', 'unix:///etc/passwd', 'pid'],
  ['-s', 'unix:///etc/passwd', 'status'],
  ['-s', 'unix:///etc/passwd/x', 'pid'],
  ['-s', 'https://127.0.0.1:1', 'pid'],
  ['-s', 'HTTP://127.0.0.1:1', 'pid'],
  ['-s', 'localhost:1', 'pid'],
  ['-s', 'unix:/x', 'pid'],
  ['-s', 'unix://x', 'pid'],
  ...[
    'status',
    'status x',
    'start',
    'start x',
    'stop x',
    'restart x',
    'signal HUP x',
    'pid',
    'tail',
    'tail -f x',
    'maintail',
    'maintail -f',
    'clear',
    'fg',
    'version',
    'avail',
    'reread',
    'update',
    'add',
    'add x',
    'remove x',
    'reload',
    'shutdown',
    'help start',
    'quit',
    'nosuch',
    'open unix:///nonexistent.sock',
    'avail x',
    'reload x',
  ].map((line) => ['-s', 'unix:///nonexistent.sock', ...line.split(' ')]),
  ['-s', 'http://127.0.0.1:1', 'shutdown'],
  ['-s', 'http://127.0.0.1:1', 'avail'],
  ['-s', 'http://127.0.0.1:1', 'tail', '-f', 'x'],
  ['-s', `http://127.0.0.1:${PORT}`, 'status', 'run'],
  ['-s', `http://127.0.0.1:${PORT}`, 'avail'],
  ['-s', `http://127.0.0.1:${PORT}`, '-u', 'u', '-p', 'wrong', 'pid'],
  ['-s', `http://127.0.0.1:${PORT}`, '-u', 'u', '-p', 'p:w', 'status', 'run'],
  ['-s', `http://127.0.0.1:${PORT}/path`, '-uu', '-pp:w', 'pid'],
  ['-s', `http://u:p:w@127.0.0.1:${PORT}`, 'pid'],
  ['--server', `http://127.0.0.1:${PORT}`, '--user=u', '--pass', 'p:w', 'tail', 'run'],
  ['-i', 'pid', 'run'],
];

describe('the same command line through both clients', needsSupervisor, () => {
  let world: World;
  before(async () => {
    for (const path of controlSocketPaths({}))
      assert.ok(
        !existsSync(path),
        `${path} is on this machine: ours would find a supervisor there, of which the real client knows nothing`,
      );
    world = await startWorld(PROGRAMS, PORT);
    await settle();
    await until(async () => (await world.supervisor.readProcessLog('run', 'stdout', 0, 0)).endsWith('end\n'));
  });
  after(() => world.stop());

  const attempt = (action: Promise<unknown>): Promise<unknown> => action.catch(() => undefined);
  const endProcess = async (name: string): Promise<void> => {
    await attempt(world.supervisor.signalProcess(name, 'KILL'));
    await until(async () => (await world.supervisor.getProcessInfo(name)).pid === 0);
  };
  /** Lets `exited` end, and waits until no state changes by itself. */
  const settle = async (): Promise<void> => {
    await until(async () => {
      const processes = await world.supervisor.getAllProcessInfo();
      if (processes.some(({ name, statename }) => name === 'exited' && statename === 'RUNNING'))
        await attempt(world.call('supervisor.sendProcessStdin', 'exited', '\n'));
      return processes.every(isSettled);
    });
  };
  /** Starts `stubborn`, and waits until it is ready. Before that it would obey SIGTERM. */
  const startStubborn = async (): Promise<void> => {
    const log = await world.supervisor.readProcessLog('stubborn', 'stdout', 0, 0);
    await world.supervisor.startProcess('stubborn');
    await until(async () => (await world.supervisor.readProcessLog('stubborn', 'stdout', 0, 0)).length > log.length);
  };
  const reset = async (): Promise<void> => {
    world.writeConfig(PROGRAMS);
    const { added, changed, removed } = await world.supervisor.reloadConfig();
    for (const name of [...changed, ...removed]) {
      await world.supervisor.stopProcessGroup(name);
      await world.supervisor.removeProcessGroup(name);
    }
    for (const name of [...changed, ...added]) await world.supervisor.addProcessGroup(name);
  };
  const prepare = async (steps: readonly string[]): Promise<void> => {
    const { supervisor: client } = world;
    await settle();
    for (const step of steps) {
      const [action = '', name = ''] = step.split(/[ :](.*)/);
      if (step === 'start stubborn') await startStubborn();
      else if (action === 'start') await attempt(client.startProcess(name));
      else if (action === 'stop') await attempt(client.stopProcess(name));
      else if (action === 'clear') {
        await client.clearProcessLogs(name);
        await attempt(client.stopProcess(name));
        await client.startProcess(name);
        await until(async () => (await client.readProcessLog(name, 'stdout', 0, 0)).endsWith('end\n'));
      } else if (action === 'add') await attempt(client.addProcessGroup(name));
      else if (action === 'remove') await attempt(client.removeProcessGroup(name));
      else if (action === 'reread') await attempt(client.reloadConfig());
      else if (action === 'reset') await reset();
      else if (action === 'everything') for (const each of EVERYTHING) await attempt(startWithoutWaiting(world, each));
      else if (action === 'end') await endProcess(name);
      else if (action === 'config') world.writeConfig(name === 'broken' ? BROKEN : CHANGED);
      else if (action === 'stopping') {
        if ((await client.getProcessInfo(name)).statename === 'STOPPING') continue;
        await endProcess(name);
        await startStubborn();
        await stopWithoutWaiting(world, name);
        await until(async () => (await client.getProcessInfo(name)).statename === 'STOPPING');
      } else assert.fail(`no such step: ${step}`);
      if (action === 'config' && steps.includes('reset')) {
        // `reset` has restored the file. The command is to find this change.
        await reset();
        await settle();
        world.writeConfig(CHANGED);
        return;
      }
    }
    await settle();
  };

  /** Runs our client in this process, which is much faster and sufficient if only the output matters. */
  const runHere: typeof runReal = async (args, { cwd }) => {
    const running = start(args, { cwd });
    const code = await running.code;
    return { stdout: running.text(), stderr: running.errorText(), code };
  };

  const compare = async (args: readonly string[], steps: readonly string[], run = runOurs): Promise<void> => {
    const options = { cwd: world.directory };
    const order = async (how: typeof runReal): Promise<{ stdout: string; stderr: string; code: number | null }> => {
      await prepare(steps);
      const outcome = await how(args, options);
      return { stdout: sortStopped(normalise(outcome.stdout)), stderr: normalise(outcome.stderr), code: outcome.code };
    };
    const real = await order(runReal);
    const ours = await order(run);
    assert.deepEqual(ours, real);
  };

  for (const [line, ...steps] of READING) it(line, () => compare([...world.select, line], steps, runHere));
  for (const args of ARGUMENTS)
    it(`arguments ${JSON.stringify(args)}`, async () => {
      writeFileSync(`${world.directory}/empty.conf`, '[supervisord]\n');
      await compare(args, []);
    });
  for (const args of SERVERS) it(`server ${args.join(' ')}`, () => compare([...world.select, ...args], [], runHere));
  for (const [line, ...steps] of CHANGING) {
    it(`${line}${steps.length > 0 ? ` (after ${steps.join(', ')})` : ''}`, async () => {
      await compare([...world.select, line], steps);
      await endProcess('stubborn');
      await reset();
    });
  }

  it('reload and shutdown, and the output during the shutdown', async () => {
    const results: unknown[] = [];
    for (const run of [runReal, runOurs]) {
      await prepare(['end stubborn', 'start stubborn']);
      const restarted = await run([...world.select, 'reload'], { cwd: world.directory });
      assert.deepEqual(restarted, { stdout: 'Restarted supervisord\n', stderr: '', code: 0 });
      // stubborn ignores SIGTERM, so the supervisor stays in its last state until the program is killed.
      for (const line of [
        'status',
        'pid',
        'start run',
        'stop all',
        'reread',
        'update',
        'add x',
        'remove x',
        'avail',
        'tail run',
        'maintail',
        'clear run',
        'signal HUP run',
        'reload',
        'shutdown',
        'version',
        'fg run',
      ]) {
        const outcome = await run([...world.select, line], { cwd: world.directory });
        results.push({ line, stdout: normalise(outcome.stdout), stderr: outcome.stderr, code: outcome.code });
      }
      await world.stop();
      world = await startWorld(PROGRAMS, PORT);
    }
    const half = results.length / 2;
    assert.deepEqual(results.slice(half), results.slice(0, half));
  });
});

/** Final states of the programs that exit by themselves. */
const ENDS: Readonly<Record<string, string>> = { exited: 'EXITED', fatal: 'FATAL', nofile: 'FATAL', notexec: 'FATAL' };

/** True if the state of a process stays; `starting` is STARTING for hours. */
function isSettled({ name, statename }: { readonly name: string; readonly statename: string }): boolean {
  const end = ENDS[name];
  return end === undefined
    ? name === 'starting' || (statename !== 'STARTING' && statename !== 'BACKOFF')
    : statename === end;
}

/**
 * Sorts lines about stopped processes. Of several processes that one command stops, supervisord reports the first to
 * end first. Only these lines may change their order, among themselves.
 */
function sortStopped(text: string): string {
  return text.replace(/(?:^.*: stopped\n){2,}/gm, (lines) => `${lines.trimEnd().split('\n').sort().join('\n')}\n`);
}

const EVERYTHING = ['run', 'grp:g1', 'many:many_00', 'many:many_01', 'many:many_02', 'nolog', 'redir', 'starting'];

async function startWithoutWaiting(world: World, name: string): Promise<void> {
  await world.call('supervisor.startProcess', name, false);
}

async function stopWithoutWaiting(world: World, name: string): Promise<void> {
  await world.call('supervisor.stopProcess', name, false);
}
