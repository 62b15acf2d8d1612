/**
 * Short answers and error pages. Texts of ours only: nothing of a request is repeated in them.
 */
import { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http';

/** What is written at a time of a long answer, and how long the client may take for it. */
const PIECE_BYTES = 64 * 1024;
const PIECE_MS = 30_000;

/** Sends a whole answer, a long one piece by piece. */
export function sendText(response: ServerResponse, status: number, type: string, text: string, headers: OutgoingHttpHeaders = {}): void {
  const body = Buffer.from(text);
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length, ...headers });
  sendPieces(response, body);
}

/** In pieces, a client that reads slowly can be told from one that reads nothing, which is cut off. */
function sendPieces(response: ServerResponse, rest: Buffer): void {
  if (rest.length <= PIECE_BYTES || response.destroyed) {
    response.end(rest);
    return;
  }
  const goOn = (): void => {
    clearTimeout(timer);
    response.off('close', goOn).off('drain', goOn);
    sendPieces(response, rest.subarray(PIECE_BYTES));
  };
  const timer = setTimeout(() => response.destroy(), PIECE_MS);
  response.once('close', goOn);
  if (response.write(rest.subarray(0, PIECE_BYTES))) setImmediate(goOn);
  else response.once('drain', goOn);
}

/** Sends the page for a status, as 404. */
export function sendError(response: ServerResponse, status: number, headers: OutgoingHttpHeaders = {}): void {
  if (response.headersSent) {
    // Half an answer must not be taken for a whole one.
    response.destroy();
    return;
  }
  sendText(response, status, 'text/html', formatPage(status), headers);
}

/** How long a client that is refused may go on sending what nobody reads. */
const LINGER_MS = 2000;

/**
 * Refuses a request. Where its body was not read the connection ends with that; what the client still sends is thrown away for a moment: closing at once would reset
 * the connection, and the client would never see the answer.
 */
export function refuse(request: IncomingMessage, response: ServerResponse, status: number, headers: OutgoingHttpHeaders = {}): void {
  if (request.complete || response.closed) {
    sendError(response, status, headers);
    return;
  }
  const body = Buffer.from(formatPage(status));
  response.writeHead(status, { 'Content-Type': 'text/html', 'Content-Length': body.length, ...headers, Connection: 'close' });
  response.write(body);
  const timer = setTimeout(() => response.end(), LINGER_MS);
  response.once('close', () => clearTimeout(timer));
  request.once('end', () => response.end());
  request.resume();
}

function formatPage(status: number): string {
  const title = STATUS_CODES[status] ?? 'Error';
  return `<!DOCTYPE html>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n`;
}

/** An error page as it goes over a connection that has no response to write it with: its request could not be parsed. */
export function formatRawError(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
}
