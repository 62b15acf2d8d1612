/** `shutdown_delay`: programs serve after a request to shut down, while probes of readiness already fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInstalled } from '../../build/rootfs.ts';
import { launch, type Launched, pid1SkipReason } from './launch.ts';
import { programFile, until } from './observe.ts';
import { freePort } from './ports.ts';

const skip = (await pid1SkipReason()) ?? false;
const noPython = (await isInstalled('python3')) ? false : 'python3 is not installed';

const RUN = '#!/bin/sh\ntrap "echo hears TERM; exit 0" TERM\necho ready\nwhile :; do sleep 0.02; done\n';
/** A delay that a test has to end. */
const LONG = 'shutdown_delay=10m\nstop_budget=20m\n';
const WEB = '[program:web]\ncommand=%FOLDER%/run.sh\n';
const RUNS_ON = /INFO the programs run on for 600 seconds \(shutdown_delay\); a second stop signal, or /;
const ENDING = 'ERROR: already shutting down\nEnding shutdown_delay: stopping the processes now\n';

/** Waits, by the clock of the log, until a second has passed since the last signal. */
const aSecond = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1100));

async function expectStopped(launched: Launched, code = 0): Promise<void> {
  assert.deepEqual(await launched.exit, { code, signal: null });
}

test('programs serve and are restarted, and nothing is ready any more; then they are stopped', { skip }, async (t) => {
  const port = await freePort();
  const launched = await launch(t, {
    config:
      `[supervisord]\n${LONG}[inet_http_server]\nport=127.0.0.1:${port}\n${WEB}` +
      '[program:loop]\ncommand=sh -c "echo loop runs; until [ -e %FOLDER%/crash ]; do sleep 0.02; done; ' +
      'rm %FOLDER%/crash; exit 3"\nstartsecs=0\nautorestart=true\n' +
      '[program:off]\ncommand=sleep 1000\nautostart=false\n',
    files: { 'run.sh': RUN },
  });
  const get = async (path: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return `${answer.status} ${await answer.text()}`;
  };
  await launched.waitForLine(/^web +\| ready$/);
  await launched.waitForLine(/success: web entered RUNNING/);
  assert.equal(await get('/readyz'), '200 ok\n');
  launched.signal('SIGTERM');
  await launched.waitForLine(/WARN received SIGTERM indicating exit request$/);
  await launched.waitForLine(RUNS_ON);
  assert.equal(await get('/readyz'), '503 supervisor: SHUTDOWN\n');
  assert.equal(await get('/healthz'), '200 ok\n');
  await launched.enter(['touch', 'crash']);
  await launched.waitForLine(/^loop +\| loop runs$/, { count: 2 });
  assert.match((await launched.ctl('status')).stdout, /^web +RUNNING/m);
  assert.match((await launched.ctl('status', '--problems')).stdout, /^the supervisor shuts down; the programs run on/m);
  const health = await launched.ctl('health');
  assert.deepEqual([health.code, health.stdout], [1, 'supervisor: SHUTDOWN\n']);
  // compat: the words of Supervisor's client for scripts.
  assert.match((await launched.ctl('start', 'off')).stdout, /Unknown result code 6 for off$/m);
  assert.doesNotMatch(launched.stdout.text, /hears TERM|waiting for/);
  await aSecond();
  launched.signal('SIGTERM');
  await launched.waitForLine(/WARN received SIGTERM: ending shutdown_delay$/);
  await launched.waitForLine(/^web +\| hears TERM$/);
  await expectStopped(launched);
});

test('the delay ends by itself, and the budget counts from the signal', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nshutdown_delay=300ms\nstop_budget=2\n[program:deaf]\ncommand=%FOLDER%/deaf.sh\n' +
      'stopwaitsecs=600\n',
    files: { 'deaf.sh': '#!/bin/sh\ntrap "echo hears TERM" TERM\necho ready\nwhile :; do sleep 0.02; done\n' },
  });
  await launched.waitForLine(/ready$/);
  launched.signal('SIGTERM');
  await launched.waitForLine(/run on for 0\.3 seconds/);
  await launched.waitForLine(/INFO waiting for deaf to die$/);
  await launched.waitForLine(/hears TERM$/);
  await launched.waitForLine(/WARN stop_budget has passed: killing the remaining processes$/);
  await expectStopped(launched);
});

test('signals from programs and at once do not end the delay; the third one kills', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `[supervisord]\npidfile=%FOLDER%/pid\n${LONG}[program:web]\ncommand=%FOLDER%/slow.sh\nstopwaitsecs=600\n`,
    files: { 'slow.sh': '#!/bin/sh\ntrap "echo hears TERM" TERM\necho ready\nwhile :; do sleep 0.02; done\n' },
  });
  await launched.waitForLine(/ready$/);
  launched.signal('SIGINT');
  await launched.waitForLine(RUNS_ON);
  launched.signal('SIGTERM');
  await launched.waitForLine(/WARN ignored SIGTERM: the shutdown is under way already/);
  await aSecond();
  launched.signal('SIGQUIT');
  await launched.waitForLine(/WARN received SIGQUIT: ending shutdown_delay$/);
  await launched.waitForLine(/hears TERM$/);
  launched.signal('SIGQUIT');
  await launched.waitForLine(/WARN ignored SIGQUIT/);
  await aSecond();
  launched.signal('SIGQUIT');
  await launched.waitForLine(/WARN received SIGQUIT again: killing the remaining processes$/);
  await expectStopped(launched);
});

test('supervisorctl shutdown has the delay too; the second one ends it, the third one kills', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `[supervisord]\n${LONG}[program:web]\ncommand=%FOLDER%/slow.sh\nstopwaitsecs=600\n`,
    files: { 'slow.sh': '#!/bin/sh\ntrap "echo hears TERM" TERM\necho ready\nwhile :; do sleep 0.02; done\n' },
  });
  await launched.waitForLine(/ready$/);
  assert.equal((await launched.ctl('shutdown')).stdout, 'Shut down\n');
  await launched.waitForLine(RUNS_ON);
  assert.doesNotMatch(launched.stdout.text, /hears TERM/);
  launched.signal('SIGHUP');
  await launched.waitForLine(/ignored SIGHUP indicating restart request \(shutdown in progress\)/);
  assert.equal((await launched.ctl('shutdown')).stdout, ENDING);
  await launched.waitForLine(/hears TERM$/);
  assert.match((await launched.ctl('shutdown')).stdout, /^Killing the remaining processes$/m);
  await expectStopped(launched);
});

test('after TERM, the first supervisorctl shutdown ends the delay', { skip }, async (t) => {
  const launched = await launch(t, { config: `[supervisord]\n${LONG}${WEB}`, files: { 'run.sh': RUN } });
  await launched.waitForLine(/ready$/);
  launched.signal('SIGTERM');
  await launched.waitForLine(RUNS_ON);
  assert.equal((await launched.ctl('shutdown')).stdout, ENDING);
  await expectStopped(launched);
});

test('exit_on_failure ends the delay, and so does the end of the last program', { skip }, async (t) => {
  for (const option of ['exit_on_failure=true', 'startretries=0']) {
    const launched = await launch(t, {
      config:
        `[supervisord]\n${LONG}[program:web]\n` +
        'command=sh -c "echo ready; until [ -e %FOLDER%/end ]; do sleep 0.02; done; exit 3"\nautorestart=false\n' +
        `startsecs=0\n${option}\n`,
    });
    await launched.waitForLine(/ready$/);
    launched.signal('SIGTERM');
    await launched.waitForLine(RUNS_ON);
    await launched.enter(['touch', 'end']);
    await expectStopped(launched);
  }
});

test('without a program that is up there is no delay', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `[supervisord]\n${LONG}[program:bad]\ncommand=sh -c "exit 1"\nrestartpause=600\nstartretries=9\n`,
  });
  await launched.waitForLine(/exited: bad/);
  launched.signal('SIGTERM');
  await expectStopped(launched);
});

const QUIET = '[supervisord]\nlogfile=NONE\npidfile=%FOLDER%/pid\n';

test('init mode: the command gets the signal when the delay is over; a second TERM ends it', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `${QUIET}${LONG}[program:main]\nstopsignal=QUIT\n[program:cache]\ncommand=%FOLDER%/run.sh\n`,
    args: [
      '--',
      'sh',
      '-c',
      'trap "echo main hears INT" INT; trap "echo main hears QUIT; exit 5" QUIT; echo up; while :; do sleep 0.02; done',
    ],
    files: { 'run.sh': RUN },
  });
  await launched.waitForLine(/^up$/);
  await launched.waitForLine(/^cache \| ready$/);
  launched.signal('SIGTERM');
  await until('the delay', async () => (await launched.ctl('health')).stdout === 'supervisor: SHUTDOWN\n');
  launched.signal('SIGINT');
  await launched.waitForLine(/^main hears INT$/);
  assert.doesNotMatch(launched.stdout.text, /hears (QUIT|TERM)/);
  await aSecond();
  launched.signal('SIGTERM');
  await launched.waitForLine(/^main hears QUIT$/);
  await expectStopped(launched, 5);
  assert.ok([...launched.stdout.all, ...launched.stderr.all].includes('cache | hears TERM'));
});

test('init mode: a command that ends in the delay gives its exit code', { skip }, async (t) => {
  const launched = await launch(t, {
    config: QUIET + LONG,
    args: ['--', 'sh', '-c', 'echo up; until [ -e end ]; do sleep 0.02; done; exit 6'],
  });
  await launched.waitForLine(/^up$/);
  launched.signal('SIGTERM');
  await until('the delay', async () => (await launched.ctl('health')).stdout === 'supervisor: SHUTDOWN\n');
  await launched.enter(['touch', 'end']);
  await expectStopped(launched, 6);
});

test('init mode: supervisorctl shutdown ends the delay, and stops the command', { skip }, async (t) => {
  const launched = await launch(t, {
    config: QUIET + LONG,
    args: ['--', 'sh', '-c', 'trap "exit 4" TERM; echo up; while :; do sleep 0.02; done'],
  });
  await launched.waitForLine(/^up$/);
  launched.signal('SIGTERM');
  await until('the delay', async () => (await launched.ctl('shutdown')).stdout === ENDING);
  await expectStopped(launched);
});

test('a service manager gets STOPPING=1 when the delay begins', { skip: skip || noPython }, async (t) => {
  const address = `@onevisor-delay-${process.pid}`;
  const receiver = await launch(t, {
    as: 'plain',
    executable: 'python3',
    args: [programFile('notify-receiver.py'), address],
  });
  await receiver.stdout.waitFor(/^listening$/);
  const launched = await launch(t, {
    config: `[supervisord]\n${LONG}${WEB}`,
    files: { 'run.sh': RUN },
    env: { NOTIFY_SOCKET: address },
  });
  await receiver.stdout.waitFor(/^got READY=1$/);
  launched.signal('SIGTERM');
  await receiver.stdout.waitFor(/^got STOPPING=1$/);
  assert.doesNotMatch(launched.stdout.text, /hears TERM/);
  assert.equal((await launched.ctl('shutdown')).stdout, ENDING, launched.stdout.text);
  await expectStopped(launched);
});
