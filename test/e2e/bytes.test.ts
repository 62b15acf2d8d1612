/**
 * Bytes that are not UTF-8 reach a program unchanged: variables from all sources, arguments, its directory and its
 * path.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;
/** z, then two bytes that are not UTF-8. */
const BYTES = 'z\xe9\xff';

/** Files in which a program records its environment, arguments and directory. */
const DUMP = 'for file in environ cmdline; do cat /proc/$$/$file > $OUT.$file; done; readlink /proc/$$/cwd > $OUT.cwd';

/** Creates the odd names, and a shell with such a name, since a shell can write any bytes. */
const PREPARE = `
B=$(printf 'z\\351\\377')
mkdir "d$B" secrets
ln -s "$(command -v sh)" "d$B/sh$B"
printf 'FROM_FILE=z\\351\\377\\n' > env
printf 'z\\351\\377\\n' > secrets/FROM_DIR
export BYTES="$B" DIR="$PWD/d$B" RUN="$PWD/d$B/sh$B" OUT="$PWD/out"
`;

const CONFIG = `[supervisord]
[program:p]
command="%(ENV_RUN)s" -c '${DUMP}' "%(ENV_BYTES)s"
directory=%(ENV_DIR)s
environment=COPY="%(ENV_BYTES)s"
environment_file=%(here)s/env
environment_dir=%(here)s/secrets
autorestart=false
startsecs=0
`;

async function stringsOf({ folder }: Launched, name: string): Promise<string[]> {
  return (await readFile(join(folder, `out.${name}`), 'latin1')).split('\0');
}

async function expectBytes(launched: Launched, variables: readonly string[]): Promise<void> {
  const environment = await stringsOf(launched, 'environ');
  for (const name of variables)
    assert.ok(
      environment.includes(`${name}=${BYTES}`),
      `${name}: ${environment.filter((line) => line.startsWith(`${name}=`)).join()}`,
    );
  const [file, , , last] = await stringsOf(launched, 'cmdline');
  assert.deepEqual([file, last], [`${launched.folder}/d${BYTES}/sh${BYTES}`, BYTES]);
}

const ALL = ['BYTES', 'COPY', 'FROM_FILE', 'FROM_DIR'];

for (const [name, more] of [
  ['as PID 1', ''],
  ['where variables for Node are set aside', 'export NODE_DEBUG=net NODE_V8_COVERAGE=$BYTES'],
] as const) {
  test(`a program gets the bytes unchanged, ${name}`, { skip }, async (t) => {
    const launched = await launch(t, {
      executable: 'sh',
      args: ['-c', `${PREPARE}${more}\nexec "$0" -c x.conf`, EXECUTABLE],
      env: {},
      files: { 'x.conf': `${CONFIG}exit_on_end=true\n` },
    });
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    await expectBytes(launched, more === '' ? ALL : [...ALL, 'NODE_V8_COVERAGE']);
    assert.equal(await readFile(join(launched.folder, 'out.cwd'), 'latin1'), `${launched.folder}/d${BYTES}\n`);
  });

  test(`a command after -- gets the bytes unchanged, ${name}`, { skip }, async (t) => {
    const launched = await launch(t, {
      executable: 'sh',
      args: ['-c', `${PREPARE}${more}\nexec "$0" -- "$RUN" -c '${DUMP}' "$B"`, EXECUTABLE],
    });
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    await expectBytes(launched, ['BYTES']);
  });
}

test('a daemon passes the bytes to its programs, and changes to a directory with such a name', { skip }, async (t) => {
  const head =
    '[supervisord]\nlogfile=%(here)s/main.log\npidfile=%(here)s/pid\ndirectory=%(ENV_DIR)s\n' +
    '[unix_http_server]\nfile=%(here)s/sock';
  const config = `${CONFIG.replace('[supervisord]', head)}stdout_logfile=NONE\nstderr_logfile=NONE\n`;
  const launched = await launch(t, {
    args: [],
    files: { 'x.conf': config, 'prepare.sh': `${PREPARE}export ONEVISOR_CONTAINER=0\nexec "$0" -c "$PWD/x.conf"\n` },
    env: { ONEVISOR_PROGRAM_IDLE: 'sleep 1000' },
  });
  const { code, stderr } = await launched.enter(['sh', '-c', `. ./prepare.sh`, EXECUTABLE]);
  assert.equal(code, 0, stderr);
  const daemon = (...words: string[]): ReturnType<Launched['enter']> =>
    launched.enter([EXECUTABLE, 'ctl', '-s', `unix://${launched.folder}/sock`, ...words]);
  while (/RUNNING|STARTING/.test((await daemon('status', 'p')).stdout))
    await new Promise((resolve) => setTimeout(resolve, 20));
  await expectBytes(launched, ALL);
  assert.equal((await daemon('shutdown')).code, 0);
});

test('such values are shown as text; such bytes in our own paths are an error', { skip }, async (t) => {
  const launched = await launch(t, {
    files: {
      'x.conf': CONFIG,
      'bad.conf':
        '[supervisord]\nlogfile=/tmp/%(ENV_BYTES)s\npidfile=/tmp/%(ENV_BYTES)s\nchildlogdir=%(ENV_DIR)s\n' +
        '[unix_http_server]\nfile=/tmp/%(ENV_BYTES)s\n' +
        '[program:a]\ncommand=x\nprocess_name=%(ENV_BYTES)s\nstdout_logfile=/tmp/%(ENV_BYTES)s\n',
      'prepare.sh': PREPARE,
    },
    env: { ONEVISOR_PROGRAM_IDLE: 'sleep 1000' },
  });
  const check = (file: string, ...args: string[]): ReturnType<Launched['enter']> =>
    launched.enter(['sh', '-c', `. ./prepare.sh; "$0" check "$@" -c ${file}`, EXECUTABLE, ...args]);
  const { stdout } = await check('x.conf', '--json');
  assert.ok(stdout.isWellFormed() && !/\\ud[c-f]/i.test(stdout));
  const [program] = JSON.parse(stdout).programs.filter((one: { name: string }) => one.name === 'p');
  assert.equal(program.environment.COPY, 'z\uFFFD\uFFFD');
  await launched.enter(['rm', '-r', 'secrets', `env`]);
  const bad = await launched.enter(['sh', '-c', `rm -rf d*; . ./prepare.sh; "$0" check -c bad.conf`, EXECUTABLE]);
  assert.equal(bad.code, 2);
  for (const option of ['logfile', 'pidfile', 'childlogdir', 'file', 'process_name', 'stdout_logfile'])
    assert.match(bad.stderr, new RegExp(`\\] ${option}: .*bytes that are not UTF-8`), option);
  const text = await launched.enter([
    'sh',
    '-c',
    `rm -rf d* secrets; . ./prepare.sh; ONEVISOR_CONF_TEXT="[supervisord]
identifier=$B" "$0" check`,
    EXECUTABLE,
  ]);
  assert.match(text.stderr, /ONEVISOR_CONF_TEXT: it is not UTF-8/);
});
