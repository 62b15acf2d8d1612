/**
 * The sources of the configuration, file and environment, and the part of the environment that reaches the programs.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;
/** Shell commands that open the streams by name. */
const SAYS_WHO =
  'echo out of $(id -un) >/dev/stdout; echo err of $(id -un) >/dev/stderr; echo fd of $(id -un) >/proc/self/fd/1';
const asOther = process.getuid?.() === 0 ? false : 'only root can run programs as another user';

test('a file: processes of numprocs, groups, expansions, directory and umask', { skip }, async (t) => {
  const launched = await launch(t, {
    env: { COLOR: 'blue' },
    config: `
[supervisord]
nodaemon=true
environment=COMMON="for all"

[program:worker]
command=sh -c "echo $NAME of $SUPERVISOR_GROUP_NAME knows $COMMON; exec sleep 1000"
process_name=%(program_name)s_%(process_num)02d
numprocs=3
environment=NAME="%(ENV_COLOR)s-%(process_num)d"

[program:lone]
command=sh -c 'umask; pwd; exec sleep 1000'
directory=/usr
umask=027

[program:idle]
command=sh -c "echo I must not run"
autostart=false

[group:team]
programs=worker
`,
  });
  for (const number of [0, 1, 2])
    await launched.stdout.waitFor(new RegExp(`^worker_0${number} \\| blue-${number} of team knows for all$`));
  await launched.stdout.waitFor(/^lone {6}\| 0027$/);
  await launched.stdout.waitFor(/^lone {6}\| \/usr$/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.doesNotMatch(launched.stdout.text, /must not run/);
  assert.equal(launched.stderr.text, '');
});

test('a file: [include] reads further files, relative to itself', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\n[include]\nfiles = conf.d/*.conf\n',
    files: {
      'conf.d/b.conf': '[program:second]\ncommand=sh -c "echo from %(here)s; exec sleep 1000"\n',
      'conf.d/a.conf': '[program:first]\ncommand=sh -c "echo me too; exec sleep 1000"\n',
      'conf.d/c.txt': 'not an INI file',
    },
  });
  await launched.stdout.waitFor(/^first {2}\| me too$/);
  await launched.stdout.waitFor(new RegExp(`^second \\| from ${launched.folder}/conf\\.d$`));
});

test('the environment alone: programs, options, sections', { skip }, async (t) => {
  const launched = await launch(t, {
    env: {
      ONEVISOR_PROGRAM_WEB: 'sh -c "echo serving as $ROLE; exec sleep 1000"',
      ONEVISOR_PROGRAM_WEB__ENVIRONMENT: 'ROLE="front"',
      ONEVISOR_PROGRAM_TICK: 'sh -c "echo ticking; exec sleep 1000"',
      ONEVISOR_PROGRAM_TICK__NUMPROCS: '2',
      ONEVISOR_PROGRAM_TICK__PROCESS_NAME: '%(program_name)s%(process_num)d',
      ONEVISOR_SUPERVISORD__LOGLEVEL: 'error',
    },
  });
  await launched.stdout.waitFor(/^web {3}\| serving as front$/);
  await launched.stdout.waitFor(/^tick0 \| ticking$/);
  await launched.stdout.waitFor(/^tick1 \| ticking$/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.equal(launched.stdout.all.length, 3, 'loglevel=error leaves only the lines of the programs');
});

test('the environment overrides a file, and flags override both', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nloglevel=debug\n[program:my-web.app]\ncommand=sh -c "echo port $PORT; exec sleep 1000"\n' +
      'environment=PORT="1"\n',
    env: { ONEVISOR_PROGRAM_MY_WEB_APP__ENVIRONMENT: 'PORT="2"', ONEVISOR_SUPERVISORD__LOGLEVEL: 'info' },
    args: ['--loglevel', 'error'],
  });
  await launched.stdout.waitFor(/^my-web\.app \| port 2$/);
  launched.signal('SIGTERM');
  await launched.exit;
  assert.deepEqual(launched.stdout.all, ['my-web.app | port 2']);
});

test('ONEVISOR_CONF_TEXT, ONEVISOR_CONF and ONEVISOR_PROCFILE', { skip }, async (t) => {
  const text = await launch(t, {
    env: { ONEVISOR_CONF_TEXT: '[program:said]\ncommand=sh -c "echo by a variable; exec sleep 1000"\n' },
  });
  await text.stdout.waitFor(/^said \| by a variable$/);
  const files = {
    'other.conf': '[supervisord]\n[program:written]\ncommand=sh -c "echo in a file; exec sleep 1000"\n',
    Procfile: 'web: sh -c "echo on port $PORT; exec sleep 1000"\njob: sh -c "echo and $PORT; exec sleep 1000"\n',
  };
  const file = await launch(t, { files, env: { ONEVISOR_CONF: 'other.conf' } });
  await file.stdout.waitFor(/^written \| in a file$/);
  const procfile = await launch(t, { files, env: { ONEVISOR_PROCFILE: 'Procfile' } });
  await procfile.stdout.waitFor(/^web \| on port 5000$/);
  await procfile.stdout.waitFor(/^job \| and 5100$/);
});

test('ONEVISOR_ONLY and ONEVISOR_EXCEPT: one image, several roles', { skip }, async (t) => {
  const config = ['web', 'worker', 'cron']
    .map((name) => `[program:${name}]\ncommand=sh -c "echo here; exec sleep 1000"\n`)
    .join('');
  const only = await launch(t, {
    config: `[supervisord]\nloglevel=error\n${config}`,
    env: { ONEVISOR_ONLY: 'web,worker' },
  });
  await only.stdout.waitFor(/ here$/, { count: 2 });
  only.signal('SIGTERM');
  await only.exit;
  assert.deepEqual(only.stdout.all.toSorted(), ['web    | here', 'worker | here']);
  const except = await launch(t, {
    config: `[supervisord]\nloglevel=error\n${config}`,
    env: { ONEVISOR_EXCEPT: 'web,worker' },
  });
  await except.stdout.waitFor(/ here$/);
  except.signal('SIGTERM');
  await except.exit;
  assert.deepEqual(
    except.stdout.all.map((line) => line.replace(/ +\|/, ' |')),
    ['cron | here'],
  );
});

test(
  "the environment of programs: NODE_OPTIONS unchanged, no variables of ours, Supervisor's variables",
  { skip },
  async (t) => {
    const launched = await launch(t, {
      env: {
        NODE_OPTIONS: '--require /nope.js',
        ONEVISOR_PROGRAM_ENV: 'sh -c "env | sort; echo all; exec sleep 1000"',
        ONEVISOR_LOG_FORMAT: 'raw',
      },
    });
    await launched.stdout.waitFor(/^all$/);
    const lines = launched.stdout.all;
    for (const wanted of [
      'NODE_OPTIONS=--require /nope.js',
      'SUPERVISOR_ENABLED=1',
      'SUPERVISOR_PROCESS_NAME=env',
      'SUPERVISOR_GROUP_NAME=env',
      `HOME=${launched.folder}`,
    ])
      assert.ok(lines.includes(wanted), `${wanted} is missing in\n${lines.join('\n')}`);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('ONEVISOR_')),
      [],
    );
    assert.equal(launched.stderr.text, '');
  },
);

test('/dev/stdout can be opened by a program, as root and as another user', { skip: skip || asOther }, async (t) => {
  const launched = await launch(t, {
    config: `
[supervisord]
[program:root]
command=sh -c "${SAYS_WHO}; exec sleep 1000"
[program:nobody]
command=sh -c "${SAYS_WHO}; exec sleep 1000"
user=nobody
`,
  });
  for (const user of ['root', 'nobody']) {
    await launched.stdout.waitFor(new RegExp(`^${user} +\\| out of ${user}$`));
    await launched.stdout.waitFor(new RegExp(`^${user} +\\| fd of ${user}$`));
    await launched.stderr.waitFor(new RegExp(`^${user} +\\| err of ${user}$`));
  }
});

test('a command with a relative path is found in the working directory', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\n[program:a]\ncommand=relative/run.sh\n',
    files: { 'relative/run.sh': '#!/bin/sh\necho ran in $PWD\nexec sleep 1000\n' },
  });
  await launched.stdout.waitFor(new RegExp(`^a \\| ran in ${launched.folder}$`));
});
