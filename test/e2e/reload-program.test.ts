/** `onevisor reload-program`: reload_signal and reload_command, their results in every view, and refusals. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isInstalled } from '../../build/rootfs.ts';
import { statusOf } from './connections.ts';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;
const RUN = '#!/bin/sh\ntrap "echo hears HUP" HUP\necho ready\nwhile :; do sleep 0.02; done\n';

test('a signal for processes, groups and patterns; refusals say what to do', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:worker]\ncommand=%FOLDER%/run.sh\nreload_signal=HUP\nnumprocs=2\n' +
      'process_name=worker_%(process_num)d\n[program:plain]\ncommand=%FOLDER%/run.sh\n' +
      '[program:off]\ncommand=%FOLDER%/run.sh\nautostart=false\nreload_signal=HUP\n',
    files: { 'run.sh': RUN },
  });
  await launched.waitForLine(/ready$/, { count: 3 });
  const reload = async (...names: string[]): Promise<string> => (await launched.ctl('reload-program', ...names)).stdout;
  assert.equal(await reload('worker:*'), 'worker:worker_0: reloaded (SIGHUP)\nworker:worker_1: reloaded (SIGHUP)\n');
  await launched.waitForLine(/^worker_0 +\| hears HUP$/);
  await launched.waitForLine(/^worker_1 +\| hears HUP$/);
  await launched.waitForLine(/INFO worker_0: reloaded by SIGHUP$/);
  assert.equal(await reload('*_1'), 'worker:worker_1: reloaded (SIGHUP)\n');
  assert.equal(
    await reload('plain', 'off', 'nope'),
    'plain: ERROR (cannot reload plain: neither reload_signal nor reload_command is set; set one of them and use ' +
      '`update`)\noff: ERROR (cannot reload off: it is not running (STOPPED))\nnope: ERROR (no such process)\n',
  );
  const own = await launched.enter([EXECUTABLE, 'reload-program', 'worker:worker_0']);
  assert.deepEqual([own.code, own.stdout], [0, 'worker:worker_0: reloaded (SIGHUP)\n']);
  assert.match((await launched.ctl('describe', 'worker:worker_0')).stdout, /^ +Reload: SIGHUP$/m);
  const events = (await launched.ctl('logs', '-n', '100', 'worker:worker_0')).stdout;
  assert.match(events, /reloaded by SIGHUP: onevisor\.reloadProcess of a client \(uid 0, pid \d+\)/);
});

test('a command with the user, environment and directory of the program; update applies it', { skip }, async (t) => {
  const head = '[supervisord]\n[program:web]\ncommand=%FOLDER%/run.sh\ndirectory=/\nenvironment=COLOR="blue"\n';
  const launched = await launch(t, {
    config: `${head}reload_command=%FOLDER%/reload.sh 0\n`,
    files: {
      'run.sh': RUN,
      'reload.sh': '#!/bin/sh\necho "reload in $(pwd), $COLOR, for $SUPERVISOR_PID"\nexit $1\n',
    },
  });
  await launched.waitForLine(/ready$/);
  const { pid } = await statusOf(launched, 'web');
  assert.equal((await launched.ctl('reload-program', 'web')).stdout, 'web: reloaded (reload_command)\n');
  await launched.waitForLine(new RegExp(`^web +\\| reload in /, blue, for ${pid}$`));
  const change = async (lines: string): Promise<void> => {
    await writeFile(join(launched.folder, 'supervisord.conf'), (head + lines).replaceAll('%FOLDER%', launched.folder));
    await launched.ctl('update');
  };
  await change('reload_command=%FOLDER%/reload.sh 3\n');
  const failed = await launched.ctl('reload-program', 'web');
  assert.deepEqual(
    [failed.code, failed.stdout],
    [1, 'web: ERROR (cannot reload web: reload_command failed (exit status 3))\n'],
  );
  await change('reload_command=sleep 1000\nreload_timeout=0.2\n');
  assert.match((await launched.ctl('reload-program', 'web')).stdout, /was killed: it took longer than 0\.2 s/);
  assert.equal((await statusOf(launched, 'web')).pid, pid, 'update has restarted nothing');
  await change('reload_command=sleep 1000\nreload_timeout=600\n');
  const pending = launched.ctl('reload-program', 'web');
  await launched.waitForLine(/onevisor\.reloadProcess web: requested by/, { count: 4 });
  launched.signal('SIGTERM');
  await Promise.allSettled([pending]);
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assert.match(launched.stdout.text, /WARN web: reload failed: reload_command was cancelled/);
});

test('wrong values are errors with file and line', { skip }, async (t) => {
  const launched = await launch(t, {
    as: 'plain',
    args: ['check', '-c', 'bad.conf'],
    files: {
      'bad.conf':
        '[supervisord]\nshutdown_delay=soon\nforward_signals=TERM:web=QUT\n[program:web]\ncommand=x\n' +
        'reload_signal=HPU\n[program:both]\ncommand=x\nreload_signal=HUP\nreload_command=x\n',
    },
  });
  assert.equal((await launched.exit).code, 2);
  const lines = (launched.stdout.text + launched.stderr.text).split('\n');
  for (const [line, text] of [
    [2, '\\[supervisord\\] shutdown_delay: "soon" is not a duration'],
    [3, '\\[supervisord\\] forward_signals: "QUT" is not a signal'],
    [6, '\\[program:web\\] reload_signal: "HPU" is not a signal'],
    [10, '\\[program:both\\] reload_command: cannot be set together with reload_signal'],
  ] as const)
    assert.ok(
      lines.some((found) => new RegExp(`bad\\.conf:${line}: ${text}`).test(found)),
      `${line}: ${text} in ${lines.join('\n')}`,
    );
});

test('the program runs the command as its user', { skip: skip || process.getuid?.() !== 0 }, async (t) => {
  if (!(await isInstalled('id'))) return t.skip('id is not installed');
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:web]\ncommand=sh -c "echo ready; exec sleep 1000"\nuser=nobody\n' +
      'reload_command=sh -c "echo reload as $(id -un)"\n',
  });
  await launched.waitForLine(/ready$/);
  await launched.ctl('reload-program', 'web');
  await launched.waitForLine(/^web +\| reload as nobody$/);
});
