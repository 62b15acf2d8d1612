/** Mounts a file system that hangs on order (`hung.c`) for a launched supervisor. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Lines } from '../e2e/lines.ts';
import { pid1SkipReason } from '../e2e/launch.ts';
import type { TestContext } from 'node:test';

const run = promisify(execFile);

/** The mounted file system. Its root has `program`, `directory`, `log`, `watched`, and `log0` to `log9`. */
export interface HungFiles {
  /** From now on no access returns. */
  readonly hang: () => Promise<void>;
  /** Accesses return again, also those that have waited. */
  readonly answer: () => Promise<void>;
}

/** Returns the reason why no such file system can be mounted; null if one can. */
export async function hungSkipReason(): Promise<string | null> {
  const reason = await pid1SkipReason();
  if (reason !== null) return reason;
  if (process.getuid?.() !== 0) return 'mounting needs root here';
  return run('sh', ['-c', ': <>/dev/fuse']).then(
    () => null,
    () => 'no /dev/fuse',
  );
}

/**
 * Mounts the file system on a directory in the mount namespace of a process. Its server is in the namespace of the
 * test, so the process has no child of it, and its end does not release what hangs.
 */
export async function mountHung(test: TestContext, pid: number, directory: string): Promise<HungFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-hung-'));
  const path = join(folder, 'hung');
  await run(process.env['CC'] ?? 'cc', ['-O2', '-Wall', '-Wextra', '-o', path, join(import.meta.dirname, 'hung.c')]);
  const child = spawn('nsenter', ['--target', String(pid), '--mount', path, directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  test.after(async () => {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  const lines = new Lines(child.stdout);
  await lines.waitFor(/^mounted$/);
  let answers = 0;
  const order = async (text: string): Promise<void> => {
    child.stdin.write(`${text}\n`);
    answers += 1;
    await lines.waitFor(/^ok$/, { count: answers });
  };
  return { hang: () => order('hang'), answer: () => order('answer') };
}
