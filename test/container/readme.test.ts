/**
 * The examples of the README, each run as it stands, in a container: the block after `<!-- example: NAME -->`. The
 * programs they name are in readme/.
 */
import assert from 'node:assert/strict';
import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../e2e/observe.ts';
import { skipReason, startContainer } from './containers.ts';
import type { TestContext } from 'node:test';
import type { Container, ContainerOptions } from './containers.ts';

const skip = (await skipReason()) ?? false;
const README = await readFile(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
const examples = new Map(
  [...README.matchAll(/<!-- example: ([\w-]+) -->\n```ini\n([^]*?)```/g)].map(([, name = '', text = '']) => [
    name,
    text,
  ]),
);
const PATH = '/opt/readme:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type Start = (options?: Pick<ContainerOptions, 'env' | 'mounts' | 'flags'>) => Promise<Container>;
type Check = (start: Start, t: TestContext) => Promise<void>;

const ctl = async (container: Container, ...args: string[]): Promise<string> =>
  (await container.exec('onevisor', 'ctl', ...args)).stdout;
const spawned = ({ stdout }: Container): string[] =>
  stdout.all.flatMap((line) => /INFO spawned: '(\w+)'/.exec(line)?.[1] ?? []);

async function stop(container: Container): Promise<void> {
  await container.stop(10);
  assert.equal(await container.exit, 0);
}

function withSupervisord(text: string): string {
  return text.includes('[supervisord]') ? text : `[supervisord]\n\n${text}`;
}

const checks: Readonly<Record<string, Check>> = {
  order: async (start) => {
    const container = await start();
    await container.waitForLine(/success: web entered RUNNING/);
    assert.deepEqual(spawned(container), ['db', 'migrate', 'web']);
    await container.stop(10);
    await container.exit;
    assert.deepEqual(
      container.stdout.all.flatMap((line) => /INFO stopped: (\w+) /.exec(line)?.[1] ?? []),
      ['web', 'db'],
    );
    const failed = await start({ env: { MIGRATE_CODE: '43' } });
    await failed.waitForLine(/exited: migrate \(exit status 43; not expected\)/);
    assert.match(await ctl(failed, 'status', 'web'), /^web +STOPPED +waits for migrate to be completed$/m);
    assert.equal(await failed.exit, 43);
  },
  readiness: async (start) => {
    const container = await start();
    await container.waitForLine(/ready: web/);
    await container.waitForLine(/ready: api/);
    await until('the status is told', async () => / serves 30000000/.test(await ctl(container, 'status', 'api')));
    await stop(container);
  },
  health: async (start) => {
    const container = await start();
    await container.waitForLine(/health: web is healthy/);
    await container.waitForLine(/success: web entered RUNNING/);
    assert.match(await ctl(container, 'status'), /^web +RUNNING +pid \d+, uptime \d:\d\d:\d\d, healthy$/m);
    assert.equal((await container.exec('onevisor', 'health')).code, 0);
    await stop(container);
  },
  exit: async (start) => {
    const failed = await start({ env: { WEB_CODE: '3' } });
    assert.ok([0, 3].includes(await failed.exit));
    const container = await start();
    assert.equal(await container.exit, 0);
    assert.match(container.stdout.all.at(-1) ?? '', /program job ended \(exit status 143\): exit_on_end$/);
  },
  restarts: async (start) => {
    const container = await start();
    await container.waitForLine(/spawned: 'worker'/, { count: 2 });
    assert.match(await ctl(container, 'status'), /^worker +(BACKOFF|STARTING) /m);
    await stop(container);
  },
  'crash-loop': async (start) => {
    const container = await start();
    await container.waitForLine(
      /gave up: worker entered FATAL state, more than 5 restarts within 60 seconds \(max_restarts\)/,
    );
    assert.equal(spawned(container).length, 6);
    await stop(container);
  },
  stopping: async (start) => {
    const container = await start({ env: { WORKER: 'deaf' } });
    await container.waitForLine(/success: worker entered RUNNING/);
    await stop(container);
    const heard = container.stdout.all.flatMap((line) => /(TERM$|hears INT|killing 'worker')/.exec(line)?.[1] ?? []);
    assert.deepEqual(heard, ['TERM', 'hears INT', "killing 'worker'", 'TERM'].slice(0, 3));
    assert.ok(
      container.stdout.all.some((line) => line.includes("stopping what is left of the process group of 'worker'")),
    );
  },
  hooks: async (start) => {
    const container = await start();
    await container.waitForLine(/success: web entered RUNNING/);
    await stop(container);
    const said = container.stdout.all.flatMap(
      (line) =>
        /^web \| (prepare --cache|web with|drains \d+|web leaves|tidy)/.exec(line)?.[1]?.replace(/ \d+/, '') ?? [],
    );
    assert.deepEqual(
      [said[0], said[1], said.slice(2, 4).toSorted(), said[4]],
      ['prepare --cache', 'web with', ['drains', 'web leaves'], 'tidy'],
    );
  },
  cron: async (start) => {
    const container = await start();
    await container.waitForLine(/heartbeat \| heartbeat/, { count: 2 });
    assert.match(
      await ctl(container, 'status', 'backup'),
      /^backup +STOPPED +Not started, next run \w{3} \d\d \d\d:30 [AP]M$/m,
    );
    await stop(container);
  },
  environment: async (start, t) => {
    const folder = await mkdtemp(join(tmpdir(), 'onevisor-readme-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'web.env'), 'FROM_FILE=first\n');
    await writeFile(join(folder, 'PASSWORD'), 'p%(x)s,"q"\n');
    const mounts = { '/etc/web.env': join(folder, 'web.env'), '/run/secrets/PASSWORD': join(folder, 'PASSWORD') };
    const container = await start({ env: { NAME: 'A, "B" %s' }, mounts });
    const [line = ''] = await container.waitForLine(/web with.*/);
    assert.match(
      line,
      /^web with --port 8080; .*; greeting 100% 'yours', A, "B" %s; from file first; secret p%\(x\)s,"q"$/,
    );
    await stop(container);
    const refused = await start({ mounts });
    assert.equal(await refused.exit, 2);
    assert.match(refused.stderr.text, /\/etc\/supervisord\.conf:7: \[program:web\] environment: .*set NAME/);
  },
  users: async (start) => {
    const container = await start();
    const [line = ''] = await container.waitForLine(/web with.*/);
    assert.match(line, /user www-data, HOME \/var\/www, files 1024, nice 5;/);
    assert.equal((await container.exec('cat', '/proc/self/oom_score_adj')).stdout.trim() === '500', false);
    await stop(container);
  },
  'log-prefix': async (start) => {
    const container = await start();
    await container.waitForLine(/^\d{4}-\d\d-\d\dT[\d:.]+Z \[web\] web with/);
    await until('the file has it', async () => /^web with/m.test((await container.exec('cat', '/tmp/web.log')).stdout));
    await stop(container);
  },
  'log-json': async (start) => {
    const container = await start();
    await container.waitForLine(/"status":200/);
    await stop(container);
    const lines = container.stdout.all.map(
      (line) => JSON.parse(line) as { program: string; message?: string; data?: unknown },
    );
    assert.deepEqual(lines.find(({ data }) => data !== undefined)?.data, { path: '/', status: 200 });
    assert.ok(
      lines.some(({ message }) => String(message).startsWith('received SIGTERM')),
      'our own lines too',
    );
  },
  'log-rotation': async (start) => {
    const container = await start();
    await until('the file has it', async () => /^web with/m.test((await container.exec('cat', '/tmp/web.log')).stdout));
    await until('and so has ours', async () =>
      /spawned: 'web'/.test((await container.exec('cat', '/tmp/supervisord.log')).stdout),
    );
    await stop(container);
  },
  defaults: async (start) => {
    const container = await start({ env: { WORKER: 'stay' } });
    await container.waitForLine(/success: worker_\d entered RUNNING/, { count: 4 });
    assert.match(await ctl(container, 'restart', '--rolling', 'worker:*'), /worker:worker_3: started/);
    assert.equal((await ctl(container, 'stop', 'worker_*')).match(/: stopped/g)?.length, 4);
    await stop(container);
  },
  signals: async (start) => {
    const container = await start();
    await container.waitForLine(/success: web entered RUNNING/);
    await container.kill('USR1');
    await container.waitForLine(/exited: web \(terminated by SIGUSR1; not expected\)/);
    await container.waitForLine(/spawned: 'web'/, { count: 2 });
    await stop(container);
  },
  metrics: async (start) => {
    const container = await start();
    await container.waitForLine(/success: web entered RUNNING/);
    const metrics = await fetch('http://127.0.0.1:9101/metrics');
    assert.deepEqual(
      [metrics.status, /^onevisor_process_up\{group="web",name="web"\} 1$/m.test(await metrics.text())],
      [200, true],
    );
    assert.equal((await fetch('http://127.0.0.1:9101/readyz')).status, 401);
    const ready = await fetch('http://127.0.0.1:9101/readyz', {
      headers: { authorization: `Basic ${Buffer.from('probe:123').toString('base64')}` },
    });
    assert.deepEqual([ready.status, await ready.text()], [200, 'ok\n']);
    await stop(container);
  },
};

test('each example of the README is run here, and nothing else is', () => {
  assert.deepEqual([...examples.keys()].toSorted(), Object.keys(checks).toSorted());
});

for (const [name, check] of Object.entries(checks)) {
  test(`README: ${name}`, { skip }, async (t) => {
    const start: Start = (options) =>
      startContainer(t, {
        config: withSupervisord(examples.get(name) ?? ''),
        ...options,
        env: { PATH, ...options?.env },
        mounts: { '/opt/readme': join(import.meta.dirname, 'readme'), ...options?.mounts },
      });
    await check(start, t);
  });
}
