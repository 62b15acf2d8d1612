/**
 * Real programs with the executable as PID 1 of real containers: nginx, redis and a worker, from a file and from the
 * environment, with read-only roots and as other users; signals, logs, and the exit code that the engine gets.
 */
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compile, until } from '../e2e/observe.ts';
import { buildImage, image, podman, runContainer, skipReason, startContainer } from './containers.ts';
import { EXECUTABLE } from '../e2e/launch.ts';
import type { TestContext } from 'node:test';
import type { Container } from './containers.ts';
import { freePort } from '../e2e/ports.ts';

const skip = (await skipReason()) ?? false;

/** An nginx that writes only to /tmp and to its streams, so that any user can run it on any root. */
const nginxConfig = (port: number): string => `
pid /tmp/nginx.pid;
error_log /dev/stderr;
events {}
http {
  access_log /dev/stdout;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  server { listen 127.0.0.1:${port}; location / { return 200 "served\\n"; } }
}
`;

const NGINX = `nginx -c /etc/nginx-test.conf -g "daemon off;"`;
const REDIS = (port: number): string => `redis-server --port ${port} --save "" --dir /tmp`;
const WORKER = `sh -c "echo at work; while sleep 0.2; do :; done"`;

function page(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/hello' }, (response) => {
      let text = '';
      response.on('data', (bytes: Buffer) => (text += String(bytes))).on('end', () => resolve(text));
    }).on('error', reject);
  });
}

interface Site {
  readonly web: number;
  readonly cache: number;
  readonly mounts: Record<string, string>;
}

/** Ports, and the configuration of nginx as a mount. */
async function makeSite(t: TestContext): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-site-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [web, cache] = [await freePort(), await freePort()];
  await writeFile(join(folder, 'nginx.conf'), nginxConfig(web), { mode: 0o644 });
  return { web, cache, mounts: { '/etc/nginx-test.conf': join(folder, 'nginx.conf') } };
}

const siteFile = ({ cache }: Site): string => `
[supervisord]
nodaemon=true

[program:nginx]
command=${NGINX}
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
stderr_logfile=/dev/stderr
stderr_logfile_maxbytes=0

[program:redis]
command=${REDIS(cache)}
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0

[program:worker]
command=${WORKER}
process_name=%(program_name)s_%(process_num)02d
numprocs=3
`;

const siteVariables = ({ cache }: Site): Record<string, string> => ({
  ONEVISOR_PROGRAM_NGINX: NGINX,
  ONEVISOR_PROGRAM_REDIS: REDIS(cache),
  ONEVISOR_PROGRAM_WORKER: WORKER,
  ONEVISOR_PROGRAM_WORKER__NUMPROCS: '3',
  ONEVISOR_PROGRAM_WORKER__PROCESS_NAME: '%(program_name)s_%(process_num)02d',
});

/** Asserts that all programs run and answer. */
async function assertServes(container: Container, site: Site): Promise<void> {
  await container.waitForLine(/entered RUNNING/, { count: 5, timeoutMs: 60_000 });
  assert.equal(await until('the page', () => page(site.web).catch(() => undefined)), 'served\n');
  await container.waitForLine(/"GET \/hello HTTP\/1\.1" 200/);
  await container.waitForLine(/worker_0\d +\| at work/, { count: 3 });
  const answer = await container.exec('redis-cli', '-p', String(site.cache), 'ping');
  assert.equal(answer.stdout, 'PONG\n', answer.stderr);
}

/** Returns the time of the last matching log line in milliseconds since the epoch. Containers use UTC. */
function loggedMs(container: Container, pattern: RegExp): number {
  const line = container.stdout.all.findLast((text) => pattern.test(text)) ?? '';
  return Date.parse(`${line.slice(0, 23).replace(' ', 'T').replace(',', '.')}Z`);
}

/**
 * Asserts a clean end without a timeout: nothing had to be killed, and the second for possible leftovers was not waited
 * for. The times are those of the log and of the container's end, without podman's own time.
 */
async function assertStopsSoon(t: TestContext, container: Container): Promise<void> {
  await container.stop();
  assert.equal(await container.exit, 0);
  assert.doesNotMatch(container.stdout.text, /SIGKILL/);
  const endedMs = await container.endedMs();
  const restMs = endedMs - loggedMs(container, / INFO stopped: /);
  t.diagnostic(
    `it ended ${endedMs - loggedMs(container, / WARN received SIGTERM /)} ms after SIGTERM, ${restMs} ms after ` +
      `its programs`,
  );
  assert.ok(restMs < 1000, `the container ended ${restMs} ms after its programs`);
}

const VARIANTS: ReadonlyArray<{ readonly what: string; readonly flags: readonly string[] }> = [
  { what: 'as it comes', flags: [] },
  { what: 'with a read-only root and tmpfs', flags: ['--read-only'] },
  { what: 'as user 1000', flags: ['--user=1000'] },
  { what: 'as user 12345, whom nobody knows, with a read-only root', flags: ['--user=12345:12345', '--read-only'] },
];

for (const { what, flags } of VARIANTS) {
  test(`nginx, redis and three workers from a file, ${what}`, { skip, timeout: 120_000 }, async (t) => {
    const site = await makeSite(t);
    const container = await startContainer(t, {
      image: 'programs',
      config: siteFile(site),
      mounts: site.mounts,
      flags,
    });
    await assertServes(container, site);
    await assertStopsSoon(t, container);
  });
}

test(
  'nginx, redis and three workers from variables alone; supervisorctl finds them without a configuration',
  { skip, timeout: 120_000 },
  async (t) => {
    const site = await makeSite(t);
    const container = await startContainer(t, { image: 'programs', env: siteVariables(site), mounts: site.mounts });
    await assertServes(container, site);
    const status = await container.exec('onevisor', 'ctl', 'status');
    assert.equal(status.code, 0, status.stderr);
    assert.equal(status.stdout.match(/^\S+ +RUNNING +pid \d+, uptime \d:\d\d:\d\d$/gm)?.length, 5, status.stdout);
    await assertStopsSoon(t, container);
  },
);

test(
  'a read-only root without a tmpfs, in an image that was built with the former unpack',
  { skip, timeout: 120_000 },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'onevisor-image-'));
    const tag = 'localhost/onevisor-unpacked:test';
    t.after(async () => {
      await podman('image', 'rm', '--force', tag);
      await rm(folder, { recursive: true, force: true });
    });
    await writeFile(
      join(folder, 'Dockerfile'),
      `FROM ${await image('slim')}\n` +
        `RUN --mount=type=bind,source=onevisor,target=/mnt/onevisor cp /mnt/onevisor /usr/local/bin/ && onevisor ` +
        `unpack /usr/local/bin\nENTRYPOINT ["onevisor"]\n`,
    );
    await copyFile(EXECUTABLE, join(folder, 'onevisor'));
    await buildImage(folder, tag);
    const flags = ['--read-only', '--read-only-tmpfs=false', '--user=12345:12345', '--cap-drop=ALL'];
    const container = await startContainer(t, {
      image: { tag },
      mountExecutable: false,
      env: { ONEVISOR_PROGRAM_A: 'sh -c "echo up; exec sleep 1000"' },
      flags,
    });
    await container.stdout.waitFor(/^a \| up$/);
    await assertStopsSoon(t, container);
    // ENTRYPOINT with a CMD: the command after -- is the main program.
    const main = await runContainer(t, {
      image: { tag },
      mountExecutable: false,
      command: ['--', 'sh', '-c', 'echo only me; exit 3'],
      flags,
    });
    assert.deepEqual([main.code, main.stdout, main.stderr], [3, 'only me', '']);
  },
);

test('podman logs has whole lines, each with its prefix', { skip, timeout: 120_000 }, async (t) => {
  const container = await startContainer(t, {
    env: {
      ONEVISOR_SUPERVISORD__LOGLEVEL: 'error',
      ...Object.fromEntries(
        ['one', 'two', 'three'].map((name) => [
          `ONEVISOR_PROGRAM_${name.toUpperCase()}`,
          `sh -c "i=0; while [ $i -lt 500 ]; do i=$((i+1)); printf 'line %%d ' $i; printf 'of ${name}\\n'; ` +
            `done; echo ready; exec sleep 1000"`,
        ]),
      ),
    },
  });
  await container.stdout.waitFor(/ready$/, { count: 3 });
  await container.stop();
  const { stdout } = await container.logs();
  for (const name of ['one', 'two', 'three']) {
    const lines = stdout.split('\n').filter((line) => line.startsWith(`${name} `) && !line.endsWith('ready'));
    assert.deepEqual(
      lines,
      Array.from({ length: 500 }, (_, index) => `${name.padEnd(5)} | line ${index + 1} of ${name}`),
    );
  }
  assert.equal(stdout.split('\n').length, 3 * 501 + 1);
});

test('podman kill: USR2 reopens logs, HUP restarts, TERM ends', { skip, timeout: 120_000 }, async (t) => {
  const container = await startContainer(t, {
    config: '[supervisord]\n[program:a]\ncommand=sh -c "echo up; exec sleep 1000"\n',
  });
  await container.stdout.waitFor(/^a \| up$/);
  await container.kill('USR2');
  await container.waitForLine(/received SIGUSR2 indicating log reopen request/);
  await container.kill('HUP');
  await container.waitForLine(/received SIGHUP indicating restart request/);
  await container.stdout.waitFor(/^a \| up$/, { count: 2 });
  await container.kill('TERM');
  assert.equal(await container.exit, 0);
});

test(
  "a program that ignores TERM, without stopwaitsecs: killed before podman's ten seconds have passed",
  { skip, timeout: 120_000 },
  async (t) => {
    const container = await startContainer(t, {
      config:
        '[supervisord]\n[program:deaf]\ncommand=sh -c "trap \'\' TERM; echo ready; while :; do sleep 0.1; done"\n',
    });
    await container.stdout.waitFor(/ready$/);
    await container.stop();
    assert.equal(await container.exit, 0, 'podman did not have to kill us');
    const tookMs =
      loggedMs(container, / WARN killing 'deaf' \(\d+\) with SIGKILL$/) -
      loggedMs(container, / WARN received SIGTERM /);
    assert.ok(tookMs >= 7999 && tookMs < 10_000, `killed ${tookMs} ms after SIGTERM`);
  },
);

test('orphans leave no zombie', { skip, timeout: 120_000 }, async (t) => {
  const program = await compile(t, 'leaves-orphans', '-static');
  const container = await startContainer(t, {
    image: 'programs',
    env: { ONEVISOR_PROGRAM_PARENT: '/leaves-orphans 1000' },
    mounts: { '/leaves-orphans': program },
  });
  await container.stdout.waitFor(/left 1000$/);
  await until('all to be reaped', async () => !(await container.exec('ps', '-eo', 'stat')).stdout.includes('Z'));
  assert.equal((await container.exec('cat', '/proc/1/comm')).stdout, 'onevisor\n');
  await assertStopsSoon(t, container);
});

test('the engine gets the exit code of the program that ended the container', { skip, timeout: 120_000 }, async (t) => {
  const failing = await runContainer(t, {
    env: {
      ONEVISOR_PROGRAM_A: 'sh -c "exit 5"',
      ONEVISOR_PROGRAM_A__EXIT_ON_FAILURE: 'true',
      ONEVISOR_PROGRAM_A__STARTRETRIES: '0',
      ONEVISOR_PROGRAM_B: 'sleep 1000',
    },
  });
  assert.equal(failing.code, 5, failing.stdout);
  const wrong = await runContainer(t, { config: '[supervisord]\n[program:a]\n' });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /\/etc\/supervisord\.conf:2: \[program:a\] command: /);
  const missing = await runContainer(t, { command: ['/usr/local/bin/onevisor', '--', 'no-such-command'] });
  assert.equal(missing.code, 127);
  const killed = await runContainer(t, { command: ['/usr/local/bin/onevisor', '--', 'sh', '-c', 'kill -9 $$'] });
  assert.equal(killed.code, 137);
});

test(
  'with a terminal (-t): the command has it, and a supervisor prints names in colour',
  { skip, timeout: 120_000 },
  async (t) => {
    const main = await runContainer(t, {
      flags: ['-t'],
      command: ['/usr/local/bin/onevisor', '--', 'sh', '-c', 'test -t 0 && test -t 1 && echo a terminal; exit 6'],
    });
    assert.equal(main.code, 6, main.stdout);
    assert.match(main.stdout, /^a terminal\r?$/m);
    const container = await startContainer(t, {
      flags: ['-t'],
      env: { ONEVISOR_PROGRAM_A: 'sh -c "echo up; exec sleep 1000"' },
    });
    await container.stdout.waitFor(/^\u001b\[\d+ma \| \u001b\[0mup\r?$/);
    await container.stop();
    assert.equal(await container.exit, 0);
  },
);
