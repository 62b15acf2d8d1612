/**
 * Answers with a length, and error pages. Error pages never repeat text of the request.
 */
import { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Reserve } from '../rpc/answer-budget.ts';

/** Size of the pieces of a long answer, and the time that a client may take to read one. */
const PIECE_BYTES = 64 * 1024;
const PIECE_MS = 30_000;

/** A response, and the function that reserves memory for its content. */
export interface AnswerTarget {
  readonly response: ServerResponse;
  readonly reserve: Reserve;
}

/**
 * A part of a body: text, bytes, or text that is encoded while it is sent. `encode` returns the same text at each call.
 * The code that read the source of the text has reserved the memory for it.
 */
export type BodyPart = string | Buffer | { readonly encode: () => Iterable<string> };

/** Content of an answer, and its media type. */
export interface Content {
  readonly type: string;
  readonly text: string | Buffer;
}

/**
 * Sends a whole answer; a long one is sent in pieces. Throws AnswerBudgetError if too many bytes wait for other
 * clients.
 */
export function sendText(
  { response, reserve }: AnswerTarget,
  status: number,
  { type, text }: Content,
  headers: OutgoingHttpHeaders = {},
): void {
  const body = typeof text === 'string' ? Buffer.from(text) : text;
  reserve(body.length);
  sendBuffer(response, status, body, { 'Content-Type': type, ...headers });
}

function sendBuffer(response: ServerResponse, status: number, body: Buffer, headers: OutgoingHttpHeaders): void {
  response.writeHead(status, { ...headers, 'Content-Length': body.length });
  if (body.length <= PIECE_BYTES) response.end(body);
  else sendPieces(response, divide([body]));
}

/**
 * Sends an answer of several parts, with one encoded piece in memory at a time. The parts are encoded twice, first to
 * count the bytes: every client understands Content-Length.
 * Resolves when the answer has begun. Rejects with AnswerBudgetError if too many bytes wait for other clients.
 */
export async function sendParts(
  { response, reserve }: AnswerTarget,
  type: string,
  parts: readonly BodyPart[],
): Promise<void> {
  const made = parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
  let length = 0;
  for (const part of made) if (Buffer.isBuffer(part)) length += part.length;
  reserve(length);
  if (made.every((part) => Buffer.isBuffer(part))) {
    response.writeHead(200, { 'Content-Type': type, 'Content-Length': length });
    if (length <= PIECE_BYTES) response.end(made.length === 1 ? made[0] : Buffer.concat(made));
    else sendPieces(response, divide(made));
    return;
  }
  for (const part of made) {
    if (Buffer.isBuffer(part)) continue;
    for (const text of part.encode()) {
      length += Buffer.byteLength(text);
      await nextTurn();
      if (response.destroyed) return;
    }
  }
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': length });
  sendPieces(response, divide(made));
}

/** Resolves in the next turn of the loop, after what waits has had its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function* divide(parts: ReadonlyArray<Exclude<BodyPart, string>>): Generator<Buffer> {
  for (const part of parts) {
    if (Buffer.isBuffer(part))
      for (let at = 0; at < part.length; at += PIECE_BYTES) yield part.subarray(at, at + PIECE_BYTES);
    else for (const text of part.encode()) yield Buffer.from(text);
  }
}

/** Sends pieces one after the other. A client that does not read a piece within the time is disconnected. */
function sendPieces(response: ServerResponse, pieces: Iterator<Buffer>): void {
  const { done, value } = response.destroyed ? { done: true, value: null } : pieces.next();
  if (done === true || value === null) {
    response.end();
    return;
  }
  const sendNext = (): void => {
    clearTimeout(timer);
    response.off('close', sendNext).off('drain', sendNext);
    sendPieces(response, pieces);
  };
  const timer = setTimeout(() => response.destroy(), PIECE_MS);
  response.once('close', sendNext);
  if (response.write(value)) setImmediate(sendNext);
  else response.once('drain', sendNext);
}

/** Sends the error page for a status, with our reason. */
export function sendError(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders = {},
  reason = '',
): void {
  if (response.headersSent) {
    // The client must not take a part of the answer for the whole.
    response.destroy();
    return;
  }
  const { type, text } = errorContent(response.req.url, status, reason);
  sendBuffer(response, status, Buffer.from(text), { 'Content-Type': type, ...headers });
}

/** A refused request. */
export interface RefusedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Time for which the rest of a refused request is read and dropped. */
const LINGER_MS = 2000;

/**
 * Refuses a request. If its body was not read, the connection ends with the answer. The rest of the body is read and
 * dropped for a short time: closing at once would reset the connection, and the client would not see the answer.
 */
export function refuse(refused: RefusedRequest, status: number, headers: OutgoingHttpHeaders = {}, reason = ''): void {
  refuseAs(refused, status, errorContent(refused.request.url, status, reason), headers);
}

/** Refuses a request in the same way, with a body of the caller. */
export function refuseAs(
  { request, response }: RefusedRequest,
  status: number,
  { type, text }: Content,
  headers: OutgoingHttpHeaders = {},
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = typeof text === 'string' ? Buffer.from(text) : text;
  if (request.complete || response.closed) {
    sendBuffer(response, status, body, { 'Content-Type': type, ...headers });
    return;
  }
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': body.length,
    ...headers,
    Connection: 'close',
  });
  response.write(body);
  const timer = setTimeout(() => response.end(), LINGER_MS);
  response.once('close', () => clearTimeout(timer));
  request.once('end', () => response.end());
  request.resume();
}

/** Clients of the JSON API get each error as JSON. */
const JSON_PATH = /^(?:https?:\/\/[^/]*)?\/api\//i;

/** Makes the body of an error: JSON on the paths of the JSON API, otherwise a page. */
function errorContent(url: string | undefined, status: number, reason: string): Content & { readonly text: string } {
  if (!JSON_PATH.test(url ?? '')) return { type: 'text/html', text: formatPage(status, reason) };
  const title = STATUS_CODES[status] ?? 'Error';
  const error = { code: title.toLowerCase().replaceAll(' ', '_'), message: reason === '' ? title : reason };
  return { type: 'application/json', text: `${JSON.stringify({ error })}\n` };
}

function formatPage(status: number, reason: string): string {
  const title = STATUS_CODES[status] ?? 'Error';
  const paragraph = reason === '' ? '' : `<p>${reason}</p>\n`;
  return `<!DOCTYPE html>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n${paragraph}`;
}

/** Formats the error for a connection whose request could not be parsed, so that there is no response object. */
export function formatRawError(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
}
