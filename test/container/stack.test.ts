/**
 * A stack like that of a compose file in one container, with real programs: PostgreSQL with its initdb, a migration,
 * redis, php-fpm, nginx, a cron job and a listener that forwards events. Its files are in stack/.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../e2e/observe.ts';
import { freePort } from '../e2e/ports.ts';
import { skipReason, startContainer } from './containers.ts';
import type { TestContext } from 'node:test';
import type { Container } from './containers.ts';

const skip = (await skipReason()) ?? false;
const FOLDER = join(import.meta.dirname, 'stack');

function page(port: number, path = '/'): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path }, (response) => {
      let text = '';
      response
        .on('data', (bytes: Buffer) => (text += String(bytes)))
        .on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    }).on('error', reject);
  });
}

interface Stack {
  readonly container: Container;
  readonly web: number;
  readonly control: number;
}

async function startStack(t: TestContext, migration?: string): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-stack-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  // Containers share the network of the host.
  const [web, control, db, redis] = [await freePort(), await freePort(), await freePort(), await freePort()];
  await writeFile(
    join(folder, 'nginx.conf'),
    (await readFile(join(FOLDER, 'nginx.conf'), 'utf8')).replace('PORT_WEB', String(web)),
  );
  await writeFile(join(folder, 'migrate.sql'), migration ?? (await readFile(join(FOLDER, 'migrate.sql'), 'utf8')));
  const container = await startContainer(t, {
    image: 'stack',
    config: await readFile(join(FOLDER, 'supervisord.conf'), 'utf8'),
    env: {
      PORT_WEB: String(web),
      PORT_CONTROL: String(control),
      PORT_DB: String(db),
      PORT_REDIS: String(redis),
      PATH: '/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    },
    mounts: {
      '/srv/nginx.conf': join(folder, 'nginx.conf'),
      '/srv/migrate.sql': join(folder, 'migrate.sql'),
      ...Object.fromEntries(
        ['shipper.py', 'php-fpm.conf', 'index.php'].map((name) => [`/srv/${name}`, join(FOLDER, name)]),
      ),
    },
  });
  return { container, web, control };
}

/** Returns the events that the listener has forwarded: `RUNNING db`. */
async function shipped({ container }: Stack): Promise<string[]> {
  const { stdout } = await container.exec('cat', '/tmp/shipped');
  return stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function ended(container: Container): string[] {
  return container.stdout.all.flatMap((line) => /INFO stopped: (\w+) /.exec(line)?.[1] ?? []);
}

test(
  'the stack starts in its order, is healthy, reports problems, and stops in reverse order',
  { skip, timeout: 180_000 },
  async (t) => {
    const stack = await startStack(t);
    const { container, web, control } = stack;
    await container.waitForLine(/health: nginx is healthy/, { timeoutMs: 120_000 });
    await until('the listener has heard of nginx', async () => (await shipped(stack)).includes('RUNNING nginx'));

    // The programs came up in this order, according to the listener: each line is after the one before.
    const events = await shipped(stack);
    const order = [
      'EXITED initdb',
      'STARTING db',
      'RUNNING db',
      'STARTING migrate',
      'EXITED migrate',
      'STARTING php',
      'RUNNING php',
      'STARTING nginx',
      'RUNNING nginx',
    ];
    const places = order.map((event) => events.indexOf(event));
    assert.ok(
      places.every((place, index) => place > (places[index - 1] ?? -1)),
      `${order.join(', ')} in\n${events.join('\n')}`,
    );
    assert.ok(events.indexOf('RUNNING redis') < events.indexOf('STARTING php'));
    assert.deepEqual(await page(web), { status: 200, text: 'migration\n' });
    assert.equal((await page(control, '/readyz')).status, 200);
    assert.equal((await container.exec('onevisor', 'health')).code, 0);

    // The cron job runs, and the status has its next time.
    await until(
      'the cron job has run twice',
      async () => (await shipped(stack)).filter((event) => event === 'EXITED tidy').length >= 2,
    );
    assert.match((await container.exec('onevisor', 'ctl', 'status', 'tidy')).stdout, /next run/);

    // PostgreSQL hangs: the failure is detected, and so is the recovery.
    await container.exec('onevisor', 'ctl', 'signal', 'STOP', 'db');
    await container.waitForLine(/health: db is unhealthy/);
    const sick = await container.exec('onevisor', 'health');
    assert.deepEqual([sick.code, /^db: RUNNING unhealthy/m.test(sick.stdout)], [1, true], sick.stdout);
    assert.equal((await page(control, '/readyz')).status, 503);
    assert.match((await container.exec('onevisor', 'ctl', 'status', 'db')).stdout, /unhealthy/);
    await container.exec('onevisor', 'ctl', 'signal', 'CONT', 'db');
    await container.waitForLine(/health: db is healthy/, { count: 2 });

    // PostgreSQL is killed: it is restarted, and becomes healthy again.
    await container.exec('onevisor', 'ctl', 'signal', 'KILL', 'db');
    await container.waitForLine(/WARN exited: db \(terminated by SIGKILL; not expected\)/);
    await container.waitForLine(/health: db is healthy/, { count: 3 });
    assert.deepEqual(await page(web), { status: 200, text: 'migration\n' });

    await container.stop(10);
    assert.equal(await container.exit, 0);
    const down = ended(container).filter((name) => name !== 'tidy');
    assert.deepEqual(
      down.filter((name) => name !== 'redis' && name !== 'shipper'),
      ['nginx', 'php', 'db'],
      'dependents first',
    );
    assert.ok(down.indexOf('redis') > down.indexOf('php') && down.at(-1) === 'shipper', down.join(' '));
    assert.ok(
      !container.stdout.all.some((line) => line.includes('SIGKILL') && line.includes('killing')),
      'nothing had to be killed',
    );
  },
);

test(
  'a migration that fails ends the container with its code, and its dependents were not started',
  { skip, timeout: 180_000 },
  async (t) => {
    const { container } = await startStack(t, 'create table visits (who text);\nselect 1/0;\n');
    assert.equal(await container.exit, 3);
    assert.match(container.stdout.all.at(-1) ?? '', /program migrate ended \(exit status 3\): exit_on_failure$/);
    assert.ok(!container.stdout.all.some((line) => /spawned: '(php|nginx|tidy)'/.test(line)));
    assert.deepEqual(
      ended(container).filter((name) => name === 'db'),
      ['db'],
      'the database was stopped in order',
    );
  },
);
