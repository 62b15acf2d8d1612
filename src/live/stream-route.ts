/** Answers `GET /api/v1/stream`. */
import { hostname } from 'node:os';
import type { Exchange } from '../http/route.ts';
import { versionFacts } from '../rpc/version-facts.ts';
import { sendJsonError, STREAM_HEADERS } from './json-answers.ts';
import { LiveHub, type LiveHubParts } from './live-hub.ts';
import { formatMessage } from './messages.ts';
import { parsePosition } from './position.ts';
import { type ClientLimits, StreamClient } from './stream-client.ts';
import { queryOf, readStreamQuery } from './stream-query.ts';

/** Limits of all streams. Tests use small values. */
export interface StreamLimits extends ClientLimits {
  /** Number of streams at a time. The servers have 256 connections each, so that others are left. */
  readonly streams: number;
}

/** Limits in production. */
export const defaultStreamLimits: StreamLimits = { streams: 64, queueBytes: 1024 * 1024, stallMs: 30_000 };

/** Value of `Retry-After` for a client that is one too many. */
const RETRY_SECONDS = 10;

/** Time after which a browser connects again. */
const RECONNECT_MS = 1000;

/** Parts of {@link StreamRoute}. */
export interface StreamRouteParts extends LiveHubParts {
  /** Our own version. */
  readonly version: string;
  readonly limits: StreamLimits;
}

/** The streams of one supervisor. */
export class StreamRoute {
  readonly #parts: StreamRouteParts;
  readonly #hub: LiveHub;
  #open = 0;

  constructor(parts: StreamRouteParts) {
    this.#parts = parts;
    this.#hub = new LiveHub(parts);
  }

  /** Number of streams, with those that are no SSE. */
  get open(): number {
    return this.#open;
  }

  /**
   * Counts a stream until its response closes. Returns false, after an answer with status 503, if there are too many.
   */
  admit(exchange: Exchange): boolean {
    if (this.#open >= this.#parts.limits.streams) {
      const message = `at most ${this.#parts.limits.streams} streams at a time`;
      sendJsonError(exchange, { status: 503, code: 'too_many_streams', message }, { 'Retry-After': RETRY_SECONDS });
      return false;
    }
    this.#open += 1;
    exchange.response.once('close', () => {
      this.#open -= 1;
    });
    return true;
  }

  /** Answers a request. Returns when the stream goes on by itself. Throws QueryError. */
  answer(exchange: Exchange): void {
    const { request, response, signal } = exchange;
    const header = request.headers['last-event-id'];
    const query = readStreamQuery(queryOf(request.url), typeof header === 'string' && header !== '' ? header : null);
    if (!this.admit(exchange)) return;
    response.writeHead(200, { 'Content-Type': 'text/event-stream', ...STREAM_HEADERS });
    response.flushHeaders();
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    // Small messages must not wait for the acknowledgement of those before.
    request.socket.setNoDelay(true);
    const { api, timers, limits, version } = this.#parts;
    const client: StreamClient = new StreamClient({
      api,
      timers,
      limits,
      query,
      response,
      drained: () => this.#hub.drained(client),
    });
    response.once('close', () => this.#hub.remove(client));
    signal.addEventListener('abort', () => this.#hub.finish(client), { once: true });
    if (signal.aborted) {
      this.#hub.finish(client);
      return;
    }
    const facts = { version, host: hostname(), role: exchange.role, user: exchange.client().user };
    const hello = { epoch: api.epoch, seq: api.latestSeq, version: versionFacts(api, facts) };
    client.write(`retry: ${RECONNECT_MS}\n${formatMessage('hello', hello)}`);
    this.#hub
      .serve(client, query.after === null ? null : (parsePosition(query.after) ?? NO_POSITION))
      .catch((error) => {
        api.report('critical', `cannot continue a stream: ${String(error)}`);
        client.destroy();
      });
  }
}

/** Stands for a position that cannot be read: the client gets a reset. */
const NO_POSITION = { epoch: '', lines: 0, events: 0 };
