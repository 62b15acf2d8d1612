/** Init mode: one command with our streams, our terminal and our signals, alone and with other programs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInstalled } from '../../build/rootfs.ts';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import { isAlive, pidOf, programFile, statusField, until } from './observe.ts';
import type { TestContext } from 'node:test';
import type { Launched } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;
const noTerminal =
  (await isInstalled('python3')) && (await isInstalled('bash')) ? false : 'python3 or bash is not installed';

/** Prevents the use of files of the machine. */
const QUIET = '[supervisord]\nlogfile=NONE\npidfile=%FOLDER%/pid\n';

test('the command has our streams: input, output and errors pass unchanged', { skip }, async (t) => {
  const launched = await launch(t, {
    config: QUIET,
    stdin: 'pipe',
    args: [
      '--',
      'sh',
      '-c',
      'echo asked >&2; read name; printf "hello %s" "$name"; echo to >/dev/stdout; cat >/dev/null; exit 3',
    ],
  });
  await launched.stderr.waitFor(/^asked$/);
  launched.stdin?.write('you\n');
  await launched.stdout.waitFor(/^hello youto$/);
  launched.stdin?.end();
  assert.deepEqual(await launched.exit, { code: 3, signal: null });
  assert.deepEqual([launched.stdout.text, launched.stderr.text], ['hello youto', 'asked']);
});

test('every signal is forwarded to the command, and its status is ours', { skip }, async (t) => {
  const names = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'WINCH', 'CONT', 'ALRM', 'URG'] as const;
  const script =
    `${names.map((name) => `trap 'echo ${name}' ${name}`).join('\n')}\ntrap 'echo TERM; exit 5' TERM\n` +
    `echo ready\nwhile :; do sleep 0.02; done\n`;
  const launched = await launch(t, { config: QUIET, args: ['--', 'sh', '-c', script] });
  await launched.stdout.waitFor(/^ready$/);
  for (const name of names) {
    launched.signal(`SIG${name}`);
    await launched.stdout.waitFor(new RegExp(`^${name}$`));
  }
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 5, signal: null });
});

test('a command that SIGTERM ends results in 143', { skip }, async (t) => {
  const launched = await launch(t, { config: QUIET, args: ['--', 'sh', '-c', 'echo ready; exec sleep 1000'] });
  await launched.stdout.waitFor(/^ready$/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 143, signal: null });
});

test('programs run next to it, and are stopped in order with it', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      `${QUIET}[program:cache]\n` +
      `command=sh -c "trap 'echo cache leaves; exit 0' TERM; echo cache ready; while :; do sleep 0.02; done"\n`,
    args: ['--', 'sh', '-c', 'until [ -e done ]; do sleep 0.02; done; echo result; exit 4'],
  });
  await launched.waitForLine(/^cache \| cache ready$/);
  await launched.enter(['touch', 'done']);
  assert.deepEqual(await launched.exit, { code: 4, signal: null });
  assert.ok(launched.stdout.all.includes('result'));
  assert.ok([...launched.stdout.all, ...launched.stderr.all].includes('cache | cache leaves'));
});

test('orphans of the command are reaped while it runs, and ended after it', { skip }, async (t) => {
  const launched = await launch(t, {
    config: QUIET,
    args: ['--', 'sh', '-c', '(setsid sleep 100010 &); echo left; read x; exit 0'],
    stdin: 'pipe',
  });
  await launched.stdout.waitFor(/^left$/);
  const orphan = await until('the orphan', () => pidOf('sleep 100010'));
  launched.stdin?.end();
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.equal(await isAlive(orphan), false);
});

/** Runs a command line at a terminal. Each input is sent only after the expected output of the previous one. */
async function atTerminal(
  t: TestContext,
  as: 'pid1' | 'plain',
  command: readonly string[],
): Promise<Launched & { type(keys: string): void }> {
  const launched = await launch(t, {
    as,
    executable: 'python3',
    args: [programFile('terminal.py'), ...command],
    stdin: 'pipe',
    files: { 'quiet.conf': QUIET },
    env: { TERM: 'dumb' },
  });
  return Object.assign(launched, { type: (keys: string) => void launched.stdin?.write(keys) });
}

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_Z = '\u001a';

test(
  'a shell at a terminal has job control: Ctrl-Z, fg, Ctrl-C, the size of the window',
  { skip: noTerminal },
  async (t) => {
    const shell = await atTerminal(t, 'plain', [
      EXECUTABLE,
      '-c',
      'quiet.conf',
      '--',
      'bash',
      '--norc',
      '--noprofile',
      '-i',
    ]);
    // With such a prompt the shell says that it reads, and how the command before ended.
    shell.type("PS1='at the prompt: $?\\n> '\r");
    await shell.waitForLine(/^at the prompt: 0/);
    shell.type('echo monitor is $- and ready\r');
    await shell.waitForLine(/monitor is \w*m\w* and ready/);
    shell.type('echo begun $((1+1)) && sleep 100020\r');
    await shell.waitForLine(/begun 2/);
    await until('the job', () => pidOf('sleep 100020'));
    shell.type(CTRL_Z);
    await shell.waitForLine(/Stopped +.*sleep 100020/);
    shell.type('echo continuing; fg\r');
    await shell.waitForLine(/^continuing/);
    const job = await until('the job', () => pidOf('sleep 100020'));
    // The shell gives the terminal to the job before it continues it. Until then it takes Ctrl-C itself and drops fg.
    await until('the job in the foreground', async () => (await statusField(job, 'State')).startsWith('S'));
    shell.type(CTRL_C);
    await until('the end of the job', async () => !(await isAlive(job)));
    await shell.waitForLine(/^at the prompt: 130/);
    // The prompt discards the typed text, and nothing else happens.
    shell.type(CTRL_C);
    await shell.waitForLine(/^at the prompt: 130/, { count: 2 });
    shell.type('echo again\r');
    await shell.waitForLine(/^again/);
    shell.type('trap "stty size" WINCH\r');
    shell.type('echo trapped\r');
    await shell.waitForLine(/^trapped/);
    shell.signal('SIGUSR1');
    await shell.waitForLine(/33 111\r?$/);
    shell.type('exit 9\r');
    await shell.waitForLine(/^ended with 9$/);
  },
);

test('the terminal is given back: the parent can read from it afterwards', { skip: noTerminal }, async (t) => {
  const outer = await atTerminal(t, 'plain', [
    'sh',
    '-c',
    `${EXECUTABLE} -c quiet.conf -- bash --norc --noprofile -i; echo "back with $?"; read answer; echo "got $answer"`,
  ]);
  outer.type('echo inside; exit 6\r');
  await outer.waitForLine(/^back with 6/);
  outer.type('an answer\r');
  await outer.waitForLine(/^got an answer/);
  await outer.waitForLine(/^ended with 0$/);
});

test('Ctrl-C for a command that it ends, and Ctrl-D for a command that reads', { skip: noTerminal }, async (t) => {
  const sleeper = await atTerminal(t, 'plain', [
    EXECUTABLE,
    '-c',
    'quiet.conf',
    '--',
    'sh',
    '-c',
    'echo begun; sleep 100030',
  ]);
  await sleeper.waitForLine(/^begun/);
  await until('the job', () => pidOf('sleep 100030'));
  sleeper.type(CTRL_C);
  await sleeper.waitForLine(/^ended with 130$/);
  const reader = await atTerminal(t, 'plain', [
    EXECUTABLE,
    '-c',
    'quiet.conf',
    '--',
    'sh',
    '-c',
    'echo begun; cat; echo over',
  ]);
  await reader.waitForLine(/^begun/);
  reader.type(CTRL_D);
  await reader.waitForLine(/^over/);
  await reader.waitForLine(/^ended with 0$/);
});

test('a supervisor at a terminal shuts down cleanly on Ctrl-C', { skip: noTerminal }, async (t) => {
  const launched = await atTerminal(t, 'plain', [EXECUTABLE, 'demo']);
  await launched.waitForLine(/worker .*working on job 1/);
  launched.type(CTRL_C);
  await launched.waitForLine(/received SIGINT indicating exit request/);
  await launched.waitForLine(/^ended with 0$/);
});

/** A command that ignores SIGTERM, as bash does, until the file `done` exists. */
const DEAF_COMMAND = ['sh', '-c', 'trap "" TERM; echo deaf; until [ -e done ]; do sleep 0.02; done; exit 6'];
const CACHE =
  '[program:cache]\n' +
  'command=sh -c "trap \'echo cache saved; exit 0\' TERM; echo cache ready; while :; do sleep 0.02; done"\n';

test(
  'a command that ignores TERM: the other programs are stopped after 4 seconds, and the command is waited for',
  { skip },
  async (t) => {
    const launched = await launch(t, { config: QUIET + CACHE, args: ['--', ...DEAF_COMMAND] });
    await launched.waitForLine(/^cache \| cache ready$/);
    await launched.waitForLine(/^deaf$/);
    const beganMs = performance.now();
    launched.signal('SIGTERM');
    await launched.waitForLine(/^cache \| cache saved$/);
    const seconds = (performance.now() - beganMs) / 1000;
    assert.ok(seconds >= 3.9 && seconds < 8, `${seconds} s`);
    // Longer than the budget of 9.5 s: the command gets no SIGKILL.
    await new Promise((resolve) => setTimeout(resolve, 7000));
    assert.equal(await isAlive(launched.pid), true);
    await launched.enter(['touch', 'done']);
    assert.deepEqual(await launched.exit, { code: 6, signal: null });
  },
);

test('a command that ignores TERM, without other programs and limits, is only waited for', { skip }, async (t) => {
  const launched = await launch(t, {
    config: QUIET,
    env: { ONEVISOR_STOP_BUDGET: '2s' },
    args: ['--', ...DEAF_COMMAND],
  });
  await launched.waitForLine(/^deaf$/);
  launched.signal('SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 4000));
  assert.equal(await isAlive(launched.pid), true);
  await launched.enter(['touch', 'done']);
  assert.deepEqual(await launched.exit, { code: 6, signal: null });
});

test(
  'the last line names the program that ended everything, or kept the command from its start',
  { skip },
  async (t) => {
    const failing = '[program:db]\ncommand=sh -c "exit 3"\nstartsecs=0\nautorestart=false\n';
    for (const [config, says] of [
      [`${failing}exit_on_failure=true\n`, 'exit_on_failure'],
      [`${failing}[program:main]\ndepends_on=db:completed\n`, 'the main program depends on it'],
    ]) {
      const launched = await launch(t, { config: `[supervisord]\n${config}`, args: ['--', 'sleep', '1000'] });
      assert.deepEqual(await launched.exit, { code: 3, signal: null });
      const last = [...launched.stdout.all, ...launched.stderr.all].at(-1) ?? '';
      assert.match(last, new RegExp(` WARN program db ended \\(exit status 3\\): ${says}$`));
    }
  },
);

for (const [name, config] of [
  ['stopwaitsecs of the program main', '[program:main]\nstopwaitsecs=2\n'],
  ['shutdown_timeout', 'shutdown_timeout=3s\n'],
] as const) {
  test(
    `a command that ignores TERM is killed with ${name}, after the stop of the other programs`,
    { skip },
    async (t) => {
      const launched = await launch(t, { config: QUIET + config + CACHE, args: ['--', ...DEAF_COMMAND] });
      await launched.waitForLine(/^cache \| cache ready$/);
      await launched.waitForLine(/^deaf$/);
      launched.signal('SIGTERM');
      assert.deepEqual(await launched.exit, { code: 137, signal: null });
      assert.ok([...launched.stdout.all, ...launched.stderr.all].includes('cache | cache saved'));
    },
  );
}
