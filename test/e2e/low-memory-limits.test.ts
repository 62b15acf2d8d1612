/**
 * Limits of addresses, private memory, the stack and open files: below what Node needs at its start, one line instead
 * of a stack trace, SIGSEGV or a process that hangs. RLIMIT_DATA counts what the kernel counts with
 * vm.overcommit_memory=2, which has no namespace.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { isInstalled } from '../../build/rootfs.ts';
import { EXECUTABLE, launch } from './launch.ts';

const run = promisify(execFile);
const skip = (await isInstalled('prlimit')) ? false : 'prlimit is not installed';
const MIB = 2 ** 20;

/** Advice of the lines. */
const ADVISED = { as: 2e9, data: 1e9 };

const REFUSALS = {
  as: /^cannot start: the limit of address space is too low; allow 2 GB or more, or set none \(ulimit -v\)\n$/,
  data: /^cannot start: the limit of private memory is too low; allow 1 GB or more, or set none \(ulimit -d[^\n]*\)\n$/,
  stack: /^cannot start: the limit of the stack is too low; allow 1 MB or more \(ulimit -s\)\n$/,
  nofile: /^cannot start: the limit of open files is too low; allow 1024 or more \([^\n]*ulimit -n\)\n$/,
};

/** Limits that are too low. The kernel itself kills a process that may not map the file. */
const TOO_LOW = {
  as: [110 * MIB, 160 * MIB, 400 * MIB, 550 * MIB],
  data: [110 * MIB, 160 * MIB, 400 * MIB, 550 * MIB, 625 * MIB],
  stack: [MIB / 16, MIB / 8],
  nofile: [1, 3, 10, 20, 31],
};

for (const kind of ['as', 'data', 'stack', 'nofile'] as const) {
  test(`a limit of ${kind} that is too low is an error in one line`, { skip }, async () => {
    for (const limit of TOO_LOW[kind]) {
      const line = [`--${kind}=${limit}:${limit}`, '--core=0:0', EXECUTABLE, '--version'];
      await assert.rejects(run('prlimit', line, { timeout: 20_000, env: {} }), (error: Error) => {
        const { code, stdout, stderr } = error as Error & { code: number; stdout: string; stderr: string };
        assert.deepEqual([code, stdout], [2, ''], `${limit}: ${stderr}`);
        assert.match(stderr, REFUSALS[kind]);
        return true;
      });
    }
  });
}

test('with the limits that the lines advise, a supervisor runs and needs less', { skip }, async (t) => {
  const launched = await launch(t, {
    under: ['prlimit', `--as=${ADVISED.as}:${ADVISED.as}`, `--data=${ADVISED.data}:${ADVISED.data}`],
    as: 'plain',
    config:
      '[supervisord]\nnodaemon=true\n[unix_http_server]\nfile=%FOLDER%/s\n' +
      '[supervisorctl]\nserverurl=unix://%FOLDER%/s\n[program:a]\ncommand=sleep 1000\n',
  });
  await launched.waitForLine(/success: a entered RUNNING state/);
  const { stdout, stderr } = await launched.enter([EXECUTABLE, 'ctl', '-c', 'supervisord.conf', 'status', 'a']);
  assert.match(stdout, /^a +RUNNING/, stderr);
  const status = await readFile(`/proc/${launched.pid}/status`, 'latin1');
  const bytesOf = (name: string): number => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
  assert.ok(bytesOf('VmPeak') < 0.8 * ADVISED.as && bytesOf('VmData') < 0.8 * ADVISED.data, status);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});
