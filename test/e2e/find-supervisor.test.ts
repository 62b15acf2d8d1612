/**
 * Clients find the supervisor of their own container, a second supervisor is refused, and containers that share a
 * directory or the network do not affect each other.
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isInstalled } from '../../build/rootfs.ts';
import { statusOf } from './connections.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;
const rootSkip = process.getuid?.() === 0 ? skip : 'only root can become another user';
const tiniSkip = (await isInstalled('tini')) ? skip : 'tini is not installed';
const MARK = 'touch /run/.containerenv';
const program = (name: string): Record<string, string> => ({
  [`ONEVISOR_PROGRAM_${name.toUpperCase()}`]: 'sleep 1000',
  ONEVISOR_SUPERVISORD__LOGLEVEL: 'info',
});
/** Runs a client without the variable that the supervisor has, and with a file as Debian's package installs it. */
const ctl = (launched: Launched, ...args: string[]): ReturnType<Launched['enter']> =>
  launched.enter(['env', '-u', 'ONEVISOR_CONF', EXECUTABLE, 'ctl', ...args]);
const DEBIANS = {
  'supervisord.conf':
    '[unix_http_server]\nfile=/var/run/supervisor.sock\n[supervisord]\n' +
    '[supervisorctl]\nserverurl=unix:///var/run/supervisor.sock\n',
};

test('the file of a package does not keep a client from PID 1', { skip }, async (t) => {
  const launched = await launch(t, { env: program('a'), files: DEBIANS });
  await launched.waitForLine(/spawned: 'a'/);
  assert.match((await ctl(launched, 'status')).stdout, /^a +(RUNNING|STARTING)/);
  const explicit = await ctl(launched, '-c', 'supervisord.conf', 'status');
  assert.deepEqual([explicit.code, explicit.stdout], [4, 'unix:///var/run/supervisor.sock no such file\n']);
});

for (const [name, under, why] of [
  ['PID 1', [], skip],
  ['the supervisor under tini', ['tini', '--'], tiniSkip],
] as const) {
  test(`clients know the -c of ${name}, and [unix_http_server] is sufficient`, { skip: why }, async (t) => {
    const files = {
      ...DEBIANS,
      'own.conf':
        '[supervisord]\nnodaemon=true\n[unix_http_server]\nfile=%FOLDER%/own.sock\nusername=u\npassword=p\n' +
        '[program:b]\ncommand=sleep 1000\nstartsecs=0\n',
    };
    const launched = await launch(t, { under, prepare: MARK, files, args: ['-c', 'own.conf'] });
    await launched.waitForLine(/spawned: 'b'/);
    for (const command of [['ctl', 'status'], ['health']]) {
      const outcome = await launched.enter(['env', '-u', 'ONEVISOR_CONF', EXECUTABLE, ...command]);
      assert.equal(outcome.code, 0, JSON.stringify(outcome));
    }
    assert.match((await ctl(launched, 'status')).stdout, /^b +RUNNING/);
  });
}

/** Starts daemons as an entrypoint does, which then goes on as another program. */
function behindDaemons(...files: readonly string[]): Parameters<typeof launch>[1] {
  const starts = files.map((file) => `"$0" -c ${file} && `).join('');
  const daemon = (name: string): string =>
    `[supervisord]\nlogfile=NONE\n[unix_http_server]\nfile=%FOLDER%/${name}.sock\n` +
    `[program:${name}]\ncommand=sleep 1000\nstartsecs=0\n`;
  return {
    under: ['sh', '-c', `${starts}echo up; exec sleep 1000`],
    prepare: MARK,
    files: { ...DEBIANS, 'own.conf': daemon('own'), 'other.conf': daemon('other') },
  };
}

test('the only daemon of a container is known to clients, with its file, and two are not', { skip }, async (t) => {
  const one = await launch(t, behindDaemons('own.conf'));
  await one.waitForLine(/^up$/);
  assert.match((await ctl(one, 'status')).stdout, /^own +RUNNING/);
  const machine = await one.enter(['env', 'ONEVISOR_CONTAINER=0', EXECUTABLE, 'ctl', 'status']);
  assert.match(machine.stdout, / no such file\n$/);
  const two = await launch(t, behindDaemons('own.conf', 'other.conf'));
  await two.waitForLine(/^up$/);
  const outcome = await ctl(two, 'status');
  assert.deepEqual([outcome.code, outcome.stdout], [4, 'unix:///var/run/supervisor.sock no such file\n']);
  const named = await two.enter([
    'sh',
    '-c',
    `mv other.conf supervisord.conf; env -u ONEVISOR_CONF ${EXECUTABLE} ctl status`,
  ]);
  assert.match(named.stdout, /^other +RUNNING/, JSON.stringify(named));
});

test('a health check of another user uses the HTTP server', { skip: rootSkip }, async (t) => {
  const port = 20_000 + (process.pid % 10_000);
  const files = {
    'own.conf':
      `[supervisord]\n[inet_http_server]\nport=127.0.0.1:${port}\nusername=u\npassword=p\n` +
      `[program:b]\ncommand=sleep 1000\nstartsecs=0\n`,
  };
  const launched = await launch(t, { files, args: ['-c', 'own.conf'], prepare: 'chmod 755 .' });
  await launched.waitForLine(/spawned: 'b'/);
  const outcome = await launched.enter([
    'env',
    '-u',
    'ONEVISOR_CONF',
    'setpriv',
    '--reuid=12345',
    '--regid=12345',
    '--clear-groups',
    EXECUTABLE,
    'health',
  ]);
  assert.equal(outcome.code, 0, JSON.stringify(outcome));
});

test(
  'containers that share /run: each has its own socket, and a client stops only its own programs',
  { skip },
  async (t) => {
    const first = await launch(t, { env: program('one'), prepare: 'mkdir shared; mount --bind shared /run' });
    await first.waitForLine(/spawned: 'one'/);
    await mkdir(join(first.folder, 'empty'), { recursive: true });
    const second = await launch(t, { env: program('two'), prepare: `mount --bind ${first.folder}/shared /run` });
    await second.waitForLine(/spawned: 'two'/);
    assert.match(
      second.stdout.text,
      /WARN the control socket is \/run\/onevisor-\d+\.sock: another supervisor listens on \/run\/onevisor\.sock/,
    );
    assert.match((await second.ctl('stop', 'all')).stdout, /^two: stopped\n$/);
    assert.match((await first.ctl('status')).stdout, /^one +(RUNNING|STARTING)/);
    assert.match((await second.ctl('status')).stdout, /^two +STOPPED/);
    // The other container is killed. Its socket file stays, and is not taken for ours.
    process.kill(first.pid, 'SIGKILL');
    await first.exit;
    assert.match((await second.ctl('status')).stdout, /^two +STOPPED/);
    const third = await launch(t, { env: program('three'), prepare: `mount --bind ${first.folder}/shared /run` });
    await third.waitForLine(/spawned: 'three'/);
    assert.match(third.stdout.text, /Unlinking stale socket \/run\/onevisor\.sock/);
    assert.match((await third.ctl('status')).stdout, /^three +(RUNNING|STARTING)/);
  },
);

test(
  'without an own supervisor, and with that of another container in the same /run, the client finds none',
  { skip },
  async (t) => {
    const first = await launch(t, { env: program('one'), prepare: 'mkdir shared; mount --bind shared /run' });
    await first.waitForLine(/spawned: 'one'/);
    const other = await launch(t, {
      executable: '/bin/sleep',
      args: ['1000'],
      prepare: `mount --bind ${first.folder}/shared /run; touch /run/.containerenv`,
    });
    const outcome = await other.enter([EXECUTABLE, 'ctl', 'stop', 'all']);
    assert.notEqual(outcome.code, 0);
    assert.match((await statusOf(first, 'one')).statename, /RUNNING|STARTING/);
  },
);

const READ_ONLY = 'chmod 755 .; for d in /tmp /run /dev/shm; do mount --bind $d $d; mount -o remount,bind,ro $d; done';

test(
  'without a writable directory: an abstract socket, which another user cannot use',
  { skip: rootSkip },
  async (t) => {
    const as = (uid: number): string[] => ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
    const launched = await launch(t, { env: program('a'), under: as(12345), prepare: READ_ONLY });
    await launched.waitForLine(/spawned: 'a'/);
    const inside = (uid: number, ...args: string[]): ReturnType<Launched['enter']> =>
      launched.enter([...as(uid), EXECUTABLE, ...args]);
    assert.match((await inside(12345, 'ctl', 'status')).stdout, /^a +(RUNNING|STARTING)/);
    assert.match((await launched.ctl('status')).stdout, /^a +(RUNNING|STARTING)/, 'root');
    const [, id = ''] = /pid:\[(\d+)\]/.exec((await launched.enter(['readlink', '/proc/self/ns/pid'])).stdout) ?? [];
    for (const args of [['status'], ['-s', `unix://@onevisor-${id}`, 'status']]) {
      const foreign = await inside(12346, 'ctl', ...args);
      assert.notEqual(foreign.code, 0);
      assert.doesNotMatch(foreign.stdout, /^a /m);
    }
    assert.match(
      (await inside(12345, 'ctl', '-s', `unix://@onevisor-${id}`, 'status')).stdout,
      /^a +(RUNNING|STARTING)/,
    );
  },
);

test('two such containers in one network do not conflict', { skip }, async (t) => {
  const [one, two] = await Promise.all([
    launch(t, { env: program('one'), prepare: READ_ONLY }),
    launch(t, { env: program('two'), prepare: READ_ONLY }),
  ]);
  await Promise.all([one.waitForLine(/spawned: 'one'/), two.waitForLine(/spawned: 'two'/)]);
  assert.match((await one.ctl('status')).stdout, /^one /);
  assert.match((await two.ctl('status')).stdout, /^two /);
});

test('a second supervisor in a container is refused, with advice', { skip: tiniSkip }, async (t) => {
  for (const [under, pid] of [
    [[], '1'],
    [['tini', '--'], '\\d+'],
  ] as const) {
    const launched = await launch(t, { env: program('a'), under, prepare: MARK });
    await launched.waitForLine(/spawned: 'a'/);
    for (const args of [[], ['-n'], ['--', 'true']]) {
      const second = await launched.enter([EXECUTABLE, ...args]);
      assert.equal(second.code, 2);
      assert.match(
        second.stderr,
        new RegExp(
          `^Error: cannot start a supervisor: one runs in this container already, with pid ${pid}; use ` +
            `\`onevisor ctl\``,
        ),
      );
    }
    assert.match((await launched.ctl('status')).stdout, /^a +(RUNNING|STARTING)/);
  }
});

test(
  'an intended second supervisor runs: with -c, with ONEVISOR_CONTAINER, and as a program of the first one',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      env: { ...program('a'), ONEVISOR_PROGRAM_INNER: `${EXECUTABLE} -- echo inner` },
      files: {
        'second.conf':
          '[supervisord]\nnodaemon=true\n[program:x]\ncommand=echo second\nstartsecs=0\nautorestart=false\n' +
          'stdout_logfile=/dev/stdout\nexit_on_end=true\n',
      },
    });
    await launched.waitForLine(/inner \| inner$/);
    assert.match((await launched.enter([EXECUTABLE, '-c', 'second.conf'])).stdout, /^second$/m);
    assert.match(
      (
        await launched.enter([
          'env',
          '-u',
          'ONEVISOR_PROGRAM_A',
          '-u',
          'ONEVISOR_PROGRAM_INNER',
          'ONEVISOR_CONTAINER=1',
          EXECUTABLE,
          '--',
          'echo',
          'second',
        ])
      ).stdout,
      /^second$/m,
    );
  },
);

test(
  'without a configuration: on a terminal the help and the searched paths, elsewhere the error',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      executable: '/bin/sleep',
      args: ['1000'],
      prepare: 'mkdir -p empty/supervisor; mount --bind empty /etc/supervisor',
    });
    const bare = ['env', '-u', 'ONEVISOR_CONF', EXECUTABLE];
    const onTerminal = await launched.enter(['script', '-qec', bare.join(' '), '/dev/null']);
    assert.equal(onTerminal.code, 2);
    assert.match(onTerminal.stdout, /^Usage: onevisor \[options\]/);
    assert.match(
      onTerminal.stdout,
      /No configuration file was found at .*\/etc\/supervisord\.conf, \/etc\/supervisor\/supervisord\.conf\./,
    );
    assert.match((await launched.enter(bare)).stderr, /no configuration file found at .*; .*-c/);
    const asSupervisord = await launched.enter(['env', '-u', 'ONEVISOR_CONF', join(EXECUTABLE, '..', 'supervisord')]);
    assert.equal(asSupervisord.code, 2);
    assert.match(
      asSupervisord.stderr,
      new RegExp(
        String.raw`^Error: No config file found at default paths \(.*/etc/supervisord\.conf, .*/supervisord\.conf, ` +
          String.raw`supervisord\.conf, etc/supervisord\.conf, /etc/supervisord\.conf, ` +
          String.raw`/etc/supervisor/supervisord\.conf\); use the -c option to specify a config file at a ` +
          String.raw`different path\nFor help, use supervisord -h\n$`,
      ),
    );
  },
);
