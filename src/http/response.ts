/**
 * Responses to clients of HTTP/1.0. The status line must have the version of the request, but Node always writes
 * HTTP/1.1.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Node's function that writes the status line and the headers. Undocumented, but unchanged since Node 0.5. */
interface HeaderWriter {
  _storeHeader(statusLine: string, headers: unknown): void;
}

/** Makes a response have the HTTP version of its request. Call it before the headers are written. */
export function matchVersion({ httpVersion }: IncomingMessage, response: ServerResponse): void {
  if (httpVersion !== '1.0') return;
  const writer = response as unknown as HeaderWriter;
  const write = writer._storeHeader.bind(response);
  // Called by Node with `HTTP/1.1 200 OK\r\n` and the headers.
  writer._storeHeader = (statusLine, headers) => write(statusLine.replace(/^HTTP\/1\.1/, 'HTTP/1.0'), headers);
}
