/**
 * One HTTP server for a table of routes. It checks the password before anything else, answers the requests of a
 * connection one after the other, and closes without waiting for clients. Node's own timeouts are off, because their
 * timer would wake an idle supervisor twice a minute. Node's module for HTTP is loaded with the first connection: that
 * takes some milliseconds, which the programs would wait for.
 */
import { createServer, type IncomingMessage, type Server as HttpParser, type ServerResponse } from 'node:http';
import { Server, type Socket } from 'node:net';
import { describeMistake, errnoOf, messageOf } from '../core/error-text.ts';
import type { Level } from '../core/log-level.ts';
import { LoginThrottle } from '../core/login-throttle.ts';
import { hasRole, type Role } from '../core/role.ts';
import { formatRawError, refuse, sendError } from './answers.ts';
import { AnswerBudget, AnswerBudgetError } from '../rpc/answer-budget.ts';
import { createLoginCheck, type HttpUser, type Login } from './authentication.ts';
import { BodyError, BodyReader } from './body.ts';
import { clientOf, networkOfClient, type PeerLookup } from './client.ts';
import { ClientConnections } from './connections.ts';
import { isCrossSite } from './cross-site.ts';
import { UNKNOWN_HOST } from './host-rule.ts';
import type { ServerLimits } from './limits.ts';
import { matchVersion } from './response.ts';
import { refusalOf, roleRefusal, sendRefusal, type Refusal } from './refusal.ts';
import { type Exchange, matchRoute, neededRole, type Route } from './route.ts';

/** Writes a line to the supervisor's own log. */
export type Report = (level: Level, text: string) => void;

/** Value of `Retry-After` for a client that is refused because the answer budget is used up. */
const RETRY_SECONDS = 1;

const CROSS_SITE: Refusal = {
  status: 403,
  code: 'cross_site',
  message:
    'A page of another site has sent this request. Behind a proxy, pass the name on (X-Forwarded-Host), or add it to ' +
    'allowed_hosts.',
};

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
  readonly users: readonly HttpUser[];
  /** The role of a client that sends no credentials; null for none. */
  readonly anonymousRole: Role | null;
  /** The test of the Host header; null to accept every name. */
  readonly isHostAccepted: ((host: string | undefined) => boolean) | null;
  /** Names of hosts whose pages may change something, besides the server itself. */
  readonly trustedOrigins: ReadonlySet<string>;
  /** For a unix socket: finds the process at the other end. Null for TCP. */
  readonly peerOf: PeerLookup | null;
}

/** Limits of a server. */
export interface ServerBounds {
  readonly limits: ServerLimits;
  /** Shared by all servers that are open at the same time. */
  readonly budget: AnswerBudget;
  /** Shared in the same way. */
  readonly throttle: LoginThrottle;
}

/** Makes the bounds that several servers share. */
export function createBounds(limits: ServerLimits): ServerBounds {
  return {
    limits,
    budget: new AnswerBudget(limits.answerBytes, limits.freeAnswerBytes),
    throttle: new LoginThrottle(),
  };
}

/** Returns the refusal of a client without a role. */
function refuseLogin(login: Exclude<Login, { kind: 'known' }>): Refusal {
  if (login.kind === 'paused')
    return {
      status: 429,
      code: 'too_many_failures',
      message: 'There were too many wrong passwords. Wait before you try again.',
      headers: { 'Retry-After': Math.ceil(login.waitMs / 1000) },
    };
  return {
    status: 401,
    code: 'unauthorized',
    message: 'This needs a user and a password.',
    headers: { 'WWW-Authenticate': 'Basic realm="default"' },
  };
}

/** The route of a request whose client may use it. */
interface AllowedRequest {
  readonly route: Route;
  readonly rest: string;
  readonly role: Role;
  readonly user: string | null;
}

/** Makes a server. A long function, because its parts share the state of the server. */
export function createHttpServer(
  routes: readonly Route[],
  access: AccessRules,
  { limits, budget, throttle }: ServerBounds,
  report: Report,
): HttpServer {
  const logIn = createLoginCheck({
    ...access,
    throttle,
    nowMs: () => performance.now(),
    onPause: (network, user, pauseMs) =>
      report(
        'warn',
        `too many wrong passwords for ${user === null ? 'an unknown user' : `user ${user}`} from ${network}: ` +
          `none is accepted for ${pauseMs / 1000} s`,
      ),
  });
  const openRoutes = routes.filter((route) => route.access === 'open');
  const bodies = new BodyReader(limits);
  const connections = new ClientConnections(limits);
  /** One controller for each request. A shared signal would keep a reference to every request that used it. */
  const underWay = new Set<AbortController>();
  let isClosing = false;

  /**
   * Finds the route of a request, or the reason to refuse it. Clients without a role reach the open routes only, and so
   * do those that call the server by another name.
   */
  const findRoute = (request: IncomingMessage): AllowedRequest | Refusal => {
    const login = logIn(request.headers.authorization, () => networkOfClient(request, access.peerOf));
    const isKnown = login.kind === 'known';
    const isTrusted = isKnown && access.isHostAccepted?.(request.headers.host) !== false;
    const match = matchRoute(isTrusted ? routes : openRoutes, request.method ?? '', request.url ?? '');
    if (!('route' in match)) {
      if (!isKnown) return refuseLogin(login);
      if (!isTrusted) return { status: 403, code: 'unknown_host', message: UNKNOWN_HOST };
      return refusalOf(match.status, match.allow === null ? {} : { Allow: match.allow });
    }
    const { route, rest } = match;
    const needed = neededRole(route.access);
    // An open route must not show more to a page whose own name resolves to this machine.
    const role = isTrusted ? login.role : 'metrics';
    if (needed !== null && !hasRole(role, needed)) return roleRefusal(needed, role);
    if (route.method === 'POST' && isCrossSite(request, access.trustedOrigins)) return CROSS_SITE;
    return { route, rest, role, user: isTrusted ? login.user : null };
  };

  const respond = async (
    request: IncomingMessage,
    response: ServerResponse,
    { signal, reserve }: Pick<Exchange, 'signal' | 'reserve'>,
  ): Promise<void> => {
    const match = findRoute(request);
    if ('status' in match) {
      sendRefusal({ request, response }, match);
      return;
    }
    try {
      await match.route.answer({
        request,
        response,
        client: () => clientOf(request, access.peerOf, match.user),
        role: match.role,
        rest: match.rest,
        signal,
        reserve,
        readBody: (maxBytes) => connections.whileReading(request.socket, () => bodies.read(request, maxBytes)),
      });
    } catch (error) {
      if (error instanceof BodyError) {
        refuse({ request, response }, error.status);
        return;
      }
      if (signal.aborted && error === signal.reason) {
        // The client has left, or it waits while the server closes.
        if (!response.destroyed) refuse({ request, response }, 503);
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

  /** Makes Node's server of HTTP, which only parses here: it gets its connections from ours. */
  const createParser = (): HttpParser => {
    const parser = createServer({
      maxHeaderSize: limits.headerBytes,
      headersTimeout: 0,
      requestTimeout: 0,
      keepAliveTimeout: 0,
      connectionsCheckingInterval: NEVER_MS,
      // compat: Supervisor does not require a Host header, and some clients of unix sockets send none.
      requireHostHeader: false,
    });
    parser.on('request', (request, response) => {
      matchVersion(request, response);
      connections.enqueue(request.socket, () => answer(request, response));
    });
    parser.on('clientError', (error, socket) => {
      const isBusy = connections.isBusy(socket as Socket);
      // A second status line would corrupt the unfinished answer.
      if (isBusy || errnoOf(error) === 'ECONNRESET') socket.destroy();
      else rejectSocket(socket as Socket, errnoOf(error) === 'HPE_HEADER_OVERFLOW' ? 431 : 400);
    });
    return parser;
  };
  let parser: HttpParser | null = null;
  // Options of a socket that Node's own server of HTTP has, too.
  const server = new Server({ allowHalfOpen: true, noDelay: true });
  server.on('connection', (socket: Socket) => {
    parser ??= createParser();
    parser.emit('connection', socket);
    connections.add(socket, (late) => rejectSocket(late, 408));
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
