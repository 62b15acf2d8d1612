/**
 * A supervisor with the answers of a test, on a unix socket or a port, and the client, run within the process of the
 * test.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { RpcFault } from '../../../src/core/faults.ts';
import { ProcessState, type ProcessStateName } from '../../../src/core/states.ts';
import type { CtlIo } from '../../../src/ctl/io.ts';
import { runCtl } from '../../../src/ctl/run.ts';
import type { ProcessInfo } from '../../../src/ctl/supervisor-client.ts';
import {
  decodeCall,
  encodeFault,
  encodeResponse,
  type XmlRpcStruct,
  type XmlRpcValue,
} from '../../../src/rpc/xmlrpc.ts';

/** Methods by name, without `supervisor.`. A fault is thrown. A promise that never settles is a stalled server. */
export type Methods = Readonly<
  Record<string, (...params: readonly XmlRpcValue[]) => XmlRpcValue | Promise<XmlRpcValue>>
>;

/** Creates a process as in the answer of `getProcessInfo`. */
export function processStruct(namespec: string, statename: ProcessStateName, more: XmlRpcStruct = {}): XmlRpcStruct {
  const [group = '', name = group] = namespec.split(':');
  return {
    name,
    group,
    state: ProcessState[statename],
    statename,
    description: '',
    pid: 0,
    start: 1,
    stop: 0,
    now: 2,
    exitstatus: 0,
    spawnerr: '',
    ...more,
  };
}

/** Creates the same process in the type of the client. */
export function processInfo(
  namespec: string,
  statename: ProcessStateName,
  more: Partial<ProcessInfo> = {},
): ProcessInfo {
  const [group = '', name = group] = namespec.split(':');
  return {
    name,
    group,
    state: ProcessState[statename],
    statename,
    description: '',
    pid: 0,
    start: 1,
    exitstatus: 0,
    health: null,
    healthReason: null,
    isReady: null,
    hold: null,
    purpose: 'service',
    isStartDue: false,
    struct: {},
    ...more,
  };
}

/** A server in its own directory. */
export interface FakeServer {
  readonly url: string;
  readonly directory: string;
  /** The calls so far, as `method(params)`. */
  readonly calls: readonly string[];
  close(): Promise<void>;
}

/** Serves methods. `logs` answers GET requests. */
export async function serve(
  methods: Methods,
  logs: RequestListener = (_request, response) => response.writeHead(404).end(),
): Promise<FakeServer> {
  const directory = mkdtempSync(join(tmpdir(), 'ctl-'));
  const calls: string[] = [];
  const all: Methods = { getVersion: () => '3.0', ...methods };
  const answer = async (body: string): Promise<string> => {
    const { method, params } = decodeCall(body);
    const name = method.replace(/^supervisor\./, '');
    if (name !== 'getVersion')
      calls.push(
        `${name}(${params.map((param) => (typeof param === 'string' ? param : JSON.stringify(param))).join(', ')})`,
      );
    try {
      const called = all[name];
      if (called === undefined) throw RpcFault.of('UNKNOWN_METHOD');
      return encodeResponse(await called(...params));
    } catch (error) {
      if (error instanceof RpcFault) return encodeFault(error.code, error.faultString);
      throw error;
    }
  };
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      logs(request, response);
      return;
    }
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on(
      'end',
      () => void answer(body).then((text) => response.writeHead(200, { 'Content-Type': 'text/xml' }).end(text)),
    );
  });
  const path = join(directory, 's.sock');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  // The client looks here first, since there is no configuration next to its program.
  writeFileSync(join(directory, 'supervisord.conf'), `[supervisorctl]\nserverurl=unix://${path}\n`);
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true, force: true });
  };
  return { url: `unix://${path}`, directory, calls, close };
}

/** Finds a port on loopback without a listener. */
export async function findDeadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A running client: its streams, and its exit code. */
export interface Running {
  readonly code: Promise<number>;
  readonly stdout: PassThrough;
  /** All output so far. */
  text(): string;
  errorText(): string;
  /** Resolves when the output contains this text. */
  sees(text: string): Promise<void>;
  interrupt(): void;
}

/** Starts the client in this process. */
export function start(
  args: readonly string[],
  {
    cwd,
    input = '',
    env = {},
    stdout = new PassThrough(),
    isOwnName = false,
  }: {
    cwd: string;
    input?: string;
    env?: Record<string, string>;
    stdout?: PassThrough;
    /** True if called as `onevisor`. */
    isOwnName?: boolean;
  },
): Running {
  const stdin = new PassThrough();
  const stderr = new PassThrough();
  const listeners = new Set<() => void>();
  const collect = (stream: PassThrough): (() => string) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    return () => text;
  };
  const text = collect(stdout);
  const errorText = collect(stderr);
  const io: CtlIo = {
    stdin,
    stdout,
    stderr,
    env: { HOME: cwd, ...env },
    cwd,
    calledAs: '/opt/none/bin/supervisorctl',
    isOwnName,
    onInterrupt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  stdin.end(input);
  const sees = (expected: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!text().includes(expected)) return;
        stdout.off('data', look);
        resolve();
      };
      stdout.on('data', look);
      look();
    });
  return {
    code: runCtl(args, io),
    stdout,
    text,
    errorText,
    sees,
    interrupt: () => listeners.forEach((listener) => listener()),
  };
}

/** Runs the client on a terminal of 80 columns, called as `onevisor`. */
export async function runForPerson(
  server: FakeServer,
  line: string,
  env: Record<string, string> = {},
): Promise<{ stdout: string; code: number }> {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const running = start([line], { cwd: server.directory, stdout, isOwnName: true, env });
  const code = await running.code;
  return { stdout: running.text(), code };
}

/** Runs the client to its end. */
export async function run(
  server: FakeServer,
  line: string,
  input = '',
): Promise<{ stdout: string; stderr: string; code: number }> {
  const running = start(line === '' ? [] : [line], { cwd: server.directory, input });
  const code = await running.code;
  return { stdout: running.text(), stderr: running.errorText(), code };
}
