/**
 * Signals during a shutdown: the same signal again, after a second and from outside, kills. Second signals of listeners
 * and traps are only logged. Also the other signals that shut down, and those without a meaning.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInstalled } from '../../build/rootfs.ts';
import { EXECUTABLE, launch, type Launched, type LaunchOptions, pid1SkipReason } from './launch.ts';
import { programFile } from './observe.ts';
import type { TestContext } from 'node:test';

const skip = (await pid1SkipReason()) ?? false;
const noTerminal = (await isInstalled('python3')) ? false : 'python3 is not installed';

/** Ends when a file exists, after saving its data. Prints the signal that stops it. */
const SLOW = `#!/bin/sh
trap 'echo saving; while [ ! -e %FOLDER%/go ]; do sleep 0.02; done; echo saved; exit 0' TERM
echo ready
while :; do sleep 0.02; done
`;
const SUPERVISORD = '[supervisord]\npidfile=%FOLDER%/pid\n';
const DATABASE = '[program:db]\ncommand=%FOLDER%/slow.sh\nstopwaitsecs=600\npriority=1\n';
const IGNORED =
  / WARN ignored SIG\w+.*: the shutdown is under way already; .* `supervisorctl shutdown` .*, or send SIGTERM again/;

async function launchSlow(t: TestContext, more: string, options: LaunchOptions = {}): Promise<Launched> {
  const launched = await launch(t, {
    config: `${SUPERVISORD}${DATABASE}${more}`,
    ...options,
    files: { 'slow.sh': SLOW, ...options.files },
  });
  await launched.waitForLine(/^db +\| ready$/);
  return launched;
}

/** Lets the program save its data. It must not have been killed. */
async function expectSaved(launched: Launched): Promise<void> {
  await launched.enter(['touch', `${launched.folder}/go`]);
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.ok(/^db +\| saved$/m.test(launched.stdout.text), launched.stdout.text);
}

async function expectKilled(launched: Launched): Promise<void> {
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.ok(!/^db +\| saved$/m.test(launched.stdout.text));
}

/** Waits, by the clock of the log, until a second has passed since the first signal. */
const aSecond = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 1100);
  });

test('TERM again, a second after the first, kills; an earlier one is only logged', { skip }, async (t) => {
  const launched = await launchSlow(t, '');
  launched.signal('SIGTERM');
  await launched.waitForLine(/^db +\| saving$/);
  launched.signal('SIGINT');
  await launched.waitForLine(IGNORED);
  await aSecond();
  launched.signal('SIGTERM');
  await launched.waitForLine(/ WARN received SIGTERM again: killing the remaining processes$/);
  await expectKilled(launched);
});

test('HUP during a shutdown is logged with the text of Supervisor, and restarts nothing', { skip }, async (t) => {
  const launched = await launchSlow(t, '');
  launched.signal('SIGTERM');
  await launched.waitForLine(/^db +\| saving$/);
  launched.signal('SIGHUP');
  await launched.waitForLine(/ WARN ignored SIGHUP indicating restart request \(shutdown in progress\)$/);
  await expectSaved(launched);
});

test('INT and TERM at once, as by a trap at Ctrl-C, and QUIT later kill nothing', { skip }, async (t) => {
  const launched = await launchSlow(t, '');
  launched.signal('SIGINT');
  launched.signal('SIGTERM');
  await launched.waitForLine(IGNORED);
  await aSecond();
  launched.signal('SIGQUIT');
  await launched.waitForLine(IGNORED, { count: 2 });
  await expectSaved(launched);
});

test('a listener that sends QUIT to the supervisor at each STOPPED loses no data', { skip }, async (t) => {
  // As in mailcow: the listener answers no event.
  const listener = '#!/bin/sh\nprintf "READY\\n"\nwhile read line; do kill -3 $(cat %FOLDER%/pid); done\n';
  const more =
    '[program:web]\ncommand=sh -c "echo up; exec sleep 1000"\npriority=999\n' +
    '[eventlistener:watch]\ncommand=%FOLDER%/watch.sh\nevents=PROCESS_STATE_STOPPED\npriority=0\n';
  const launched = await launchSlow(t, more, { files: { 'watch.sh': listener } });
  await launched.waitForLine(/^web +\| up$/);
  launched.signal('SIGTERM');
  await launched.waitForLine(/ignored SIGQUIT from pid \d+/);
  await launched.waitForLine(/^db +\| saving$/);
  await expectSaved(launched);
});

test('a program that sends TERM repeatedly begins the shutdown, and never kills', { skip }, async (t) => {
  const launched = await launchSlow(
    t,
    '[program:loud]\n' +
      'command=sh -c "trap : TERM; until [ -e %FOLDER%/begin ]; do sleep 0.02; done; until [ -e %FOLDER%/go ]; ' +
      'do kill -TERM $(cat %FOLDER%/pid); sleep 0.6; done"\nstopwaitsecs=600\n',
  );
  await launched.enter(['touch', `${launched.folder}/begin`]);
  await launched.waitForLine(/received SIGTERM indicating exit request/);
  await launched.waitForLine(/ignored SIGTERM from pid \d+/, { count: 4 });
  await expectSaved(launched);
});

test('a shell of `docker exec` is outside: its second TERM kills', { skip }, async (t) => {
  const launched = await launchSlow(t, '');
  await launched.enter(['sh', '-c', 'kill -TERM 1; sleep 1.2; kill -TERM 1; sleep 0.5']);
  await launched.waitForLine(/received SIGTERM again: killing the remaining processes/);
  await expectKilled(launched);
});

test('a second supervisorctl shutdown kills; from a program it does not', { skip }, async (t) => {
  const launched = await launchSlow(t, '');
  assert.equal((await launched.ctl('shutdown')).stdout, 'Shut down\n');
  const inside = await launched.enter(['env', 'SUPERVISOR_ENABLED=1', EXECUTABLE, 'ctl', 'shutdown']);
  assert.deepEqual([inside.stdout, inside.code], ['ERROR: already shutting down\n', 0]);
  launched.signal('SIGTERM');
  await launched.waitForLine(IGNORED);
  assert.equal(
    (await launched.ctl('shutdown')).stdout,
    'ERROR: already shutting down\nKilling the remaining processes\n',
  );
  await expectKilled(launched);
});

test('after TERM, the first supervisorctl shutdown kills nothing', { skip }, async (t) => {
  const launched = await launchSlow(t, '');
  launched.signal('SIGTERM');
  await launched.waitForLine(/^db +\| saving$/);
  assert.equal((await launched.ctl('shutdown')).stdout, 'ERROR: already shutting down\n');
  await expectSaved(launched);
});

for (const [name, number] of [
  ['SIGPWR', 30],
  ['SIGRTMIN+3', 37],
] as const) {
  test(`${name}, the STOPSIGNAL of some base images, shuts down`, { skip }, async (t) => {
    const launched = await launchSlow(t, '');
    process.kill(launched.pid, number);
    await launched.waitForLine(new RegExp(`WARN received ${name.replace('+', '\\+')} indicating exit request$`));
    await launched.waitForLine(/^db +\| saving$/);
    await expectSaved(launched);
  });

  test(`${name} is forwarded to the command of init mode`, { skip }, async (t) => {
    const launched = await launch(t, {
      args: [
        '--',
        'python3',
        '-uc',
        `import signal,sys;signal.signal(${number},lambda *a: sys.exit(7));print("ready");signal.pause()`,
      ],
    });
    await launched.stdout.waitFor(/^ready$/);
    process.kill(launched.pid, number);
    assert.deepEqual(await launched.exit, { code: 7, signal: null });
  });
}

test('stop_on_signals=WINCH; the same signal again kills', { skip }, async (t) => {
  const launched = await launchSlow(t, '', { config: `[supervisord]\nstop_on_signals=WINCH, USR1\n${DATABASE}` });
  launched.signal('SIGWINCH');
  await launched.waitForLine(/WARN received SIGWINCH indicating exit request$/);
  await launched.waitForLine(/^db +\| saving$/);
  launched.signal('SIGUSR1');
  await launched.waitForLine(IGNORED);
  await aSecond();
  launched.signal('SIGWINCH');
  await expectKilled(launched);
});

test('a dropped signal is logged once, and routine signals never', { skip }, async (t) => {
  const launched = await launchSlow(t, '');
  for (const name of [
    'SIGWINCH',
    'SIGCONT',
    'SIGURG',
    'SIGALRM',
    'SIGTSTP',
    'SIGPIPE',
    'SIGCHLD',
    'SIGUSR1',
    'SIGUSR1',
    'SIGIO',
  ] as const)
    launched.signal(name);
  process.kill(launched.pid, 34);
  await launched.waitForLine(/WARN dropped SIGRTMIN:/);
  const dropped = launched.stdout.all.filter((line) => line.includes(' dropped '));
  assert.equal(dropped.length, 3);
  assert.ok(
    dropped.some((line) =>
      line.includes(
        'WARN dropped SIGUSR1: the supervisor has no use for it; forward_signals=USR1:PROGRAM in ' +
          '[supervisord] forwards it to a program',
      ),
    ),
  );
  launched.signal('SIGTERM');
  await launched.waitForLine(/^db +\| saving$/);
  await expectSaved(launched);
});

test('WINCH of a terminal stops nothing, a second Ctrl-C kills', { skip: noTerminal }, async (t) => {
  const config =
    `[supervisord]\nnodaemon=true\nlogfile=NONE\nstop_on_signals=WINCH\n${DATABASE}stdout_logfile=/dev/stdout\n` +
    `stdout_logfile_maxbytes=0\n`;
  const launched = await launch(t, {
    as: 'plain',
    executable: 'python3',
    stdin: 'pipe',
    env: { TERM: 'dumb' },
    args: [programFile('terminal.py'), EXECUTABLE, '-c', 'supervisor.conf'],
    files: { 'slow.sh': SLOW, 'supervisor.conf': config },
  });
  await launched.waitForLine(/ready\r?$/);
  // terminal.py changes the size of the window.
  launched.signal('SIGUSR1');
  launched.stdin?.write('\u0003');
  await launched.waitForLine(/received SIGINT indicating exit request/);
  await launched.waitForLine(/saving\r?$/);
  assert.ok(!launched.stdout.text.includes('SIGWINCH'));
  await aSecond();
  launched.stdin?.write('\u0003');
  await launched.waitForLine(/received SIGINT again: killing the remaining processes/);
  await launched.waitForLine(/^ended with 0$/);
});
