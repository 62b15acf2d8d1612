/** Servers with a fake supervisor in real time, and a client that sends and receives plain bytes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultLimits, type ServerLimits } from '../../../src/http/limits.ts';
import { defaultStreamLimits, type StreamLimits } from '../../../src/http/log-stream.ts';
import { openServer, type OpenServer, type ServerSpec } from '../../../src/http/open-servers.ts';
import type { Route } from '../../../src/http/route.ts';
import { createRoutes } from '../../../src/http/routes.ts';
import type { Clock } from '../../../src/engine/ports.ts';
import { systemClock } from '../../../src/process/clock.ts';
import { createMethodTable } from '../../../src/rpc/method-table.ts';
import { ProcessTimes } from '../../../src/rpc/process-times.ts';
import { encodeCall, type XmlRpcValue } from '../../../src/rpc/xmlrpc.ts';
import { type FakeProgram, FakeApi } from '../rpc/fake-api.ts';

/** The clock of this machine. Its alarms end with the world, since a distant alarm would keep the test running. */
class EndingClock implements Clock {
  readonly #cancels = new Set<() => void>();

  nowMs(): number {
    return systemClock.nowMs();
  }

  alarm(atMs: number, wake: () => void): () => void {
    const cancel = systemClock.alarm(atMs, () => {
      this.#cancels.delete(cancel);
      wake();
    });
    this.#cancels.add(cancel);
    return () => {
      this.#cancels.delete(cancel);
      cancel();
    };
  }

  end(): void {
    for (const cancel of this.#cancels) cancel();
  }
}

/** Options of a world. */
export interface WorldOptions {
  readonly programs?: readonly FakeProgram[];
  readonly limits?: Partial<ServerLimits>;
  readonly streamLimits?: StreamLimits;
  readonly credentials?: { readonly username: string; readonly password: string };
  readonly more?: readonly Route[] | ((api: FakeApi) => readonly Route[]);
}

/** Process at the other end of every unix connection. */
export const PEER = { pid: 77, uid: 0 };

/** One server on a unix socket, one on loopback. */
export class ServerWorld {
  readonly directory = mkdtempSync(join(tmpdir(), 'onevisor-http-'));
  readonly socketPath = join(this.directory, 's.sock');
  readonly api: FakeApi;
  readonly routes: Route[];
  readonly limits: ServerLimits;
  readonly #options: WorldOptions;
  readonly #clock = new EndingClock();
  readonly #open: OpenServer[] = [];

  constructor(options: WorldOptions) {
    this.#options = options;
    this.limits = { ...defaultLimits, ...options.limits };
    this.api = new FakeApi(options.programs ?? [], this.#clock);
    const { more = [] } = options;
    this.routes = createRoutes({
      api: this.api,
      methods: createMethodTable(),
      times: new ProcessTimes(this.api),
      version: '1.2.3',
      residentBytes: () => 4096,
      more: typeof more === 'function' ? more(this.api) : more,
      streamLimits: options.streamLimits ?? defaultStreamLimits,
    });
  }

  get report(): FakeApi['report'] {
    return (level, text) => this.api.report(level, text);
  }

  async open(spec: Partial<Extract<ServerSpec, { kind: 'unix' }>> = {}): Promise<OpenServer> {
    const credentials = this.#options.credentials ?? { username: null, password: null };
    const server = await openServer(
      { kind: 'unix', path: this.socketPath, mode: 0o700, owner: null, credentials, peerOf: () => PEER, ...spec },
      this.routes,
      this.report,
      this.limits,
    );
    this.#open.push(server);
    return server;
  }

  async openInet(spec: Partial<Extract<ServerSpec, { kind: 'inet' }>> = {}): Promise<OpenServer> {
    const credentials = this.#options.credentials ?? { username: null, password: null };
    const server = await openServer(
      { kind: 'inet', host: '127.0.0.1', port: 0, isInsecureAllowed: false, credentials, ...spec },
      this.routes,
      this.report,
      this.limits,
    );
    this.#open.push(server);
    return server;
  }

  /** Opens a connection. */
  connect(): Peer {
    return new Peer(connect({ path: this.socketPath }));
  }

  async end(): Promise<void> {
    await Promise.all(this.#open.map((server) => server.close()));
    this.#clock.end();
    rmSync(this.directory, { recursive: true });
  }
}

/** Runs a test in a world of its own, and closes the world. */
export async function inWorld(options: WorldOptions, run: (world: ServerWorld) => Promise<void>): Promise<void> {
  const world = new ServerWorld(options);
  try {
    await run(world);
  } finally {
    await world.end();
  }
}

/** Time limit of a test that waits for bytes. It is reached only after a failure. */
const LATEST_MS = 20_000;

/** Our end of a connection. */
export class Peer {
  readonly socket: Socket;
  #received = '';
  isEnded = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#received += bytes.toString('latin1');
      this.#wake();
    });
    socket.on('error', () => this.#wake());
    socket.on('close', () => {
      this.isEnded = true;
      this.#wake();
    });
  }

  get received(): string {
    return this.#received;
  }

  send(text: string | Buffer): this {
    this.socket.write(text);
    return this;
  }

  /** Resolves when the received bytes match. Rejects if the connection ends before. */
  async until(what: RegExp | ((received: string) => boolean)): Promise<string> {
    const fits = what instanceof RegExp ? (text: string) => what.test(text) : what;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, LATEST_MS);
    try {
      while (!fits(this.#received)) {
        assert.ok(
          !this.isEnded && !isLate,
          `${this.isEnded ? 'the connection has ended' : 'nothing more comes'} after ` +
            JSON.stringify(this.#received.slice(-500)),
        );
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
    return this.#received;
  }

  /** Resolves with all received bytes when the other side has closed the connection. */
  async end(): Promise<string> {
    while (!this.isEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#received;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Formats a POST request. */
export function post(body: string, headers = '', path = '/RPC2', version = '1.1'): string {
  return (
    `POST ${path} HTTP/${version}\r\nContent-Type: text/xml\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
    `${headers}\r\n${body}`
  );
}

/** Formats an XML-RPC request. */
export function callRequest(method: string, params: readonly XmlRpcValue[] = [], headers = ''): string {
  return post(encodeCall(method, params), headers);
}
