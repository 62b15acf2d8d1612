/**
 * Words without `--`: the command to run in the main process of a container, a command of ours anywhere else, where an
 * unknown word starts nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInstalled } from '../../build/rootfs.ts';
import { EXECUTABLE, launch, type LaunchOptions, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;
const tini = (await isInstalled('tini')) ? skip : 'tini is not installed';
/** The mark of podman. The private /run also hides a /run/systemd of the machine. */
const MARK = 'touch /run/.containerenv';
const SAYS = { ONEVISOR_PROGRAM_A: 'sh -c "echo started; exec sleep 1000"' };

/** Launches, and returns the code and the output when the executable has ended. */
async function outcomeOf(t: Parameters<typeof launch>[0], options: LaunchOptions) {
  const launched = await launch(t, options);
  const { code } = await launched.exit;
  return { code, stdout: launched.stdout.text, stderr: launched.stderr.text };
}

test('PID 1 runs the words as the main program, also after options', { skip }, async (t) => {
  const command = ['sh', '-c', 'echo ran; exit 3'];
  assert.deepEqual(await outcomeOf(t, { args: command }), { code: 3, stdout: 'ran', stderr: '' });
  const beside = await outcomeOf(t, { config: '[supervisord]\nloglevel=error\n', args: ['-n', ...command] });
  assert.deepEqual([beside.code, beside.stdout], [3, 'ran'], beside.stderr);
});

test('in PID 1 a command of the client is a program of that name', { skip }, async (t) => {
  const files = { status: '#!/bin/sh\necho "own $*"\nexit 4\n' };
  const env = { PATH: `%FOLDER%:${process.env['PATH']}` };
  const found = await launch(t, {
    executable: '/bin/sh',
    files,
    env,
    args: ['-c', `PATH="$PWD:$PATH" exec ${EXECUTABLE} status --help`],
  });
  assert.equal((await found.exit).code, 4);
  assert.equal(found.stdout.text, 'own --help');
  const missing = await outcomeOf(t, { args: ['restart', 'web'] });
  assert.equal(missing.code, 127, missing.stderr);
  assert.match(
    missing.stderr,
    /^there is no program restart; if the command of onevisor is meant: onevisor ctl restart$/m,
  );
  const misspelt = await outcomeOf(t, { args: ['chekc'] });
  assert.match(misspelt.stderr, /^there is no program chekc; if the command of onevisor is meant: onevisor check$/m);
  const other = await outcomeOf(t, { args: ['sh', '-c', 'exit 127'] });
  assert.deepEqual([other.code, other.stderr], [127, '']);
});

test('in PID 1 a frozen word is a command of ours, and -- decides', { skip }, async (t) => {
  const checked = await outcomeOf(t, { args: ['check', '--static'], env: { ONEVISOR_PROGRAM_A: 'sleep 1' } });
  assert.equal(checked.code, 0, checked.stderr);
  assert.match(checked.stdout, /^\[program:a\]$/m);
  assert.equal((await outcomeOf(t, { args: ['--', 'check', '--static'] })).code, 127);
  const late = await outcomeOf(t, { config: '[supervisord]\n', args: ['check'] });
  assert.equal(late.code, 2);
  assert.match(late.stderr, /^Error: check comes before its options; use `onevisor check …`, or `onevisor … -- check`/);
});

test('in other processes, options before a command name the line that works', async (t) => {
  const { code, stderr } = await outcomeOf(t, { as: 'plain', args: ['-c', 'none.conf', 'status', 'web'] });
  assert.equal(code, 2);
  assert.match(stderr, /^Error: status comes before its options; use `\S*onevisor status -c none\.conf web`$/m);
  const other = await outcomeOf(t, { as: 'plain', args: ['-c', 'none.conf', 'bash'] });
  assert.match(other.stderr, /^Error: positional arguments are not supported: \['bash'\]/);
});

test('-- with nothing after it runs the programs', { skip }, async (t) => {
  const launched = await launch(t, { env: SAYS, args: ['--'] });
  await launched.stdout.waitFor(/^a \| started$/);
  launched.signal('SIGTERM');
  assert.equal((await launched.exit).code, 0);
});

test('under the name supervisord words stay an error, as in Supervisor', { skip }, async (t) => {
  const { code, stderr } = await outcomeOf(t, {
    executable: EXECUTABLE.replace(/onevisor$/, 'supervisord'),
    args: ['bash'],
  });
  assert.equal(code, 2);
  assert.match(stderr, /^Error: positional arguments are not supported: \['bash'\]/);
});

test('the main process below an init runs the words', { skip: tini }, async (t) => {
  const under = { under: ['tini', '--'], prepare: MARK };
  const ran = await outcomeOf(t, { ...under, args: ['sh', '-c', 'echo ran; exit 5'] });
  assert.deepEqual([ran.code, ran.stdout], [5, 'ran'], ran.stderr);
  const script = {
    files: { 'docker-entrypoint.sh': '#!/bin/sh\n"$@"\n' },
    under: ['./docker-entrypoint.sh'],
    prepare: MARK,
  };
  const entry = await outcomeOf(t, { ...script, args: ['sh', '-c', 'echo ran; exit 6'] });
  assert.deepEqual([entry.code, entry.stdout], [6, 'ran'], entry.stderr);
});

test('a client finds the supervisor that runs words below an init', { skip: tini }, async (t) => {
  const launched = await launch(t, {
    under: ['tini', '--'],
    prepare: MARK,
    env: SAYS,
    args: ['sh', '-c', 'echo up; exec sleep 1000'],
  });
  await launched.stdout.waitFor(/^up$/);
  const { stdout, stderr } = await launched.enter([EXECUTABLE, 'status']);
  assert.match(stdout, /^a +(RUNNING|STARTING) [^]*^main +RUNNING /m, stderr);
});

test('beside PID 1 a word is a command of the client, and an unknown word is an error', { skip }, async (t) => {
  const launched = await launch(t, { prepare: MARK, env: { ...SAYS, ONEVISOR_CONTAINER: '1' } });
  await launched.stdout.waitFor(/^a \| started$/);
  const status = await launched.enter([EXECUTABLE, 'status']);
  assert.match(status.stdout, /^a +(RUNNING|STARTING) /, status.stderr);
  assert.match((await launched.enter([EXECUTABLE, 'pid', 'a'])).stdout, /^\d+\n$/);
  assert.match((await launched.enter([EXECUTABLE, 'stop', 'a'])).stdout, /^a: stopped\n$/);
  for (const args of [['statsu'], ['bash'], ['quit'], ['--container', 'sh', '-c', 'echo ran']]) {
    const { code, stdout, stderr } = await launched.enter([EXECUTABLE, ...args]);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, /^Error: (there is no command|positional arguments)/);
  }
});

test('an unknown word never starts programs beside another PID 1', { skip }, async (t) => {
  const launched = await launch(t, {
    executable: '/bin/sh',
    args: ['-c', 'echo up; exec sleep 1000'],
    prepare: MARK,
    env: { ...SAYS, ONEVISOR_CONTAINER: '1' },
  });
  await launched.stdout.waitFor(/^up$/);
  for (const command of [
    [EXECUTABLE, 'chekc'],
    ['sh', '-c', `${EXECUTABLE} chekc; exit $?`],
  ]) {
    const { code, stdout, stderr } = await launched.enter(command);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^Error: there is no command "chekc" \(did you mean check\?\)\n/);
  }
});

test('in a script that has started a daemon, a word is a command of the client', { skip }, async (t) => {
  const commands = ['-c "$PWD/d.conf"', 'statsu', 'status'].map((words) => `${EXECUTABLE} ${words}\n`).join('');
  const launched = await launch(t, {
    executable: './entrypoint.sh',
    prepare: MARK,
    files: {
      'entrypoint.sh': `#!/bin/sh\n${commands}exec sleep 1000\n`,
      'd.conf':
        '[supervisord]\n[unix_http_server]\nfile=%FOLDER%/s.sock\n[program:a]\ncommand=sleep 1000\nstartsecs=0\n',
    },
  });
  await launched.stdout.waitFor(/^a +(RUNNING|STARTING|STOPPED) /);
  assert.match(launched.stderr.text, /^Error: there is no command "statsu" \(did you mean status\?\)$/m);
});

test('a command that is typed at the shell of a container is not its program', { skip }, async (t) => {
  const launched = await launch(t, { executable: '/bin/sh', prepare: MARK, env: SAYS, stdin: 'pipe', args: ['-i'] });
  launched.stdin?.write(`'${EXECUTABLE}' chekc; echo "code $?"\n`);
  await launched.stdout.waitFor(/code 2$/);
  assert.match(launched.stderr.text, /Error: there is no command "chekc"/);
  launched.stdin?.end('exit\n');
  await launched.exit;
});
