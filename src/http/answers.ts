/**
 * Short answers and error pages. Texts of ours only: nothing of a request is repeated in them.
 */
import { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Reserve } from '../rpc/answer-budget.ts';

/** What is written at a time of a long answer, and how long the client may take for it. */
const PIECE_BYTES = 64 * 1024;
const PIECE_MS = 30_000;

/** An answer to be sent, and the count of what waits for its client. */
export interface AnswerTarget {
  readonly response: ServerResponse;
  readonly reserve: Reserve;
}

/**
 * A part of a body: text, or text that is made as it is sent. `encode` gives the same whenever it is called; what it is
 * made from is reserved by whoever read that.
 */
export type BodyPart = string | { readonly encode: () => Iterable<string> };

/** Sends a whole answer, a long one piece by piece. Throws NoRoomError where too much waits for other clients. */
export function sendText(
  { response, reserve }: AnswerTarget,
  status: number,
  type: string,
  text: string | Buffer,
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
 * Sends an answer of several parts, of which no more is in memory than a piece. Its parts are encoded twice: a first
 * time to know how long it is, which every client understands.
 * Resolves when it is under way. Rejects with NoRoomError where too much waits for other clients.
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
    sendBuffer(response, 200, Buffer.concat(made), { 'Content-Type': type });
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

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function* divide(parts: ReadonlyArray<Buffer | Exclude<BodyPart, string>>): Generator<Buffer> {
  for (const part of parts) {
    if (Buffer.isBuffer(part))
      for (let at = 0; at < part.length; at += PIECE_BYTES) yield part.subarray(at, at + PIECE_BYTES);
    else for (const text of part.encode()) yield Buffer.from(text);
  }
}

/** In pieces, a client that reads slowly can be told from one that reads nothing, which is cut off. */
function sendPieces(response: ServerResponse, pieces: Iterator<Buffer>): void {
  const { done, value } = response.destroyed ? { done: true, value: null } : pieces.next();
  if (done === true || value === null) {
    response.end();
    return;
  }
  const goOn = (): void => {
    clearTimeout(timer);
    response.off('close', goOn).off('drain', goOn);
    sendPieces(response, pieces);
  };
  const timer = setTimeout(() => response.destroy(), PIECE_MS);
  response.once('close', goOn);
  if (response.write(value)) setImmediate(goOn);
  else response.once('drain', goOn);
}

/** Sends the page for a status, as 404; `reason` stands on it and is a text of ours. */
export function sendError(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders = {},
  reason = '',
): void {
  if (response.headersSent) {
    // Half an answer must not be taken for a whole one.
    response.destroy();
    return;
  }
  sendBuffer(response, status, Buffer.from(formatPage(status, reason)), { 'Content-Type': 'text/html', ...headers });
}

/** A request that is refused. */
export interface RefusedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** How long a client that is refused may go on sending what nobody reads. */
const LINGER_MS = 2000;

/**
 * Refuses a request. Where its body was not read the connection ends with that; what the client still sends is thrown
 * away for a moment: closing at once would reset the connection, and the client would never see the answer.
 */
export function refuse(
  { request, response }: RefusedRequest,
  status: number,
  headers: OutgoingHttpHeaders = {},
  reason = '',
): void {
  if (request.complete || response.closed) {
    sendError(response, status, headers, reason);
    return;
  }
  const body = Buffer.from(formatPage(status, reason));
  response.writeHead(status, {
    'Content-Type': 'text/html',
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

function formatPage(status: number, reason: string): string {
  const title = STATUS_CODES[status] ?? 'Error';
  return `<!DOCTYPE html>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n${reason === '' ? '' : `<p>${reason}</p>\n`}`;
}

/**
 * An error page as it goes over a connection that has no response to write it with: its request could not be parsed.
 */
export function formatRawError(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
}
