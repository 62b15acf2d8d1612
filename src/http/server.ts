/**
 * One HTTP server over a table of routes: authentication before anything else, limits, one request of a connection
 * after the other, an end that waits for nobody. Node's own time limits are off: they come from a timer that wakes an
 * idle supervisor twice a minute.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describeMistake, errnoOf, messageOf } from '../core/error-text.ts';
import type { Level } from '../core/log-level.ts';
import { formatRawError, refuse, sendError } from './answers.ts';
import { AnswerBudget, AnswerBudgetError } from '../rpc/answer-budget.ts';
import { createGuard, type BasicCredentials } from './authentication.ts';
import { BodyError, BodyReader } from './body.ts';
import { ClientConnections } from './connections.ts';
import { UNKNOWN_HOST } from './host-rule.ts';
import type { ServerLimits } from './limits.ts';
import { VersionedResponse } from './response.ts';
import { type Exchange, matchRoute, type Route, type RouteMatch } from './route.ts';

/** Writes a line to the supervisor's own log. */
export type Report = (level: Level, text: string) => void;

/** Seconds that a refused client is asked to wait (`Retry-After`), while other clients do not read. */
const RETRY_SECONDS = 1;

/** The longest time that a timer of Node can be set to, about 25 days. */
const NEVER_MS = 2 ** 31 - 1;

/** A server that does not listen yet, and how it ends. */
export interface HttpServer {
  readonly server: Server;
  /**
   * Listens no more, ends streams and waits, gives answers under way `closeMs`, then closes every connection. Resolves
   * when all are closed.
   */
  readonly close: () => Promise<void>;
}

/** Access to the routes of a server that are not open to everybody. */
export interface AccessRules {
  readonly credentials: BasicCredentials;
  /** The test of the Host header; null where every name will do. */
  readonly isHostAccepted: ((host: string | undefined) => boolean) | null;
}

/** Limits of a server. */
export interface ServerBounds {
  readonly limits: ServerLimits;
  /** Shared by servers that are open at the same time. */
  readonly budget: AnswerBudget;
}

/** The room for the answers of all servers. */
export function createAnswerBudget({ answerBytes, freeAnswerBytes }: ServerLimits): AnswerBudget {
  return new AnswerBudget(answerBytes, freeAnswerBytes);
}

/** Makes a server. */
export function createHttpServer(
  routes: readonly Route[],
  door: AccessRules,
  { limits, budget }: ServerBounds,
  report: Report,
): HttpServer {
  const isAllowed = createGuard(door.credentials);
  const openRoutes = routes.filter(({ access }) => access === 'open');
  const bodies = new BodyReader(limits);
  const connections = new ClientConnections(limits);
  /** One for each request under way. A signal for all of them would keep every request that ever listened to it. */
  const underWay = new Set<AbortController>();
  let isClosing = false;

  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
    connectionsCheckingInterval: NEVER_MS,
    ServerResponse: VersionedResponse,
    // compat: Supervisor does not ask for Host, and there are clients on unix sockets that have none to name.
    requireHostHeader: false,
  });

  /**
   * The route of a request; null where it is refused, which is done then. Who is not known is shown the open routes
   * only.
   */
  const findRoute = (
    request: IncomingMessage,
    response: ServerResponse,
  ): Extract<RouteMatch, { route: Route }> | null => {
    const isKnown = isAllowed(request.headers.authorization);
    const isTrusted = isKnown && door.isHostAccepted?.(request.headers.host) !== false;
    const match = matchRoute(isTrusted ? routes : openRoutes, request.method ?? '', request.url ?? '');
    if ('route' in match) return match;
    if (!isKnown) refuse({ request, response }, 401, { 'WWW-Authenticate': 'Basic realm="default"' });
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

  /** Resolves when the response is written or the connection is gone. */
  const answer = (request: IncomingMessage, response: ServerResponse): Promise<void> =>
    new Promise((resolve) => {
      const controller = new AbortController();
      underWay.add(controller);
      const cancelStallWatch = watchEnd(response, limits.stallMs);
      const { reserve, release } = budget.share();
      response.once('close', () => {
        cancelStallWatch();
        underWay.delete(controller);
        if (!response.writableFinished) controller.abort();
        resolve();
      });
      response.on('error', (error) => report('debug', `cannot answer a client: ${error.message}`));
      response.setHeader('Server', 'onevisor');
      if (isClosing) response.setHeader('Connection', 'close');
      // `respond` reports what goes wrong in it; what is left is a fault of its own, and the connection is of no use
      // then.
      const isDone = respond(request, response, { signal: controller.signal, reserve }).catch((error: unknown) => {
        report('critical', `cannot answer a client: ${messageOf(error)}`);
        response.destroy();
      });
      // A client that goes while a log is read for it leaves the bytes of the log behind.
      response.once('close', () => void isDone.then(release));
    });

  server.on('request', (request, response) => connections.enqueue(request.socket, () => answer(request, response)));
  server.on('connection', (socket: Socket) => connections.add(socket, (late) => rejectSocket(late, 408)));
  server.on('clientError', (error, socket) => {
    const isBusy = connections.isBusy(socket as Socket);
    // An answer under way would be garbled by one more.
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

/** Ends a connection that has no request to answer, with a status line if it will take one. */
function rejectSocket(socket: Socket, status: number): void {
  if (socket.writable) socket.end(formatRawError(status), () => socket.destroy());
  else socket.destroy();
}

/**
 * Closes the connection of a response that is complete, its rest in buffers, when that is not taken within `stallMs`.
 * Returns the function that ends the watch.
 */
function watchEnd(response: ServerResponse, stallMs: number): () => void {
  let timer: NodeJS.Timeout | undefined;
  response.once('prefinish', () => {
    // An answer to a connection that is gone is complete after its close, and nothing would end the watch.
    if (!response.closed) timer = setTimeout(() => response.destroy(), stallMs);
  });
  return () => clearTimeout(timer);
}
