/**
 * depends_on and oneshot, the commands around a run, and the rest of process groups: with the executable and real
 * programs.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { launch, pid1SkipReason, type Launched } from './launch.ts';
import { isAlive, pidOf, until } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;

/** Returns the order of the matching lines, by their text in parentheses. */
function orderOf(launched: Launched, pattern: RegExp): string[] {
  return launched.stdout.all.flatMap((line) => pattern.exec(line)?.[1] ?? []);
}

test('a stack starts in the order of its dependencies, and stops in reverse order', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `[supervisord]
[program:web]
command=sleep 1000
priority=1
depends_on=migrate:completed, cache
[program:cache]
command=sleep 1000
startsecs=0
[program:migrate]
command=sh -c 'sleep 0.2; echo migrated'
oneshot=true
depends_on=db
[program:db]
command=sleep 1000
priority=999
depends_on=init:completed
[program:init]
command=true
oneshot=true
`,
  });
  await launched.waitForLine(/INFO success: web entered RUNNING/);
  const spawned = orderOf(launched, /INFO spawned: '(\w+)'/).filter((name) => name !== 'cache');
  assert.deepEqual(spawned, ['init', 'db', 'migrate', 'web']);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.deepEqual(
    orderOf(launched, /INFO stopped: (\w+) /).filter((name) => name !== 'cache'),
    ['web', 'db'],
  );
  assert.equal(orderOf(launched, /INFO stopped: (\w+) /)[0], 'web');
});

test('a migration that fails ends the container with its code; its dependents never start', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:migrate]\ncommand=sh -c "exit 43"\noneshot=true\nstartretries=1\n' +
      'exit_on_failure=true\n[program:web]\ncommand=sleep 1000\ndepends_on=migrate:completed\n',
  });
  assert.deepEqual(await launched.exit, { code: 43, signal: null });
  assert.equal(orderOf(launched, /INFO spawned: '(\w+)'/).join(' '), 'migrate migrate');
  assert.match(launched.stdout.all.at(-1) ?? '', /program migrate ended \(exit status 43\): exit_on_failure$/);
});

test(
  'status and the client show the dependencies that a program waits for, and that it cannot start',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config:
        '[supervisord]\n[program:gate]\ncommand=sleep 1000\nstartsecs=1000\n' +
        '[program:early]\ncommand=sleep 1000\ndepends_on=gate\n[program:bad]\ncommand=false\nstartretries=0\n' +
        '[program:late]\ncommand=sleep 1000\ndepends_on=bad\n',
    });
    await launched.waitForLine(/WARN late cannot start: bad must be started and is FATAL$/);
    const status = await launched.ctl('status');
    assert.match(status.stdout, /^early +STOPPED +waits for gate to be started$/m);
    assert.match(status.stdout, /^late +STOPPED +cannot start: bad must be started and is FATAL$/m);
    assert.equal(
      (await launched.ctl('start', 'late')).stdout,
      'late: ERROR (cannot start: bad must be started and is FATAL)\n',
    );
    assert.equal((await launched.ctl('stop', 'early')).stdout, 'early: stopped\n');
    assert.match((await launched.ctl('status', 'early')).stdout, /^early +STOPPED +Not started$/m);
  },
);

test(
  'what supervisord-dependent-startup waits for: exited is any exit, one of several states is enough; ' +
    'depends_on has exited too',
  { skip },
  async (t) => {
    const dependent = (name: string, wish: string): string =>
      `[program:${name}]\ncommand=sleep 1000\nautostart=false\ndependent_startup=true\n` +
      `dependent_startup_wait_for=${wish}\n`;
    const launched = await launch(t, {
      config: `[supervisord]
[program:start]
command=sh -c "exit 3"
startsecs=0
autorestart=false
[program:bad]
command=false
startretries=0
${dependent('after', 'start:exited')}
${dependent('either', 'bad:running,fatal after:running')}
${dependent('never', 'start:fatal')}
[program:own]
command=sleep 1000
depends_on=start:exited
`,
    });
    for (const name of ['after', 'either', 'own'])
      await launched.waitForLine(new RegExp(`success: ${name} entered RUNNING`));
    assert.match(
      (await launched.ctl('status', 'never')).stdout,
      /^never +STOPPED +cannot start: start must be FATAL and is EXITED \(exit status 3\)$/m,
    );
  },
);

test('status names the root cause of a blocked chain once', { skip }, async (t) => {
  const after = (name: string, before: string): string =>
    `[program:${name}]\ncommand=sleep 1000\ndepends_on=${before}\n`;
  const launched = await launch(t, {
    config:
      `[supervisord]\n[program:migrate]\ncommand=false\nstartretries=0\n` +
      `${after('a', 'migrate:completed')}${after('b', 'a')}${after('c', 'b')}${after('d', 'c')}`,
  });
  await launched.waitForLine(/WARN d cannot start:/);
  const { stdout } = await launched.ctl('status');
  assert.match(stdout, /^a +STOPPED +cannot start: migrate must be completed and is FATAL$/m);
  assert.match(stdout, /^d +STOPPED +cannot start: migrate must be completed and is FATAL \(c depends on it\)$/m);
});

test('a stop_command that hangs is followed by TERM, and only then by KILL', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `[supervisord]
[program:web]
command=sh -c 'trap "echo saved; exit 0" TERM; echo up; while :; do sleep 0.1; done'
stop_command=sleep 1000
stop_timeout=1
stopwaitsecs=5
`,
  });
  await launched.waitForLine(/web +\| up$/);
  assert.equal((await launched.ctl('stop', 'web')).stdout, 'web: stopped\n');
  await launched.waitForLine(/web +\| saved$/);
  assert.match(launched.stdout.text, /stop_command was killed: it took longer than 1 s/);
  assert.doesNotMatch(launched.stdout.text, /killing 'web'/);
});

test('start all answers when all programs are up in their order', { skip }, async (t) => {
  const program = (name: string, more = ''): string =>
    `[program:${name}]\ncommand=sleep 1000\nautostart=false\n${more}`;
  const launched = await launch(t, {
    config: [
      '[supervisord]\n',
      program('a', 'depends_on=b\n'),
      program('b', 'depends_on=c\n'),
      program('c'),
      '[program:clock]\ncommand=sh -c "echo up; exec sleep 1000"\n',
    ].join(''),
  });
  await launched.waitForLine(/up$/);
  const { stdout, code } = await launched.ctl('start', 'all');
  assert.equal(code, 0, stdout);
  assert.deepEqual(orderOf(launched, /INFO spawned: '([abc])'/), ['c', 'b', 'a']);
});

test(
  'the commands around a run: before each start, instead of the signal, after each end; with the environment ' +
    'of the program',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config: `[supervisord]
[program:web]
command=%FOLDER%/web.sh
environment=COLOUR="blue"
pre_start_command=sh -c 'echo before $COLOUR'
stop_command=sh -c 'echo instead $COLOUR; kill -USR1 $SUPERVISOR_PID'
post_stop_command=sh -c 'echo after $COLOUR'
`,
      files: {
        'web.sh': '#!/bin/sh\ntrap "echo leaving; exit 0" USR1\necho ready\nwhile :; do sleep 1000 & wait; done\n',
      },
    });
    await launched.waitForLine(/ready$/);
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    const [before, ready, ...rest] = orderOf(launched, /^web \| (.*)$/);
    const after = rest.pop();
    // The program and its stop_command have a pipe each, and either may be read first.
    assert.deepEqual(
      [before, ready, rest.toSorted(), after],
      ['before blue', 'ready', ['instead blue', 'leaving'], 'after blue'],
    );
  },
);

test('a stop does not wait for the post_stop_command that the next start waits for', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:web]\ncommand=sleep 0.2\nstartsecs=0\nautorestart=true\n' +
      'post_stop_command=%FOLDER%/tidy.sh\n',
    files: { 'tidy.sh': '#!/bin/sh\nuntil [ -e %FOLDER%/go ]; do sleep 0.05; done\necho tidy\n' },
  });
  const status = async (): Promise<string> => (await launched.ctl('status', 'web')).stdout;
  await until('the restart waits', async () =>
    /STARTING +waits for post_stop_command of its last run$/m.test(await status()),
  );
  assert.match((await launched.ctl('why', 'web')).stdout, /; it waits for post_stop_command of its last run\. /);
  assert.equal((await launched.ctl('start', 'web')).stdout, 'web: ERROR (already started)\n');
  assert.equal((await launched.ctl('stop', 'web')).stdout, 'web: stopped\n');
  assert.match(await status(), /STOPPED/);
  await writeFile(join(launched.folder, 'go'), '');
  await launched.waitForLine(/web \| tidy$/);
  assert.match(await status(), /STOPPED/);
});

test('a hook that hangs is killed with its descendants at its timeout', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:web]\ncommand=sleep 1000\npre_start_command=%FOLDER%/hang.sh\n' +
      'pre_start_timeout=1500ms\nstartretries=0\n',
    files: { 'hang.sh': '#!/bin/sh\nsleep 4567 &\necho $! >%FOLDER%/child\nwait\n' },
  });
  await launched.waitForLine(/pre_start_command was killed: it took longer than 1\.5 s/);
  const child = (await readFile(join(launched.folder, 'child'), 'utf8')).trim();
  await until('the end of the child', async () => (await launched.enter(['kill', '-0', child])).code !== 0);
  await launched.waitForLine(/web is FATAL/);
});

test(
  'kill_orphans: what a program leaves in its group is ended with it where it was stopped, and the next run ' +
    'waits for that',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config:
        '[supervisord]\n[program:web]\ncommand=%FOLDER%/web.sh\nkill_orphans=always\nautorestart=true\nstartsecs=0\n',
      // The child reports its end later than its parent.
      files: {
        'web.sh': '#!/bin/sh\n$(dirname $0)/child.sh &\necho parent $$\nsleep 0.3\nkill -KILL $$\n',
        'child.sh':
          '#!/bin/sh\ntrap "sleep 0.3; echo child gone; exit" TERM\necho child $$\nwhile :; do sleep 0.02; done\n',
      },
    });
    await launched.waitForLine(/web \| child gone$/, { count: 2 });
    const order = launched.stdout.all.flatMap((line) => /(spawned: 'web'|child gone)/.exec(line)?.[1] ?? []);
    assert.deepEqual(order.slice(0, 4), ["spawned: 'web'", 'child gone', "spawned: 'web'", 'child gone']);
  },
);

test('without kill_orphans they live on, as in Supervisor', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\n[program:web]\ncommand=%FOLDER%/web.sh\nautorestart=false\n',
    files: { 'web.sh': '#!/bin/sh\nsleep 4568 &\nexec sleep 1000\n' },
  });
  const child = await until('it has a child', () => pidOf('sleep 4568'));
  assert.equal((await launched.ctl('stop', 'web')).stdout, 'web: stopped\n');
  assert.equal(await isAlive(child), true);
  launched.signal('SIGTERM');
  await launched.exit;
  await until('the orphan is gone with the container', async () => !(await isAlive(child)));
});
