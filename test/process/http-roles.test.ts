/**
 * Every route of the supervisor × method × credentials × Host × Origin on each kind of server, and every XML-RPC method
 * × role. The routes and methods come from the supervisor's own tables, so that new ones are covered without a change
 * here. Their answers are replaced: only the way to them is tested.
 */
import assert from 'node:assert/strict';
import { Agent, request as sendRequest } from 'node:http';
import { describe, test } from 'node:test';
import { ApiDispatcher } from '../../src/api/dispatch.ts';
import { peerRows } from '../../src/api/peer-rows.ts';
import type { ApiContext, ApiRow } from '../../src/api/row.ts';
import { anything } from '../../src/api/schema.ts';
import { createTable } from '../../src/api/table.ts';
import type { Config } from '../../src/config/model.ts';
import { hasRole, type Role, ROLES } from '../../src/core/role.ts';
import type { HttpUser } from '../../src/http/authentication.ts';
import type { Access, Route } from '../../src/http/route.ts';
import { callMethod, RoleFault } from '../../src/rpc/call.ts';
import { type Method, type MethodTable, roleOf } from '../../src/rpc/method.ts';
import { createMethodTable } from '../../src/rpc/method-table.ts';
import { runMulticall } from '../../src/rpc/multicall.ts';
import { ownMethods } from '../../src/rpc/own-methods.ts';
import { ServerRoutes } from '../../src/supervisor/server-routes.ts';
import { inWorld, type ServerWorld } from '../unit/http/server-world.ts';
import { makeHub } from '../unit/peers/fake-peers.ts';
import { Client } from '../unit/rpc/calls.ts';

/** The users. The password of each is its name twice. */
const USERS: readonly HttpUser[] = [
  { name: 'metrics', password: 'metricsmetrics', role: 'metrics' },
  { name: 'read', password: 'readread', role: 'read' },
  { name: 'admin', password: 'adminadmin', role: 'admin' },
];
const OWNER = { username: 'owner', password: 'ownerowner' };

const METHODS = ['GET', 'HEAD', 'POST', 'PUT'] as const;
const CREDENTIALS = ['none', 'metrics', 'read', 'admin', 'owner', 'wrong', 'unknown', 'bearer'] as const;
const MAIN_CREDENTIALS = ['none', 'metrics', 'read', 'admin', 'wrong'] as const;
type Credential = (typeof CREDENTIALS)[number];

/** A kind of server, and the role that each credential has there. */
interface Scene {
  readonly title: string;
  readonly isUnix: boolean;
  readonly hasUsers: boolean;
  readonly hasOwner: boolean;
  readonly openAccess: ReadonlyArray<'metrics_auth' | 'probes_auth'>;
  readonly allowedHosts: readonly string[];
}

const PLAIN: Omit<Scene, 'title'> = {
  isUnix: false,
  hasUsers: true,
  hasOwner: false,
  openAccess: [],
  allowedHosts: ['proxy.example'],
};
const SCENES: readonly Scene[] = [
  { ...PLAIN, title: 'TCP with users' },
  { ...PLAIN, title: 'TCP with users and a password of its own', hasOwner: true },
  { ...PLAIN, title: 'TCP with open metrics and probes', openAccess: ['metrics_auth', 'probes_auth'] },
  { ...PLAIN, title: 'TCP without any password', hasUsers: false },
  { ...PLAIN, title: 'TCP without any password, with open metrics', hasUsers: false, openAccess: ['metrics_auth'] },
  { ...PLAIN, title: 'a unix socket with users', isUnix: true },
  { ...PLAIN, title: 'a unix socket with a password of its own', isUnix: true, hasOwner: true },
  { ...PLAIN, title: 'a unix socket without any password', isUnix: true, hasUsers: false },
];

/** A request of the table. */
interface Probe {
  readonly path: string;
  readonly method: (typeof METHODS)[number];
  readonly credential: Credential;
  readonly host: string;
  readonly origin: string | null;
}

/** The role of a client, by the rules of the manual; null for none. */
function expectedRole({ isUnix, hasUsers, hasOwner }: Scene, credential: Credential): Role | null {
  if (!hasUsers && !hasOwner) return 'admin';
  if (credential === 'none') return isUnix && !hasOwner ? 'admin' : null;
  if (credential === 'owner') return hasOwner ? 'admin' : null;
  const user = USERS.find(({ name }) => name === credential);
  return hasUsers ? (user?.role ?? null) : null;
}

/** The status of the answer, by the rules of the manual. */
function expectedStatus(scene: Scene, rows: readonly Route[], probe: Probe): number {
  const { isUnix, hasUsers, hasOwner, openAccess } = scene;
  const verb = probe.method === 'HEAD' ? 'GET' : probe.method;
  const route = rows.find(({ method }) => method === verb);
  const isOpen = (access: Access): boolean => access === 'open' || openAccess.some((name) => name === access);
  const isCrossSite = route?.method === 'POST' && probe.origin !== null && !isOurs(scene, probe);
  if (route !== undefined && isOpen(route.access)) return isCrossSite ? 403 : 200;
  const role = expectedRole(scene, probe.credential);
  const hasHostRule = !isUnix && !hasUsers && !hasOwner;
  const isHostKnown = !hasHostRule || probe.host === '127.0.0.1' || scene.allowedHosts.includes(probe.host);
  if (role === null) return 401;
  if (!isHostKnown) return 403;
  if (route === undefined) return 405;
  const needed: Role =
    route.access === 'metrics_auth' || route.access === 'probes_auth' ? 'metrics' : (route.access as Role);
  return !hasRole(role, needed) || isCrossSite ? 403 : 200;
}

const isOurs = ({ isUnix }: Scene, { origin, host }: Probe): boolean =>
  origin === `http://${host}` || (!isUnix && origin === 'http://proxy.example');

function headerOf(credential: Credential): string | null {
  if (credential === 'none') return null;
  if (credential === 'bearer') return 'Bearer adminadmin';
  const pair = { wrong: 'admin:readread', unknown: 'nobody:adminadmin' }[credential as string];
  return `Basic ${Buffer.from(pair ?? `${credential}:${credential}${credential}`).toString('base64')}`;
}

/** Returns the requests for one path. What cannot matter is left out: there are thousands of requests. */
function probesOf({ isUnix, hasUsers, hasOwner }: Scene, path: string): Probe[] {
  const hasHostRule = !isUnix && !hasUsers && !hasOwner;
  const hosts = hasHostRule ? ['127.0.0.1', 'proxy.example', 'evil.example'] : ['127.0.0.1', 'proxy.example'];
  const all = hosts.flatMap((host) => {
    const ours = `http://${host}`;
    const origins: Record<(typeof METHODS)[number], ReadonlyArray<string | null>> = {
      GET: [null, 'http://evil.site'],
      HEAD: [null],
      POST: [null, 'http://evil.site', 'http://proxy.example', ours],
      PUT: [null],
    };
    return METHODS.flatMap((method) => origins[method].map((origin) => ({ path, method, host, origin })));
  });
  return [
    ...all.flatMap((probe) => MAIN_CREDENTIALS.map((credential) => ({ ...probe, credential }))),
    ...(['GET', 'POST'] as const).flatMap((method) =>
      CREDENTIALS.map((credential) => ({ path, method, credential, host: '127.0.0.1', origin: null })),
    ),
  ];
}

/** Sends a request. Each has an address of its own, so that wrong passwords cause no pause. */
let sent = 0;
const keepAlive = new Agent({ keepAlive: true, maxSockets: 4 });
function statusOf(
  world: ServerWorld,
  port: number | null,
  probe: Probe,
  more: Readonly<Record<string, string>> = {},
): Promise<{ status: number; text: string }> {
  sent += 1;
  const authorization = headerOf(probe.credential);
  const isWrong = probe.credential === 'wrong' || probe.credential === 'unknown' || probe.credential === 'owner';
  const from = `127.${1 + (sent % 200)}.${Math.trunc(sent / 200) % 250}.${1 + (Math.trunc(sent / 50_000) % 200)}`;
  return new Promise((resolve, reject) => {
    sendRequest(
      {
        ...(port === null ? { socketPath: world.socketPath } : { host: '127.0.0.1', port }),
        ...(port !== null && isWrong ? { localAddress: from, agent: false } : { agent: keepAlive }),
        method: probe.method,
        path: probe.path,
        headers: {
          Host: probe.host,
          'Content-Length': 0,
          ...(authorization === null ? {} : { Authorization: authorization }),
          ...(probe.origin === null ? {} : { Origin: probe.origin }),
          ...more,
        },
      },
      (response) => {
        let text = '';
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    )
      .on('error', reject)
      .end();
  });
}

/** Opens the server of a scene, and returns its port. */
async function openScene(world: ServerWorld, scene: Scene): Promise<number | null> {
  let uid = 0;
  const spec = {
    ...(scene.hasOwner ? { credentials: OWNER } : {}),
    users: scene.hasUsers ? USERS : [],
    openAccess: scene.openAccess,
    peerOf: () => ({ pid: 7, uid: (uid += 1) }),
  };
  const { port } = scene.isUnix
    ? await world.open(spec)
    : await world.openInet({ ...spec, allowedHosts: scene.allowedHosts });
  return port;
}

/** Returns the routes that a supervisor serves, with answers of our own. */
async function allRoutes(world: ServerWorld): Promise<Route[]> {
  const real = new ServerRoutes(world.api, world.report, '1.2.3');
  const routes = await real.routesOf({ rpcInterfaces: [], dashboard: { history: 0 } } as unknown as Config);
  return routes.map((route) => ({
    ...route,
    answer: ({ response, role }) => void response.end(`reached as ${role}`),
  }));
}

describe('every route', () => {
  for (const scene of SCENES)
    test(scene.title, () =>
      inWorld({}, async (world) => {
        const routes = await allRoutes(world);
        assert.ok(routes.length > 8, String(routes.length));
        world.routes.splice(0, world.routes.length, ...routes);
        const port = await openScene(world, scene);
        for (const path of new Set(routes.map((route) => route.path))) {
          const rows = routes.filter((route) => route.path === path);
          const probes = probesOf(scene, path);
          const answers = await Promise.all(probes.map((probe) => statusOf(world, port, probe)));
          for (const [index, probe] of probes.entries()) {
            const { status, text } = answers[index] ?? { status: 0, text: '' };
            const expected = expectedStatus(scene, rows, probe);
            assert.equal(status, expected, `${scene.title}: ${JSON.stringify(probe)}: ${text}`);
            const isReached = text.startsWith('reached');
            assert.equal(isReached, status === 200 && probe.method !== 'HEAD', JSON.stringify(probe));
            if (isReached) checkRole(scene, probe, text);
          }
        }
      }),
    );
});

/**
 * Headers of requests to the API, and the status of a POST with them by a client that may send it; null for right
 * ones.
 */
const API_HEADERS: ReadonlyArray<{ readonly headers: Record<string, string>; readonly status: number | null }> = [
  { headers: { 'Content-Type': 'application/json', 'X-Onevisor': '1' }, status: null },
  { headers: { 'Content-Type': 'application/json' }, status: 403 },
  { headers: { 'Content-Type': 'text/plain', 'X-Onevisor': '1' }, status: 415 },
  { headers: { 'X-Onevisor': '1' }, status: 415 },
  { headers: { 'Content-Type': 'application/json', Origin: 'http://evil.site' }, status: 403 },
  { headers: { 'Content-Type': 'application/json', 'X-Onevisor': '1', 'Sec-Fetch-Site': 'cross-site' }, status: 403 },
];

describe('every row of the API', () => {
  for (const scene of SCENES)
    test(scene.title, () =>
      inWorld({}, async (world) => {
        const { hub } = makeHub({ after: () => undefined }, []);
        const reached: string[] = [];
        const rows = createTable(peerRows(() => hub, Date.now)).map((row) => ({
          ...row,
          // A row without a schema writes its answer itself.
          answer: anything,
          run: ({ exchange }: { readonly exchange: { readonly role: Role } }) => {
            reached.push(`${row.method} ${row.path} ${exchange.role}`);
            return null;
          },
        })) as ApiRow[];
        const dispatcher = new ApiDispatcher(rows, {} as ApiContext);
        const answer: Route['answer'] = (exchange) => dispatcher.answer(exchange);
        for (const method of ['GET', 'POST'] as const)
          world.routes.push({ method, path: '/api/v1', access: 'metrics', answer });
        const port = await openScene(world, scene);
        for (const row of rows)
          for (const credential of CREDENTIALS)
            for (const { headers, status } of row.method === 'GET' ? API_HEADERS.slice(0, 1) : API_HEADERS) {
              const path = `/api/v1${row.path.replaceAll(/\{\w+\}/g, 'web')}`;
              const probe = { path, method: row.method, credential, host: '127.0.0.1', origin: null };
              reached.length = 0;
              const { status: given, text } = await statusOf(world, port, probe, headers);
              const role = expectedRole(scene, credential);
              const note = `${scene.title}: ${JSON.stringify({ ...probe, headers })}: ${given} ${text}`;
              if (role === null) assert.equal(given, 401, note);
              else if (!hasRole(role, row.role)) assert.equal(given, 403, note);
              else if (status === null) assert.ok(given < 400 || /"bad_value"|"missing/.test(text), note);
              else assert.equal(given, status, note);
              assert.equal(reached.length, given < 400 ? 1 : 0, note);
              if (given < 400) assert.equal(reached[0], `${row.method} ${row.path} ${role}`);
            }
      }),
    );
});

/** The handler of a route must get the client's own role, and never more. */
function checkRole(scene: Scene, probe: Probe, text: string): void {
  const role = text.replace('reached as ', '');
  const own = expectedRole(scene, probe.credential) ?? 'metrics';
  const isLess = role === 'metrics' && scene.openAccess.length > 0;
  assert.ok(role === own || isLess, `${scene.title}: ${JSON.stringify(probe)}: ${text}`);
}

test('a refusal names the needed role: as JSON for the API, in the status line for Supervisor’s client', () =>
  inWorld({}, async (world) => {
    const answer: Route['answer'] = ({ response }) => void response.end('reached');
    world.routes.push({ method: 'POST', path: '/api/v1/x', access: 'admin', answer });
    const { port } = await world.openInet({ users: USERS });
    const send = async (path: string, user: string, method = 'POST'): Promise<[string, unknown]> => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: user === '' ? {} : { Authorization: headerOf(user as Credential) ?? '' },
      });
      const text = await response.text();
      return [
        `${response.status} ${response.statusText}`,
        response.headers.get('content-type') === 'application/json' ? JSON.parse(text) : text,
      ];
    };
    const reason = 'this needs the role admin, and yours is read';
    assert.deepEqual(await send('/api/v1/x', 'read'), [
      `403 Forbidden: ${reason}`,
      { error: { code: 'forbidden', message: reason } },
    ]);
    assert.deepEqual(await send('/api/v1/x', ''), [
      '401 Unauthorized',
      { error: { code: 'unauthorized', message: 'This needs a user and a password.' } },
    ]);
    assert.deepEqual(await send('/api/v1/nope', 'read', 'GET'), [
      '404 Not Found',
      { error: { code: 'not_found', message: 'Not Found' } },
    ]);
    const [status, page] = await send('/RPC2', 'metrics');
    assert.equal(status, '403 Forbidden: this needs the role read, and yours is metrics');
    assert.match(String(page), /<p>this needs the role read, and yours is metrics<\/p>/);
  }));

test('after wrong passwords a 429 tells when to try again, and another address is not locked out', () =>
  inWorld({}, async (world) => {
    world.routes.push({
      method: 'GET',
      path: '/open',
      access: 'open',
      answer: ({ response }) => void response.end('reached'),
    });
    const { port } = await world.openInet({ users: USERS });
    const send = (path: string, pair: string | null, localAddress = '127.0.0.1'): Promise<[number, string]> =>
      new Promise((resolve, reject) => {
        const headers = pair === null ? {} : { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
        sendRequest({ host: '127.0.0.1', port, path, localAddress, agent: false, headers }, (response) => {
          response.resume();
          response.on('end', () => resolve([response.statusCode ?? 0, response.headers['retry-after'] ?? '']));
        })
          .on('error', reject)
          .end();
      });
    for (let guess = 0; guess < 60; guess += 1) if ((await send('/metrics', `admin:guess${guess}`))[0] === 429) break;
    for (let guess = 0; guess < 3; guess += 1) {
      // A pause may end at any time on a slow machine; a wrong password begins the next one, twice as long.
      const [status, retryAfter] = await send('/metrics', 'admin:guess');
      if (status === 429) assert.match(retryAfter, /^[1-9]\d?$/);
    }
    assert.equal((await send('/metrics', 'admin:adminadmin', '127.0.0.2'))[0], 200);
    assert.equal((await send('/metrics', 'read:readread'))[0], 200);
    assert.equal((await send('/open', 'admin:guess'))[0], 200);
    assert.equal((await send('/metrics', null))[0], 401);
    const lines = world.api.reports
      .map(([, text]) => text)
      .filter((line) => line.includes('too many wrong passwords for user admin'));
    assert.ok(lines.length > 0 && lines.every((line) => !line.includes('guess')), String(world.api.reports));
  }));

describe('every XML-RPC method', () => {
  const real = createMethodTable(ownMethods);
  const stubs: MethodTable = new Map(
    [...real].map(([name, method]): [string, Method] => [
      name,
      { ...method, parameters: [], call: () => `reached ${name}` },
    ]),
  );
  const context = new Client([]).context;

  for (const role of ROLES)
    test(`as ${role}`, async () => {
      for (const [name, method] of stubs) {
        const call = callMethod(stubs, { ...context, role }, name, []);
        if (hasRole(role, roleOf(method))) assert.equal(await call, `reached ${name}`);
        else await assert.rejects(call, new RoleFault(roleOf(method), role), name);
      }
    });

  test('only those whose names promise to change nothing are for readers', () => {
    for (const method of real.values()) {
      const isGetter = /\.(get|read|tail|plan|list|describe|method|multicall)/.test(method.name);
      const isSecret = method.name === 'onevisor.getLaunchSettings';
      assert.equal(roleOf(method), isGetter && !isSecret ? 'read' : 'admin', method.name);
    }
  });

  test('system.multicall checks the role of each call', async () => {
    const calls = ['supervisor.getPID', 'supervisor.stopAllProcesses', 'system.multicall', 'supervisor.reloadConfig'];
    const answers = await runMulticall(
      real,
      { ...context, role: 'read' },
      calls.map((methodName) => ({ methodName })),
    );
    const refused = { faultCode: 30, faultString: 'FAILED: this needs the role admin, and yours is read' };
    assert.deepEqual(answers, [
      4711,
      refused,
      { faultCode: 2, faultString: 'INCORRECT_PARAMETERS: Recursive system.multicall forbidden' },
      refused,
    ]);
    assert.deepEqual(context.api.state(), 'RUNNING');
  });
});
