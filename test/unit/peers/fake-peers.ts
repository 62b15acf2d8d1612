/** Peers for tests: servers on loopback, and a hub that asks them. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import type { LookupAddress } from 'node:dns';
import type { TestContext } from 'node:test';
import { parsePeerAddress } from '../../../src/core/peer-address.ts';
import { defaultPeerLimits, type PeerLimits } from '../../../src/peers/limits.ts';
import { PeerHub } from '../../../src/peers/peer-hub.ts';

/** A request that a fake peer got. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A fake peer. */
export interface FakePeer {
  readonly port: number;
  readonly url: string;
  readonly seen: Seen[];
  readonly server: Server;
}

/** Answers a request. */
export type Answer = (request: Seen, response: ServerResponse) => void;

/** Starts a server on a loopback address. It ends with the test. */
export async function startPeer(t: TestContext, answer: Answer, host = '127.0.0.1', port = 0): Promise<FakePeer> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(pieces).toString(),
      };
      seen.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port: actual } = server.address() as AddressInfo;
  return { port: actual, url: `http://${host}:${actual}`, seen, server };
}

/** Sends JSON. */
export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(value));
}

/** Answers as a supervisor of ours, with these processes. Other requests go to `more`. */
export function oursWith(processes: readonly object[], more?: Answer): Answer {
  return (request, response) => {
    if (request.url === '/api/v1/version')
      sendJson(response, {
        onevisor: '0.1.0',
        api: 1,
        epoch: 'e-1',
        identifier: 'supervisor',
        host: 'box',
        state: 'RUNNING',
        role: 'admin',
      });
    else if (request.url === '/api/v1/processes') sendJson(response, { epoch: 'e-1', seq: 1, processes });
    else if (more === undefined) sendJson(response, {}, 404);
    else more(request, response);
  };
}

/** A process that runs. */
export function running(name: string): object {
  return { name, group: name, statename: 'RUNNING', state: 20, pid: 7, start: 1, stop: 0, now: 2, description: 'up' };
}

/** Settings of a hub in a test. */
export interface HubSettings {
  readonly options?: Partial<ConstructorParameters<typeof PeerHub>[0]['options']>;
  readonly limits?: Partial<PeerLimits>;
  readonly lookup?: LookupFunction;
  readonly nowMs?: () => number;
  readonly epoch?: string;
}

/** Makes a hub for these addresses. It is closed after the test. */
export function makeHub(
  t: Pick<TestContext, 'after'>,
  peers: readonly string[],
  {
    options = {},
    limits = {},
    lookup = lookUpIn({}),
    nowMs = () => performance.now(),
    epoch = 'own',
  }: HubSettings = {},
): { readonly hub: PeerHub; readonly lines: string[] } {
  const lines: string[] = [];
  const hub = new PeerHub({
    options: {
      history: 0,
      peers: peers.map(parsePeerAddress),
      peers_username: null,
      peers_password: null,
      peers_password_file: null,
      peers_insecure: false,
      peers_ca_file: null,
      ...options,
    },
    lookup,
    nowMs,
    wallMs: () => 1_000_000,
    report: (level, text) => lines.push(`${level} ${text}`),
    epoch,
    // Loaded machines are slow. Tests that are about the waiting set it themselves.
    limits: { ...defaultPeerLimits, graceMs: 60_000, freshMs: 0, ...limits },
  });
  t.after(() => hub.close());
  return { hub, lines };
}

/** Looks up names in a table. A name that is not in it is unknown. */
export function lookUpIn(table: Readonly<Record<string, readonly string[]>>): LookupFunction {
  return (host, options, callback) => {
    const found: LookupAddress[] = (table[host] ?? []).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }));
    const [first] = found;
    queueMicrotask(() => {
      if (first === undefined) callback(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), []);
      else if (options.all === true) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
}
