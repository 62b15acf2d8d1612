/**
 * Shared parts of the tests of the client: Supervisor in a directory of its own, both clients as programs, and the
 * comparison.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callRemoteMethod } from '../../src/ctl/transport.ts';
import { EXECUTABLE } from '../e2e/launch.ts';
import { childrenOf } from '../e2e/observe.ts';
import { type Call, SupervisorClient } from '../../src/ctl/supervisor-client.ts';

/** Path of the real client; null if it is not installed. */
export const realClient = findProgram('supervisorctl');
const realServer = findProgram('supervisord');

/** Options of a test that needs the real Supervisor. */
export const needsSupervisor =
  realClient === null || realServer === null ? { skip: 'no supervisord and supervisorctl on this machine' } : {};

/**
 * Starts the real client as its script does, without two imports that take two thirds of a start: the script looks for
 * its package among all that are installed, and pkg_resources, which only plug-ins need, reads all of them.
 */
const QUICK_START = `
import os, sys, types
class Late(types.ModuleType):
    def __getattr__(self, name):
        sys.modules.pop('pkg_resources', None)
        import pkg_resources
        return getattr(pkg_resources, name)
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(sys.argv[0])
sys.modules['pkg_resources'] = Late('pkg_resources')
from supervisor.supervisorctl import main
sys.exit(main())
`;

/** Command line of the real client, before its arguments. */
export const realCommand = commandOf(realClient ?? 'supervisorctl');

/** Returns the command line of a script in Python with {@link QUICK_START}; the path itself of any other program. */
function commandOf(path: string): readonly [string, ...string[]] {
  const [, python] = /^#!(\/\S*python\S*)\n/.exec(path.includes('/') ? readFileSync(path, 'latin1') : '') ?? [];
  return python === undefined ? [path] : [python, '-c', QUICK_START, path];
}

/** Path of our client: the link beside the executable. */
export const ourClient = join(dirname(EXECUTABLE), 'supervisorctl');

function findProgram(name: string): string | null {
  const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : null;
}

/** Result of a program. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Options of a call of a client. */
export interface CallOptions {
  readonly cwd: string;
  readonly input?: string;
  readonly env?: Record<string, string>;
}

/** Runs a program to its end. */
export function run(
  command: string,
  args: readonly string[],
  { cwd, input = '', env = {} }: CallOptions,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      // Without an address, our client looks for the only supervisor of its container, and other tests run one.
      env: { PATH: process.env['PATH'], HOME: cwd, LC_ALL: 'C.UTF-8', ONEVISOR_CONTAINER: '0', ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ stdout, stderr, code }));
    child.stdin.end(input);
  });
}

/** Runs the real client. */
export function runReal(args: readonly string[], options: CallOptions): Promise<Outcome> {
  const [command, ...first] = realCommand;
  return run(command, [...first, ...args], options);
}

/** Runs our client. In its output, replaces its own path by that of the real client. */
export async function runOurs(args: readonly string[], options: CallOptions): Promise<Outcome> {
  const { stdout, stderr, code } = await run(ourClient, args, options);
  const rename = (text: string): string => text.replaceAll(ourClient, realClient ?? ourClient);
  return { stdout: rename(stdout), stderr: rename(stderr), code };
}

/** Replaces values that differ between runs: process ids, uptimes, times of day, and places in Python's sources. */
export function normalise(text: string): string {
  return text
    .replace(/pid \d+, uptime [\d:]+( days?, [\d:]+)?/g, 'pid PID, uptime TIME')
    .replace(/[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M/g, 'DATE')
    .replace(/^(supervisor> )?[1-9]\d*$/gm, '$1PID')
    .replace(/: file: \S+ line: \d+$/gm, '');
}

/** A running supervisord. */
export interface World {
  readonly directory: string;
  readonly call: Call;
  readonly supervisor: SupervisorClient;
  /** Arguments that select the server. */
  readonly select: readonly string[];
  writeConfig(programs: string): void;
  /** Ends the server and all its processes. */
  stop(): Promise<void>;
}

/** Finds a free TCP port on loopback. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts the real supervisord with `[program:x]` sections, and waits until it answers. `port`: for its TCP server with
 * a password.
 */
export async function startWorld(programs: string, port: number): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'ctl-'));
  const file = join(directory, 's.conf');
  const serverUrl = `unix://${join(directory, 's.sock')}`;
  const call: Call = (method, ...params) =>
    callRemoteMethod({ serverUrl, username: null, password: null }, method, params, new AbortController().signal);
  const client = new SupervisorClient(call);
  const writeConfig = (text: string): void => writeFileSync(file, formatConfig(directory, port, text));
  writeConfig(programs);
  // A test file that is killed takes the server with it.
  const server = spawn('setpriv', ['--pdeathsig', 'TERM', realServer ?? 'supervisord', '-n', '-c', file], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], TZ: process.env['TZ'] },
  });
  const ended = new Promise<void>((resolve) => server.on('close', () => resolve()));
  // The server writes this line once it listens.
  await new Promise<void>((resolve, reject) => {
    let text = '';
    server.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('supervisord started')) resolve();
    });
    server.on('close', () => reject(new Error(`supervisord did not start: ${text}`)));
  });
  const stop = async (): Promise<void> => {
    server.kill('SIGTERM');
    // Kill programs that ignore SIGTERM, since this supervisord would wait for them. It may also start another one
    // before it reads the signal.
    while (!(await Promise.race([ended.then(() => true), sleep(100, false)])))
      for (const pid of await childrenOf(server.pid ?? 0)) endGroup(pid);
    rmSync(directory, { recursive: true, force: true });
  };
  return { directory, call, supervisor: client, select: ['-c', file], writeConfig, stop };
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function formatConfig(directory: string, port: number, programs: string): string {
  return `[unix_http_server]
file=${directory}/s.sock
[inet_http_server]
port=127.0.0.1:${port}
username=u
password=p:w
[supervisord]
logfile=${directory}/s.log
pidfile=${directory}/s.pid
childlogdir=${directory}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${directory}/s.sock
${programs}`;
}

/** Polls until a question is answered with true. The states of a process cannot be observed otherwise. */
export async function until(question: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await question())) {
    if (Date.now() > deadline) throw new Error(`never came true: ${String(question)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
