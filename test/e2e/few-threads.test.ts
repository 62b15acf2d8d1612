/**
 * Limits of processes (pids.max, here RLIMIT_NPROC of a user without other processes) under which libuv would abort
 * silently: fewer threads, or one message.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { isInstalled } from '../../build/rootfs.ts';
import { EXECUTABLE } from './launch.ts';
import type { TestContext } from 'node:test';

const run = promisify(execFile);
const skip =
  process.getuid?.() !== 0 || !(await isInstalled('setpriv')) || !(await isInstalled('prlimit'))
    ? 'needs root, setpriv and prlimit'
    : false;
/** No other process runs as this user. */
const UID = 2_000_000_000 + process.pid;

async function runLimited(t: TestContext, most: number): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-threads-'));
  t.after(() => rm(folder, { recursive: true }));
  await chmod(folder, 0o755);
  const config = join(folder, 'supervisord.conf');
  await writeFile(
    config,
    '[supervisord]\nminprocs=0\nexit_when_idle=true\n[program:a]\ncommand=echo ran\nautorestart=false\nstartsecs=0\n',
    { mode: 0o644 },
  );
  const as = ['--reuid', String(UID), '--regid', String(UID), '--clear-groups', 'prlimit', `--nproc=${most}:${most}`];
  return run('setpriv', [...as, EXECUTABLE, '-c', config, '--container'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '' },
    timeout: 60_000,
  }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

test(
  'a supervisor runs its programs with the lowest possible limit of threads, and with higher ones',
  { skip },
  async (t) => {
    for (const most of [6, 7, 8, 9, 12, 40]) {
      const { code, stdout, stderr } = await runLimited(t, most);
      assert.equal(code, 0, `${most}: ${stdout}${stderr}`);
      assert.match(stdout, /^a \| ran$/m, `${most}: ${stdout}${stderr}`);
    }
  },
);

test('with a limit that is too low it prints a message, and exits with 2', { skip }, async (t) => {
  // Node itself has three threads when our first line runs; with fewer it would abort or hang.
  for (const most of [3, 2, 1]) {
    const { code, stderr } = await runLimited(t, most);
    assert.equal(code, 2, `${most}: ${stderr}`);
    assert.match(stderr, /^cannot start: the limit of processes and threads is too low; allow 16 or more/m);
  }
});
