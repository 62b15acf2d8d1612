/**
 * Observations for tests of the executable: processes in /proc, changing files, small C programs. Starts only the
 * compiler.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { TestContext } from 'node:test';

const run = promisify(execFile);

const PATIENCE_MS = 30_000;
const LOOK_AGAIN_MS = 20;

/** Returns the path of a program or other file next to these tests. */
export function programFile(name: string): string {
  return join(import.meta.dirname, 'programs', name);
}

/**
 * Compiles `programs/NAME.c` for a test, which removes it at its end. Other users can execute it. Returns its path.
 * With `after` of node:test, at the beginning of a file, the program is for all of its tests.
 */
export async function compile(test: Pick<TestContext, 'after'>, name: string, ...flags: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-program-'));
  test.after(() => rm(folder, { recursive: true, force: true }));
  await run('chmod', ['755', folder]);
  const path = join(folder, name);
  await run(process.env['CC'] ?? 'cc', ['-O2', '-Wall', '-Wextra', ...flags, '-o', path, programFile(`${name}.c`)]);
  return path;
}

/**
 * Polls a state that no event reports, until `look` returns a value other than undefined and false, and returns that
 * value. `what` is for the message of a timeout. After a look that took long, the pause is as long: the look may be a
 * client of its own, which slows down everything that it waits for.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const beganMs = performance.now();
    const value = await look();
    if (value !== undefined && value !== false) return value;
    const nowMs = performance.now();
    if (nowMs > deadlineMs) throw new Error(`${timeoutMs} ms passed while waiting for ${what}`);
    await sleep(Math.max(LOOK_AGAIN_MS, nowMs - beganMs));
  }
}

/** Returns the size of a file; null if there is no file, as between the rename and the new file of a rotation. */
export async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Waits until the text of a file matches. */
export function untilFile(path: string, pattern: RegExp): Promise<RegExpExecArray> {
  return until(
    `${String(pattern)} in ${path}`,
    async () => pattern.exec(await readFile(path, 'utf8').catch(() => '')) ?? undefined,
  );
}

/** True if a process with this pid exists and is no zombie. */
export async function isAlive(pid: number): Promise<boolean> {
  const state = await stateOf(pid);
  return state !== null && state !== 'Z' && state !== 'X';
}

/** Returns the pids of a process's children. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map(Number);
}

/** Counts the children of a process that have ended and were not reaped. */
export async function countZombies(pid: number): Promise<number> {
  const states = await Promise.all((await childrenOf(pid)).map(stateOf));
  return states.filter((state) => state === 'Z').length;
}

/** Returns a field of /proc/PID/status. */
export async function statusField(pid: number, name: string): Promise<string> {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
}

/** Returns the resident memory in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  return Number.parseInt(await statusField(pid, 'VmRSS'), 10) * 1024;
}

/** Returns the pid, as seen from here, of the only process with this command line (arguments joined by spaces). */
export async function pidOf(commandLine: string): Promise<number | undefined> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (line.split('\0').join(' ').trim() === commandLine) return Number(name);
  }
  return undefined;
}

async function stateOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
  return text === null ? null : (text.slice(text.lastIndexOf(')') + 2)[0] ?? null);
}
