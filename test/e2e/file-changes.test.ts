/** Programs that follow their files, and a configuration that is applied when its files change. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { launch, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;

test('a changed file restarts, signals or starts a program; not one that was stopped', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `[supervisord]
[unix_http_server]
file=%FOLDER%/s.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[program:web]
command=sleep 1000
restart_on_change=%(here)s/app/**/*.py, %(here)s/templates
max_restarts=1
[program:proxy]
command=sh -c "trap 'echo reloads' HUP; echo listens; while :; do sleep 0.1; done"
restart_on_change=%(here)s/etc/proxy.conf
signal_on_change=HUP
[program:broken]
command=sh -c "test -e %FOLDER%/app/repair.py && exec sleep 1000"
restart_on_change=%(here)s/app/*.py
startretries=0
[program:down]
command=sleep 1000
autostart=false
restart_on_change=%(here)s/app/*.py
`,
    files: { 'app/main.py': 'first', 'etc/..1/proxy.conf': 'first', 'templates/a.html': 'first' },
  });
  const { folder } = launched;
  await symlink('..1', join(folder, 'etc/..data'));
  await symlink('..data/proxy.conf', join(folder, 'etc/proxy.conf'));
  await launched.waitForLine(/restart_on_change: watching \d+ files? of /, { count: 3 });
  await launched.waitForLine(/proxy +\| listens/);
  await launched.waitForLine(/broken entered FATAL/);

  await writeFile(join(folder, 'app/repair.py'), '');
  await launched.waitForLine(/restarting 'web': .*\/app\/repair\.py has changed/);
  await launched.waitForLine(/starting 'broken': .*\/app\/repair\.py has changed/);
  await launched.waitForLine(/broken entered RUNNING/);
  await launched.waitForLine(/spawned: 'web'/, { count: 2 });
  await writeFile(join(folder, 'templates/a.html'), 'second');
  await launched.waitForLine(/restarting 'web': .*\/templates\/a\.html has changed/);
  // Planned restarts count for no limit.
  await launched.waitForLine(/spawned: 'web'/, { count: 3 });

  await mkdir(join(folder, 'etc/..2'));
  await writeFile(join(folder, 'etc/..2/proxy.conf'), 'second');
  await symlink('..2', join(folder, 'etc/..new'));
  await rename(join(folder, 'etc/..new'), join(folder, 'etc/..data'));
  await launched.waitForLine(/sent SIGHUP to 'proxy': .*\/etc\/proxy\.conf has changed/);
  await launched.waitForLine(/proxy +\| reloads/);

  assert.match(
    (await launched.ctl('describe', 'web', 'proxy')).stdout,
    /Watches: .*\/app\/\*\*\/\*\.py, .*\/templates \(then a restart\)[^]*Watches: .*\/proxy.conf \(then SIGHUP\)/,
  );
  assert.match((await launched.ctl('why', 'web')).stdout, /templates\/a\.html has changed/);
  const { stdout } = await launched.ctl('status');
  assert.match(stdout, /^down +STOPPED +Not started$/m);
  assert.doesNotMatch(`${launched.stdout.text}${launched.stderr.text}`, /spawned: 'down'|flapping/);
});

test('with watch_config, changed files are applied, and wrong ones change nothing', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `[supervisord]
watch_config=true
[program:web]
command=sleep 1000
[include]
files=conf.d/*.conf
`,
    files: { 'conf.d/worker.conf': '[program:worker]\ncommand=sleep 1000\n' },
  });
  const { folder } = launched;
  const worker = join(folder, 'conf.d/worker.conf');
  await launched.waitForLine(/watch_config: watching 2 files of /);
  await launched.waitForLine(/worker entered RUNNING/);

  await writeFile(worker, '[program:worker]\ncommand=sleep 2000\n');
  await launched.waitForLine(/conf\.d\/worker\.conf has changed: changed worker/);
  await launched.waitForLine(/spawned: 'worker'/, { count: 2 });

  await writeFile(
    join(folder, 'conf.d/job.conf'),
    '[program:job]\ncommand=sleep 1000\n[notify:ops]\nevents=fatal\ncommand=true\n',
  );
  await launched.waitForLine(/conf\.d\/job\.conf has changed: added job, notify:ops/);
  await launched.waitForLine(/job entered RUNNING/);

  await writeFile(worker, '[program:worker]\ncommand=sleep 3000\nautorestart=perhaps\n');
  await launched.waitForLine(/worker\.conf:3: \[program:worker\] autorestart: "perhaps" is not true, false/);
  await launched.waitForLine(/worker\.conf has changed, but it is invalid: everything stays as it was/);

  await rm(worker);
  await launched.waitForLine(/conf\.d\/worker\.conf has changed: removed worker/);
  await launched.waitForLine(/stopped: worker/, { count: 2 });

  // Settings of the supervisor itself: one that an update applies, and one that needs a reload.
  const main = join(folder, 'supervisord.conf');
  const before = await readFile(main, 'utf8');
  await writeFile(main, before.replace('[program:web]', 'log_format=json\nidentifier=other\n[program:web]'));
  await launched.waitForLine(/\[supervisord\] log_format updated/);
  await launched.waitForLine(/an update does not apply identifier; use onevisor reload/);
  const text = `${launched.stdout.text}${launched.stderr.text}`;
  assert.equal(text.match(/spawned: 'web'/g)?.length, 1);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});
