/**
 * Dependents follow: `depends_on=db:healthy:restart`, and the options `--with-dependents` and `--with-dependencies` of
 * the client.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { order } from './connections.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;

/** The names in the lines that match, from a line on. */
const namesIn = (launched: Launched, pattern: RegExp, from = 0): string[] =>
  launched.stdout.all.slice(from).flatMap((line) => pattern.exec(line)?.[1] ?? []);
const spawned = (launched: Launched, from = 0): string[] => namesIn(launched, /INFO spawned: '(\w+)'/, from);
const stopped = (launched: Launched, from = 0): string[] => namesIn(launched, /INFO stopped: (\w+) /, from);
const own = async (launched: Launched, ...args: string[]): Promise<string> =>
  (await launched.enter([EXECUTABLE, ...args])).stdout;

const program = (name: string, options = ''): string =>
  `[program:${name}]\ncommand=sleep 3600\nstartsecs=0\nautorestart=true\n${options}\n`;

test(
  'a new run of a dependency restarts what follows it, link by link, and that is no failure',
  { skip },
  async (t) => {
    const config =
      '[supervisord]\n[inet_http_server]\nport=127.0.0.1:9001\n' +
      program(
        'db',
        'healthcheck=test -e healthy\nhealthcheck_interval=50ms\nhealthcheck_start_interval=50ms\n' +
          'healthcheck_retries=1\nhealthcheck_timeout=60s',
      ) +
      program('web', 'depends_on=db:restart\nmax_restarts=0') +
      program('api', 'depends_on=db:healthy:restart, web:restart') +
      program('log', 'depends_on=db') +
      program('off', 'depends_on=db:restart\nautostart=false');
    const launched = await launch(t, { config, files: { healthy: '' } });
    await launched.waitForLine(/spawned: 'api'/);
    // Unhealthy and healthy again, in one run.
    await launched.enter(['rm', 'healthy']);
    await launched.waitForLine(/health: db is unhealthy/);
    await launched.enter(['touch', 'healthy']);
    await launched.waitForLine(/health: db is healthy/, { count: 2 });
    assert.equal((await launched.ctl('status')).code, 3, 'off is STOPPED');
    assert.deepEqual(spawned(launched).toSorted(), ['api', 'db', 'log', 'web']);

    const from = launched.stdout.all.length;
    await order(launched, 'supervisor.signalProcess', 'db', 'KILL');
    await launched.waitForLine(/INFO restarting 'web': db has a new run \(depends_on\)$/);
    await launched.waitForLine(/INFO restarting 'api': db, web have a new run \(depends_on\)$/);
    await launched.waitForLine(/spawned: 'api'/, { count: 2 });
    assert.deepEqual(spawned(launched, from), ['db', 'web', 'api']);
    assert.deepEqual(stopped(launched, from), ['web', 'api']);

    assert.match(await own(launched, 'why', 'web'), /started: db has a new run \(depends_on\)/);
    assert.match(
      await own(launched, 'describe', 'web'),
      /Depends on: db to be healthy, restarted after it \(RUNNING, healthy\)/,
    );
    const [status] = JSON.parse(await own(launched, 'status', '--json', 'api')) as ReadonlyArray<{
      readonly start_cause: { readonly kind: string; readonly names: readonly string[] };
      readonly last_end: { readonly why: string; readonly planned: boolean };
      readonly unexpected_restarts: number;
      readonly failed_starts: number;
    }>;
    assert.deepEqual(
      [status?.start_cause.kind, status?.start_cause.names, status?.last_end.why, status?.last_end.planned],
      ['dependency', ['db', 'web'], 'dependency', true],
    );
    assert.deepEqual([status?.unexpected_restarts, status?.failed_starts], [0, 0]);
    const metrics = (await launched.enter(['curl', '-sf', 'http://127.0.0.1:9001/metrics'])).stdout;
    assert.match(metrics, /^onevisor_process_exits_total\{.*name="web",reason="dependency"\} 1$/m);
    assert.equal((await launched.enter([EXECUTABLE, 'health', '--flapping'])).code, 0);
  },
);

test('restart, start and stop with the programs that depend, or that are needed', { skip }, async (t) => {
  const config =
    '[supervisord]\n' +
    program('cache', 'autostart=false') +
    program('db', 'autostart=false\ndepends_on=cache') +
    program('job', 'autostart=false\noneshot=true').replace('sleep 3600', 'true') +
    program('app', 'autostart=false\ndepends_on=db, job:completed') +
    program('web', 'autostart=false\ndepends_on=app:restart') +
    program('idle', 'autostart=false\ndepends_on=db');
  const launched = await launch(t, { config });
  await launched.waitForLine(/supervisord started/);
  const started = await launched.ctl('start', '--with-dependencies', 'app');
  assert.deepEqual([started.code, started.stdout], [0, 'job: started\ncache: started\ndb: started\napp: started\n']);
  assert.deepEqual(spawned(launched), ['job', 'cache', 'db', 'app']);
  assert.equal((await launched.ctl('start', 'web', '--with-dependencies')).stdout, 'web: started\n');

  let from = launched.stdout.all.length;
  const again = await launched.ctl('restart', 'db', '--with-dependents');
  assert.equal(again.code, 0, again.stdout + again.stderr);
  assert.equal(again.stdout, 'web: stopped\napp: stopped\ndb: stopped\ndb: started\napp: started\nweb: started\n');
  assert.deepEqual(spawned(launched, from), ['db', 'app', 'web']);
  assert.deepEqual(stopped(launched, from), ['web', 'app', 'db']);

  from = launched.stdout.all.length;
  assert.equal((await launched.enter([EXECUTABLE, 'stop', '--with-dependents', 'c*'])).code, 0);
  assert.deepEqual(stopped(launched, from), ['web', 'app', 'db', 'cache']);
  assert.deepEqual(spawned(launched, from), []);

  const wrong = await launched.ctl('restart', '--rolling', '--with-dependents', 'db');
  assert.match(wrong.stdout, /^Error: --rolling and --with-dependents exclude each other$/m);
  const unknown = await launched.ctl('restart', '--with-dependents', 'nope');
  assert.match(unknown.stdout, /^nope: ERROR \(no such process\)$/m);
  assert.equal((await launched.ctl('start', '--with-dependencies', 'all')).code, 0);
});

test('an update: :restart is applied live; a misspelt word and a cycle are errors', { skip }, async (t) => {
  const config = (needs: string, more = ''): string =>
    `[supervisord]\n${program('db', more)}${program('web', `depends_on=${needs}`)}`;
  const launched = await launch(t, { config: config('db') });
  const rewrite = (text: string): Promise<void> => writeFile(join(launched.folder, 'supervisord.conf'), text);
  await launched.waitForLine(/spawned: 'web'/);
  await rewrite(config('db:started:restart'));
  assert.equal((await launched.ctl('update')).code, 0);
  await launched.ctl('restart', 'db');
  await launched.waitForLine(/spawned: 'web'/, { count: 2 });
  // The dependency itself is replaced by an update.
  await rewrite(config('db:started:restart', 'environment=A=1'));
  assert.equal((await launched.ctl('update')).code, 0);
  await launched.waitForLine(/spawned: 'web'/, { count: 3 });
  await rewrite(config('db:started:restrat'));
  assert.match((await launched.ctl('reread')).stdout, /"restrat" is not a condition/);
  await rewrite(config('db:restart', 'depends_on=web:restart'));
  assert.match((await launched.ctl('reread')).stdout, /the programs wait for each other: db → web → db/);
});
