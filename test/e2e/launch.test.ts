/**
 * The launcher itself, with small shell programs in place of the executable: the guarantees that other tests rely on.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { launch, pid1SkipReason } from './launch.ts';
import { until } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;

test('launch: a program is PID 1, has its own /run, real pipes, and its exit code is returned', { skip }, async (t) => {
  const launched = await launch(t, {
    executable: '/bin/sh',
    files: {
      'main.sh':
        'trap "echo got; exit 7" TERM\necho pid $$ $(ls /run | wc -l)\necho direct >/dev/stdout\necho bad >&2\n' +
        'while :; do sleep 0.05; done\n',
    },
    args: ['main.sh'],
  });
  await launched.waitForLine(/^pid 1 0$/);
  await launched.stdout.waitFor(/^direct$/);
  await launched.stderr.waitFor(/^bad$/);
  const inside = await launched.enter(['sh', '-c', 'readlink /proc/1/exe; exit 3']);
  assert.equal(inside.code, 3);
  assert.match(inside.stdout, /sh$/m);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 7, signal: null });
  assert.deepEqual(launched.stdout.all, ['pid 1 0', 'direct', 'got']);
});

test('launch: a plain process gets its configuration and its input, and its end by a signal is reported', async (t) => {
  const told = await launch(t, { as: 'plain', executable: '/bin/echo', config: '[supervisord]\n' });
  await told.waitForLine(new RegExp(`^-c ${told.folder}/supervisord.conf$`));
  const running = await launch(t, {
    as: 'plain',
    executable: '/bin/cat',
    stdin: 'pipe',
    args: ['note', '-'],
    files: { note: 'in %FOLDER%\n' },
  });
  await running.waitForLine(new RegExp(`^in ${running.folder}$`));
  running.stdin?.write('typed\n');
  await running.waitForLine(/^typed$/);
  running.signal('SIGKILL');
  assert.deepEqual(await running.exit, { code: null, signal: 'SIGKILL' });
});

test('launch: a wait fails at once when the output ends, and shows it', async (t) => {
  const launched = await launch(t, { as: 'plain', executable: '/bin/echo', args: ['something else'] });
  await assert.rejects(launched.waitForLine(/never/), /the output ended while waiting for \/never\/.*something else/s);
});

test('launch: nothing is left behind, not even processes in other sessions', { skip }, async (t) => {
  let orphan = 0;
  await t.test('inner', async (inner) => {
    const launched = await launch(inner, {
      as: 'plain',
      executable: '/bin/sh',
      args: ['-c', 'setsid sleep 1000 & echo $!; wait'],
    });
    orphan = Number((await launched.waitForLine(/^\d+$/))[0]);
    // During its exec a process has no command line and no environment, by which the cleanup finds it.
    await until('it runs', async () => (await readFile(`/proc/${orphan}/cmdline`, 'utf8')).startsWith('sleep'));
  });
  const state = await readFile(`/proc/${orphan}/stat`, 'utf8').catch(() => 'gone');
  assert.ok(state === 'gone' || /\) Z /.test(state), state);
});
