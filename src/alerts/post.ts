/**
 * Posts JSON to a URL. Returns at once and answers later, once. Follows no redirection, since another server must not
 * get the secrets of a request, and shows neither the URL nor headers in a reason.
 */
import { type ClientRequest, type OutgoingHttpHeaders, request as requestHttp, STATUS_CODES } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { AlertFailure } from '../core/alert-queue.ts';
import { systemAuthorities } from '../files/authorities.ts';
import { describeConnectError } from '../health/reasons.ts';

/** Receives the outcome; null for success. */
export type Delivered = (failure: AlertFailure | null) => void;

/** Limit for the body of an answer. Its status counts, and a longer body is not read. */
const MAX_BODY_BYTES = 64 * 1024;
const SECOND_MS = 1000;

/** One request. */
export interface Post {
  readonly url: URL;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Authorities that `https` trusts; null for those of the machine. */
  readonly authorities: SecureContext | null;
  readonly lookup: LookupFunction;
}

/**
 * Sends a request. The returned function ends it with a failure. If the status has arrived already, that decides.
 */
export function post(wanted: Post, delivered: Delivered): (failure: AlertFailure) => void {
  let judged: { readonly failure: AlertFailure | null } | null = null;
  let isOver = false;
  const sent = open(wanted);
  const finish = (failure: AlertFailure | null): void => {
    if (isOver) return;
    isOver = true;
    sent.destroy();
    delivered(judged === null ? failure : judged.failure);
  };
  sent.on('error', (error) => finish({ reason: describeConnectError(error), isFinal: false, pauseMs: null }));
  sent.on('upgrade', (_response, socket) => {
    socket.destroy();
    finish({ reason: 'the answer is another protocol than HTTP', ...FINAL });
  });
  sent.on('response', (response) => {
    judged = { failure: judge(response.statusCode ?? 0, response.headers['retry-after']) };
    let remaining = MAX_BODY_BYTES;
    // The status has decided. The rest is read, so that the server does not see a broken connection.
    response.on('data', (bytes: Buffer) => {
      remaining -= bytes.length;
      if (remaining < 0) finish(null);
    });
    for (const name of ['end', 'error', 'close'] as const) response.on(name, () => finish(null));
  });
  sent.end(wanted.body);
  return finish;
}

const FINAL = { isFinal: true, pauseMs: null } as const;

function open({ url, headers, body, authorities, lookup }: Post): ClientRequest {
  const isSecure = url.protocol === 'https:';
  const secureContext = authorities ?? (isSecure ? systemAuthorities() : null);
  const own: OutgoingHttpHeaders = {
    'Content-Type': 'application/json',
    'User-Agent': 'onevisor',
    Accept: '*/*',
    'Content-Length': Buffer.byteLength(body),
  };
  const names = new Set([...headers.keys()].map((name) => name.toLowerCase()));
  const usual = Object.entries(own).filter(([name]) => !names.has(name.toLowerCase()));
  return (isSecure ? requestHttps : requestHttp)(url, {
    method: 'POST',
    headers: { ...Object.fromEntries(usual), ...Object.fromEntries(headers) },
    agent: false,
    lookup,
    ...(secureContext === null ? {} : { secureContext }),
  });
}

/** Judges a status. Null for success. A server that is busy or broken is asked again. */
function judge(status: number, retryAfter: string | undefined): AlertFailure | null {
  if (status >= 200 && status < 300) return null;
  const reason = `HTTP ${status} ${STATUS_CODES[status] ?? ''}`.trim();
  if (status >= 300 && status < 400) return { reason: `${reason}: redirections are not followed`, ...FINAL };
  const isFinal = status < 500 && status !== 408 && status !== 429;
  const seconds = Number(retryAfter);
  return { reason, isFinal, pauseMs: Number.isFinite(seconds) && seconds > 0 ? seconds * SECOND_MS : null };
}
