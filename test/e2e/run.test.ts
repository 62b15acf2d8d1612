/** `onevisor run NAME -- CMD`: a command with the settings of a program, in its container. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import { freePort } from './ports.ts';

const skip = (await pid1SkipReason()) ?? false;

const config = (port: number): string => `[supervisord]
environment=COMMON="all"
[inet_http_server]
port=127.0.0.1:${port}
[unix_http_server]
file=%FOLDER%/s.sock
[supervisorctl]
serverurl=unix://%FOLDER%/s.sock
[program:web]
command=sleep 1000
directory=%FOLDER%/srv
user=nobody
umask=027
rlimit_nofile=77
nice=5
environment=TOKEN="a \\" quoted ' one",LINE="x=y"
[program:plain]
command=sleep 1000
`;

test('a command has the user, directory, environment and limits of the program', { skip }, async (t) => {
  const port = await freePort();
  const launched = await launch(t, {
    config: config(port),
    files: { 'srv/here': 'a file\n' },
    // Another user must be able to enter the folder.
    prepare: 'chmod 755 .',
  });
  await launched.waitForLine(/success: plain/);
  const run = (...words: string[]): ReturnType<typeof launched.ctl> => launched.ctl('run', ...words);

  const shown = await run(
    'web',
    '--',
    'sh',
    '-c',
    'id -un; pwd; umask; ulimit -n; nice; echo "$COMMON|$TOKEN|$LINE|$1"',
    'x',
    'two  words',
  );
  assert.deepEqual(
    [shown.code, shown.stdout, shown.stderr],
    [0, `nobody\n${join(launched.folder, 'srv')}\n0027\n77\n5\nall|a " quoted ' one|x=y|two  words\n`, ''],
  );
  assert.equal((await run('web', '--', 'sh', '-c', 'exit 7')).code, 7);
  assert.equal((await run('web', '--', 'sh', '-c', 'kill -9 $$')).code, 137);
  assert.equal((await run('plain', '--', 'id', '-u')).stdout, `${process.getuid?.()}\n`);

  const missing = await run('web', '--', 'no-such-command');
  assert.deepEqual([missing.code, missing.stderr], [127, "Error: can't find command 'no-such-command'\n"]);
  for (const words of [[], ['web'], ['web', '--'], ['web', 'sh']])
    assert.match((await run(...words)).stdout, /^Error: run takes the name of a process, and a command after --/);
  assert.equal((await launched.ctl('-s', 'unix:///none', 'run', 'web', '--', 'true')).code, 4);
  assert.match((await run('nobody', '--', 'sh')).stdout, /^nobody: ERROR \(no such process\)/);

  await launched.waitForLine(/onevisor\.getLaunchSettings web: requested by a client/);
  const overTcp = await launched.ctl('-s', `http://127.0.0.1:${port}`, 'run', 'web', '--', 'env');
  assert.match(overTcp.stdout, /^web: ERROR .* over a unix socket only\)/);
  assert.doesNotMatch(overTcp.stdout, /TOKEN/);
});

test('a command does not run beside other files than those of the program', { skip }, async (t) => {
  const launched = await launch(t, { config: config(await freePort()), prepare: 'chmod 755 .' });
  await mkdir(join(launched.folder, 'srv'), { recursive: true });
  await launched.waitForLine(/success: plain/);
  // The namespace of the supervisor, and then another mount namespace.
  const elsewhere = await launched.enter(['unshare', '--mount', EXECUTABLE, 'ctl', 'run', 'plain', '--', 'true']);
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stderr, /^Error: cannot run true: the supervisor is in another container/);
});
