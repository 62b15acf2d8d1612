/** forward_signals with another signal, stop signals in it, and stopsignal of the command of init mode. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { statusOf } from './connections.ts';
import { launch, type Launched, pid1SkipReason } from './launch.ts';
import { isAlive, pidOf, until } from './observe.ts';

/** Stays until a file exists, once it is asked to end. */
const WAITS =
  '#!/bin/sh\ntrap "until [ -e %FOLDER%/go ]; do sleep 0.02; done; exit 0" TERM\necho ready\n' +
  'while :; do sleep 0.02; done\n';

const skip = (await pid1SkipReason()) ?? false;

/** Says each signal that it gets; those in `ends` end it with 0. */
function hears(ends: readonly string[]): string {
  const traps = ['TERM', 'QUIT', 'INT', 'USR1', 'HUP'].map(
    (name) => `trap "echo hears ${name}${ends.includes(name) ? '; exit 0' : ''}" ${name}`,
  );
  return `#!/bin/sh\n${traps.join('\n')}\necho ready\nwhile :; do sleep 0.02; done\n`;
}

/** Returns what a program has said. */
function said({ stdout }: Launched, name: string): string[] {
  return stdout.all.flatMap((line) => new RegExp(`^${name} +\\| (.*)$`).exec(line)?.[1] ?? []);
}

test('TERM:web=QUIT is sent and shuts down: once, without a restart, with exit code 0', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nforward_signals=TERM:web=QUIT, USR1:web\n' +
      '[program:web]\ncommand=%FOLDER%/run.sh\npriority=1\nautorestart=true\nexit_on_failure=true\n' +
      '[program:late]\ncommand=%FOLDER%/late.sh\npriority=9\n',
    files: {
      'run.sh': hears(['QUIT']),
      // Web ends long before its turn.
      'late.sh': WAITS,
    },
  });
  await launched.waitForLine(/ready$/, { count: 2 });
  launched.signal('SIGUSR1');
  await launched.waitForLine(/^web +\| hears USR1$/);
  launched.signal('SIGTERM');
  await launched.waitForLine(/INFO stopped: web \(exit status 0\)$/);
  await launched.enter(['touch', 'go']);
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.deepEqual(said(launched, 'web'), ['ready', 'hears USR1', 'hears QUIT']);
  assert.equal(launched.stdout.all.filter((line) => line.includes("spawned: 'web'")).length, 1);
});

test('a program that survives the forwarded signal gets its stopsignal after stopwaitsecs', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\nforward_signals=INT:web=QUIT\n[program:web]\ncommand=%FOLDER%/run.sh\nstopwaitsecs=3\n',
    files: { 'run.sh': hears(['TERM']) },
  });
  await launched.waitForLine(/ready$/);
  launched.signal('SIGINT');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.deepEqual(said(launched, 'web'), ['ready', 'hears QUIT', 'hears TERM']);
  assert.doesNotMatch(launched.stdout.text, /SIGKILL/);
});

test('TERM:web sends the stopsignal once; a signal that asks for no end comes before the stop', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nforward_signals=TERM:web, TERM:api=USR1\n[program:web]\ncommand=%FOLDER%/run.sh\n' +
      '[program:api]\ncommand=%FOLDER%/run.sh\n',
    files: { 'run.sh': hears(['TERM']) },
  });
  await launched.waitForLine(/ready$/, { count: 2 });
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.deepEqual(said(launched, 'web'), ['ready', 'hears TERM']);
  assert.deepEqual(said(launched, 'api').toSorted(), ['hears TERM', 'hears USR1', 'ready']);
});

test('a forwarded stop goes to the whole group with stopasgroup', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nforward_signals=TERM:tree=HUP\n' +
      '[program:tree]\ncommand=sh -c "sleep 100051 & wait"\nstopsignal=HUP\nstopasgroup=true\n' +
      '[program:last]\ncommand=%FOLDER%/last.sh\npriority=1\n',
    files: {
      'last.sh': WAITS,
    },
  });
  await launched.waitForLine(/ready$/);
  const child = await until('the child', () => pidOf('sleep 100051'));
  launched.signal('SIGTERM');
  await until('the end of the child', async () => !(await isAlive(child)));
  await launched.enter(['touch', 'go']);
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.match(launched.stdout.text, /stopped: tree \(terminated by SIGHUP\)/);
});

test('the history says as which signal it was sent; HUP=USR1 does not reload', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nforward_signals=HUP:web=USR1\n' +
      '[program:web]\ncommand=sh -c "echo ready; exec sleep 1000"\nautorestart=false\nstartsecs=0\n',
  });
  await launched.waitForLine(/ready$/);
  launched.signal('SIGHUP');
  await launched.waitForLine(/exited: web \(terminated by SIGUSR1; not expected\)/);
  assert.match((await launched.ctl('why', 'web')).stdout, /SIGHUP[^.]*, sent on as SIGUSR1/);
  assert.doesNotMatch(launched.stdout.text, /restart request/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

const QUIET = '[supervisord]\nlogfile=NONE\npidfile=%FOLDER%/pid\n';

for (const [title, config, env] of [
  ['[program:main]', '[program:main]\nstopsignal=QUIT\n', {}],
  ['a variable', '', { ONEVISOR_PROGRAM_MAIN__STOPSIGNAL: 'QUIT' }],
  ['forward_signals', 'forward_signals=TERM:main=QUIT\n', {}],
] as const) {
  test(`init mode: the command gets QUIT for TERM, by ${title}, and its exit code is ours`, { skip }, async (t) => {
    const launched = await launch(t, {
      config: QUIET + config,
      env,
      args: ['--', './run.sh'],
      files: { 'run.sh': hears([]).replace('hears QUIT"', 'hears QUIT; exit 5"') },
    });
    await launched.stdout.waitFor(/^ready$/);
    launched.signal('SIGINT');
    await launched.stdout.waitFor(/^hears INT$/);
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 5, signal: null });
    assert.deepEqual(launched.stdout.all, ['ready', 'hears INT', 'hears QUIT']);
  });
}

test('init mode: a command without a handler ends by the signal that it got', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `${QUIET}[program:main]\nstopsignal=QUIT\n`,
    args: ['--', 'sh', '-c', 'echo ready; ulimit -c 0; exec sleep 1000'],
  });
  await launched.stdout.waitFor(/^ready$/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 131, signal: null });
});

test(
  'init mode: a program that forward_signals names gets its signal too, and is not restarted',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      // Without stopwaitsecs, the shutdown begins four seconds after the signal, and answers no status any more.
      config:
        `${QUIET}forward_signals=TERM:cache=QUIT\n[program:main]\nstopwaitsecs=100\n` +
        `[program:cache]\ncommand=%FOLDER%/run.sh\nautorestart=true\n`,
      args: [
        '--',
        'sh',
        '-c',
        'trap "echo main hears TERM; until [ -e go ]; do sleep 0.02; done; exit 6" TERM; echo up; ' +
          'while :; do sleep 0.02; done',
      ],
      files: { 'run.sh': hears(['QUIT']) },
    });
    await launched.waitForLine(/^cache \| ready$/);
    await launched.waitForLine(/^up$/);
    launched.signal('SIGTERM');
    await launched.waitForLine(/^main hears TERM$/);
    await launched.waitForLine(/^cache \| hears QUIT$/);
    await until('the stop of cache', async () => (await statusOf(launched, 'cache')).statename === 'STOPPED');
    await launched.enter(['touch', 'go']);
    assert.deepEqual(await launched.exit, { code: 6, signal: null });
  },
);

test('update applies forward_signals, shutdown_delay and stopsignal to the next signal', { skip }, async (t) => {
  const program = '[program:web]\ncommand=%FOLDER%/run.sh\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n';
  const launched = await launch(t, {
    as: 'plain',
    config:
      `[supervisord]\nnodaemon=true\nlogfile=NONE\npidfile=%FOLDER%/pid\n[unix_http_server]\nfile=%FOLDER%/s.sock\n` +
      `[supervisorctl]\nserverurl=unix://%FOLDER%/s.sock\n${program}`,
    files: { 'run.sh': hears(['TERM', 'QUIT']) },
  });
  await launched.waitForLine(/^ready$/);
  const path = join(launched.folder, 'supervisord.conf');
  const text = await readFile(path, 'utf8');
  const changed = text
    .replace(
      '[supervisord]\n',
      '[supervisord]\nforward_signals=USR1:web=HUP, ALRM:web, TERM:web=USR1\nshutdown_delay=0.3\n',
    )
    .replace('[program:web]\n', '[program:web]\nstopsignal=USR1,QUIT\nstopwaitsecs=3\n');
  await writeFile(path, changed);
  const ctl = (...args: string[]): ReturnType<Launched['ctl']> => launched.ctl('-c', path, ...args);
  assert.match((await ctl('update')).stdout, /web: updated/);
  await launched.waitForLine(/\[supervisord\] shutdown_delay, forward_signals updated/);
  // Outside a container, SIGALRM would end us if it was not handled from now on.
  launched.signal('SIGALRM');
  await launched.waitForLine(/exited: web \(terminated by SIGALRM/);
  await launched.waitForLine(/^ready$/, { count: 2 });
  launched.signal('SIGUSR1');
  await launched.waitForLine(/^hears HUP$/);
  launched.signal('SIGTERM');
  await launched.waitForLine(/the programs run on for 0\.3 seconds/);
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  // USR1 is in its stopsignal now, so it begins the stop, once.
  assert.deepEqual(
    launched.stdout.all.filter((line) => line.startsWith('hears')),
    ['hears HUP', 'hears USR1', 'hears QUIT'],
  );
});
