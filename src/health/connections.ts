/**
 * Checks over the network: a request or a connection. Each check returns at once and answers later, at most once. It
 * returns a function that ends the check and closes its socket. The caller handles the timeout.
 */
import { type ClientRequest, type IncomingMessage, request as requestHttp, STATUS_CODES } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect, type LookupFunction, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { ByteCollector } from '../core/byte-collector.ts';
import type { HttpTarget, StatusRange } from '../core/probe.ts';
import { showText } from '../core/shown-text.ts';
import { systemAuthorities } from '../files/authorities.ts';
import { isOwnHost } from './host-lookups.ts';
import { describeConnectError } from './reasons.ts';

/**
 * Receives the answer of a check: null for success, otherwise the reason of the failure. `output`: the last line that a
 * command has written.
 */
export type Answer = (failure: string | null, output?: string) => void;

/** Limit for the body of an answer. A longer answer counts with its status. */
const MAX_BODY_BYTES = 64 * 1024;
const FIRST_FAILING_STATUS = 400;
/** Limit for redirections, as in Kubernetes. */
const MAX_REDIRECTS = 10;

/** Statuses with a `Location` to visit instead (RFC 9110, 15.4). */
const REDIRECTIONS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Answers that a check over HTTP accepts. */
export interface HttpExpectation {
  /** Null: every status below 400. */
  readonly statuses: readonly StatusRange[] | null;
  /** Text that the beginning of the body must contain; null for any body. */
  readonly body: string | null;
}

/**
 * Sends a GET request, as `curl -f` does. An expected status with a complete and expected body is a success. A
 * redirection to the same server is followed, unless its status is expected; a redirection elsewhere counts with its
 * status. Each check opens a new connection. The certificate of `https` is verified, unless the host is this machine:
 * certificates for `localhost` are usually self-signed.
 */
export function checkHttp(
  target: HttpTarget,
  expectation: HttpExpectation,
  lookup: LookupFunction,
  answer: Answer,
): () => void {
  let redirects = 0;
  let stop = (): void => undefined;
  const visit = (path: string): void => {
    stop = request({ ...target, path }, lookup, answer, (response) => {
      const next = redirectionOf(target, path, response, expectation);
      if (next === null) return takeResponse(response, expectation, answer);
      response.resume();
      redirects += 1;
      if (redirects > MAX_REDIRECTS)
        answer(`redirected more than ${MAX_REDIRECTS} times, at last to ${showText(next, 100)}`);
      else {
        stop();
        visit(next);
      }
    });
  };
  visit(target.path);
  return () => stop();
}

/** Returns the path that a response redirects to on the same server; null for any other response. */
function redirectionOf(
  { isSecure, hostHeader }: HttpTarget,
  path: string,
  { statusCode = 0, headers: { location } }: IncomingMessage,
  { statuses }: HttpExpectation,
): string | null {
  if (!REDIRECTIONS.has(statusCode) || location === undefined || statuses?.some(includes(statusCode)) === true)
    return null;
  const base = `${isSecure ? 'https' : 'http'}://${hostHeader}`;
  if (!URL.canParse(location, base + path)) return null;
  const url = new URL(location, base + path);
  return url.origin === new URL(base).origin ? url.pathname + url.search : null;
}

function includes(status: number): (range: StatusRange) => boolean {
  return ({ first, last }) => status >= first && status <= last;
}

/** Sends one request. `take` gets its response; an error is the answer. Returns the function that ends it. */
function request(
  target: HttpTarget,
  lookup: LookupFunction,
  answer: Answer,
  take: (response: IncomingMessage) => void,
): () => void {
  const { isSecure, host, port, path, hostHeader, auth } = target;
  const sent: ClientRequest = (isSecure ? requestHttps : requestHttp)({
    host,
    port,
    path,
    headers: { Host: hostHeader, 'User-Agent': 'onevisor', Accept: '*/*' },
    ...(auth === null ? {} : { auth }),
    agent: false,
    lookup,
    ...(isSecure ? trustFor(host) : {}),
  });
  let isOver = false;
  sent.on('error', (error) => {
    if (!isOver) answer(describeConnectError(error));
  });
  sent.on('response', take);
  // Without a listener Node closes the connection, and no event follows.
  sent.on('upgrade', (_response, socket) => {
    socket.destroy();
    answer('the answer is another protocol than HTTP');
  });
  sent.end();
  return () => {
    isOver = true;
    sent.destroy();
  };
}

/** Options of a TLS connection: which certificates are accepted. */
function trustFor(host: string): { rejectUnauthorized: boolean; secureContext?: SecureContext } {
  if (isOwnHost(host)) return { rejectUnauthorized: false };
  const secureContext = systemAuthorities();
  return secureContext === null ? { rejectUnauthorized: true } : { rejectUnauthorized: true, secureContext };
}

function takeResponse(response: IncomingMessage, { statuses, body }: HttpExpectation, answer: Answer): void {
  const status = response.statusCode ?? 0;
  const isExpected = statuses === null ? status < FIRST_FAILING_STATUS : statuses.some(includes(status));
  const failure = isExpected ? null : `HTTP ${status} ${STATUS_CODES[status] ?? ''}`.trim();
  const wanted = body === null ? null : Buffer.from(body);
  const begin = new ByteCollector();
  let remaining = MAX_BODY_BYTES;
  const judge = (): string | null => {
    if (failure !== null || wanted === null || Buffer.from(begin.bytes).includes(wanted)) return failure;
    return `the answer does not contain: ${showText(body ?? '', 60)}`;
  };
  response.on('data', (bytes: Buffer) => {
    const added = wanted === null ? 'taken' : begin.add(bytes.subarray(0, remaining), MAX_BODY_BYTES);
    remaining -= bytes.length;
    if (remaining < 0 || added !== 'taken') answer(judge());
  });
  response.on('end', () => answer(judge()));
  response.on('error', (error) => answer(failure ?? describeConnectError(error)));
}

/** Checks that a TCP port accepts a connection. */
export function checkTcp(host: string, port: number, lookup: LookupFunction, answer: Answer): () => void {
  const socket = connect({ host, port, lookup });
  // A connection from an ephemeral port to the same port connects to itself if no server listens (simultaneous open).
  const isEcho = (): boolean => socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
  return awaitConnection(socket, () => (isEcho() ? 'connection refused' : null), answer);
}

/** Checks that a unix socket accepts a connection. */
export function checkUnix(path: string, answer: Answer): () => void {
  return awaitConnection(connect({ path }), () => null, answer);
}

function awaitConnection(socket: Socket, judge: () => string | null, answer: Answer): () => void {
  socket.on('connect', () => answer(judge()));
  socket.on('error', (error) => answer(describeConnectError(error)));
  return () => socket.destroy();
}
