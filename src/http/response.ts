/**
 * Responses to clients of HTTP/1.0. The status line must have the version of the request, but Node always writes
 * HTTP/1.1.
 */
import { type IncomingMessage, ServerResponse } from 'node:http';

/** Node's function that writes the status line and the headers. Undocumented, but unchanged since Node 0.5. */
interface HeaderWriter {
  _storeHeader(statusLine: string, headers: unknown): void;
}

/** A response with the HTTP version of its request. */
export class VersionedResponse<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {
  /** Called by Node with `HTTP/1.1 200 OK\r\n` and the headers. */
  _storeHeader(statusLine: string, headers: unknown): void {
    const line = this.req.httpVersion === '1.0' ? statusLine.replace(/^HTTP\/1\.1/, 'HTTP/1.0') : statusLine;
    (ServerResponse.prototype as unknown as HeaderWriter)._storeHeader.call(this, line, headers);
  }
}
