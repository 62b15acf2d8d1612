/** Stopping programs and the supervisor: order, time limits, the second signal, the rest of process groups, HUP. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch, pid1SkipReason } from './launch.ts';
import { isAlive, pidOf, until } from './observe.ts';
import type { Launched } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;

/** A program that ignores SIGTERM. */
const STUBBORN = '#!/bin/sh\ntrap "echo deaf" TERM\necho ready\nwhile :; do sleep 1000 & wait; done\n';

/** Returns the times of the matching log lines, in milliseconds since the epoch. */
function loggedMs({ stdout }: Launched, pattern: RegExp): number[] {
  return stdout.all
    .filter((line) => pattern.test(line))
    .map((line) => Date.parse(`${line.slice(0, 23).replace(' ', 'T').replace(',', '.')}Z`));
}

async function timeToEnd(
  launched: Launched,
  ...signals: NodeJS.Signals[]
): Promise<{ ms: number; code: number | null }> {
  const began = performance.now();
  for (const signal of signals) launched.signal(signal);
  const { code } = await launched.exit;
  return { ms: performance.now() - began, code };
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
  test(
    `${signal}: programs are stopped in order of descending priority, and the exit code is 0`,
    { skip },
    async (t) => {
      const program = (name: string, priority: number): string =>
        `[program:${name}]\ncommand=%FOLDER%/run.sh\npriority=${priority}\n`;
      const launched = await launch(t, {
        config: `[supervisord]\n${program('base', 1)}${program('middle', 5)}${program('top', 9)}`,
        files: { 'run.sh': '#!/bin/sh\ntrap "echo leaving; exit 0" TERM\necho ready\nwhile :; do sleep 0.02; done\n' },
      });
      await launched.waitForLine(/ready$/, { count: 3 });
      launched.signal(signal);
      assert.deepEqual(await launched.exit, { code: 0, signal: null });
      assert.ok(launched.stdout.all.some((line) => line.endsWith(`WARN received ${signal} indicating exit request`)));
      assert.deepEqual(
        launched.stdout.all.flatMap((line) => /INFO stopped: (\w+) \(exit status 0\)$/.exec(line)?.[1] ?? []),
        ['top', 'middle', 'base'],
      );
      assert.equal(
        launched.stdout.all.filter((line) => line.endsWith('leaving')).length,
        3,
        'their last words are not lost',
      );
    },
  );
}

test('programs of equal priority that ignore TERM end together after stopwaitsecs, by SIGKILL', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:deaf]\ncommand=%FOLDER%/run.sh\nprocess_name=deaf%(process_num)d\nnumprocs=3\n' +
      'stopwaitsecs=2\n[program:other]\ncommand=%FOLDER%/run.sh\nstopwaitsecs=2\n',
    files: { 'run.sh': STUBBORN },
  });
  await launched.waitForLine(/ready$/, { count: 4 });
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  const [began = NaN] = loggedMs(launched, /WARN received SIGTERM /);
  const killed = loggedMs(launched, /WARN killing '(deaf\d|other)' \(\d+\) with SIGKILL$/);
  assert.equal(killed.length, 4);
  // If they were stopped one after the other, the last one would be killed two or more seconds after the first.
  assert.ok(
    Math.min(...killed) - began >= 1999 && Math.max(...killed) - Math.min(...killed) < 1500,
    `stopped at ${began}, killed at ${killed.join(', ')}`,
  );
  await launched.waitForLine(/INFO stopped: deaf0 \(terminated by SIGKILL\)$/);
});

test('a second TERM, a second later, kills the remaining processes at once', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\n[program:deaf]\ncommand=%FOLDER%/run.sh\nstopwaitsecs=600\n',
    files: { 'run.sh': STUBBORN },
  });
  await launched.waitForLine(/ready$/);
  launched.signal('SIGTERM');
  await launched.waitForLine(/deaf \| deaf$/);
  await sleep(1100);
  const { ms, code } = await timeToEnd(launched, 'SIGTERM');
  assert.equal(code, 0);
  assert.ok(ms < 60_000, `it took ${ms} ms`);
});

test('shutdown_timeout limits the whole shutdown', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nshutdown_timeout=1\n[program:a]\ncommand=%FOLDER%/run.sh\nstopwaitsecs=600\npriority=1\n' +
      '[program:b]\ncommand=%FOLDER%/run.sh\nstopwaitsecs=600\npriority=2\n',
    files: { 'run.sh': STUBBORN },
  });
  await launched.waitForLine(/ready$/, { count: 2 });
  const { ms, code } = await timeToEnd(launched, 'SIGTERM');
  assert.equal(code, 0);
  assert.ok(ms >= 990 && ms < 60_000, `it took ${ms} ms`);
});

test('stopsignal: another signal, or several in order', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:one]\ncommand=%FOLDER%/run.sh\nstopsignal=USR1\n' +
      '[program:list]\ncommand=%FOLDER%/run.sh\nstopsignal=HUP,USR1\nstopwaitsecs=3\n',
    files: {
      'run.sh':
        '#!/bin/sh\ntrap "echo hup" HUP\ntrap "echo usr1; exit 0" USR1\ntrap "echo term" TERM\necho ready\n' +
        'while :; do sleep 0.02; done\n',
    },
  });
  await launched.waitForLine(/ready$/, { count: 2 });
  launched.signal('SIGTERM');
  await launched.exit;
  const said = (name: string): string[] =>
    launched.stdout.all.flatMap((line) => new RegExp(`^${name} +\\| (.*)$`).exec(line)?.[1] ?? []);
  assert.deepEqual(said('one'), ['ready', 'usr1']);
  assert.deepEqual(said('list'), ['ready', 'hup', 'usr1']);
});

/** Creates a shell with a child that would outlive it. The seconds of its sleep distinguish the child. */
function treeOf(seconds: number, script: string): { config: string; child: () => Promise<number> } {
  return {
    config: `command=sh -c "${script.replace('CHILD', `sleep ${seconds}`)}"`,
    child: () => until('the child', () => pidOf(`sleep ${seconds}`)),
  };
}

/**
 * Stops all programs with HUP, which then starts those of the new configuration. So the programs stop without the final
 * sweep of the supervisor, which would end all processes.
 */
async function stopByReload(launched: Launched): Promise<void> {
  await writeFile(
    join(launched.folder, 'supervisord.conf'),
    '[supervisord]\n[program:after]\ncommand=sh -c "echo the others are stopped; exec sleep 1000"\n',
  );
  launched.signal('SIGHUP');
  await launched.waitForLine(/the others are stopped/);
}

test('stopasgroup: the tree below a shell gets the signal; without it only the leader does', { skip }, async (t) => {
  const grouped = treeOf(100_001, 'CHILD & wait');
  const single = treeOf(100_002, 'CHILD & wait');
  const launched = await launch(t, {
    config:
      `[supervisord]\n[program:grouped]\n${grouped.config}\nstopasgroup=true\n` +
      `[program:single]\n${single.config}\n`,
  });
  const [gone, left] = [await grouped.child(), await single.child()];
  await stopByReload(launched);
  await until('the end of the child', async () => !(await isAlive(gone)));
  assert.ok(await isAlive(left), 'only the leader was to be signalled');
  launched.signal('SIGTERM');
  await launched.exit;
  assert.equal(await isAlive(left), false, 'nothing survives PID 1');
});

test(
  'killasgroup: SIGKILL after stopwaitsecs is sent to the whole tree; without it only to the leader',
  { skip },
  async (t) => {
    const script = "trap '' TERM; CHILD & while :; do wait; done";
    const grouped = treeOf(100_003, script);
    const single = treeOf(100_004, script);
    const launched = await launch(t, {
      config:
        `[supervisord]\n[program:grouped]\n${grouped.config}\nkillasgroup=true\nstopwaitsecs=1\n` +
        `[program:single]\n${single.config}\nstopwaitsecs=1\n`,
    });
    const [gone, left] = [await grouped.child(), await single.child()];
    await stopByReload(launched);
    await launched.waitForLine(/killing 'grouped' \(\d+\) with SIGKILL/);
    await until('the end of the child', async () => !(await isAlive(gone)));
    assert.ok(await isAlive(left), 'only the leader was to be killed');
  },
);

test('HUP: everything is restarted with the current configuration', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:old]\ncommand=sh -c "echo old one; exec sleep 1000"\n' +
      '[program:both]\ncommand=sh -c "echo version 1; exec sleep 1000"\n',
  });
  await launched.waitForLine(/old one$/);
  await launched.waitForLine(/version 1$/);
  await writeFile(
    join(launched.folder, 'supervisord.conf'),
    '[supervisord]\n[program:new]\ncommand=sh -c "echo new one; exec sleep 1000"\n' +
      '[program:both]\ncommand=sh -c "echo version 2; exec sleep 1000"\n',
  );
  launched.signal('SIGHUP');
  await launched.waitForLine(/WARN received SIGHUP indicating restart request$/);
  await launched.waitForLine(/INFO stopped: old \(terminated by SIGTERM\)$/);
  await launched.waitForLine(/new +\| new one$/);
  await launched.waitForLine(/both +\| version 2$/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test('reload with an invalid file is a fault with the reasons, and nothing changes', { skip }, async (t) => {
  const launched = await launch(t, { config: '[supervisord]\n[program:steady]\ncommand=sleep 1000\n' });
  await launched.waitForLine(/success: steady entered RUNNING/);
  const path = join(launched.folder, 'supervisord.conf');
  await writeFile(path, '[supervisord]\n[program:steady]\ncommand=sleep 1000\nautorestart=perhaps\n');
  const { code, stdout } = await launched.ctl('reload');
  assert.equal(code, 1);
  assert.match(stdout, new RegExp(`^error: .*Fault 92: .CANT_REREAD: ${path}:4: \\[program:steady\\] autorestart: `));
  assert.match((await launched.ctl('status')).stdout, /^steady +RUNNING/);
  assert.doesNotMatch(launched.stdout.text, /stopped: steady/);
});

test('HUP with an invalid file changes nothing, and logs file and line', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\n[program:steady]\ncommand=sh -c "echo up; exec sleep 1000"\n',
  });
  await launched.waitForLine(/up$/);
  const path = join(launched.folder, 'supervisord.conf');
  await writeFile(
    path,
    '[supervisord]\n[program:steady]\ncommand=sleep 1000\nautorestart=perhaps\nstopsignal=SIGNOTHING\n',
  );
  launched.signal('SIGHUP');
  await launched.waitForLine(new RegExp(`ERRO .*${path}:4: \\[program:steady\\] autorestart: .*perhaps`));
  await launched.waitForLine(new RegExp(`ERRO .*${path}:5: \\[program:steady\\] stopsignal: `));
  await launched.waitForLine(/CRIT cannot reload: the configuration is invalid; nothing has changed$/);
  await rm(path);
  launched.signal('SIGHUP');
  await launched.waitForLine(/CRIT cannot reload: the configuration is invalid/, { count: 2 });
  launched.signal('SIGUSR2');
  await launched.waitForLine(/received SIGUSR2/);
  assert.doesNotMatch(launched.stdout.text, /stopped|exited/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test('TERM during the pause of a program in BACKOFF ends the supervisor at once', { skip }, async (t) => {
  const launched = await launch(t, {
    config: '[supervisord]\n[program:bad]\ncommand=sh -c "exit 1"\nstartretries=100\nrestartpause=600\n',
  });
  await launched.waitForLine(/exited: bad/);
  assert.match((await launched.ctl('status', 'bad')).stdout, /^bad +BACKOFF /);
  const { ms, code } = await timeToEnd(launched, 'SIGTERM');
  assert.equal(code, 0);
  assert.ok(ms < 60_000, `it took ${ms} ms`);
  assert.doesNotMatch(launched.stdout.text, /FATAL/);
});

test('remaining processes of a program are ended with PID 1: TERM first, then KILL', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:parent]\n' +
      'command=sh -c "setsid %FOLDER%/orphan.sh polite & setsid %FOLDER%/orphan.sh deaf & exec sleep 1000"\n',
    files: {
      'orphan.sh':
        '#!/bin/sh\n[ $1 = polite ] && trap "echo goodbye >>%FOLDER%/said; exit" TERM || trap "" TERM\n' +
        'echo $1 ready\nwhile :; do sleep 0.02; done\n',
    },
  });
  await launched.waitForLine(/ready$/, { count: 2 });
  const { ms, code } = await timeToEnd(launched, 'SIGTERM');
  assert.equal(code, 0);
  assert.equal(await readFile(join(launched.folder, 'said'), 'utf8'), 'goodbye\n');
  // The grace period is a second. test/process/sweep.test.ts tests, with a grace period of a minute, that there is no
  // wait without remaining processes.
  assert.ok(ms >= 999, `it took ${ms} ms`);
});

for (const as of ['pid1', 'plain'] as const) {
  test(`forward_signals: a signal is forwarded and not obeyed (${as})`, { skip: as === 'pid1' && skip }, async (t) => {
    const launched = await launch(t, {
      as,
      config:
        '[supervisord]\nnodaemon=true\nlogfile=NONE\npidfile=%FOLDER%/pid\nforward_signals=USR1:web,HUP:web\n' +
        '[program:web]\ncommand=%FOLDER%/run.sh\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n',
      files: {
        'run.sh': '#!/bin/sh\ntrap "echo hup" HUP\ntrap "echo usr1" USR1\necho ready\nwhile :; do sleep 0.02; done\n',
      },
    });
    await launched.stdout.waitFor(/^ready$/);
    launched.signal('SIGUSR1');
    await launched.stdout.waitFor(/^usr1$/);
    launched.signal('SIGHUP');
    await launched.stdout.waitFor(/^hup$/);
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    assert.doesNotMatch(launched.stdout.text, /restart request/);
  });
}
