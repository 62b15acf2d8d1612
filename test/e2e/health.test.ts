/**
 * Health checks of the executable: their reports and effects, and that they leave nothing behind, with any program or
 * check.
 */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { order, statusOf } from './connections.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';
import { childrenOf, countZombies, programFile, residentBytes, until, untilFile } from './observe.ts';
import { freePort } from './ports.ts';

const skip = (await pid1SkipReason()) ?? false;
const rootSkip = process.getuid?.() === 0 ? skip : 'only root can run programs as another user';

const QUICK = 'healthcheck_interval=0.1\nhealthcheck_retries=2\n';

const healthOf = (launched: Launched, ...names: string[]): ReturnType<Launched['enter']> =>
  launched.enter([EXECUTABLE, 'health', ...names]);

/** Returns the commands of all processes in the namespace of a supervisor. */
async function commandsIn(launched: Launched): Promise<string[]> {
  const { stdout } = await launched.enter(['ps', '-eo', 'args=']);
  return stdout.split('\n').filter((line) => line !== '' && !line.startsWith('ps '));
}

async function end(launched: Launched): Promise<void> {
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
}

test(
  'a web server that turns bad: unhealthy with the reason, in the log, in the status and for `onevisor ' +
    'health`, and healthy again',
  { skip },
  async (t) => {
    const port = await freePort();
    const launched = await launch(t, {
      config:
        `[supervisord]\n[program:web]\ncommand=python3 ${programFile('turns-bad.py')} ${port}\n` +
        `healthcheck=http://localhost:${port}/health\nhealthcheck_timeout=0.4\nhealthcheck_start_period=20\n` +
        `healthcheck_start_interval=0.1\n${QUICK}`,
    });
    await launched.waitForLine(/INFO health: web is healthy$/);
    await launched.waitForLine(/success: web entered RUNNING/);
    assert.deepEqual(await healthOf(launched), { code: 0, stdout: '', stderr: '' });
    assert.match((await launched.ctl('status')).stdout, /^web +RUNNING +pid \d+, uptime 0:00:\d\d, healthy\n$/);

    await order(launched, 'supervisor.signalProcess', 'web', 'USR1');
    await launched.waitForLine(/WARN health: web is unhealthy: HTTP 503 Service Unavailable \(2 failures\)$/);
    assert.deepEqual(await healthOf(launched), {
      code: 1,
      stdout: 'web: RUNNING unhealthy, HTTP 503 Service Unavailable\n',
      stderr: '',
    });
    assert.match((await launched.ctl('status')).stdout, /, unhealthy, HTTP 503 Service Unavailable\n$/);

    await order(launched, 'supervisor.signalProcess', 'web', 'USR1');
    await launched.waitForLine(/INFO health: web is healthy$/, { count: 2 });
    assert.equal((await healthOf(launched)).code, 0);

    await order(launched, 'supervisor.signalProcess', 'web', 'USR2');
    await launched.waitForLine(/WARN health: web is unhealthy: no answer within 0\.4 s \(2 failures\)$/);
    assert.equal(
      launched.stdout.all.filter((line) => line.includes(' health: ')).length,
      4,
      'a line for each change, and no more',
    );
    await end(launched);
  },
);

test('a starting program is not healthy yet, with the reason', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\n[program:slow]\ncommand=sleep 1000\nhealthcheck=sh -c "echo warming up; exit 1"\n',
  });
  await launched.waitForLine(/success: slow entered RUNNING/);
  const { stdout } = await launched.ctl('status');
  assert.match(stdout, /^slow +RUNNING +pid \d+, uptime 0:00:\d\d, starting, warming up\n$/);
  assert.deepEqual(await healthOf(launched), { code: 1, stdout: 'slow: RUNNING starting, warming up\n', stderr: '' });
  assert.deepEqual(await healthOf(launched, 'slow'), {
    code: 1,
    stdout: 'slow: RUNNING starting, warming up\n',
    stderr: '',
  });
  await end(launched);
});

test(
  'a check that hangs is killed at its timeout with its descendants, and leaves nothing behind',
  { skip },
  async (t) => {
    const check = '#!/bin/sh\ntrap "" TERM HUP\nsleep 4711 &\n(sleep 4711 &)\necho hanging\nsleep 4711\n';
    const launched = await launch(t, {
      files: { 'check.sh': check },
      config:
        `[supervisord]\n[program:web]\ncommand=sleep 1000\nhealthcheck=%FOLDER%/check.sh\n` +
        `healthcheck_timeout=0.3\nhealthcheck_interval=100\nhealthcheck_retries=1\nhealthcheck_start_period=0.1\n` +
        `healthcheck_start_interval=0.1\n`,
    });
    await launched.waitForLine(/WARN health: web is unhealthy: no answer within 0\.3 s \(1 failure\)$/);
    // The next check comes much later. Any process that stays until then is a leftover.
    await until('only the program to be left', async () => {
      const others = (await commandsIn(launched)).filter((line) => !line.includes('onevisor'));
      return others.join('\n') === 'sleep 1000';
    });
    await until('the zombies to be reaped', async () => (await countZombies(launched.pid)) === 0);
    await end(launched);
  },
);

test('a shutdown does not wait for a check that hangs, and ends it', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:web]\ncommand=sleep 1000\nhealthcheck=sh -c "touch begun; trap \'\' TERM; sleep 4711"\n',
  });
  await until('the check', async () => (await commandsIn(launched)).includes('sleep 4711'));
  const began = performance.now();
  await end(launched);
  assert.ok(performance.now() - began < 5000, 'the shutdown waited for the check');
  assert.doesNotMatch(launched.stdout.text, /unhealthy|survived/);
});

test('tcp and unix sockets', { skip }, async (t) => {
  const port = await freePort();
  const program = (name: string, check: string): string =>
    `[program:${name}]\ncommand=sleep 1000\nhealthcheck=${check}\n${QUICK}`;
  const launched = await launch(t, {
    config:
      `[supervisord]\n[program:server]\ncommand=python3 ${programFile('turns-bad.py')} ${port}\n` +
      `healthcheck=tcp://localhost:${port}\n${QUICK}` +
      // No program listens on this port (tcpmux) by default.
      program('nobody', 'tcp://127.0.0.1:1') +
      program('socket', 'unix:///run/onevisor.sock') +
      program('nosocket', 'unix:///run/other.sock'),
  });
  await launched.waitForLine(/INFO health: server is healthy$/);
  await launched.waitForLine(/WARN health: nobody is unhealthy: connection refused \(2 failures\)$/);
  await launched.waitForLine(/INFO health: socket is healthy$/);
  await launched.waitForLine(/WARN health: nosocket is unhealthy: there is no such socket \(2 failures\)$/);
  await end(launched);
});

test('healthcheck_action=restart: the program is restarted, and its health starts again', { skip }, async (t) => {
  const launched = await launch(t, {
    files: { 'run.sh': '#!/bin/sh\ntouch %FOLDER%/ok\nexec sleep 1000\n' },
    config:
      `[supervisord]\n[program:web]\ncommand=%FOLDER%/run.sh\nhealthcheck=test -e %FOLDER%/ok\n` +
      `healthcheck_action=restart\n${QUICK}`,
  });
  await launched.waitForLine(/INFO health: web is healthy$/);
  await rm(join(launched.folder, 'ok'));
  await launched.waitForLine(/WARN health: web is unhealthy: exit status 1 \(2 failures\)$/);
  await launched.waitForLine(/WARN restarting 'web': unhealthy: exit status 1$/);
  await launched.waitForLine(/spawned: 'web'/, { count: 2 });
  await launched.waitForLine(/INFO health: web is healthy$/, { count: 2 });
  await end(launched);
});

test('healthcheck_action=exit: the container exits with 1 and the reason', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      `[supervisord]\n[program:web]\ncommand=sleep 1000\nhealthcheck=sh -c "echo no database; exit 7"\n` +
      `healthcheck_action=exit\n${QUICK}[program:other]\ncommand=sleep 1000\n`,
  });
  await launched.waitForLine(/WARN health: web is unhealthy: no database \(2 failures\)$/);
  assert.deepEqual(await launched.exit, { code: 1, signal: null });
  assert.match(launched.stdout.text, /program web is unhealthy: no database: healthcheck_action$/m);
  assert.match(launched.stdout.text, /stopped: other \(terminated by SIGTERM\)/);
});

test('a check runs as the user of its program, with its directory and environment', { skip: rootSkip }, async (t) => {
  const launched = await launch(t, {
    config:
      `[supervisord]\n[program:web]\ncommand=sleep 1000\nuser=nobody\ndirectory=/usr\nenvironment=COLOUR="blue"\n` +
      `healthcheck=sh -c 'echo $(id -un) $PWD $COLOUR $SUPERVISOR_PROCESS_NAME; exit 1'\n${QUICK}`,
  });
  await launched.waitForLine(/WARN health: web is unhealthy: nobody \/usr blue web \(2 failures\)$/);
  await end(launched);
});

test('a check that cannot be executed is a failure with the reason', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      `[supervisord]\n[program:web]\ncommand=sleep 1000\nhealthcheck=curl-of-another-image -f http://localhost\n` +
      QUICK,
  });
  await launched.waitForLine(
    /WARN health: web is unhealthy: can't find command 'curl-of-another-image' \(2 failures\)$/,
  );
  await end(launched);
});

test('checks end when the program is stopped, and begin at its next start', { skip }, async (t) => {
  const program = (name: string): string =>
    `[program:${name}]\ncommand=sleep 1000\nhealthcheck=sh -c "echo . >>%FOLDER%/${name}"\nhealthcheck_interval=0.05\n`;
  const launched = await launch(t, { config: `[supervisord]\n${program('web')}${program('clock')}` });
  const count = async (name: string): Promise<number> =>
    (await readFile(join(launched.folder, name), 'utf8').catch(() => '')).length / 2;
  const ticks = async (more: number): Promise<void> => {
    const from = await count('clock');
    await until(`${more} checks of the other program`, async () => (await count('clock')) >= from + more);
  };
  await until('some checks', async () => (await count('web')) >= 3);
  await order(launched, 'supervisor.stopProcess', 'web');
  const before = await count('web');
  await ticks(10);
  assert.equal(await count('web'), before);
  assert.equal((await statusOf(launched, 'web')).statename, 'STOPPED');
  await order(launched, 'supervisor.startProcess', 'web');
  await until('checks of the next run', async () => (await count('web')) >= before + 3);
  await launched.waitForLine(/INFO health: web is healthy$/, { count: 2 });
  await end(launched);
});

test('dependents of a program with a check wait until it is healthy', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:web]\ncommand=sleep 1000\ndepends_on=db\n' +
      '[program:db]\ncommand=sleep 1000\nhealthcheck=test -e %FOLDER%/up\nhealthcheck_start_interval=0.1\n',
  });
  await launched.waitForLine(/success: db entered RUNNING/);
  assert.doesNotMatch(launched.stdout.text, /spawned: 'web'/);
  await writeFile(join(launched.folder, 'up'), '');
  await launched.waitForLine(/spawned: 'web'/);
  const lines = launched.stdout.all.map((line) => line.replace(/^\S+ \S+ /, ''));
  assert.ok(
    lines.findIndex((line) => line === 'INFO health: db is healthy') <
      lines.findIndex((line) => line.includes("spawned: 'web'")),
  );
  await end(launched);
});

test('a live update changes the check of a running program, adds one, and removes one', { skip }, async (t) => {
  const text = (check: string): string => `[supervisord]\n[program:web]\ncommand=sleep 1000\n${check}`;
  const launched = await launch(t, { config: text(`healthcheck=false\n${QUICK}`) });
  const update = async (check: string): Promise<void> => {
    await writeFile(join(launched.folder, 'supervisord.conf'), text(check));
    await launched.ctl('update');
  };
  await launched.waitForLine(/WARN health: web is unhealthy: exit status 1/);
  await launched.waitForLine(/success: web entered RUNNING/);
  const { pid } = await statusOf(launched, 'web');
  await update(`healthcheck=true\n${QUICK}`);
  await launched.waitForLine(/INFO health: web is healthy$/);
  await update('');
  assert.match((await launched.ctl('status')).stdout, /uptime 0:00:\d\d\n$/);
  await update(`healthcheck=false\n${QUICK}`);
  await launched.waitForLine(/WARN health: web is unhealthy/, { count: 2 });
  assert.equal((await statusOf(launched, 'web')).pid, pid);
  await end(launched);
});

test(
  'twenty programs checked ten times a second leave no zombie, descriptor, process or memory behind',
  { skip },
  async (t) => {
    const port = await freePort();
    const kinds = [
      `http://localhost:${port}/`,
      `tcp://localhost:${port}`,
      'unix:///run/onevisor.sock',
      'sh -c "echo . >>%FOLDER%/checks"',
    ];
    const programs = kinds.map(
      (kind, index) =>
        `[program:p${index}]\ncommand=sleep 1000\nprocess_name=p${index}_%(process_num)d\nnumprocs=5\n` +
        `healthcheck=${kind}\nhealthcheck_interval=0.1\ndepends_on=server\n`,
    );
    const launched = await launch(t, {
      config:
        `[supervisord]\n[program:server]\ncommand=python3 ${programFile('turns-bad.py')} ${port}\n` +
        `healthcheck=tcp://localhost:${port}\nhealthcheck_start_interval=0.1\n${programs.join('')}`,
    });
    const checks = async (): Promise<number> =>
      (await readFile(join(launched.folder, 'checks'), 'utf8').catch(() => '')).length / 2;
    const descriptors = async (): Promise<number> => (await readdir(`/proc/${launched.pid}/fd`)).length;
    await launched.waitForLine(/health: p\d_\d is healthy$/, { count: 20 });
    // Each kind was checked equally often: four times as many in all.
    await until('the first checks', async () => (await checks()) >= 50);
    const before = await residentBytes(launched.pid);
    await until('many more', async () => (await checks()) >= 350, 60_000);
    const growth = (await residentBytes(launched.pid)) - before;
    t.diagnostic(`1200 checks: ${(growth / 1024 / 1024).toFixed(1)} MB`);
    assert.ok(growth < 24 * 1024 * 1024, `grew by ${growth} bytes`);
    assert.equal(launched.stdout.all.filter((line) => /unhealthy/.test(line)).length, 0);
    for (const name of ['p0', 'p1', 'p2', 'p3']) await order(launched, 'supervisor.stopProcessGroup', name);
    await until('only the server to be left', async () => (await childrenOf(launched.pid)).length === 1);
    await until('the zombies to be reaped', async () => (await countZombies(launched.pid)) === 0);
    const idle = await descriptors();
    await order(launched, 'supervisor.startProcessGroup', 'p3');
    await untilFile(join(launched.folder, 'checks'), new RegExp(`^(\\.\\n){${(await checks()) + 20},}`));
    await order(launched, 'supervisor.stopProcessGroup', 'p3');
    await until('its descriptors to be those of before', async () => (await descriptors()) === idle);
    assert.ok(idle < 60, `${idle} descriptors`);
    await end(launched);
  },
);
