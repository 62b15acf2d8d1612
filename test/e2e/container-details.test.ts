/**
 * What configurations and scripts of real images rely on in a container: the default pidfile, a TCP server for every address, numeric users,
 * variables of Kubernetes, a Procfile with PORT and .env, a working directory that is gone.
 */
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import { statusField } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;
const rootSkip = process.getuid?.() === 0 ? skip : 'only root can become another user';
const isThere = (path: string): Promise<boolean> => stat(path).then(() => true, () => false);

test('users in numbers, without an entry in passwd: our group stays, and there are no others', { skip: rootSkip }, async (t) => {
  for (const [user, uid, gid] of [['54321', '54321', '0'], ['54321:54322', '54321', '54322']] as const) {
    const launched = await launch(t, { config: `[supervisord]\n[program:a]\ncommand=sleep 1000\nuser=${user}\n[program:b]\ncommand=sh -c "echo b is up; exec sleep 1000"\nuser=${user}\n` });
    await launched.stdout.waitFor(/b is up/);
    const [, pid = ''] = await launched.waitForLine(/spawned: 'a' with pid (\d+)/);
    const status = (await launched.enter(['cat', `/proc/${pid}/status`])).stdout;
    const field = (name: string): string[] => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim().split(/\s+/) ?? [];
    assert.deepEqual([field('Uid')[0], field('Gid')[0], field('Groups').join('')], [uid, gid, ''], user);
  }
});

test('[supervisord] user= in numbers', { skip: rootSkip }, async (t) => {
  const launched = await launch(t, { config: '[supervisord]\nuser=54321\n', prepare: 'chmod 755 .' });
  await launched.waitForLine(/supervisord started/);
  assert.deepEqual([(await statusField(launched.pid, 'Uid')).split(/\s+/)[0], (await statusField(launched.pid, 'Gid')).split(/\s+/)[0]], ['54321', '0']);
});

test('a working directory that has been removed breaks neither client nor supervisor', { skip }, async (t) => {
  const launched = await launch(t, { env: { ONEVISOR_PROGRAM_A: 'sleep 1000' }, prepare: 'mkdir gone; cd gone; rmdir ../gone' });
  await launched.waitForLine(/spawned: 'a'/);
  for (const command of ['ctl status', 'health']) {
    const outcome = await launched.enter(['sh', '-c', `mkdir -p away; cd away; rmdir ../away; exec ${EXECUTABLE} ${command}`]);
    assert.deepEqual([outcome.code, outcome.stderr], [0, ''], `${command}: ${outcome.stdout}`);
  }
  const named = await launched.enter(['sh', '-c', `mkdir -p away; cd away; rmdir ../away; exec ${EXECUTABLE} check -c nowhere.conf`]);
  assert.match(named.stderr, /nowhere\.conf: cannot read .*there is no such file/);
});
