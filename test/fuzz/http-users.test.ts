/**
 * A TCP server with users: whatever a client sends, no route is reached without the role that it needs, nothing is
 * changed without an admin, and no answer is a 500. Requests go to the real routes of a fake supervisor.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { hasRole, type Role } from '../../src/core/role.ts';
import type { HttpUser } from '../../src/http/authentication.ts';
import { neededRole, type Route } from '../../src/http/route.ts';
import { ServerRoutes } from '../../src/supervisor/server-routes.ts';
import { bySize } from '../slow.ts';
import { configOf, readText } from '../unit/config/memory-source.ts';
import { inWorld, type ServerWorld } from '../unit/http/server-world.ts';
import { Random, SEED } from './random.ts';
import { makeRequest } from './random-request.ts';

const FOR_MS = bySize({ brief: 1500, long: 150_000 });
const LANES = 8;
/** An incomplete request is ended by its client after this time. */
const WRITE_MS = 40;
/** A stream has no end. Its client leaves after this time. */
const READ_MS = 30;
const ANSWER_MS = 10_000;

const SHA_OF_HASHED = '{SHA}1b7e7c5b5b3b0b8c2d0d3a54f9ad8d1c1a4f6a0e';
const USERS: readonly HttpUser[] = [
  { name: 'metrics', password: 'metricsmetrics', role: 'metrics' },
  { name: 'read', password: 'read:read é', role: 'read' },
  { name: 'admin', password: 'adminadmin', role: 'admin' },
  { name: 'hashed', password: SHA_OF_HASHED, role: 'admin' },
];
const OWNER = { username: 'owner', password: 'ownerowner' };

/** Headers of a request, and the role that they give. */
interface Credentials {
  readonly headers: readonly string[];
  readonly role: Role | null;
}

const basic = (pair: string, scheme = 'Basic'): string =>
  `Authorization: ${scheme} ${Buffer.from(pair).toString('base64')}`;

const RIGHT: readonly Credentials[] = [
  { headers: [basic('metrics:metricsmetrics')], role: 'metrics' },
  { headers: [basic('read:read:read é')], role: 'read' },
  { headers: [basic('admin:adminadmin')], role: 'admin' },
  { headers: [basic('admin:adminadmin', 'bAsIc')], role: 'admin' },
  { headers: [basic('owner:ownerowner')], role: 'admin' },
];

/** Wrong credentials. No small change of their bytes makes right ones. */
const WRONG: readonly string[] = [
  '',
  'admin',
  ':',
  'admin:',
  ':adminadmin',
  'admin:readread',
  'read:adminadmin',
  'ADMIN:ADMINADMIN',
  'nobody:adminadmin',
  'admin:\0',
  'hashed:',
  `hashed:${SHA_OF_HASHED}`,
  `hashed:${SHA_OF_HASHED.slice(5)}`,
  '__proto__:x',
  'owner:null',
  'null:null',
  'é:é',
  `admin:${'x'.repeat(3000)}`,
];

/** Right credentials in a wrong place. */
const MISPLACED: readonly string[] = [
  `Proxy-${basic('admin:adminadmin')}`,
  basic('admin:adminadmin', 'Bearer'),
  basic('admin:adminadmin').replace('Basic ', ''),
  `X-${basic('admin:adminadmin')}`,
  'X-Forwarded-User: admin',
  'Cookie: user=admin; password=adminadmin',
  'Authorization: Basic admin:adminadmin',
];

function makeCredentials(random: Random): Credentials {
  switch (random.below(6)) {
    case 0:
      return { headers: [], role: null };
    case 1:
      return { headers: [basic(random.pick(WRONG))], role: null };
    case 2:
      return { headers: [random.pick(MISPLACED)], role: null };
    default:
      return random.pick(RIGHT);
  }
}

/** The text that a client got, and the routes behind it. */
interface Answer {
  readonly text: string;
  /** The routes that its connection has reached, with the role that they were given. */
  readonly reached: ReadonlyArray<{ readonly route: Route; readonly role: Role }>;
}

/** The routes that each connection has reached, by address and port of the client. */
type Reached = Map<string, Array<{ readonly route: Route; readonly role: Role }>>;

class Server {
  readonly world: ServerWorld;
  readonly port: number;
  readonly #reached: Reached;
  #connections = 0;

  private constructor(world: ServerWorld, port: number, reached: Reached) {
    this.world = world;
    this.port = port;
    this.#reached = reached;
  }

  static async open(world: ServerWorld): Promise<Server> {
    const real = new ServerRoutes(world.api, world.report, '1.2.3');
    const routes = await real.routesOf(configOf(readText('[supervisord]\n')));
    const reached = new Map() as Reached;
    const watched = routes.map((route): Route => ({
      ...route,
      answer: (exchange) => {
        const { remoteAddress, remotePort } = exchange.request.socket;
        reached.get(`${remoteAddress}:${remotePort}`)?.push({ route, role: exchange.role });
        return route.answer(exchange);
      },
    }));
    world.routes.splice(0, world.routes.length, ...watched);
    const { port } = await world.openInet({ users: USERS, credentials: OWNER });
    return new Server(world, port ?? 0, reached);
  }

  /** Sends bytes from an address of their own, so that wrong passwords cause no pause for others. */
  async send(request: string): Promise<Answer> {
    this.#connections += 1;
    const count = this.#connections;
    const [second, third, fourth] = [count % 200, Math.trunc(count / 200) % 250, Math.trunc(count / 50_000) % 200];
    const localAddress = `127.${1 + second}.${third}.${1 + fourth}`;
    const socket = connect({ host: '127.0.0.1', port: this.port, localAddress });
    await new Promise<void>((resolve, reject) => void socket.once('connect', resolve).once('error', reject));
    // Two addresses may have the same port.
    const client = `${localAddress}:${socket.localPort}`;
    const reached: Array<{ readonly route: Route; readonly role: Role }> = [];
    this.#reached.set(client, reached);
    let text = '';
    const timers: NodeJS.Timeout[] = [];
    const isLate = await new Promise<boolean>((resolve) => {
      socket.on('data', (bytes: Buffer) => {
        text += bytes.toString('latin1');
        if (isWhole(text)) resolve(false);
        else timers.push(setTimeout(() => resolve(false), READ_MS));
      });
      for (const event of ['end', 'close', 'error'] as const) socket.on(event, () => resolve(false));
      timers.push(
        setTimeout(() => socket.end(), WRITE_MS),
        setTimeout(() => resolve(true), ANSWER_MS),
      );
      socket.write(Buffer.from(request, 'latin1'));
    });
    for (const timer of timers) clearTimeout(timer);
    socket.destroy();
    this.#reached.delete(client);
    assert.ok(!isLate, `no answer in ${ANSWER_MS} ms`);
    return { text, reached };
  }
}

/** True for an answer that has all its bytes. */
function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  const length = /^content-length: (\d+)/im.exec(text.slice(0, head))?.[1];
  return (
    head !== -1 && (length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length >= head + 4 + Number(length))
  );
}

function check(world: ServerWorld, role: Role | null, { text, reached }: Answer): string {
  const code = /^HTTP\/1\.[01] (\d{3}) /.exec(text)?.[1] ?? (text === '' ? 'closed' : 'no HTTP');
  assert.ok(!/^5(?!0[135])/.test(code) && code !== 'no HTTP', `${code}: ${text.slice(0, 600)}`);
  if (code.startsWith('2')) assert.ok(reached.length > 0, 'an answer of no route');
  for (const { route, role: given } of reached) {
    const needed = neededRole(route.access);
    if (needed === null) continue;
    assert.ok(role !== null && hasRole(role, needed), `${route.path} needs ${needed}, the client has ${role}`);
    assert.ok(hasRole(role, given), `${route.path} was given ${given}, the client has ${role}`);
  }
  const foreign = world.api.requests.splice(0).filter((line) => !/user (admin|owner|hashed), /.test(line));
  assert.deepEqual(foreign, [], 'a change that no admin asked for');
  const critical = world.api.reports.splice(0).filter(([level]) => level === 'critical');
  assert.deepEqual(critical, []);
  return code;
}

test('no request reaches a route without its role, and none is answered with 500', (context) =>
  inWorld({ programs: [{ name: 'web' }, { name: 'job', exitAfterMs: 50 }] }, async (world) => {
    const server = await Server.open(world);
    const random = new Random(SEED);
    const counts = new Map<string, number>();
    const endMs = performance.now() + FOR_MS;
    let cases = 0;
    const lane = async (): Promise<void> => {
      while (performance.now() < endMs) {
        const { headers, role } = makeCredentials(random);
        const isOwnPage = random.chance(0.7) ? ['X-Onevisor: 1'] : [];
        // Right credentials in a wrong place may not be changed: a small change puts them into the right place.
        const isFixed = MISPLACED.includes(headers[0] ?? '');
        const request = makeRequest(random, [...headers, ...isOwnPage], isFixed ? 0 : 0.2);
        cases += 1;
        const note = `TEST_SEED=${SEED}, request ${cases}, role ${role}: ${JSON.stringify(request)}`;
        try {
          const answer = await server.send(request);
          const code = check(world, role, answer);
          counts.set(code, (counts.get(code) ?? 0) + 1);
        } catch (error) {
          throw new Error(`${note}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
        }
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    const shares = [...counts].map(([code, count]) => `${code}: ${count}`).toSorted();
    context.diagnostic(`${cases} requests: ${shares.join(', ')}`);
  }));
