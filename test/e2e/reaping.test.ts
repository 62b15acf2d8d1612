/** Orphans: PID 1 reaps every one, and these tests would notice if it did not. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import { compile, countZombies, until } from './observe.ts';

const run = promisify(execFile);
const skip = (await pid1SkipReason()) ?? false;
const TWO_PROCESSES = 'process_name=parent%(process_num)d\nnumprocs=2\n';

test('as PID 1, 3,000 orphans of programs leave no zombie', { skip }, async (t) => {
  const program = await compile(t, 'leaves-orphans');
  const launched = await launch(t, {
    config: `[supervisord]\n[program:parent]\ncommand=${program} 1500\n${TWO_PROCESSES}`,
  });
  await launched.stdout.waitFor(/left 1500$/, { count: 2, timeoutMs: 110_000 });
  await until('the last orphan to be reaped', async () => (await countZombies(launched.pid)) === 0);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.doesNotMatch(launched.stdout.text, /reaped unknown/, 'orphans are reaped silently');
});

test('the previous test notices a PID 1 that does not reap', { skip }, async (t) => {
  const program = await compile(t, 'leaves-orphans');
  const preload = await compile(t, 'reaps-nothing', '-shared', '-fPIC', '-ldl');
  const launched = await launch(t, {
    config: `[supervisord]\n[program:parent]\ncommand=${program} 200\n`,
    // Our own libc loads no libraries of others.
    env: { LD_PRELOAD: preload, ONEVISOR_LIBC: 'system' },
  });
  await launched.stdout.waitFor(/left 200$/);
  await until('the zombies', async () => (await countZombies(launched.pid)) === 200);
});

test("orphans are logged at debug, with Supervisor's text", { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\nloglevel=debug\n[program:parent]\ncommand=sh -c "(true &); exec sleep 1000"\n',
  });
  await launched.waitForLine(/DEBG reaped unknown pid \d+ \(exit status 0\)$/);
});

test('without PID 1, orphans of programs become children of the supervisor and are reaped', async (t) => {
  const program = await compile(t, 'leaves-orphans');
  const launched = await launch(t, {
    as: 'plain',
    config:
      `[supervisord]\nnodaemon=true\nlogfile=NONE\npidfile=%FOLDER%/pid\nloglevel=debug\n` +
      `[program:parent]\ncommand=${program} 100\n`,
  });
  await launched.waitForLine(/reaped unknown pid/, { count: 100 });
  await until('the last orphan to be reaped', async () => (await countZombies(launched.pid)) === 0);
});

test('a /proc of another PID namespace is not asked for our processes', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-foreign-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const config = join(folder, 'supervisord.conf');
  await writeFile(config, '[supervisord]\nlogfile=none\npidfile=none\n');
  const command = [EXECUTABLE, '-c', config, '--', 'sh', '-c', 'sleep 1000 & exit 6'];
  // Another supervisor of this machine may have its socket in /run.
  const ownRun = 'mount -t tmpfs tmpfs /run && exec "$@"';
  await assert.rejects(
    run('unshare', ['--pid', '--fork', '--kill-child', '--mount', 'sh', '-c', ownRun, 'sh', ...command], {
      env: { PATH: process.env['PATH'] ?? '' },
      timeout: 20_000,
    }),
    { code: 6, stdout: '', stderr: '' },
  );
});
