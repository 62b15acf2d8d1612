/**
 * A supervisor with programs for each path of system calls: spawn, reap, log, rotate, listen, accept, reload, watch.
 * Its calls fail on order. Requests go over its control socket, without a client process.
 */
import { request } from 'node:http';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Launched, launch, type LaunchOptions } from '../e2e/launch.ts';
import { childrenOf, countZombies, until } from '../e2e/observe.ts';
import { type Injector, startInjector } from './injector.ts';

/** The part of getAllProcessInfo that tests need. */
export interface Info {
  readonly name: string;
  readonly statename: string;
  readonly pid: number;
  readonly spawnerr: string;
}

/** A running supervisor whose calls can fail. */
export interface World {
  readonly app: Launched;
  readonly injector: Injector;
  /** Calls a method over the control socket. Rejects with the text of a fault, or if no answer comes in time. */
  readonly call: (method: string, ...parameters: readonly (string | boolean)[]) => Promise<unknown>;
  readonly processes: (patienceMs?: number) => Promise<readonly Info[]>;
  /** All lines that the supervisor has written so far. */
  readonly log: () => readonly string[];
  readonly path: (name: string) => string;
}

const SHORT = 'startsecs=0\nstopwaitsecs=2\nstdout_logfile=NONE\nstderr_logfile=NONE';

export const CONFIG = `[unix_http_server]
file=%FOLDER%/ctl.sock
[supervisord]
nodaemon=true
logfile=%FOLDER%/main.log
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:steady]
command=sleep 86401
${SHORT}
[program:worker]
command=sleep 86402
autorestart=true
${SHORT}
user=nobody
directory=/tmp
umask=022
nice=1
rlimit_nofile=100
[program:chatty]
command=sh -c 'exec 3<>%FOLDER%/in; while read -r line <&3; do echo "$line"; echo "$line" >&2; done'
startsecs=0
stopwaitsecs=2
stdout_logfile=%FOLDER%/chatty.log
stdout_logfile_maxbytes=2000
stdout_logfile_backups=2
stderr_logfile=%FOLDER%/cut.log
stderr_logfile_maxbytes=2000
stderr_logfile_backups=0
[program:served]
command=sleep 86403
listen=unix://%FOLDER%/served.sock
${SHORT}
[program:watched]
command=sleep 86404
restart_on_change=%FOLDER%/watched/*
${SHORT}
`;

/** Text of a program that a reload adds. */
export const EXTRA = `[program:extra]
command=sleep 86405
listen=unix://%FOLDER%/extra.sock
${SHORT}
`;

const ANSWER_MS = 20_000;

/** Options of a world besides those of launch(). */
export interface WorldOptions extends LaunchOptions {
  /** Makes rules for the calls of the start. */
  readonly before?: (injector: Injector) => Promise<void>;
}

/** Starts the supervisor. */
export async function startWorld(test: TestContext, { before, ...options }: WorldOptions = {}): Promise<World> {
  const injector = await startInjector(test);
  await before?.(injector);
  const app = await launch(test, {
    config: CONFIG,
    files: { 'watched/file': 'a' },
    prepare: 'mkfifo -m 666 in; chmod 755 .',
    under: injector.under,
    ...options,
  });
  const path = (name: string): string => join(app.folder, name);
  const call: World['call'] = (method, ...parameters) => callOver(path('ctl.sock'), { method, parameters });
  const processes: World['processes'] = async (patienceMs) =>
    (await callOver(path('ctl.sock'), {
      method: 'supervisor.getAllProcessInfo',
      parameters: [],
      patienceMs,
    })) as Info[];
  return { app, injector, call, processes, path, log: () => [...app.stdout.all, ...app.stderr.all] };
}

/** Waits until every program runs, or is stopped as a client has asked. */
export async function allSettled({ processes }: World, patienceMs?: number): Promise<readonly Info[]> {
  return until(
    'all programs to run',
    async () => {
      const all = await processes().catch(() => []);
      const isSettled = all.every(({ statename }) => statename === 'RUNNING' || statename === 'STOPPED');
      return all.length > 0 && isSettled ? all : false;
    },
    patienceMs,
  );
}

interface Call {
  readonly method: string;
  readonly parameters: readonly (string | boolean)[];
  readonly patienceMs?: number | undefined;
}

/** Calls a method. Answers come as JSON, which the server gives to clients that accept it. */
function callOver(socketPath: string, { method, parameters, patienceMs = ANSWER_MS }: Call): Promise<unknown> {
  const values = parameters.map((value) =>
    typeof value === 'string' ? `<string>${value}</string>` : `<boolean>${value ? 1 : 0}</boolean>`,
  );
  const params = `<params>${values.map((value) => `<param><value>${value}</value></param>`).join('')}</params>`;
  const body = `<?xml version="1.0"?><methodCall><methodName>${method}</methodName>${params}</methodCall>`;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        socketPath,
        path: '/RPC2',
        method: 'POST',
        agent: false,
        timeout: patienceMs,
        headers: { 'content-type': 'text/xml', accept: 'application/json' },
      },
      (response) => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (part: string) => (text += part))
          .on('end', () => {
            try {
              const answer = JSON.parse(text) as { value?: unknown; fault?: { text: string } };
              if (answer.fault !== undefined) reject(new Error(answer.fault.text));
              else resolve(answer.value);
            } catch {
              reject(new Error(`answer ${response.statusCode}: ${text}`));
            }
          })
          .on('error', reject);
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${patienceMs} ms`)));
    sent.on('error', reject).end(body);
  });
}

/** Returns the pid of a program as seen from the test: the child of PID 1 with this command line. */
export async function outerPidOf({ app }: World, word: string): Promise<number | undefined> {
  for (const pid of await childrenOf(app.pid)) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.split('\0').join(' ').includes(word)) return pid;
  }
  return undefined;
}

/** Kills a program from outside, so that it is reaped and started again. Resolves when it runs again. */
export async function killAndAwait(world: World, name: string, word: string, patienceMs?: number): Promise<void> {
  const pid = await until(`${name} to run`, () => outerPidOf(world, word), patienceMs);
  process.kill(pid, 'SIGKILL');
  await until(
    `${name} to run again`,
    async () => {
      const now = await outerPidOf(world, word);
      return now !== undefined && now !== pid;
    },
    patienceMs,
  );
}

let lineNumber = 0;

/** Lets `chatty` write lines, and waits until the last one is in its log. */
export async function logLines(world: World, count: number, patienceMs?: number): Promise<void> {
  lineNumber += 1;
  const mark = `mark ${lineNumber}`;
  const fifo = await open(world.path('in'), 'r+');
  try {
    await fifo.write(`${'a line of some length, so that files fill\n'.repeat(count)}${mark}\n`);
  } finally {
    await fifo.close();
  }
  await until(
    `${mark} in the log`,
    async () => {
      const names = ['chatty.log', 'chatty.log.1', 'chatty.log.2'];
      const texts = await Promise.all(names.map((name) => readFile(world.path(name), 'utf8').catch(() => '')));
      return texts.some((text) => text.includes(`${mark}\n`));
    },
    patienceMs,
  );
}

/** Stops and starts a program on request, as another user, with limits and a directory of its own. */
export async function restartOnRequest({ call }: World): Promise<void> {
  await call('supervisor.stopProcess', 'worker').catch(() => undefined);
  await call('supervisor.startProcess', 'worker');
}

/** Removes the log of `chatty` on request, and lets it write another. */
export async function clearLogs(world: World, patienceMs?: number): Promise<void> {
  await world.call('supervisor.clearProcessLogs', 'chatty');
  await logLines(world, 1, patienceMs);
}

/** Adds a program with a socket by a reload, and removes it again. */
export async function addAndRemove({ app, call, path }: World): Promise<void> {
  const file = path('supervisord.conf');
  const write = (text: string): Promise<void> => writeFile(file, text.replaceAll('%FOLDER%', app.folder));
  const remove = async (): Promise<void> => {
    await call('supervisor.stopProcess', 'extra').catch(() => undefined);
    await call('supervisor.removeProcessGroup', 'extra').catch(() => undefined);
  };
  // An attempt whose calls failed may have left it.
  await remove();
  try {
    await write(CONFIG + EXTRA);
    await call('supervisor.reloadConfig');
    await call('supervisor.addProcessGroup', 'extra');
    await until(
      'extra to run',
      async () => ((await call('supervisor.getProcessInfo', 'extra')) as Info).statename === 'RUNNING',
      5000,
    );
  } finally {
    await remove();
    await write(CONFIG);
    await call('supervisor.reloadConfig').catch(() => undefined);
  }
}

/** Changes a watched file, and waits until its program was restarted. */
export async function changeWatched(world: World, patienceMs?: number): Promise<void> {
  const before = await until('watched to run', () => outerPidOf(world, '86404'), patienceMs);
  lineNumber += 1;
  await writeFile(world.path('watched/file'), `${lineNumber}`);
  await until(
    'watched to be restarted',
    async () => {
      const now = await outerPidOf(world, '86404');
      return now !== undefined && now !== before;
    },
    patienceMs,
  );
}

/** Returns the number of zombies, after those were given time that are just being reaped. */
export async function lastingZombies({ app }: World): Promise<number> {
  try {
    await until('no zombie', async () => (await countZombies(app.pid)) === 0, 5000);
    return 0;
  } catch {
    return countZombies(app.pid);
  }
}
