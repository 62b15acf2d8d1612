/**
 * The response to a client of HTTP/1.0, whose status line must say so: Node writes HTTP/1.1 whatever was asked in.
 */
import { type IncomingMessage, ServerResponse } from 'node:http';

/** Node's function that writes the status line and the headers. It is not documented, and unchanged since Node 0.5. */
interface HeaderWriter {
  _storeHeader(statusLine: string, headers: unknown): void;
}

/** A response in the version of its request. */
export class VersionedResponse<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {
  /** Called by Node with `HTTP/1.1 200 OK\r\n` and the headers. */
  _storeHeader(statusLine: string, headers: unknown): void {
    const line = this.req.httpVersion === '1.0' ? statusLine.replace(/^HTTP\/1\.1/, 'HTTP/1.0') : statusLine;
    (ServerResponse.prototype as unknown as HeaderWriter)._storeHeader.call(this, line, headers);
  }
}
