/** Answers of the JSON API. Errors are `{"error": {"code", "message"}}`. */
import type { OutgoingHttpHeaders } from 'node:http';
import { sendText } from '../http/answers.ts';
import type { Exchange } from '../http/route.ts';

/** Headers of every answer that goes on. nginx must not buffer it, and no proxy may change it. */
export const STREAM_HEADERS = {
  'X-Accel-Buffering': 'no',
  'Cache-Control': 'no-cache, no-transform',
  'X-Content-Type-Options': 'nosniff',
} as const;

type Target = Pick<Exchange, 'response' | 'reserve'>;

/** Sends an answer. */
export function sendJson(exchange: Target, value: object, status = 200, headers: OutgoingHttpHeaders = {}): void {
  const content = { type: 'application/json', text: `${JSON.stringify(value)}\n` };
  sendText(exchange, status, content, { 'Cache-Control': 'no-store', ...headers });
}

/** Sends an error. */
export function sendJsonError(
  exchange: Target,
  { status, code, message }: { readonly status: number; readonly code: string; readonly message: string },
  headers: OutgoingHttpHeaders = {},
): void {
  sendJson(exchange, { error: { code, message } }, status, headers);
}

/** Begins an answer of JSON objects, one a line. Returns false if the request wants only the headers. */
export function beginJsonLines({ request, response }: Pick<Exchange, 'request' | 'response'>): boolean {
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson', ...STREAM_HEADERS });
  response.flushHeaders();
  if (request.method !== 'HEAD') return true;
  response.end();
  return false;
}
