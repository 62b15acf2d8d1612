/**
 * A server with the page of the dashboard and the part of the JSON API that the log view uses. The test decides what it
 * sends, so that a test of 100,000 lines a second measures the browser alone.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bundleDashboard } from '../../build/dashboard.ts';

/** A line or an event as the API has it. */
export interface MockLine {
  readonly seq: number;
  readonly at: number;
  readonly name: string;
  readonly text: string;
  readonly stream?: string;
  readonly pid?: number;
  readonly partial?: true;
  readonly rest?: true;
  readonly event?: string;
}

/** The asset that the build makes. */
interface DashboardAsset {
  readonly page: string;
  readonly policy: string;
}

const EPOCH = 'mock1';
const NAMES = ['api', 'db', 'web', 'worker'];

/** A process without a name. */
const IDLE_PROCESS = {
  stop: 0,
  state: 20,
  statename: 'RUNNING',
  spawnerr: '',
  exitstatus: 0,
  logfile: '',
  stdout_logfile: '',
  stderr_logfile: '',
  pid: 7,
  description: 'pid 7',
  restarts: 0,
  failed_starts: 0,
  unexpected_restarts: 0,
  flapping: false,
  autostart: true,
} as const;

/** The server. */
export class LogsMock {
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  readonly #asset: DashboardAsset;
  /** Requests to the API, without the stream. */
  readonly requests: URL[] = [];
  /** All lines, for the history. */
  lines: MockLine[] = [];
  /** The number of the next line. */
  seq = 1;
  epoch = EPOCH;
  /** The answer of `logs/files`. */
  fileAnswer: readonly object[] = [];
  isClosed = false;

  private constructor(asset: DashboardAsset) {
    this.#asset = asset;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** Builds the page, and starts a server. */
  static async start(): Promise<LogsMock> {
    const { path } = await bundleDashboard();
    const mock = new LogsMock(JSON.parse(await readFile(path, 'utf8')) as DashboardAsset);
    await new Promise<void>((resolve) => {
      mock.#server.listen(0, '127.0.0.1', resolve);
    });
    return mock;
  }

  /** Address of the page. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Number of open streams. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Makes a line and keeps it for the history. */
  make(text: string, more: Partial<MockLine> = {}): MockLine {
    const line = { seq: this.seq, at: Date.now(), name: 'web', stream: 'stdout', pid: 7, text, ...more };
    this.seq += text.length + 1;
    this.lines.push(line);
    if (this.lines.length > 20_000) this.lines = this.lines.slice(-10_000);
    return line;
  }

  /** Sends lines to all streams. */
  send(lines: readonly MockLine[], missed: readonly object[] = []): void {
    this.message('lines', { lines, missed }, `${this.epoch}-${this.seq - 1}`);
  }

  /** Makes and sends lines. */
  say(...texts: string[]): void {
    this.send(texts.map((text) => this.make(text)));
  }

  /** Sends a message to all streams. Returns false if one of them is slow. */
  message(kind: string, data: unknown, id?: string): boolean {
    const head = id === undefined ? '' : `id: ${id}\n`;
    const text = `${head}event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
    return [...this.#streams].map((stream) => stream.write(text)).every(Boolean);
  }

  /** Resolves when all streams have taken what was written. */
  async drained(): Promise<void> {
    for (const stream of this.#streams) {
      if (!stream.writableNeedDrain) continue;
      const ended = new AbortController();
      const { signal } = ended;
      await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]);
      ended.abort();
    }
  }

  /** Breaks all streams. With `isClosed`, the next ones are refused. */
  drop(isClosed = false): void {
    this.isClosed = isClosed;
    for (const stream of this.#streams) stream.destroy();
  }

  /** Makes lines of every kind, for pictures and for tests of what people can read. */
  showcase(): void {
    for (let at = 0; at < 60; at++) {
      this.make(`GET /things/${at} 200 in ${at % 7} ms, request ${at}`, { name: at % 2 === 0 ? 'web' : 'db' });
      if (at % 9 === 0) this.make(`2026-11-30 08:00:00 WARN pool is ${at} % full`, { name: 'db' });
      if (at % 10 === 0)
        this.make(`{"level":"error","time":1764000000000,"msg":"cannot reach the store","user":"bob","ms":${at}}`);
    }
    const colours = Array.from({ length: 8 }, (_, at) => `\x1b[3${at}mfg${at}\x1b[9${at}m bright\x1b[0m`).join(' ');
    const backgrounds = Array.from({ length: 8 }, (_, at) => `\x1b[4${at}m bg${at} \x1b[0m`).join(' ');
    this.make(`${colours} ${backgrounds} \x1b[1mbold\x1b[0m \x1b[7minverse\x1b[0m`);
    this.make('Traceback (most recent call last):', { stream: 'stderr', name: 'worker' });
    this.make('ValueError: no number', { stream: 'stderr', name: 'worker' });
    this.make('ended: exit status 1', { name: 'worker', event: 'state' });
    this.make('starting: autorestart', { name: 'worker', event: 'state' });
  }

  /** Forgets everything, for the next test. */
  reset(): void {
    this.drop();
    this.lines = [];
    this.requests.length = 0;
    this.seq = 1;
    this.epoch = EPOCH;
    this.fileAnswer = [];
    this.isClosed = false;
  }

  /** Ends the server. */
  async close(): Promise<void> {
    this.drop(true);
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://mock');
    const path = url.pathname;
    if (path === '/') {
      response.setHeader('Content-Type', 'text/html;charset=utf-8');
      response.setHeader('Content-Encoding', 'gzip');
      response.setHeader('Content-Security-Policy', this.#asset.policy);
      response.end(Buffer.from(this.#asset.page, 'base64'));
    } else if (path === '/api/v1/stream') {
      this.#stream(response);
    } else if (path.startsWith('/api/v1/')) {
      this.requests.push(url);
      if (this.isClosed) response.destroy();
      else this.#api(path.slice('/api/v1/'.length), url.searchParams, response);
    } else {
      response.writeHead(404).end();
    }
  }

  #stream(response: ServerResponse): void {
    if (this.isClosed) return void response.destroy();
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
    const now = Date.now();
    const version = {
      onevisor: '1',
      supervisor: '4',
      api: 1,
      epoch: this.epoch,
      identifier: 'supervisor',
      host: 'mock',
    };
    const more = { pid: 1, state: 'RUNNING', role: 'admin', user: null, now };
    const processes = NAMES.map((name) => ({
      ...IDLE_PROCESS,
      name,
      group: name,
      start: now / 1000,
      now: now / 1000,
    }));
    const id = `id: ${this.epoch}-${this.seq - 1}\n`;
    const hello = { epoch: this.epoch, seq: this.seq, version: { ...version, ...more } };
    const snapshot = { seq: this.seq, state: 'RUNNING', processes };
    response.write(
      `event: hello\ndata: ${JSON.stringify(hello)}\n\n` +
        `${id}event: snapshot\ndata: ${JSON.stringify(snapshot)}\n\n`,
    );
    return undefined;
  }

  #api(path: string, query: URLSearchParams, response: ServerResponse): void {
    if (path === 'logs') return sendJson(response, this.#logs(query));
    if (path === 'logs/download') {
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Disposition': 'attachment; filename="x.log"' });
      return void response.end('file\n');
    }
    if (path === 'logs/files')
      return void response.end(this.fileAnswer.map((one) => `${JSON.stringify(one)}\n`).join(''));
    if (path === 'peers') return sendJson(response, { peers: [] });
    response.writeHead(404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ error: { code: 'not_found', message: `no ${path}` } }));
    return undefined;
  }

  #logs(query: URLSearchParams): object {
    const number = (name: string): number | null => (query.has(name) ? Number(query.get(name)) : null);
    const [after, before, since, until] = ['after', 'before', 'since', 'until'].map(number);
    const limit = number('limit') ?? 1000;
    const names = query.getAll('names');
    const found = this.lines.filter(
      ({ seq, at, name }) =>
        (names.length === 0 || names.includes(name)) &&
        seq > (after ?? 0) &&
        (before === null || before === undefined || seq < before) &&
        at >= (since ?? 0) &&
        at <= (until ?? Infinity),
    );
    const lines = after === null ? found.slice(-limit) : found.slice(0, limit);
    const hasMore = found.length > lines.length;
    const next = hasMore && after !== null ? (lines.at(-1)?.seq ?? 0) : this.seq - 1;
    return { epoch: this.epoch, next, more: hasMore, lines, missed: [] };
  }
}

function sendJson(response: ServerResponse, data: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(data));
}
