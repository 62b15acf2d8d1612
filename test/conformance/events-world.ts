/**
 * A supervisor, Supervisor's or ours, with event listeners that report to the test. It is controlled over XML-RPC, as
 * by any client.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { callRemoteMethod } from '../../src/ctl/transport.ts';
import type { XmlRpcValue } from '../../src/rpc/xmlrpc.ts';
import { EXECUTABLE } from '../e2e/launch.ts';
import { Lines } from '../e2e/lines.ts';

export type Which = 'real' | 'ours';

/** The Python of the installed Supervisor; null if it is not installed. */
export const python = findPython();

/** Options of a test that needs the real Supervisor. */
export const needsSupervisor = python === null ? { skip: 'no supervisord on this machine' } : {};

const listenerProgram = fileURLToPath(new URL('programs/listener.py', import.meta.url));

function findPython(): string | null {
  const found = spawnSync('sh', ['-c', 'command -v supervisord'], { encoding: 'utf8' });
  if (found.status !== 0) return null;
  const interpreter = /^#!\s*(\S+)/.exec(readFileSync(found.stdout.trim(), 'utf8'))?.[1] ?? '';
  return spawnSync(interpreter, ['-c', 'import supervisor.childutils']).status === 0 ? interpreter : null;
}

/** A report of a listener. */
export interface ListenerReport {
  readonly listener: string;
  readonly pid: number;
  /** The listener has just started. */
  readonly begins?: true;
  readonly headers?: Readonly<Record<string, string>>;
  readonly payload?: string;
}

/** A running supervisor. */
export interface EventWorld {
  /** All reports of the listeners, as lines of JSON, in the order of arrival. */
  readonly lines: Lines;
  /** Lines of its log. */
  readonly log: Lines;
  call(method: string, ...params: XmlRpcValue[]): Promise<XmlRpcValue>;
  /** Calls a method, and returns the code of the fault; null for success. */
  fault(method: string, ...params: XmlRpcValue[]): Promise<number | null>;
  /** Waits for an event by a pattern of `LISTENER EVENTNAME PAYLOAD`. */
  waitFor(pattern: RegExp, count?: number): Promise<ListenerReport>;
  /** Returns the events of a listener so far: `EVENTNAME PAYLOAD`, with pids replaced. */
  told(listener: string): string[];
  all(listener: string): ListenerReport[];
  /** Requests a shutdown, and waits for the end of the supervisor and its listeners. */
  shutdown(): Promise<void>;
}

/** `[eventlistener:NAME]` with {@link listenerProgram}. */
export function listenerSection(name: string, events: string, options = '', how = 'ok'): string {
  return (
    `[eventlistener:${name}]\ncommand=${python} ${listenerProgram} %FOLDER%/told ${name} ${how}\n` +
    `events=${events}\n${options}\n`
  );
}

/** Starts a supervisor; `%FOLDER%` in `programs` is its folder. The test owns it. */
export async function startEventWorld(test: TestContext, which: Which, programs: string): Promise<EventWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'events-'));
  const told = new PassThrough();
  const lines = new Lines(told);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (bytes: Buffer) => told.write(bytes));
    // A listener that is killed does not close its connection properly.
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'told'), resolve));
  const config = join(folder, 's.conf');
  writeFileSync(config, formatConfig(folder, programs));
  const command = which === 'real' ? 'supervisord' : join(dirname(EXECUTABLE), 'supervisord');
  const child = spawn(command, ['-n', '-c', config], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
  });
  const log = new Lines(child.stdout);
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  test.after(async () => {
    child.kill('SIGTERM');
    await ended;
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const options = { serverUrl: `unix://${folder}/s.sock`, username: null, password: null };
  const call: EventWorld['call'] = (method, ...params) =>
    callRemoteMethod(options, method, params, new AbortController().signal);
  const parsed = (): ListenerReport[] => lines.all.map((line) => JSON.parse(line) as ListenerReport);
  const all = (listener: string): ListenerReport[] =>
    parsed().filter((line) => line.listener === listener && line.headers !== undefined);
  await log.waitFor(/supervisord started/);
  return {
    lines,
    log,
    call,
    fault: (method, ...params) =>
      call(method, ...params).then(
        () => null,
        (error: { code?: number }) => error.code ?? -1,
      ),
    waitFor: async (pattern, count = 1) => {
      for (;;) {
        const found = parsed().filter((line) => pattern.test(`${line.listener} ${formatTold(line)}`))[count - 1];
        if (found !== undefined) return found;
        // Waits for further reports.
        await lines.waitFor(/^/, { count: lines.all.length + 1 });
      }
    },
    told: (listener) =>
      all(listener).map((line) =>
        formatTold(line)
          .replace(/\bpid:[1-9]\d*/g, 'pid:PID')
          .replace(/\bwhen:\d+/g, 'when:TIME'),
      ),
    all,
    shutdown: async () => {
      await call('supervisor.shutdown');
      await ended;
      // Some reports of the listeners may be unread.
      for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
    },
  };
}

function formatTold({ begins, headers, payload }: ListenerReport): string {
  return begins === true ? 'BEGINS' : `${headers?.['eventname']} ${payload}`;
}

function formatConfig(folder: string, programs: string): string {
  return `[unix_http_server]
file=${folder}/s.sock
[supervisord]
logfile=${folder}/s.log
pidfile=${folder}/s.pid
childlogdir=${folder}
identifier=watch
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
${programs.replaceAll('%FOLDER%', folder)}`;
}
