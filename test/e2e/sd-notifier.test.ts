/**
 * A service manager that runs us, such as systemd or podman: it gets notifications by NOTIFY_SOCKET, and our programs
 * do not have its variables.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInstalled } from '../../build/rootfs.ts';
import { launch, type Launched, pid1SkipReason } from './launch.ts';
import { programFile } from './observe.ts';
import type { TestContext } from 'node:test';

const skip = (await pid1SkipReason()) ?? ((await isInstalled('python3')) ? false : 'python3 is not installed');
const OUTER = { WATCHDOG_USEC: '1000000', LISTEN_FDS: '1', LISTEN_PID: '1', LISTEN_FDNAMES: 'http' };
const SHOWS =
  `#!/bin/sh\necho "sees [$NOTIFY_SOCKET$WATCHDOG_USEC$WATCHDOG_PID$LISTEN_FDS$LISTEN_PID$LISTEN_FDNAMES]"\n` +
  `exec sleep 1000\n`;

let serial = 0;

/** Starts a manager at an abstract address, which needs no cleanup. */
async function startReceiver(t: TestContext): Promise<{ address: string; receiver: Launched }> {
  serial += 1;
  const address = `@onevisor-test-${process.pid}-${serial}`;
  const receiver = await launch(t, {
    as: 'plain',
    executable: 'python3',
    args: [programFile('notify-receiver.py'), address],
  });
  await receiver.stdout.waitFor(/^listening$/);
  return { address, receiver };
}

test('ready, reloading, stopping and watchdog messages; programs do not see the manager', { skip }, async (t) => {
  const { address, receiver } = await startReceiver(t);
  const config =
    '[supervisord]\n[program:web]\ncommand=%FOLDER%/shows.sh\nnotification_fd=3\nenvironment=LISTEN_PID="77"\n' +
    '[program:off]\ncommand=none\nautostart=false\n[program:slow]\n' +
    'command=sh -c "until [ -e %FOLDER%/go ]; do sleep 0.02; done; echo >&3; exec sleep 1000"\nnotification_fd=3\n';
  const launched = await launch(t, {
    config,
    files: { 'shows.sh': SHOWS.replace('exec', 'echo >&3; exec') },
    env: { NOTIFY_SOCKET: address, ...OUTER },
  });
  await launched.waitForLine(/^web +\| sees \[77\]$/);
  await receiver.stdout.waitFor(/^got STATUS=not up: /);
  await receiver.stdout.waitFor(/^got WATCHDOG=1$/, { count: 3 });
  assert.ok(!receiver.stdout.all.includes('got READY=1'), 'the program slow is not ready');
  await launched.enter(['touch', `${launched.folder}/go`]);
  await receiver.stdout.waitFor(/^got READY=1$/);
  launched.signal('SIGHUP');
  await receiver.stdout.waitFor(/^got RELOADING=1$/);
  await receiver.stdout.waitFor(/^got MONOTONIC_USEC=\d+$/);
  await receiver.stdout.waitFor(/^got READY=1$/, { count: 2 });
  launched.signal('SIGTERM');
  await receiver.stdout.waitFor(/^got STOPPING=1$/);
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test('a single command in init mode has our environment, and notifies the manager itself', { skip }, async (t) => {
  const { address, receiver } = await startReceiver(t);
  const launched = await launch(t, {
    args: ['--', 'sh', '-c', SHOWS.split('\n')[1] ?? ''],
    env: { NOTIFY_SOCKET: address, ...OUTER },
  });
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.deepEqual(launched.stdout.all, [`sees [${address}100000011http]`]);
  assert.deepEqual(receiver.stdout.all, ['listening']);
});

test('with another program, the command has no variables of the manager', { skip }, async (t) => {
  const { address, receiver } = await startReceiver(t);
  const config = '[supervisord]\n[program:beside]\ncommand=sleep 1000\n';
  const launched = await launch(t, {
    config,
    args: ['--', 'sh', '-c', SHOWS],
    env: { NOTIFY_SOCKET: address, ...OUTER },
  });
  await launched.stdout.waitFor(/^sees \[\]$/);
  await receiver.stdout.waitFor(/^got READY=1$/);
  launched.signal('SIGTERM');
  assert.equal((await launched.exit).code, 143);
  await receiver.stdout.waitFor(/^got STOPPING=1$/);
});
