/** Clients for tests of servers: one connection at a time, and a load of many over restarts. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request, type RequestOptions } from 'node:http';
import { connect, type NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import type { ProcessesAnswer, StatusAnswer } from '../../src/api/process-types.ts';
import type { Launched } from './launch.ts';

/** Outcome of one connection. `lost`: it was accepted or queued, and ended without an answer. */
export type Outcome = 'served' | 'refused' | 'lost';

/** Sends `text` over a new connection. Resolves with everything that comes back. */
export function exchange(options: NetConnectOpts, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(options);
    let answer = '';
    socket.on('connect', () => socket.write(text));
    socket.on('data', (bytes: Buffer) => (answer += bytes.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/** Makes one connection after the other from several clients until `stop` is called, and counts their outcomes. */
export function generateLoad(
  options: NetConnectOpts,
  text: string,
  isServed: (answer: string) => boolean,
): { readonly stop: () => Promise<Readonly<Record<Outcome, number>>> } {
  const counts: Record<Outcome, number> = { served: 0, refused: 0, lost: 0 };
  const over = new AbortController();
  const run = async (): Promise<void> => {
    while (!over.signal.aborted) counts[await outcomeOf(options, text, isServed)] += 1;
  };
  const clients = Promise.all(Array.from({ length: 4 }, run));
  return {
    stop: async () => {
      over.abort();
      await clients;
      return counts;
    },
  };
}

async function outcomeOf(
  options: NetConnectOpts,
  text: string,
  isServed: (answer: string) => boolean,
): Promise<Outcome> {
  try {
    return isServed(await exchange(options, text)) ? 'served' : 'lost';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'refused';
    if (code === 'ECONNRESET' || code === 'EPIPE') return 'lost';
    throw error;
  }
}

/** A supervisor that is PID 1 of a launch. */
type Pid1 = Pick<Launched, 'pid' | 'folder'>;

/** Returns the control socket of a PID 1, as seen from its test: of its configuration, or else the private one. */
async function socketOf({ pid, folder }: Pid1): Promise<string> {
  const config = await readFile(join(folder, 'supervisord.conf'), 'utf8').catch(() => '');
  const [, configured] = /^\[unix_http_server\]\nfile=(.+)$/m.exec(config) ?? [];
  return configured ?? `/proc/${pid}/root/run/onevisor.sock`;
}

/**
 * Calls a method of XML-RPC with texts on a PID 1, for its effect. Where a test is not about the client, this takes a
 * small part of the time that a start of the client takes.
 */
export async function order(launched: Pid1, method: string, ...texts: readonly string[]): Promise<void> {
  await callMethod(await socketOf(launched), method, ...texts);
}

/** Asks a PID 1 for the status of its processes, as `status --json` does. */
export async function statusesOf(launched: Pid1): Promise<readonly StatusAnswer[]> {
  const { status, body } = await send({ socketPath: await socketOf(launched), path: '/api/v1/processes' });
  assert.equal(status, 200, body);
  return (JSON.parse(body) as ProcessesAnswer).processes;
}

/** Asks a PID 1 for the status of a process, the first one of its name. */
export async function statusOf(launched: Pid1, name: string): Promise<StatusAnswer> {
  const status = (await statusesOf(launched)).find((one) => one.name === name);
  assert.ok(status !== undefined, `there is no process ${name}`);
  return status;
}

/** Calls a method of XML-RPC with texts over a control socket. Rejects with a fault. */
export async function callMethod(socketPath: string, method: string, ...texts: readonly string[]): Promise<void> {
  const parameters = texts.map((value) => {
    const escaped = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    return `<param><value><string>${escaped}</string></value></param>`;
  });
  const call =
    `<?xml version="1.0"?><methodCall><methodName>${method}</methodName>` +
    `<params>${parameters.join('')}</params></methodCall>`;
  const headers = { 'content-type': 'text/xml' };
  const { body } = await send({ socketPath, path: '/RPC2', method: 'POST', headers }, call);
  if (body.includes('<fault>')) throw new Error(body);
}

/** Sends a request over a connection of its own. */
function send(options: RequestOptions, body = ''): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    request({ ...options, agent: false }, (response) => {
      readText(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
    })
      .on('error', reject)
      .end(body);
  });
}
