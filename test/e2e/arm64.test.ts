/**
 * The executable for arm64, by the emulator of Debian's package qemu-user-static: as PID 1, with pages of 4 KiB and of
 * 64 KiB. Emulated are its own instructions and pages; the kernel and the programs are those of this machine. On
 * hardware, nothing was run.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isPresent } from '../../build/cache.ts';
import { DIST } from '../../build/platform.ts';
import { isInstalled } from '../../build/rootfs.ts';
import { launch, pid1SkipReason } from './launch.ts';

const EMULATOR = 'qemu-aarch64-static';
const executable = join(DIST, 'arm64', 'onevisor');

/** The first reason that applies. */
async function findReason(): Promise<string | null> {
  if (process.arch === 'arm64') return 'this is arm64';
  if (!(await isPresent(executable))) return 'node build/build.ts --arch arm64 was not run';
  if (!(await isInstalled(EMULATOR))) return `${EMULATOR} is not installed`;
  return pid1SkipReason();
}

const CONFIG = `[supervisord]
nodaemon=true
[unix_http_server]
file=/run/sock
[supervisorctl]
serverurl=unix:///run/sock
[program:other]
command=sh -c 'echo "as $(id -u)"; (sleep 0.1 &); exec sleep 1000'
user=nobody
`;

describe('for arm64', { skip: (await findReason()) ?? false }, () => {
  for (const pageBytes of [0x1000, 0x10000]) {
    const under = [EMULATOR, '-p', String(pageBytes)];

    test(`with pages of ${pageBytes / 1024} KiB, not as PID 1: the emulator may have no subreapers`, async (t) => {
      const config = '[supervisord]\nnodaemon=true\n[program:a]\ncommand=sleep 1000\n';
      const launched = await launch(t, { under, executable, config, as: 'plain' });
      await launched.waitForLine(/success: a entered RUNNING state/);
      launched.signal('SIGTERM');
      assert.deepEqual(await launched.exit, { code: 0, signal: null });
    });

    test(`with pages of ${pageBytes / 1024} KiB, a supervisor, its client and its end`, async (t) => {
      const launched = await launch(t, { under, executable, config: CONFIG });
      const user = await launched.enter(['id', '-u', 'nobody']);
      await launched.waitForLine(new RegExp(`^other +\\| as ${user.stdout.trim()}$`));
      await launched.waitForLine(/success: other entered RUNNING state/);
      const status = await launched.enter([...under, executable, 'ctl', '-c', 'supervisord.conf', 'status']);
      assert.match(status.stdout, /^other +RUNNING/, status.stderr);
      launched.signal('SIGTERM');
      assert.deepEqual(await launched.exit, { code: 0, signal: null });
    });

    test(`with pages of ${pageBytes / 1024} KiB, the exit code of a command`, async (t) => {
      const launched = await launch(t, { under, executable, args: ['--', 'sh', '-c', 'echo ran; exit 7'] });
      assert.deepEqual(await launched.exit, { code: 7, signal: null });
      assert.deepEqual([launched.stdout.text, launched.stderr.text], ['ran', '']);
    });
  }

  test('without libraries of arm64, ONEVISOR_LIBC=system is refused in one line', async (t) => {
    const env = { ONEVISOR_LIBC: 'system', QEMU_LD_PREFIX: '/proc/nowhere' };
    const launched = await launch(t, { under: [EMULATOR], executable, args: ['--version'], as: 'plain', env });
    assert.deepEqual(await launched.exit, { code: 127, signal: null });
    const { text } = launched.stderr;
    assert.match(text, /^onevisor: cannot use the system's libraries \(ONEVISOR_LIBC=system\): there is no [^\n]*$/);
  });
});
