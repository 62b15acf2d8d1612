/**
 * Features for configurations and scripts of real images in a container: the default pidfile, a TCP server for all
 * addresses, numeric users, variables of Kubernetes, a Procfile with PORT and .env, a removed working directory.
 */
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import { statusField } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;
const rootSkip = process.getuid?.() === 0 ? skip : 'only root can become another user';
const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

test('with a configuration file the pidfile of Supervisor is written, and removed at the end', { skip }, async (t) => {
  const launched = await launch(t, { config: '[supervisord]\n' });
  await launched.waitForLine(/supervisord started with pid 1$/);
  const path = join(launched.folder, 'supervisord.pid');
  assert.equal(await readFile(path, 'utf8'), '1\n');
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.equal(await isThere(path), false);
});

test('no pidfile without a configuration file, with a main program, or if another one is set', { skip }, async (t) => {
  for (const options of [
    { env: { ONEVISOR_PROGRAM_A: 'sleep 1000' } },
    { config: '[supervisord]\nloglevel=info\n', args: ['--', 'sleep', '1000'] },
    { config: '[supervisord]\npidfile=%FOLDER%/own.pid\n' },
  ]) {
    const launched = await launch(t, options);
    await launched.waitForLine(/supervisord started with pid 1$/);
    assert.equal(await isThere(join(launched.folder, 'supervisord.pid')), false);
  }
});

test('no pidfile and no message in a read-only directory', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\n',
    prepare: 'mkdir /run/ro; mount -t tmpfs -o ro tmpfs /run/ro; cd /run/ro',
  });
  await launched.waitForLine(/supervisord started with pid 1$/);
  assert.doesNotMatch(launched.stdout.text + launched.stderr.text, /pidfile/);
});

test(
  'a TCP server for every address without a password listens on loopback, and supervisorctl uses it',
  { skip },
  async (t) => {
    const port = 20_000 + (process.pid % 10_000);
    const launched = await launch(t, {
      config:
        `[supervisord]\n[inet_http_server]\nport=*:${port}\n[supervisorctl]\nserverurl=http://localhost:${port}\n` +
        `[program:a]\ncommand=sleep 1000\n`,
    });
    await launched.waitForLine(/spawned: 'a'/);
    assert.match(
      launched.stdout.text,
      /WARN .*supervisord\.conf:3: \[inet_http_server\] port: anyone who can reach .* opened on 127\.0\.0\.1 only/,
    );
    assert.match((await launched.ctl('-c', 'supervisord.conf', 'status')).stdout, /^a +(RUNNING|STARTING)/);
    const listening = await launched.enter(['cat', '/proc/net/tcp', '/proc/net/tcp6']);
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    assert.deepEqual(
      listening.stdout
        .split('\n')
        .flatMap((line) => / ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A /.exec(line)?.slice(1).join(':') ?? [])
        .filter((address) => address.endsWith(`:${hex}`)),
      [`0100007F:${hex}`],
    );
  },
);

test(
  'numeric users without an entry in passwd: our group stays, without other groups',
  { skip: rootSkip },
  async (t) => {
    for (const [user, uid, gid] of [
      ['54321', '54321', '0'],
      ['54321:54322', '54321', '54322'],
    ] as const) {
      const launched = await launch(t, {
        config:
          `[supervisord]\n[program:a]\ncommand=sleep 1000\nuser=${user}\n` +
          `[program:b]\ncommand=sh -c "echo b is up; exec sleep 1000"\nuser=${user}\n`,
      });
      await launched.stdout.waitFor(/b is up/);
      const [, pid = ''] = await launched.waitForLine(/spawned: 'a' with pid (\d+)/);
      const status = (await launched.enter(['cat', `/proc/${pid}/status`])).stdout;
      const field = (name: string): string[] =>
        new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim().split(/\s+/) ?? [];
      assert.deepEqual([field('Uid')[0], field('Gid')[0], field('Groups').join('')], [uid, gid, ''], user);
    }
  },
);

test('[supervisord] with a numeric user', { skip: rootSkip }, async (t) => {
  const launched = await launch(t, { config: '[supervisord]\nuser=54321\n', prepare: 'chmod 755 .' });
  await launched.waitForLine(/supervisord started/);
  assert.deepEqual(
    [
      (await statusField(launched.pid, 'Uid')).split(/\s+/)[0],
      (await statusField(launched.pid, 'Gid')).split(/\s+/)[0],
    ],
    ['54321', '0'],
  );
});

test('a Service with the name onevisor: its variables are ignored, and passed to the programs', { skip }, async (t) => {
  const launched = await launch(t, {
    env: {
      ONEVISOR_PROGRAM_A: 'sh -c "env | grep ^ONEVISOR; exec sleep 1000"',
      ONEVISOR_SERVICE_HOST: '10.0.0.1',
      ONEVISOR_PORT: 'tcp://10.0.0.1:80',
      ONEVISOR_PROGRAM_API_PORT: 'tcp://10.0.0.1:80',
      ONEVISOR_PORT_80_TCP_PROTO: 'tcp',
    },
  });
  for (const line of ['ONEVISOR_SERVICE_HOST=10.0.0.1', 'ONEVISOR_PROGRAM_API_PORT=tcp://10.0.0.1:80'])
    await launched.stdout.waitFor(new RegExp(`^a \\| ${line}$`));
  assert.equal(launched.stdout.text.match(/enableServiceLinks/g)?.length, 1);
  assert.match((await launched.ctl('status')).stdout, /^a .*\n$/);
});

test('a Procfile numbers its ports from PORT, and has the variables of .env', { skip }, async (t) => {
  const launched = await launch(t, {
    files: {
      Procfile: 'web: echo "web $PORT $NAME $KEPT"; exec sleep 1000\nworker: echo "worker $PORT"; exec sleep 1000\n',
      '.env': 'NAME="a b"\nKEPT=no\n',
    },
    env: { ONEVISOR_PROCFILE: 'Procfile', PORT: '8000', KEPT: 'yes' },
  });
  await launched.stdout.waitFor(/web 8000 a b yes$/);
  await launched.stdout.waitFor(/worker 8100$/);
});

test('a removed working directory breaks neither client nor supervisor', { skip }, async (t) => {
  const launched = await launch(t, {
    env: { ONEVISOR_PROGRAM_A: 'sleep 1000' },
    prepare: 'mkdir gone; cd gone; rmdir ../gone',
  });
  await launched.waitForLine(/success: a entered RUNNING/);
  for (const command of ['ctl status', 'health']) {
    const outcome = await launched.enter([
      'sh',
      '-c',
      `mkdir -p away; cd away; rmdir ../away; exec ${EXECUTABLE} ${command}`,
    ]);
    assert.deepEqual([outcome.code, outcome.stderr], [0, ''], `${command}: ${outcome.stdout}`);
  }
  const named = await launched.enter([
    'sh',
    '-c',
    `mkdir -p away; cd away; rmdir ../away; exec ${EXECUTABLE} check -c nowhere.conf`,
  ]);
  assert.match(named.stderr, /nowhere\.conf: cannot read .*there is no such file/);
});
