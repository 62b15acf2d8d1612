/** /healthz, /readyz and /metrics over real sockets: their answers while programs start and stop, and the access. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { inetSpec, unixSpec } from '../../src/http/open-servers.ts';
import { inWorld, Peer, type ServerWorld } from '../unit/http/server-world.ts';
import { REQUEST } from '../causes.ts';

const authorization = `Authorization: Basic ${Buffer.from('u:p').toString('base64')}\r\n`;
const credentials = { username: 'u', password: 'p' };

/** Returns a whole answer: head and body. */
async function ask(
  world: ServerWorld,
  path: string,
  { method = 'GET', headers = '' } = {},
): Promise<{ status: number; head: string; body: string }> {
  const text = await world.connect().send(`${method} ${path} HTTP/1.1\r\nConnection: close\r\n${headers}\r\n`).end();
  const border = text.indexOf('\r\n\r\n');
  return { status: Number(text.split(' ')[1]), head: text.slice(0, border), body: text.slice(border + 4) };
}

async function expectProbes(
  world: ServerWorld,
  healthz: readonly [number, string],
  readyz: readonly [number, string],
): Promise<void> {
  for (const [path, [status, body]] of [
    ['/healthz', healthz],
    ['/readyz', readyz],
  ] as const) {
    const answer = await ask(world, path);
    assert.deepEqual([path, answer.status, answer.body], [path, status, body]);
    assert.match(answer.head, /Content-Type: text\/plain;charset=utf-8/);
  }
}

const ok = [200, 'ok\n'] as const;

test('a starting program is alive and becomes ready, then is stopped by a user', () =>
  inWorld(
    {
      programs: [
        { name: 'web', options: { autostart: true, startsecs: 1000 } },
        { name: 'extra', group: 'g', options: { startsecs: 0 } },
      ],
    },
    async (world) => {
      await world.open();
      await expectProbes(world, ok, [503, 'web: STARTING\n']);
      world.api.start('g:extra', REQUEST);
      world.api.stop('web:web', REQUEST);
      await expectProbes(world, ok, ok);
    },
  ));

test('a failing program is neither, with one line for each problem', () =>
  inWorld(
    {
      programs: [
        { name: 'web', options: { autostart: true }, spawnError: "can't find command '/x'" },
        { name: 'job', group: 'g', options: { autostart: true, startretries: 0 }, spawnError: 'no' },
        { name: 'fine', options: { autostart: true, startsecs: 0 } },
      ],
    },
    async (world) => {
      await world.open();
      // A retry that is due needs no new container.
      const alive = [503, 'g:job: FATAL no\n'] as const;
      const ready = [503, "web: BACKOFF can't find command '/x'\ng:job: FATAL no\n"] as const;
      await expectProbes(world, alive, ready);
    },
  ));

test('health and readiness of a program count', () =>
  inWorld(
    { programs: [{ name: 'web', options: { autostart: true, startsecs: 0, notification_fd: 3 } }] },
    async (world) => {
      await world.open();
      const { engine } = world.api;
      await expectProbes(world, ok, [503, 'web: RUNNING not ready\n']);
      engine.reportHealth('web:web', 1, 'starting');
      engine.reportReady('web:web', 1);
      await expectProbes(world, ok, [503, 'web: RUNNING starting\n']);
      assert.match((await ask(world, '/metrics')).body, /^onevisor_process_ready\{group="web",name="web"\} 1\n/m);
      engine.reportHealth('web:web', 1, 'unhealthy');
      await expectProbes(world, [503, 'web: RUNNING unhealthy\n'], [503, 'web: RUNNING unhealthy\n']);
      engine.reportHealth('web:web', 1, 'healthy');
      await expectProbes(world, ok, ok);
      assert.match(
        (await ask(world, '/metrics')).body,
        /^onevisor_process_health\{group="web",name="web",health="healthy"\} 1\n/m,
      );
    },
  ));

test('a supervisor that shuts down is alive and not ready', () =>
  inWorld(
    {
      programs: [
        { name: 'web', options: { autostart: true, startsecs: 0 }, ignores: [15] },
        { name: 'bad', options: { autostart: true, startretries: 0 }, spawnError: 'no' },
      ],
    },
    async (world) => {
      await world.open();
      world.api.shutdown(REQUEST);
      await expectProbes(world, ok, [503, 'supervisor: SHUTDOWN\n']);
    },
  ));

test('a probe may ask for one program, group or process, which should then run', () =>
  inWorld(
    {
      programs: [
        { name: 'web', options: { autostart: true, startsecs: 0 } },
        { name: 'bad', group: 'g', options: { autostart: true, startretries: 0 }, spawnError: 'no' },
        { name: 'off', group: 'g' },
      ],
    },
    async (world) => {
      await world.open();
      const answers = [
        ['/readyz?program=web', 200, 'ok\n'],
        ['/healthz?program=web', 200, 'ok\n'],
        ['/readyz?program=g%3Abad', 503, 'g:bad: FATAL no\n'],
        ['/readyz?program=g', 503, 'g:bad: FATAL no\ng:off: STOPPED Not started\n'],
        ['/healthz?program=off', 200, 'ok\n'],
        ['/readyz?program=web&program=off', 503, 'g:off: STOPPED Not started\n'],
        ['/readyz?program=nope', 404, 'there is no program, group or process with that name\n'],
        ['/readyz?other=1', 503, 'g:bad: FATAL no\n'],
      ] as const;
      for (const [path, status, body] of answers) {
        const answer = await ask(world, path);
        assert.deepEqual([path, answer.status, answer.body], [path, status, body]);
      }
    },
  ));

test('the metrics are compressed on request', () =>
  inWorld({ programs: [{ name: 'web' }] }, async (world) => {
    const inet = inetSpec({
      port: { host: '127.0.0.1', port: 0 },
      username: null,
      password: null,
      allow_insecure: false,
      allowed_hosts: [],
      metrics_auth: true,
      probes_auth: true,
    });
    assert.ok(inet.kind === 'inet');
    const { port } = await world.openInet(inet);
    const get = (accepted: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/metrics`, { headers: { 'Accept-Encoding': accepted } });
    for (const [accepted, coding] of [
      ['gzip', 'gzip'],
      ['deflate, GZIP;q=0.5', 'gzip'],
      ['identity', null],
      ['gzip;q=0', null],
      ['br', null],
    ] as const) {
      const response = await get(accepted);
      assert.deepEqual(
        [accepted, response.headers.get('content-encoding'), response.headers.get('vary')],
        [accepted, coding, 'Accept, Accept-Encoding'],
      );
      assert.match(await response.text(), /^onevisor_process_up\{group="web",name="web"\} 0$/m);
    }
  }));

test('without programs the supervisor is ready', () =>
  inWorld({}, async (world) => {
    await world.open();
    await expectProbes(world, ok, ok);
  }));

test('HEAD answers like GET without the content, and the connection stays open', () =>
  inWorld(
    { programs: [{ name: 'web', options: { autostart: true, startretries: 0 }, spawnError: 'no' }] },
    async (world) => {
      await world.open();
      for (const [path, status] of [
        ['/healthz', 503],
        ['/metrics', 200],
        ['/logtail/web', 200],
        ['/nope', 404],
      ] as const) {
        const answer = await ask(world, path, { method: 'HEAD' });
        assert.deepEqual([path, answer.status, answer.body], [path, status, '']);
      }
      const length = /Content-Length: (\d+)/.exec((await ask(world, '/healthz', { method: 'HEAD' })).head)?.[1];
      assert.equal(Number(length), (await ask(world, '/healthz')).body.length);
      const peer = world.connect();
      await peer
        .send('HEAD /logtail/web HTTP/1.1\r\n\r\nHEAD /healthz HTTP/1.1\r\n\r\nGET /readyz HTTP/1.1\r\n\r\n')
        .until(/FATAL no\n$/);
      peer.close();
      // A stream stays open for GET, and ends at once for HEAD.
      assert.equal(world.api.logOf('web:web', 'stdout').followers, 0);
    },
  ));

test('the metrics: their content type, and the same text in every answer', () =>
  inWorld(
    { programs: [{ name: 'web "1"', group: 'g', options: { autostart: true, startsecs: 0 } }] },
    async (world) => {
      await world.open();
      const { status, head, body } = await ask(world, '/metrics');
      assert.equal(status, 200);
      assert.match(head, /Content-Type: text\/plain; version=0\.0\.4; charset=utf-8\r\n/);
      assert.match(body, /^onevisor_process_up\{group="g",name="web \\"1\\""\} 1\n/m);
      const start = Number(/^node_supervisord_start_time_seconds\{.*\} (\d+)$/m.exec(body)?.[1]);
      assert.ok(start >= 1_795_223_700, String(start));
      assert.equal((await ask(world, '/metrics')).body, body);
    },
  ));

test('the metrics of one process or group, without the others', () =>
  inWorld(
    { programs: ['a', 'b', 'web'].map((name) => ({ name, ...(name === 'web' ? {} : { group: 'g' }) })) },
    async (world) => {
      await world.open();
      const namesIn = async (query: string): Promise<string[]> => {
        const { status, body } = await ask(world, `/metrics?${query}`);
        assert.equal(status, 200, body);
        assert.match(body, /^onevisor_build_info/m);
        return [...body.matchAll(/^onevisor_process_up\{group="(.*)",name="(.*)"\}/gm)].map(([, g, n]) => `${g}:${n}`);
      };
      assert.deepEqual(await namesIn('program=web'), ['web:web']);
      assert.deepEqual(await namesIn('program=g'), ['g:a', 'g:b']);
      assert.deepEqual(await namesIn('program=g:*'), ['g:a', 'g:b']);
      assert.deepEqual(await namesIn('program=g:b&program=web&program=g%3Ab'), ['g:b', 'web:web']);
      for (const name of ['nothing', 'g:nothing', 'nothing:*', 'g:g', '']) {
        const { status, body } = await ask(world, `/metrics?program=${name}`);
        assert.deepEqual([status, body], [404, 'there is no process or group with that name\n'], name);
      }
    },
  ));

test('metrics_auth=false opens the metrics of that server, and nothing else', () =>
  inWorld({ credentials }, async (world) => {
    const [authentication, never] = [{ username: 'u', password: 'p' }, (): never => assert.fail('asked for an owner')];
    await world.open({
      ...unixSpec(
        {
          file: world.socketPath,
          chmod: 0o700,
          chown: null,
          ...authentication,
          metrics_auth: false,
          probes_auth: true,
        },
        never,
        () => null,
      ),
      kind: 'unix',
    });
    assert.equal((await ask(world, '/metrics')).status, 200);
    for (const path of ['/healthz', '/readyz', '/mainlogtail', '/logtail/web', '/metrics.txt', '/'])
      assert.equal((await ask(world, path)).status, 401, path);
    assert.equal((await ask(world, '/healthz', { headers: authorization })).status, 200);
    // Another server of the same supervisor requires the password.
    const inet = inetSpec({
      port: { host: '127.0.0.1', port: 0 },
      ...authentication,
      allow_insecure: false,
      allowed_hosts: [],
      metrics_auth: true,
      probes_auth: true,
    });
    assert.ok(inet.kind === 'inet');
    const { port } = await world.openInet(inet);
    assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`)).status, 401);
    assert.equal(
      (
        await fetch(`http://127.0.0.1:${port}/metrics`, {
          headers: { Authorization: `Basic ${Buffer.from('u:p').toString('base64')}` },
        })
      ).status,
      200,
    );
  }));

test('probes_auth=false opens the probes of that server, and nothing else', () =>
  inWorld({ credentials }, async (world) => {
    await world.open({ openAccess: ['probes_auth'] });
    for (const path of ['/healthz', '/readyz']) assert.equal((await ask(world, path)).status, 200);
    for (const path of ['/metrics', '/mainlogtail', '/', '/healthz.html'])
      assert.equal((await ask(world, path)).status, 401, path);
  }));

test(
  'a server on loopback without a password answers to no name that another site could have, on no route but the ' +
    'open ones',
  () =>
    inWorld({ programs: [{ name: 'web', options: { autostart: true, startsecs: 0 } }] }, async (world) => {
      const statusOf = async (port: number | null, path: string, host: string, method = 'GET'): Promise<number> => {
        const peer = new Peer(connect({ host: '127.0.0.1', port: port ?? 0 }));
        const text = await peer
          .send(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`)
          .until(/^HTTP\/1.1 \d+/);
        peer.close();
        return Number(text.split(' ')[1]);
      };
      const paths = ['/healthz', '/readyz', '/metrics', '/mainlogtail', '/logtail/web', '/nothing'];
      const closed = await world.openInet();
      for (const path of paths) assert.equal(await statusOf(closed.port, path, 'evil.example'), 403, path);
      assert.equal(await statusOf(closed.port, '/RPC2', 'evil.example', 'POST'), 403);
      assert.equal(await statusOf(closed.port, '/metrics', `localhost:${closed.port}`), 200);
      const named = await world.openInet({ allowedHosts: ['Proxy.example', '::2'] });
      for (const host of ['proxy.example', 'PROXY.EXAMPLE.:8080', '127.0.0.1'])
        assert.equal(await statusOf(named.port, '/healthz', host), 200, host);
      assert.equal(await statusOf(named.port, '/healthz', 'a.proxy.example'), 403);
      const open = await world.openInet({ openAccess: ['metrics_auth', 'probes_auth'] });
      for (const path of ['/healthz', '/readyz', '/metrics'])
        assert.equal(await statusOf(open.port, path, 'prometheus.example'), 200, path);
      assert.equal(await statusOf(open.port, '/mainlogtail', 'prometheus.example'), 403);
      for (const spec of [{ isInsecureAllowed: true }, { allowedHosts: ['*'] }, { credentials }]) {
        const { port } = await world.openInet(spec);
        assert.equal(await statusOf(port, '/healthz', 'evil.example'), 'credentials' in spec ? 401 : 200);
      }
    }),
);
