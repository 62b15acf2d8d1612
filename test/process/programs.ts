/** Small programs for the tests of src/process. The real addon starts them, and the real reaper collects them. */
import { readdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { buildAddon } from '../../build/addon.ts';
import { platformOf } from '../../build/platform.ts';
import { parseWaitStatus } from '../../src/core/exit-status.ts';
import type { ExitStatus } from '../../src/core/exit-status.ts';
import { type Addon, INHERITED, type SpawnRequest, type SpawnResult } from '../../src/native/addon.ts';
import { loadAddon } from '../../src/native/load.ts';
import { Reaper } from '../../src/process/reaper.ts';

await buildAddon(platformOf(undefined, undefined));

/** The addon of this checkout, up to date. */
export const addon: Addon = loadAddon();

/** The reaper for all tests of a file. */
export const reaper = new Reaper(addon);
const ended = new Map<number, number>();
const awaited = new Map<number, (status: number) => void>();
reaper.subscribe((batch) => {
  for (const { pid, status } of batch) {
    const tell = awaited.get(pid);
    if (tell === undefined) ended.set(pid, status);
    else tell(status);
    awaited.delete(pid);
  }
});
reaper.start();

/** False if credentials can be changed here; otherwise the reason to skip such a test. */
export const rootSkip: string | false = process.getuid?.() === 0 ? false : 'only root can become another user';

/** A shell command with three pipes, in a group of its own, with the environment of the tests. */
export function shell(script: string, changes: Partial<SpawnRequest> = {}): SpawnRequest {
  return {
    ...INHERITED,
    file: '/bin/sh',
    argv: ['sh', '-c', script],
    env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    leadership: 'group',
    ...changes,
  };
}

/** Resolves with the exit of a process. */
export function ending(pid: number): Promise<ExitStatus> {
  const status = ended.get(pid);
  ended.delete(pid);
  if (status !== undefined) return Promise.resolve(parseWaitStatus(status));
  return new Promise((resolve) => {
    // A subscription to a signal does not keep the loop alive.
    const hold = setInterval(() => undefined, 2 ** 30);
    awaited.set(pid, (late) => {
      clearInterval(hold);
      resolve(parseWaitStatus(late));
    });
  });
}

/** Returns our end of a pipe as a stream. A file stream would hold a thread of the pool for each silent pipe. */
export function reader(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: false });
}

/** Reads a pipe to its end and closes it. Returns '' for no pipe. */
export function everything(fd: number | null): Promise<string> {
  return fd === null ? Promise.resolve('') : text(reader(fd));
}

/** Runs a request to its end, without input. */
export async function run(request: SpawnRequest): Promise<{ stdout: string; stderr: string; status: ExitStatus }> {
  return outcome(addon.spawn({ ...request, stdin: 'null' }));
}

/** Returns the output and the exit of a started process. */
export async function outcome({
  pid,
  stdout,
  stderr,
}: SpawnResult): Promise<{ stdout: string; stderr: string; status: ExitStatus }> {
  const [out, err, status] = await Promise.all([everything(stdout), everything(stderr), ending(pid)]);
  return { stdout: out, stderr: err, status };
}

/** Lists the descriptors of this process. */
export function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd').sort();
}

/** Returns one line of /proc/PID/status or a similar file, by its name. */
export function field(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
}

/** Checks of {@link untilBlocked} in which a process must not move, and the pause between two. */
const STILL_CHECKS = 20;
const STILL_PAUSE_MS = 2;

/**
 * Resolves when a process sleeps in a write that has no reader. A writer also sleeps for a moment whenever its pipe
 * or terminal is full, so it must not have moved for some turns of our loop, in which we would have read.
 */
export async function untilBlocked(pid: number): Promise<void> {
  let before = '';
  for (let still = 0; still < STILL_CHECKS;) {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const isAsleep = /^State:\s+S/m.test(status) && readFileSync(`/proc/${pid}/syscall`, 'latin1') !== 'running\n';
    const switches = /^voluntary_ctxt_switches:.*$/m.exec(status)?.[0] ?? '';
    still = isAsleep && switches === before ? still + 1 : 0;
    before = switches;
    await setTimeout(STILL_PAUSE_MS);
  }
}
