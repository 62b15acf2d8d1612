/**
 * One HTTP server for a table of routes. It checks the password before anything else, answers the requests of a
 * connection one after the other, and closes without waiting for clients. Node's own timeouts are off, because their
 * timer would wake an idle supervisor twice a minute.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describeMistake, errnoOf, messageOf } from '../core/error-text.ts';
import type { Level } from '../core/log-level.ts';
import { formatRawError, refuse, sendError } from './answers.ts';
import { AnswerBudget, AnswerBudgetError } from '../rpc/answer-budget.ts';
import { createGuard, type BasicCredentials } from './authentication.ts';
import { BodyError, BodyReader } from './body.ts';
import { clientOf, type PeerLookup } from './client.ts';
import { ClientConnections } from './connections.ts';
import { UNKNOWN_HOST } from './host-rule.ts';
import type { ServerLimits } from './limits.ts';
import { VersionedResponse } from './response.ts';
import { type Exchange, matchRoute, type Route, type RouteMatch } from './route.ts';

/** Writes a line to the supervisor's own log. */
export type Report = (level: Level, text: string) => void;

/** Value of `Retry-After` for a client that is refused because the answer budget is used up. */
const RETRY_SECONDS = 1;

/** The longest time of a Node timer, about 25 days. */
const NEVER_MS = 2 ** 31 - 1;

/** A server that does not listen yet, and the function that closes it. */
export interface HttpServer {
  readonly server: Server;
  /**
   * Stops listening, ends streams and waiting calls, and leaves `closeMs` for unfinished answers. Then closes all
   * connections. Resolves when all are closed.
   */
  readonly close: () => Promise<void>;
}

/** Rules for the routes that are not open to all clients. */
export interface AccessRules {
  readonly credentials: BasicCredentials;
  /** The test of the Host header; null to accept every name. */
  readonly isHostAccepted: ((host: string | undefined) => boolean) | null;
  /** For a unix socket: finds the process at the other end. Null for TCP. */
  readonly peerOf: PeerLookup | null;
}

/** Limits of a server. */
export interface ServerBounds {
  readonly limits: ServerLimits;
  /** Shared by all servers that are open at the same time. */
  readonly budget: AnswerBudget;
}

/** Makes the budget for the answers of all servers. */
export function createAnswerBudget({ answerBytes, freeAnswerBytes }: ServerLimits): AnswerBudget {
  return new AnswerBudget(answerBytes, freeAnswerBytes);
}

/** Makes a server. A long function, because its parts share the state of the server. */
export function createHttpServer(
  routes: readonly Route[],
  access: AccessRules,
  { limits, budget }: ServerBounds,
  report: Report,
): HttpServer {
  const isAllowed = createGuard(access.credentials);
  const isGuarded = access.credentials.username !== null || access.credentials.password !== null;
  const openRoutes = routes.filter((route) => route.access === 'open');
  const bodies = new BodyReader(limits);
  const connections = new ClientConnections(limits);
  /** One controller for each request. A shared signal would keep a reference to every request that used it. */
  const underWay = new Set<AbortController>();
  let isClosing = false;

  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
    connectionsCheckingInterval: NEVER_MS,
    ServerResponse: VersionedResponse,
    // compat: Supervisor does not require a Host header, and some clients of unix sockets send none.
    requireHostHeader: false,
  });

  /**
   * Finds the route of a request. Returns null after refusing the request. Clients without the password reach the open
   * routes only.
   */
  const findRoute = (
    request: IncomingMessage,
    response: ServerResponse,
  ): Extract<RouteMatch, { route: Route }> | null => {
    const hasPassword = isAllowed(request.headers.authorization);
    const isTrusted = hasPassword && access.isHostAccepted?.(request.headers.host) !== false;
    const match = matchRoute(isTrusted ? routes : openRoutes, request.method ?? '', request.url ?? '');
    if ('route' in match) return match;
    if (!hasPassword) refuse({ request, response }, 401, { 'WWW-Authenticate': 'Basic realm="default"' });
    else if (!isTrusted) refuse({ request, response }, 403, {}, UNKNOWN_HOST);
    else refuse({ request, response }, match.status, match.allow === null ? {} : { Allow: match.allow });
    return null;
  };

  const respond = async (
    request: IncomingMessage,
    response: ServerResponse,
    { signal, reserve }: Pick<Exchange, 'signal' | 'reserve'>,
  ): Promise<void> => {
    const match = findRoute(request, response);
    if (match === null) return;
    try {
      await match.route.answer({
        request,
        response,
        client: () => clientOf(request, access.peerOf, isGuarded),
        rest: match.rest,
        signal,
        reserve,
        readBody: (maxBytes) => bodies.read(request, maxBytes),
      });
    } catch (error) {
      if (error instanceof BodyError) {
        refuse({ request, response }, error.status);
        return;
      }
      if (error instanceof AnswerBudgetError) {
        if (error.isFirst) report('warn', `cannot answer ${match.route.path}: ${error.message}`);
        refuse({ request, response }, 503, { 'Retry-After': RETRY_SECONDS });
        return;
      }
      report('critical', `cannot answer ${request.method ?? ''} ${match.route.path}: ${describeMistake(error)}`);
      sendError(response, 500);
    }
  };

  /** Answers a request. Resolves when the response is written or the connection is closed. */
  const answer = (request: IncomingMessage, response: ServerResponse): Promise<void> =>
    new Promise((resolve) => {
      const controller = new AbortController();
      underWay.add(controller);
      const cancelStallWatch = watchEnd(response, limits.stallMs);
      const { reserve, release } = budget.begin();
      response.once('close', () => {
        cancelStallWatch();
        underWay.delete(controller);
        if (!response.writableFinished) controller.abort();
        resolve();
      });
      response.on('error', (error) => report('debug', `cannot answer a client: ${error.message}`));
      response.setHeader('Server', 'onevisor');
      if (isClosing) response.setHeader('Connection', 'close');
      // `respond` reports the errors of routes. An error here is a bug in `respond` itself, and the connection cannot
      // be used any more.
      const isDone = respond(request, response, { signal: controller.signal, reserve }).catch((error: unknown) => {
        report('critical', `cannot answer a client: ${messageOf(error)}`);
        response.destroy();
      });
      // If the client disconnects while a log is read, the memory is in use until the reading ends.
      response.once('close', () => void isDone.then(release));
    });

  server.on('request', (request, response) => connections.enqueue(request.socket, () => answer(request, response)));
  server.on('connection', (socket: Socket) => connections.add(socket, (late) => rejectSocket(late, 408)));
  server.on('clientError', (error, socket) => {
    const isBusy = connections.isBusy(socket as Socket);
    // A second status line would corrupt the unfinished answer.
    if (isBusy || errnoOf(error) === 'ECONNRESET') socket.destroy();
    else rejectSocket(socket as Socket, errnoOf(error) === 'HPE_HEADER_OVERFLOW' ? 431 : 400);
  });

  const close = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => connections.destroy(), limits.closeMs);
      server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      isClosing = true;
      for (const controller of underWay) controller.abort(new Error('the server closes'));
      connections.drain();
    });
  return { server, close };
}

/** Closes a connection without a request, with an error status if it is writable. */
function rejectSocket(socket: Socket, status: number): void {
  if (socket.writable) socket.end(formatRawError(status), () => socket.destroy());
  else socket.destroy();
}

/**
 * Closes the connection if the client does not read the rest of a complete response within `stallMs`. Returns the
 * function that ends the watch.
 */
function watchEnd(response: ServerResponse, stallMs: number): () => void {
  let timer: NodeJS.Timeout | undefined;
  response.once('prefinish', () => {
    // On a closed connection, `prefinish` comes after `close`, and nothing would end the watch.
    if (!response.closed) timer = setTimeout(() => response.destroy(), stallMs);
  });
  return () => clearTimeout(timer);
}
