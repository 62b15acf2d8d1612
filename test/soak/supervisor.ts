/** The supervisor of a soak from outside: PID 1 of namespaces of its own, its clients, and samples of its resources. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { childrenOf } from '../../build/process-tree.ts';
import { countZombies, residentBytes, statusField } from '../e2e/observe.ts';
import type { Launched } from '../e2e/launch.ts';
import type { TestContext } from 'node:test';

const run = promisify(execFile);

/** Time that a request may take. */
const PATIENCE_MS = 60_000;

/** A place for things that end with a soak, in the form that helpers of tests expect. */
export class Owner {
  readonly #hooks: Array<() => unknown> = [];

  /** Context that helpers of tests take. They use `after` only. */
  get context(): TestContext {
    return { after: (hook: () => unknown) => void this.#hooks.push(hook) } as unknown as TestContext;
  }

  async end(): Promise<void> {
    for (const hook of this.#hooks.toReversed()) await hook();
  }
}

/** Compiles a C program of a test folder. Returns its path in `folder`. */
export async function compileInto(folder: string, source: string, name: string): Promise<string> {
  const path = join(folder, name);
  await run(process.env['CC'] ?? 'cc', ['-O2', '-Wall', '-Wextra', '-o', path, source]);
  return path;
}

/** Resources of a process at a time. */
export interface Sample {
  readonly atMs: number;
  readonly bytes: number;
  readonly descriptors: number;
  readonly threads: number;
}

/** Takes a sample of a process. */
export async function sampleOf(pid: number): Promise<Sample> {
  const [bytes, descriptors, threads] = await Promise.all([
    residentBytes(pid),
    readdir(`/proc/${pid}/fd`).then((names) => names.length),
    statusField(pid, 'Threads').then(Number),
  ]);
  return { atMs: performance.now(), bytes, descriptors, threads };
}

/** Answer of a request; status 0 if the connection broke. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Sends a request over the control socket. Never rejects. */
export function ask(socketPath: string, method: 'GET' | 'POST', path: string, body = ''): Promise<Answer> {
  return new Promise((resolve) => {
    const isXml = path === '/RPC2';
    const headers = method === 'GET' ? {} : { 'content-type': isXml ? 'text/xml' : 'application/json' };
    const sent = request({
      socketPath,
      method,
      path,
      agent: false,
      timeout: PATIENCE_MS,
      headers: { ...headers, ...(method === 'POST' ? { 'X-Onevisor': '1' } : {}) },
    });
    const fail = (error: Error): void => resolve({ status: 0, text: String(error) });
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${path} in ${PATIENCE_MS} ms`)));
    sent.on('error', fail);
    sent.on('response', (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (part: string) => (text += part))
        .on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        .on('error', fail);
    });
    sent.end(body);
  });
}

/** A value of XML-RPC that tests send. */
export type Parameter = string | number | boolean | readonly Parameter[];

function formatParameter(value: Parameter): string {
  if (typeof value === 'string') return `<string>${value.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</string>`;
  if (typeof value === 'number') return Number.isInteger(value) ? `<int>${value}</int>` : `<double>${value}</double>`;
  if (typeof value === 'boolean') return `<boolean>${value ? 1 : 0}</boolean>`;
  const items = value.map((item) => `<value>${formatParameter(item)}</value>`);
  return `<array><data>${items.join('')}</data></array>`;
}

/** Calls a method of XML-RPC. Never rejects. */
export function call(socketPath: string, method: string, ...parameters: readonly Parameter[]): Promise<Answer> {
  const list = parameters.map((value) => `<param><value>${formatParameter(value)}</value></param>`).join('');
  const inner = `<methodName>${method}</methodName><params>${list}</params>`;
  const body = `<?xml version="1.0"?><methodCall>${inner}</methodCall>`;
  return ask(socketPath, 'POST', '/RPC2', body);
}

/** Returns the children of a process that are no zombies, as seen from outside. */
export async function programsOf(pid: number): Promise<number[]> {
  const children = await childrenOf(pid);
  const alive = await Promise.all(
    children.map(
      async (child) => !/^State:\s+Z/m.test(await readFile(`/proc/${child}/status`, 'utf8').catch(() => 'State: Z')),
    ),
  );
  return children.filter((_, index) => alive[index]);
}

/** Kills a child of a process from outside. The parent is compared first, in case the pid was given to another one. */
export async function killChild(parent: number, child: number): Promise<void> {
  if ((await statusField(child, 'PPid').catch(() => '')) !== String(parent)) return;
  try {
    process.kill(child, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Watches the zombies of a process until `isOver`. Reports one that stays for `patienceMs`. */
export async function watchZombies(
  { pid }: Pick<Launched, 'pid'>,
  patienceMs: number,
  isOver: () => boolean,
): Promise<string | null> {
  let sinceMs: number | null = null;
  while (!isOver()) {
    const count = await countZombies(pid);
    if (count === 0) sinceMs = null;
    else sinceMs ??= performance.now();
    if (sinceMs !== null && performance.now() - sinceMs > patienceMs) return `${count} zombies after ${patienceMs} ms`;
    await sleep(200);
  }
  return null;
}
