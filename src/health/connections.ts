/**
 * Checks over the network: a request or a connection. Each check returns at once and answers later, at most once. It
 * returns a function that ends the check and closes its socket. The caller handles the timeout.
 */
import { type ClientRequest, type IncomingMessage, request as requestHttp, STATUS_CODES } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect, type LookupFunction, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { HttpTarget } from '../core/probe.ts';
import { systemAuthorities } from './authorities.ts';
import { isOwnHost } from './host-lookups.ts';
import { describeConnectError } from './reasons.ts';

/** Receives the answer of a check: null for success, otherwise the reason of the failure. */
export type Answer = (failure: string | null) => void;

/** Limit for the body of an answer. A longer answer counts with its status. */
const MAX_BODY_BYTES = 64 * 1024;
const FIRST_FAILING_STATUS = 400;

/**
 * Sends a GET request, as `curl -f` does. A status below 400 with a complete body is a success. Redirections are not
 * followed. Each check opens a new connection. The certificate of `https` is verified, unless the host is this machine:
 * certificates for `localhost` are usually self-signed.
 */
export function checkHttp(target: HttpTarget, lookup: LookupFunction, answer: Answer): () => void {
  const { isSecure, host, port, path, hostHeader, auth } = target;
  const request: ClientRequest = (isSecure ? requestHttps : requestHttp)({
    host,
    port,
    path,
    headers: { Host: hostHeader, 'User-Agent': 'onevisor', Accept: '*/*' },
    ...(auth === null ? {} : { auth }),
    agent: false,
    lookup,
    ...(isSecure ? trustFor(host) : {}),
  });
  request.on('error', (error) => answer(describeConnectError(error)));
  request.on('response', (response) => takeResponse(response, answer));
  // Without a listener Node closes the connection, and no event follows.
  request.on('upgrade', (_response, socket) => {
    socket.destroy();
    answer('the answer is another protocol than HTTP');
  });
  request.end();
  return () => request.destroy();
}

/** Options of a TLS connection: which certificates are accepted. */
function trustFor(host: string): { rejectUnauthorized: boolean; secureContext?: SecureContext } {
  if (isOwnHost(host)) return { rejectUnauthorized: false };
  const secureContext = systemAuthorities();
  return secureContext === null ? { rejectUnauthorized: true } : { rejectUnauthorized: true, secureContext };
}

function takeResponse(response: IncomingMessage, answer: Answer): void {
  const status = response.statusCode ?? 0;
  const failure = status < FIRST_FAILING_STATUS ? null : `HTTP ${status} ${STATUS_CODES[status] ?? ''}`.trim();
  let remaining = MAX_BODY_BYTES;
  response.on('data', (bytes: Buffer) => {
    remaining -= bytes.length;
    if (remaining < 0) answer(failure);
  });
  response.on('end', () => answer(failure));
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
