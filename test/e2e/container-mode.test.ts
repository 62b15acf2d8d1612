/**
 * The main process of a container that is not PID 1: under an init, an entrypoint without exec, s6. Each case has a
 * /run of its own with podman's mark of a container.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isInstalled } from '../../build/rootfs.ts';
import { EXECUTABLE, launch, type LaunchOptions, pid1SkipReason } from './launch.ts';
import { isAlive, until } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;
/** The mark of podman. The private /run also hides a /run/systemd of the machine. */
const MARK = 'touch /run/.containerenv';
const SAYS = { ONEVISOR_PROGRAM_A: 'sh -c "echo out; exec sleep 1000"' };

/** Commands in front of the executable, by name. `%RUN%` in a file is the executable. */
const FRONTS: Readonly<Record<string, Pick<LaunchOptions, 'under' | 'files'> & { readonly needs: string }>> = {
  tini: { needs: 'tini', under: ['tini', '--'] },
  'tini -g': { needs: 'tini', under: ['tini', '-g', '--'] },
  'dumb-init': { needs: 'dumb-init', under: ['dumb-init', '--'] },
  'an entrypoint without exec': {
    needs: 'sh',
    under: ['./docker-entrypoint.sh'],
    files: { 'docker-entrypoint.sh': '#!/bin/sh\necho begins\n"$@"\n' },
  },
  'an entrypoint without exec under tini': {
    needs: 'tini',
    under: ['tini', '-g', '--', './start.sh'],
    files: { 'start.sh': '#!/bin/sh\n"$@"\n:\n' },
  },
  s6: {
    needs: 's6-svscan',
    under: [
      'sh',
      '-c',
      'mkdir -p s6/onevisor && printf \'#!/bin/sh\\nexec %s\\n\' "$0" >s6/onevisor/run && chmod +x ' +
        's6/onevisor/run && exec s6-svscan s6',
    ],
  },
};

for (const [name, { needs, ...options }] of Object.entries(FRONTS)) {
  const missing = (await isInstalled(needs)) ? skip : `${needs} is not installed`;

  test(
    `${name}: programs of the environment run in the foreground, in container mode`,
    { skip: missing },
    async (t) => {
      const launched = await launch(t, { ...options, prepare: MARK, env: SAYS });
      await launched.stdout.waitFor(/^a \| out$/);
      const status = await launched.ctl('status');
      assert.match(status.stdout, /^a +(RUNNING|STARTING)/, JSON.stringify(status));
      assert.equal(status.stderr, '');
    },
  );
}

test(
  'under tini the signal of docker stop shuts down, with the exit code of the supervisor',
  { skip: (await isInstalled('tini')) ? skip : 'tini is not installed' },
  async (t) => {
    const launched = await launch(t, { under: ['tini', '--'], prepare: MARK, env: SAYS });
    await launched.stdout.waitFor(/^a \| out$/);
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    assert.equal(launched.stderr.text.includes('nodaemon'), false);
  },
);

for (const [name, config, args] of [
  ['nodaemon=true', '[supervisord]\nnodaemon=true\n', []],
  ['-n', '[supervisord]\n', ['-n']],
] as const) {
  test(
    `under an init, a file with ${name}: container mode, with output and control socket by default`,
    { skip },
    async (t) => {
      const launched = await launch(t, {
        under: ['sh', '-c', '"$0" "$@"; exit $?'],
        prepare: MARK,
        config: `${config}[program:a]\ncommand=sh -c "echo out; exec sleep 1000"\n`,
        args,
      });
      await launched.stdout.waitFor(/^a \| out$/);
      assert.match((await launched.ctl('-s', 'unix:///run/onevisor.sock', 'status')).stdout, /^a +(RUNNING|STARTING)/);
    },
  );
}

test(
  'under an init, a file without nodaemon: a daemon as in Supervisor, after one line with advice',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      under: ['sh', '-c', '"$0" "$@"; echo goes on; exec sleep 1000'],
      prepare: MARK,
      config: '[supervisord]\npidfile=%FOLDER%/d.pid\nlogfile=%FOLDER%/d.log\n',
    });
    await launched.stdout.waitFor(/^goes on$/);
    assert.match(
      launched.stderr.text,
      /^becoming a daemon, as nodaemon is not set; to stay .*nodaemon=true.*-n.*ONEVISOR_CONTAINER=1$/,
    );
    const { stdout } = await launched.enter([
      'sh',
      '-c',
      `kill -0 "$(cat ${join(launched.folder, 'd.pid')})" && echo lives`,
    ]);
    assert.equal(stdout, 'lives\n');
    await until('the daemon has started', async () =>
      /supervisord started/.test(await readFile(join(launched.folder, 'd.log'), 'utf8')),
    );
  },
);

test('ONEVISOR_CONTAINER=0 disables container mode, ONEVISOR_CONTAINER=1 enables it', { skip }, async (t) => {
  const config =
    '[supervisord]\nnodaemon=true\npidfile=%FOLDER%/d.pid\nlogfile=NONE\n' +
    '[program:a]\ncommand=sh -c "echo out; exec sleep 1000"\nstdout_logfile=%FOLDER%/a.log\n';
  const off = await launch(t, {
    under: ['sh', '-c', '"$0" "$@"; exit $?'],
    prepare: MARK,
    config,
    env: { ONEVISOR_CONTAINER: '0' },
  });
  await off.stdout.waitFor(/supervisord started/);
  assert.deepEqual((await off.enter(['ls', '-A', '/run'])).stdout, '.containerenv\n', 'no control socket');
  const on = await launch(t, { as: 'plain', prepare: ':', config, env: { ONEVISOR_CONTAINER: '1' } });
  await on.stdout.waitFor(/supervisord started/);
  assert.match((await on.enter(['ls', '-A', '/run'])).stdout, /onevisor\.sock/);
});

test('the output of the container is sufficient, whatever the parent process', { skip }, async (t) => {
  const launched = await launch(t, {
    under: [
      process.execPath,
      '-e',
      'require("child_process").spawn(process.argv[1], process.argv.slice(2), { stdio: "inherit" })',
    ],
    prepare: MARK,
    env: SAYS,
  });
  await launched.stdout.waitFor(/^a \| out$/);
});

test('output that another program captures is not that of a container: behaves as Supervisor', { skip }, async (t) => {
  const starter =
    'const c = require("child_process").spawn(process.argv[1], process.argv.slice(2), { stdio: ["ignore", ' +
    '"pipe", "inherit"] }); c.stdout.on("data", (d) => process.stdout.write("captured " + d))';
  const launched = await launch(t, {
    under: [process.execPath, '-e', starter],
    prepare: MARK,
    config:
      '[supervisord]\nnodaemon=true\npidfile=%FOLDER%/d.pid\nlogfile=NONE\n' +
      '[program:a]\ncommand=sh -c "echo out; exec sleep 1000"\nstdout_logfile=%FOLDER%/a.log\n',
  });
  await launched.stdout.waitFor(/supervisord started/);
  assert.deepEqual((await launched.enter(['ls', '-A', '/run'])).stdout, '.containerenv\n');
});

test('started by systemd, or with systemd on the machine: behaves as Supervisor', { skip }, async (t) => {
  for (const more of [
    { prepare: `${MARK}; mkdir -p /run/systemd/system` },
    { prepare: MARK, env: { INVOCATION_ID: '0' } },
  ]) {
    const launched = await launch(t, {
      under: ['sh', '-c', '"$0" "$@"; exit $?'],
      config: '[supervisord]\nnodaemon=true\npidfile=%FOLDER%/d.pid\nlogfile=NONE\n',
      ...more,
    });
    await launched.stdout.waitFor(/supervisord started/);
    assert.doesNotMatch((await launched.enter(['ls', '-A', '/run'])).stdout, /onevisor\.sock/);
  }
});

test(
  'outside containers, without a file, it stays in the foreground and has no control socket',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      as: 'plain',
      prepare: ':',
      executable: EXECUTABLE,
      env: { ...SAYS, ONEVISOR_SUPERVISORD__LOGFILE: 'NONE' },
    });
    await launched.stdout.waitFor(/spawned: 'a'/);
    assert.ok(await isAlive(launched.pid));
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    await until('the end', async () => !(await isAlive(launched.pid)));
  },
);
