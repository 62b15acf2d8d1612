/**
 * The executable runs as PID 1 of a real container, and the helpers of these tests report the truth about containers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runContainer, skipReason, startContainer } from './containers.ts';

const skip = (await skipReason()) ?? false;

test('container: the executable starts in a bare Debian image', { skip }, async (t) => {
  const { code, stdout, stderr } = await runContainer(t, { command: ['/usr/local/bin/onevisor', '--version'] });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /4\.3\.0/);
});

test('container: starts as any user, with a read-only root and without a writable folder', { skip }, async (t) => {
  const { code, stdout, stderr } = await runContainer(t, {
    command: ['/usr/local/bin/onevisor', '--version'],
    flags: ['--user=12345:12345', '--read-only', '--read-only-tmpfs=false', '--cap-drop=ALL'],
  });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /4\.3\.0/);
});

test('container: PID 1 runs a program of a configuration and ends with it', { skip }, async (t) => {
  const { code, stdout } = await runContainer(t, {
    config:
      '[supervisord]\n[program:a]\ncommand=sh -c "echo hello; exit 0"\nexit_on_end=true\nstartsecs=0\n' +
      'autorestart=false\n',
  });
  assert.equal(code, 0);
  assert.match(stdout, /^a \| hello$/m);
});

test('container: only the system libraries need a place for the addon, and it says so', { skip }, async (t) => {
  const flags = ['--read-only', '--read-only-tmpfs=false'];
  const command = ['/usr/local/bin/onevisor', '--', 'true'];
  assert.equal((await runContainer(t, { command, flags })).code, 0);
  const { code, stderr } = await runContainer(t, { command, flags, env: { ONEVISOR_LIBC: 'system' } });
  assert.notEqual(code, 0);
  assert.match(stderr, /Leave ONEVISOR_LIBC out/);
});

test('container: exit code, signals, logs, exec and stop of the test helpers', { skip }, async (t) => {
  const container = await startContainer(t, {
    command: [
      '/bin/sh',
      '-c',
      'trap "echo term; exit 9" TERM; trap "echo usr1" USR1; echo begun $$; echo oops >&2; while :; do sleep ' +
        '0.05; done',
    ],
  });
  await container.waitForLine(/^begun 1$/);
  await container.stderr.waitFor(/^oops$/);
  const inside = await container.exec('sh', '-c', 'cat /proc/1/comm; exit 4');
  assert.deepEqual([inside.code, inside.stdout], [4, 'sh\n']);
  await container.kill('USR1');
  await container.waitForLine(/^usr1$/);
  await container.stop(20);
  assert.equal(await container.exit, 9);
  assert.match((await container.logs()).stdout, /begun 1\nusr1\nterm/);
});
