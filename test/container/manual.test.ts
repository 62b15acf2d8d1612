/**
 * The examples of README.md and of the manual, each run unchanged in a container. Their programs are in manual/.
 * test/e2e/manual-blocks.ts describes how examples are marked.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { until } from '../e2e/observe.ts';
import { blocksOfKind, ROOT, withSupervisord } from '../e2e/manual-blocks.ts';
import { buildImage, getInside, image, IMAGES, playKube, skipReason, startContainer } from './containers.ts';
import type { TestContext } from 'node:test';
import type { Container, ContainerOptions, HttpAnswer } from './containers.ts';

const skip = (await skipReason()) ?? false;
const examples = blocksOfKind('example');
/** Directory of the programs of the examples. */
const PROGRAMS = join(import.meta.dirname, 'manual');
const PATH = '/opt/manual:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** An image as the Dockerfile at the top makes it, as far as `COPY --from=onevisor` needs it. */
const ONEVISOR = 'localhost/onevisor:latest';
/** An image with the executable and the programs of the examples, for files that only name an image. */
const APP = 'localhost/onevisor-manual-app:test';

const DOCKERFILE = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
const run = promisify(execFile);

type Start = (options?: Pick<ContainerOptions, 'image' | 'env' | 'mounts' | 'flags'>) => Promise<Container>;
type Check = (start: Start, t: TestContext) => Promise<void>;

const ctl = async (container: Container, ...args: string[]): Promise<string> =>
  (await container.exec('onevisor', 'ctl', ...args)).stdout;
const spawned = ({ stdout }: Container): string[] =>
  stdout.all.flatMap((line) => /INFO spawned: '(\w+)'/.exec(line)?.[1] ?? []);

async function stop(container: Container): Promise<void> {
  await container.stop(10);
  assert.equal(await container.exit, 0);
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
  'health-http': async (start) => {
    const container = await start({ env: { WORKER: 'serve' } });
    await container.waitForLine(/health: worker_\d is healthy/, { count: 2 });
    assert.match(await ctl(container, 'status'), /^worker:worker_1 +RUNNING +.*, healthy$/m);
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
      container.stdout.all.some((line) => line.includes("stopping the remaining processes of the group of 'worker'")),
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
    const folder = await mkdtemp(join(tmpdir(), 'onevisor-manual-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'web.env'), 'FROM_FILE=first\n');
    await writeFile(join(folder, 'PASSWORD'), 'p%(x)s,"q"\n');
    const mounts = { '/etc/web.env': join(folder, 'web.env'), '/run/secrets/PASSWORD': join(folder, 'PASSWORD') };
    const container = await start({ env: { NAME: 'A, "B" %s' }, mounts });
    const [line = ''] = await container.waitForLine(/web with.*/);
    assert.match(
      line,
      /^web with --port 8080; .*; greeting 100% 'yours', A, "B" %s; from file first; secret p%\(x\)s,"q"; database $/,
    );
    await stop(container);
    const refused = await start({ mounts });
    assert.equal(await refused.exit, 2);
    assert.match(refused.stderr.text, /\/etc\/supervisord\.conf:7: \[program:web\] environment: .*set NAME/);
  },
  'file-variables': async (start, t) => {
    const folder = await mkdtemp(join(tmpdir(), 'onevisor-manual-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'db'), 'hidden\n');
    const mounts = { '/opt/keys/db': join(folder, 'db') };
    const container = await start({ env: { DB_PASSWORD_FILE: '/opt/keys/db' }, mounts });
    await container.waitForLine(/web with.*; database hidden$/);
    await stop(container);
    const refused = await start({ env: { DB_PASSWORD_FILE: '/opt/keys/none' } });
    await refused.waitForLine(/DB_PASSWORD_FILE.*\/opt\/keys\/none/);
    await refused.stop(10);
  },
  'environment-clear': async (start, t) => {
    const folder = await mkdtemp(join(tmpdir(), 'onevisor-manual-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'web.env'), 'FROM_FILE="${NAME:-x} ${NONE:-y}"\nGREETING=hello # comment\n');
    const env = { NAME: 'outer', WEB_PASSWORD: 'p', DB_PASSWORD: 'hidden', LC_ALL: 'C' };
    const container = await start({ env, mounts: { '/etc/web.env': join(folder, 'web.env') } });
    const [line = ''] = await container.waitForLine(/web with.*/);
    assert.match(line, /; greeting hello; from file outer y; secret p; database $/);
    const { stdout } = await container.exec('sh', '-c', 'tr "\\0" "\\n" < /proc/$(onevisor ctl pid web)/environ');
    assert.deepEqual(
      stdout
        .split('\n')
        .flatMap((variable) => /^(?!SUPERVISOR_)(\w+)=/.exec(variable)?.[1] ?? [])
        .toSorted(),
      ['FROM_FILE', 'GREETING', 'LC_ALL', 'PASSWORD', 'PATH'],
    );
    await stop(container);
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
  'log-tty': async (start) => {
    const container = await start();
    await container.waitForLine(/report \| on a terminal: 40 120$/);
    await stop(container);
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
    const container = await start({ image: 'programs' });
    await container.waitForLine(/success: web entered RUNNING/);
    const metrics = await getInside(container.exec, 'http://127.0.0.1:9101/metrics');
    assert.equal(metrics.status, 200);
    assert.match(metrics.body, /^onevisor_process_up\{group="web",name="web"\} 1$/m);
    assert.equal((await getInside(container.exec, 'http://127.0.0.1:9101/readyz')).status, 401);
    assert.deepEqual(await getInside(container.exec, 'http://127.0.0.1:9101/readyz', '--user', 'probe:123'), {
      status: 200,
      body: 'ok\n',
    });
    await stop(container);
  },
  start: async (start) => {
    const container = await start({ env: { WORKER: 'stay' } });
    await container.waitForLine(/^web with/);
    await container.waitForLine(/success: worker_0\d entered RUNNING/, { count: 3 });
    await stop(container);
  },
  front: async (start) => {
    const container = await start();
    await container.waitForLine(/success: web entered RUNNING/);
    assert.deepEqual(spawned(container), ['migrate', 'web']);
    await stop(container);
    const failed = await start({ env: { MIGRATE_CODE: '7' } });
    assert.equal(await failed.exit, 7);
  },
  unbuffered: async (start) => {
    const container = await start({ env: { WORKER: 'stay' } });
    await container.waitForLine(/success: worker entered RUNNING/);
    const { stdout } = await container.exec('sh', '-c', 'cat /proc/[0-9]*/environ | tr "\\0" "\\n"');
    assert.match(stdout, /^PYTHONUNBUFFERED=1$/m);
    await stop(container);
  },
  servers: async (start) => {
    const container = await start({ image: 'programs' });
    await container.waitForLine(/success: web entered RUNNING/);
    assert.match(
      (await container.exec('onevisor', 'ctl', '-s', 'unix:///run/supervisor.sock', 'status')).stdout,
      /RUNNING/,
    );
    assert.equal((await getInside(container.exec, 'http://127.0.0.1:9001/')).status, 401);
    await stop(container);
  },
  security: async (start) => {
    const container = await start();
    const [line = ''] = await container.waitForLine(/web with.*/);
    assert.match(line, /user www-data,/);
    await stop(container);
  },
  fastcgi: async (start) => {
    const container = await start();
    await container.waitForLine(/success: php_\d entered RUNNING/, { count: 3 });
    assert.equal((await container.exec('stat', '-c', '%F %a', '/run/php.sock')).stdout.trim(), 'socket 666');
    await stop(container);
  },
};

/** Examples that need no container. test/e2e/manual.test.ts runs them. */
const CHECKED_IN_E2E = ['listener', 'plugins'];

const names = (kind: string): string[] => [...blocksOfKind(kind).keys()].toSorted();

test('each example of the documents is run here or with the executable, and there are no others', () => {
  assert.deepEqual(names('example'), [...Object.keys(checks), ...CHECKED_IN_E2E].toSorted());
  assert.deepEqual(names('run'), Object.keys(runs).toSorted());
  assert.deepEqual(names('dockerfile'), Object.keys(dockerfiles).toSorted());
  assert.deepEqual(names('compose'), ['compose']);
  assert.deepEqual(names('pod'), ['deployment', 'pod']);
});

for (const [name, check] of Object.entries(checks)) {
  test(`example: ${name}`, { skip }, async (t) => {
    const start: Start = (options) =>
      startContainer(t, {
        network: 'none',
        config: withSupervisord(examples.get(name)?.text ?? ''),
        ...options,
        env: { PATH, ...options?.env },
        mounts: { '/opt/manual': PROGRAMS, ...options?.mounts },
      });
    await check(start, t);
  });
}

/** Returns the arguments of the `docker` commands of a shell script, in order, split as a shell does. */
async function dockerCommands(script: string): Promise<string[][]> {
  const wrapper = 'docker() { printf "%s\\0" "$@"; printf "\\1"; }\n';
  const { stdout } = await run('sh', ['-c', `${wrapper}${script}`]);
  return stdout
    .split('\x01')
    .filter((part) => part !== '')
    .map((part) => part.split('\0').slice(0, -1));
}

/** Starts a container as `docker run` would: variables, and arguments after the image. */
async function dockerRun(t: TestContext, [verb, ...words]: string[], command?: string[]): Promise<Container> {
  assert.equal(verb, 'run');
  const env: Record<string, string> = {};
  while (words[0]?.startsWith('-') === true) {
    if (words.shift() !== '-e') continue;
    const [name = '', ...value] = (words.shift() ?? '').split('=');
    env[name] = value.join('=');
  }
  assert.equal(words.shift(), 'image');
  const given = command ?? (words.length > 0 ? words : ['onevisor']);
  return startContainer(t, {
    image: 'programs',
    env: { PATH, ...env },
    command: given,
    mounts: { '/opt/manual': PROGRAMS },
  });
}

const runs: Readonly<Record<string, (t: TestContext, commands: string[][]) => Promise<void>>> = {
  variables: async (t, [command = []]) => {
    // The image of the test has no Python. The variable of the page selects it.
    const container = await dockerRun(
      t,
      command.map((word) => word.replace('python3 -m http.server 8080', 'web')),
    );
    await container.waitForLine(/web +\| web with/);
    await container.waitForLine(/tick +\| /);
    await stop(container);
    assert.ok(!container.stdout.all.some((line) => line.includes(' INFO ')), 'loglevel=warn');
  },
  command: async (t, [first = [], second = []]) => {
    assert.deepEqual(first, ['run', '-it', 'image', 'onevisor', '--', 'bash']);
    const container = await dockerRun(t, second, ['onevisor', '--', 'sh', '-c', 'sleep 2; exit 5']);
    await container.waitForLine(/cache +\| /);
    assert.equal(await container.exit, 5);
  },
  bare: async (t, [first = [], second = []]) => {
    // The image of the test has no ENTRYPOINT, and no manage.py.
    assert.deepEqual(first, ['run', '-it', 'image', 'bash']);
    const container = await dockerRun(t, second, ['onevisor', 'sh', '-c', 'echo ran; exit 7']);
    await container.waitForLine(/^ran$/);
    assert.equal(await container.exit, 7);
  },
  front: async (t, [command = []]) => {
    const container = await dockerRun(
      t,
      command.map((word) => word.replace('python3 -m http.server 8080', 'web')),
    );
    await container.waitForLine(/web \| web with/);
    await stop(container);
  },
  'front-command': async (t, [command = []]) => {
    const container = await dockerRun(t, command, ['onevisor', '--', 'sh', '-c', 'sleep 2; exit 6']);
    await container.waitForLine(/cache +\| /);
    assert.equal(await container.exit, 6);
  },
};

for (const [name, check] of Object.entries(runs)) {
  test(`docker run: ${name}`, { skip }, async (t) => {
    await check(t, await dockerCommands(blocksOfKind('run').get(name)?.text ?? ''));
  });
}

/** Creates a folder for a build, which is removed after the test. */
async function buildFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-manual-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

let onevisorImage: Promise<void> | undefined;

/** Makes the image for `COPY --from=onevisor` once, from the last stage of the Dockerfile at the top. */
function makeOnevisorImage(t: TestContext): Promise<void> {
  onevisorImage ??= buildOnevisorImage(t);
  return onevisorImage;
}

async function buildOnevisorImage(t: TestContext): Promise<void> {
  await image('slim');
  const folder = await buildFolder(t);
  const dockerfile = DOCKERFILE.slice(DOCKERFILE.lastIndexOf('\nFROM ')).replaceAll(/--from=(?:files|build) \//g, '');
  await writeFile(join(folder, 'Dockerfile'), dockerfile);
  for (const name of ['onevisor', 'THIRD_PARTY_LICENSES.txt']) await cp(join(ROOT, 'dist', name), join(folder, name));
  await mkdir(join(folder, 'former'));
  await symlink('usr/local/bin/onevisor', join(folder, 'former', 'onevisor'));
  await buildImage(folder, ONEVISOR);
}

/** Builds a Dockerfile of the manual. The base image of the tests has the packages of apt-get already. */
async function buildFromManual(t: TestContext, name: string, files: Readonly<Record<string, string>>): Promise<string> {
  await makeOnevisorImage(t);
  await image('programs');
  const folder = await buildFolder(t);
  const text = (blocksOfKind('dockerfile').get(name)?.text ?? '')
    .replace(/^FROM debian:bookworm-slim$/m, `FROM ${IMAGES.programs.tag}`)
    .replace(/^RUN apt-get .*\n/m, '')
    .replaceAll('--from=onevisor ', `--from=${ONEVISOR} `);
  await writeFile(join(folder, 'Dockerfile'), text);
  for (const [path, content] of Object.entries(files)) await writeFile(join(folder, path), content);
  const tag = `localhost/onevisor-manual-${name}:test`;
  await buildImage(folder, tag);
  return tag;
}

const SLEEPER = '[supervisord]\nnodaemon=true\n[program:web]\ncommand=sleep 1000\n';

const dockerfiles: Readonly<Record<string, (t: TestContext) => Promise<void>>> = {
  front: async (t) => {
    const tag = await buildFromManual(t, 'front', {});
    const container = await startContainer(t, { image: { tag }, mountExecutable: false });
    await container.waitForLine(/success: cache entered RUNNING/);
    await container.waitForLine(/success: web entered RUNNING/);
    assert.match((await container.exec('supervisorctl', 'status')).stdout, /^cache +RUNNING[^]*^web +RUNNING/m);
    assert.equal((await container.exec('onevisor', 'health')).code, 0);
    await stop(container);
  },
  start: async (t) => {
    const tag = await buildFromManual(t, 'start', { 'supervisord.conf': SLEEPER });
    const container = await startContainer(t, { image: { tag }, mountExecutable: false });
    await container.waitForLine(/success: web entered RUNNING/);
    assert.match((await container.exec('supervisorctl', 'status')).stdout, /^web +RUNNING/);
    await stop(container);
  },
  migration: async (t) => {
    const tag = await buildFromManual(t, 'migration', { 'supervisord.conf': SLEEPER });
    const container = await startContainer(t, { image: { tag }, mountExecutable: false });
    await container.waitForLine(/success: web entered RUNNING/);
    assert.match((await container.exec('supervisorctl', 'status')).stdout, /^web +RUNNING/);
    await stop(container);
  },
};

for (const [name, check] of Object.entries(dockerfiles)) {
  test(`Dockerfile of the manual: ${name}`, { skip, timeout: 300_000 }, check);
}

/** Makes the image `app` of the files for Compose and Kubernetes. */
async function makeAppImage(t: TestContext): Promise<void> {
  await makeOnevisorImage(t);
  const folder = await buildFolder(t);
  await cp(PROGRAMS, join(folder, 'bin'), { recursive: true });
  const lines = [
    `FROM ${await image('programs')}`,
    `COPY --from=${ONEVISOR} /usr/local/bin/ /usr/local/bin/`,
    'COPY bin/ /usr/bin/',
    'ENV WORKER=stay',
    'ENTRYPOINT ["onevisor"]',
  ];
  await writeFile(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
  await buildImage(folder, APP);
}

test('the Compose file behaves as the page says', { skip, timeout: 300_000 }, async (t) => {
  await makeAppImage(t);
  const { services } = parse(blocksOfKind('compose').get('compose')?.text ?? '') as {
    services: Record<string, Record<string, unknown>>;
  };
  const { image: name, environment, healthcheck, read_only: isReadOnly, tmpfs, ...rest } = services['app'] ?? {};
  assert.equal(name, 'app');
  assert.deepEqual(rest, { stop_grace_period: '10s', restart: 'unless-stopped' });
  assert.equal(isReadOnly, true);
  const container = await startContainer(t, {
    image: { tag: APP },
    mountExecutable: false,
    env: environment as Record<string, string>,
    flags: ['--read-only', '--read-only-tmpfs=false', ...(tmpfs as string[]).map((path) => `--tmpfs=${path}`)],
  });
  await container.waitForLine(/"message":"success: worker entered RUNNING/);
  await container.waitForLine(/"message":"success: web entered RUNNING/);
  const { test: command } = healthcheck as { test: string[] };
  assert.equal(command.shift(), 'CMD');
  assert.equal((await container.exec(...command)).code, 0);
  await stop(container);
});

for (const name of ['pod', 'deployment']) {
  test(`Kubernetes: ${name}`, { skip, timeout: 300_000 }, async (t) => {
    await makeAppImage(t);
    const text = blocksOfKind('pod').get(name)?.text ?? '';
    const pod = await playKube(t, text.replaceAll('image: app', `image: ${APP}`));
    await until('both programs run', async () =>
      /worker +RUNNING/.test((await pod.exec('app', 'supervisorctl', 'status')).stdout),
    );
    await until('the probe of the file passes', async () => (await pod.exec('app', 'onevisor', 'health')).code === 0);
    if (name === 'deployment') {
      const get = (path: string): Promise<HttpAnswer> =>
        getInside((...command) => pod.exec('app', ...command), `http://127.0.0.1:9101${path}`);
      assert.equal((await get('/readyz')).body, 'ok\n');
      assert.equal((await get('/metrics')).status, 200);
      assert.equal((await get('/')).status, 401);
    } else {
      assert.match((await pod.exec('app', 'id', '-u')).stdout, /^12345$/m);
    }
  });
}
