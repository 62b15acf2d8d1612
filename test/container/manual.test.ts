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
import { Authority } from '../process/log-servers.ts';
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

/** Program in Perl that prints the answer of a web server at a port. */
const GET =
  'my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die "cannot connect: $!"; ' +
  'print $s "GET / HTTP/1.0\\r\\n\\r\\n"; print <$s>;';

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
  follow: async (start) => {
    const container = await start();
    await container.waitForLine(/success: proxy entered RUNNING/);
    await ctl(container, 'restart', 'db');
    await container.waitForLine(/restarting 'web': db has a new run/);
    await container.waitForLine(/restarting 'proxy': web has a new run/);
    await container.waitForLine(/success: proxy entered RUNNING/, { count: 2 });
    assert.deepEqual(spawned(container), ['db', 'web', 'proxy', 'db', 'web', 'proxy']);
    const restarted = await container.exec('onevisor', 'restart', '--with-dependents', 'db');
    assert.equal(
      restarted.stdout,
      'proxy: stopped\nweb: stopped\ndb: stopped\ndb: started\nweb: started\nproxy: started\n',
    );
    await stop(container);
  },
  'ready-log': async (start) => {
    const silent = await start();
    await silent.waitForLine(/success: web entered RUNNING|WARN stopping 'web'|web with/);
    assert.match(await ctl(silent, 'status', 'web'), /^web +STARTING/m);
    await stop(silent);
    const container = await start({ env: { GREETING: 'Listening on port 8080' } });
    await container.waitForLine(/INFO ready: web$/);
    await container.waitForLine(/success: web entered RUNNING/);
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
  notify: async (start) => {
    const container = await start({
      env: { ONEVISOR_PROGRAM_CHAT: 'chat 8065', ONEVISOR_PROGRAM_CHAT__PRIORITY: '1' },
    });
    const [, host = ''] = await container.waitForLine(
      /^chat +\| POST \/hooks\/abc \{"text": "(.+?): worker is FATAL: .*: exit status 1\\nworker in mode fail"\}/,
    );
    assert.equal(host, (await container.exec('hostname')).stdout.trim());
    assert.equal((await container.exec('onevisor', 'notify', 'chat')).stdout, 'chat: delivered\n');
    await stop(container);
  },
  'notify-mail': async (start, t) => {
    const folder = await mkdtemp(join(tmpdir(), 'onevisor-manual-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, 'mail-alert');
    await writeFile(path, blocksOfKind('file').get('mail-alert')?.text ?? '', { mode: 0o755 });
    const container = await start({ env: { PATH: `/opt/alert:${PATH}` }, mounts: { '/opt/alert': folder } });
    const mail = await until('a mail', async () => {
      const { stdout } = await container.exec('cat', '/tmp/mail');
      return /worker in mode fail/.test(stdout) && stdout;
    });
    assert.match(mail, /^To: ops@example\.org\nSubject: \[.+\] worker is FATAL: Exited too quickly .*\n\n20/);
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
  watch: async (start, t) => {
    const folder = await mkdtemp(join(tmpdir(), 'onevisor-manual-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await mkdir(join(folder, 'app'));
    await mkdir(join(folder, 'etc'));
    const container = await start({ mounts: { '/app': join(folder, 'app') } });
    await container.waitForLine(/restart_on_change: watching 0 files of \/app\/\*\*\/\*\.py/);
    await container.waitForLine(/watch_config: watching 1 file/);
    await writeFile(join(folder, 'app/main.py'), '');
    await container.waitForLine(/restarting 'web': \/app\/main\.py has changed/);
    await container.exec('sh', '-c', 'echo new >/etc/web.conf');
    await container.waitForLine(/sent SIGHUP to 'proxy': \/etc\/web\.conf has changed/);
    await stop(container);
  },
  cgroup: async (start) => {
    // The containers of these tests have no control groups of their own.
    const container = await start({ env: { WORKER: 'stay' } });
    await container.waitForLine(/success: worker entered RUNNING/);
    assert.match(
      container.stdout.all.join('\n'),
      /cannot use a control group for 'worker': .*memory_high is checked .*; without effect: cpu_max, pids_max, io_/,
    );
    assert.match(await ctl(container, 'describe', 'worker'), /Limits: .*cpu_max 0\.5/);
    await stop(container);
  },
  privileges: async (start) => {
    const container = await start({ env: { WORKER: 'stay' } });
    await container.waitForLine(/success: web entered RUNNING/);
    await container.waitForLine(/success: worker entered RUNNING/);
    const status = async (name: string): Promise<string> => {
      const pid = (await ctl(container, 'pid', name)).trim();
      return (await container.exec('grep', '-E', '^(CapEff|NoNewPrivs)', `/proc/${pid}/status`)).stdout;
    };
    assert.match(await status('web'), /CapEff:\s*0*400\nNoNewPrivs:\s*1/);
    const digits = /CapEff:\s*(\w+)\nNoNewPrivs:\s*0/.exec(await status('worker'))?.[1] ?? '0';
    assert.ok(BigInt(`0x${digits}`) > 0n);
    assert.equal(BigInt(`0x${digits}`) & ((1n << 13n) | (1n << 18n)), 0n);
    await stop(container);
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
  'log-permissions': async (start) => {
    const container = await start();
    const accessOf = async (path: string): Promise<string> =>
      (await container.exec('stat', '-c', '%a %U:%G', path)).stdout.trim();
    await until('the file of the program', async () => (await accessOf('/var/log/apps/web/out.log')) !== '');
    assert.equal(await accessOf('/var/log/apps/web/out.log'), '640 www-data:adm');
    assert.equal(await accessOf('/var/log/onevisor/supervisord.log'), '640 root:root');
    assert.equal(await accessOf('/var/log/apps/web'), '755 root:root');
    await stop(container);
  },
  'log-multiline': async (start) => {
    const container = await start();
    await container.waitForLine(
      /"message":"2026-11-21 10:00:00 ERROR no stock\\n  at com\.example\.Shop\\n  at .*Main"\}$/,
    );
    await container.waitForLine(/"data":\{"level":"info","stock":0\}\}$/);
    await container.waitForLine(/"message":"2026-11-21 10:00:01 INFO open"\}$/);
    await stop(container);
  },
  'log-servers': async (start, t) => {
    const authority = new Authority(t);
    const container = await start({
      mounts: { '/etc/ssl/loghost-ca.pem': authority.path },
      flags: ['--add-host', 'loghost:127.0.0.1'],
    });
    // There is no such server in the container. Each of them is reported once, and the program runs.
    for (const url of ['syslog\\+tls://loghost:6514', 'syslog\\+tcp://loghost:6601'])
      await container.waitForLine(new RegExp(`cannot write ${url}: connection refused`));
    await container.waitForLine(/^web with/);
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
    const container = await start({ env: { WORKER: 'stay' } });
    await container.waitForLine(/success: worker entered RUNNING/);
    await container.waitForLine(/success: web entered RUNNING/);
    await container.kill('USR1');
    await container.waitForLine(/exited: web \(terminated by SIGUSR1; not expected\)/);
    await container.waitForLine(/spawned: 'web'/, { count: 2 });
    await container.waitForLine(/success: web entered RUNNING/, { count: 2 });
    await stop(container);
    await container.waitForLine(/(stopped|exited): worker \(terminated by SIGUSR2/);
    await container.waitForLine(/stopped: web \(terminated by SIGQUIT\)/);
  },
  reload: async (start) => {
    const container = await start({ env: { WORKER: 'stay' } });
    await container.waitForLine(/success: web entered RUNNING/);
    await container.waitForLine(/success: proxy entered RUNNING/);
    assert.equal(await ctl(container, 'reload-program', 'web'), 'web: reloaded (SIGHUP)\n');
    await container.waitForLine(/exited: web \(terminated by SIGHUP; not expected\)/);
    assert.equal(await ctl(container, 'reload-program', 'proxy'), 'proxy: reloaded (reload_command)\n');
    await container.waitForLine(/^proxy \| asked proxy$/);
    await container.waitForLine(/exited: proxy \(terminated by SIGUSR1; not expected\)/);
    await stop(container);
  },
  delay: async (start) => {
    const container = await start({ image: 'programs' });
    await container.waitForLine(/success: web entered RUNNING/);
    const ask = async (path: string): Promise<number> =>
      (await getInside(container.exec, `http://127.0.0.1:9101${path}`)).status;
    assert.equal(await ask('/readyz'), 200);
    await container.kill('TERM');
    await container.waitForLine(/the programs run on for 5 seconds \(shutdown_delay\)/);
    assert.deepEqual([await ask('/readyz'), await ask('/healthz')], [503, 200]);
    await container.waitForLine(/waiting for web to die/);
    await container.waitForLine(/^web \| web leaves$/);
    assert.equal(await container.exit, 0);
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
  'api-users': async (start, t) => {
    const folder = await mkdtemp(join(tmpdir(), 'onevisor-manual-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'prometheus'), 'scrape\n', { mode: 0o400 });
    const container = await start({
      image: 'programs',
      env: { CONTROL_PASSWORD: 'look' },
      mounts: { '/run/secrets': folder },
    });
    await container.waitForLine(/success: web entered RUNNING/);
    const server = 'http://127.0.0.1:9001';
    const statusOf = async (path: string, ...options: string[]): Promise<number> =>
      (await getInside(container.exec, `${server}${path}`, ...options)).status;
    assert.equal(await statusOf('/metrics'), 401);
    assert.equal(await statusOf('/metrics', '-u', 'prometheus:scrape'), 200);
    assert.equal(await statusOf('/', '-u', 'prometheus:scrape'), 403);
    assert.equal(await statusOf('/index.html', '-u', 'guest:look'), 200);
    const as = (user: string, password: string, ...words: string[]): ReturnType<Container['exec']> =>
      container.exec('onevisor', 'ctl', '-s', server, '-u', user, '-p', password, ...words);
    assert.match((await as('guest', 'look', 'status')).stdout, /^web +RUNNING/);
    const refused = await as('guest', 'look', 'restart', 'web');
    assert.match(refused.stdout, /403 Forbidden: this needs the role admin, and yours is read/);
    assert.equal(refused.code, 1);
    assert.match((await as('ops', 'thepassword', 'restart', 'web')).stdout, /web: started/);
    assert.match(await ctl(container, 'describe', 'web'), /over TCP \(user ops, 127\.0\.0\.1\)/);
    await stop(container);
  },
  sockets: async (start) => {
    const container = await start();
    await container.waitForLine(/success: web entered RUNNING/);
    await container.waitForLine(/admin waits for a connection to tcp:\/\/127\.0\.0\.1:8081/);
    const get = async (port: number): Promise<string> =>
      (await container.exec('perl', '-MIO::Socket::INET', '-e', GET, String(port))).stdout;
    assert.match(await get(80), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nweb at web\n$/);
    assert.equal(
      (await container.exec('stat', '-c', '%F %a %U', '/run/web.sock')).stdout.trim(),
      'socket 660 www-data',
    );
    await ctl(container, 'stop', 'web');
    const waiting = get(80);
    await ctl(container, 'start', 'web');
    assert.match(await waiting, /web at web\n$/);
    assert.match(await ctl(container, 'status', 'admin'), /^admin +STOPPED +waits for a connection/m);
    assert.match(await get(8081), /admin at admin\n$/);
    await container.waitForLine(/success: admin entered RUNNING/);
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
  assert.deepEqual(names('compose'), ['compose', 'several-containers']);
  assert.deepEqual(names('pod'), ['deployment', 'pod', 'several-containers']);
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
