/**
 * One request to another supervisor, within a time and a size. Follows no redirection, since another server must not
 * get our password, and tells the peer that the request comes from a supervisor, so that it passes nothing on.
 */
import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp, STATUS_CODES } from 'node:http';
import { Agent as SecureAgent, request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import { ByteCollector } from '../core/byte-collector.ts';
import { errnoOf } from '../core/error-text.ts';
import { describeConnectError, describeTimeout } from '../health/reasons.ts';
import type { PeerTarget } from './target.ts';

/** Header of every request to a peer. A request that has it is never passed on to a further peer. */
export const PEER_HEADER = 'X-Onevisor-Peer';

/** Time for which a connection without a request stays open. */
const KEPT_MS = 10_000;

/** Most interim answers (status 1xx) before an answer. A peer could send them without end, at our processor time. */
const MOST_INTERIM = 8;

/** Reason why a peer gives no answer, for people. Has no secret in it. */
export class PeerError extends Error {
  override readonly name = 'PeerError';
}

/** One request. */
export interface PeerRequest {
  readonly method: 'GET' | 'POST';
  /** Path below the address, and query, percent-encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** An answer with a status other than a redirection. */
export interface PeerReply {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** The way to the peers: the same for all requests. */
export interface PeerAccess {
  readonly lookup: LookupFunction;
  /** Value of the header `Authorization`; null for none. */
  readonly authorization: string | null;
  /** Authorities that https trusts; null for Node's own. */
  readonly authorities: () => SecureContext | null;
  readonly connections: PeerConnections;
}

/** All connections: those of requests, and those that stay open between requests, at most one for each address. */
export class PeerConnections {
  readonly #requests = new Set<ClientRequest>();
  /** Number of times that all were closed. */
  closings = 0;
  readonly #options = { keepAlive: true, maxSockets: 4, maxFreeSockets: 1, timeout: KEPT_MS } as const;
  #plain: Agent | null = null;
  #secure: SecureAgent | null = null;

  /** Returns the agent for a target. */
  of({ address }: PeerTarget): Agent {
    if (address.kind !== 'https') return (this.#plain ??= new Agent(this.#options));
    return (this.#secure ??= new SecureAgent(this.#options));
  }

  /** Notes a request until its connection is closed or free. */
  add(request: ClientRequest): void {
    this.#requests.add(request);
    request.once('close', () => this.#requests.delete(request));
  }

  /** Closes all connections. Requests on them fail. */
  close(): void {
    this.closings += 1;
    for (const request of this.#requests) request.destroy();
    this.#plain?.destroy();
    this.#secure?.destroy();
    this.#plain = null;
    this.#secure = null;
  }
}

/** Sends a request. Resolves with the answer; rejects with a {@link PeerError}. */
export async function ask(target: PeerTarget, wanted: PeerRequest, access: PeerAccess): Promise<PeerReply> {
  if (target.problem !== null) throw new PeerError(target.problem);
  const { closings } = access.connections;
  try {
    return await exchange(target, wanted, access, true);
  } catch (error) {
    // A peer may close a connection at the moment at which it is used again. Only such a request was never read.
    if (!(error instanceof StaleConnection)) throw error;
    if (access.connections.closings > closings) throw new PeerError('not asked any more', { cause: error });
    return exchange(target, wanted, access, false);
  }
}

/** The peer had closed a connection before it read the request. */
class StaleConnection extends Error {}

/** Sends a request on a kept connection or, with `isKept` false, on a new one. POST always gets a new one. */
function exchange(target: PeerTarget, wanted: PeerRequest, access: PeerAccess, isKept: boolean): Promise<PeerReply> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => settle(() => reject(new PeerError(reason)));
    const sent = open(target, wanted, access, isKept && wanted.method === 'GET');
    access.connections.add(sent);
    const timer = setTimeout(() => fail(describeTimeout(wanted.timeoutMs)), wanted.timeoutMs);
    let isSettled = false;
    const settle = (finish: () => void, isComplete = false): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      // A connection that is not destroyed is kept for the next request.
      if (!isComplete) sent.destroy();
      finish();
    };
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const isStale = isKept && sent.reusedSocket && (errnoOf(error) === 'ECONNRESET' || errnoOf(error) === 'EPIPE');
      if (isStale) settle(() => reject(new StaleConnection()));
      else fail(describeConnectError(error));
    });
    let interim = 0;
    sent.on('information', () => {
      interim += 1;
      if (interim > MOST_INTERIM) fail(`more than ${MOST_INTERIM} interim answers (HTTP 1xx)`);
    });
    sent.on('upgrade', (_response, socket) => {
      socket.destroy();
      fail('the answer is another protocol than HTTP');
    });
    sent.on('response', (response) => {
      const status = response.statusCode ?? 0;
      if (status >= 300 && status < 400)
        return fail(`HTTP ${status} ${STATUS_CODES[status] ?? ''}: redirections are not followed`);
      collect(response, wanted.maxBytes, fail, (text) =>
        settle(() => resolve({ status, type: response.headers['content-type'] ?? '', text }), true),
      );
    });
    sent.end(wanted.body);
  });
}

/** Collects the body of an answer. Calls one of the two functions, once or more often. */
function collect(
  response: IncomingMessage,
  maxBytes: number,
  fail: (reason: string) => void,
  done: (text: string) => void,
): void {
  const tooLong = `the answer is longer than ${maxBytes} bytes`;
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) return fail(tooLong);
  if ((response.headers['content-encoding'] ?? 'identity') !== 'identity')
    return fail('the answer is compressed, which was not asked for');
  const body = new ByteCollector();
  response.on('data', (piece: Buffer) => {
    const added = body.add(piece, maxBytes);
    if (added !== 'taken') fail(added === 'tooLong' ? tooLong : 'the answer comes in too many pieces');
  });
  response.on('end', () => done(new TextDecoder('utf-8', { ignoreBOM: true }).decode(body.bytes)));
  for (const name of ['aborted', 'error', 'close'] as const)
    response.on(name, () => fail('connection closed before the end of the answer'));
}

function open(target: PeerTarget, wanted: PeerRequest, access: PeerAccess, isKept: boolean): ClientRequest {
  const { address, resolved } = target;
  const { kind, host, port, path } = address;
  const shown = host.includes(':') ? `[${host}]` : host;
  const secureContext = kind === 'https' ? access.authorities() : null;
  const options = {
    method: wanted.method,
    path: kind === 'unix' ? wanted.path : path + wanted.path,
    ...(kind === 'unix' ? { socketPath: path } : { host: resolved ?? host, port, lookup: access.lookup }),
    // The certificate must be for the name, also if an address of the name is asked.
    ...(kind === 'https' && resolved !== null ? { servername: host } : {}),
    ...(secureContext === null ? {} : { secureContext }),
    agent: isKept ? access.connections.of(target) : false,
    headers: {
      Host: kind === 'unix' ? 'localhost' : `${shown}:${port}`,
      'User-Agent': 'onevisor',
      'Accept-Encoding': 'identity',
      [PEER_HEADER]: '1',
      ...(access.authorization === null ? {} : { Authorization: access.authorization }),
      ...(wanted.body === undefined ? {} : { 'Content-Length': Buffer.byteLength(wanted.body) }),
      ...wanted.headers,
    },
  };
  return (kind === 'https' ? requestHttps : requestHttp)(options);
}
