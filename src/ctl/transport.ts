/**
 * The connection to a supervisor: one HTTP request a call, over a unix socket or TCP, with Basic authentication.
 * It keeps no connection open between calls: a supervisor that restarts meanwhile would be met as a broken one.
 * Knows no method and prints nothing.
 */
import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { errnoOf, messageOf } from '../core/error-text.ts';
import { RpcFault } from '../core/faults.ts';
import { fitMessage, showText } from '../core/shown-text.ts';
import { decodeJsonAnswer, JSON_TYPE } from '../rpc/json-answer.ts';
import { decodeResponse, encodeCall, MAX_TEXT_LENGTH, type XmlRpcValue, XmlRpcSyntaxError } from '../rpc/xmlrpc.ts';
import { ConnectionError, CtlError, HttpStatusError, InterruptError } from './errors.ts';
import { parseServerUrl } from './server-url.ts';

/** Where a supervisor is, and as whom to talk to it. */
export interface Endpoint {
  readonly serverUrl: string;
  readonly username: string | null;
  readonly password: string | null;
}

/**
 * Calls a method and waits for its answer, however long that takes: `startProcess` answers when the process is up.
 * Throws RpcFault, {@link ConnectionError}, {@link HttpStatusError}, {@link CtlError} for an answer that is not
 * XML-RPC, and {@link InterruptError} when the signal is aborted.
 */
export async function callRemoteMethod(
  endpoint: Endpoint,
  method: string,
  params: readonly XmlRpcValue[],
  signal: AbortSignal,
): Promise<XmlRpcValue> {
  const body = Buffer.from(encodeCall(method, params));
  // Other servers know no JSON here, and answer in XML.
  const headers = { 'Content-Type': 'text/xml', Accept: `${JSON_TYPE}, text/xml`, 'Content-Length': body.length };
  const response = await send(endpoint, { method: 'POST', path: '/RPC2', headers, signal }, body);
  const text = await readBody(response, signal);
  if (response.statusCode !== 200)
    throw new HttpStatusError(response.statusCode ?? 0, showText(response.statusMessage ?? ''));
  return decodeAnswer(text, response.headers['content-type']);
}

function decodeAnswer(text: string, type: string | undefined): XmlRpcValue {
  try {
    const answer = type?.startsWith(JSON_TYPE) === true ? decodeJsonAnswer(text) : decodeResponse(text);
    if (answer.kind === 'value') return answer.value;
    const { code, text: faultText, reason } = answer;
    throw new RpcFault(code, fitMessage(faultText), reason === undefined ? null : fitMessage(reason));
  } catch (error) {
    if (!(error instanceof XmlRpcSyntaxError)) throw error;
    throw new CtlError('xmlrpc.client.ResponseError', `cannot understand the answer of the server: ${error.message}`, {
      cause: error,
    });
  }
}

/**
 * Opens a log that goes on as it is written, such as `/logtail/NAME/stdout`. The caller ends it by the signal. Throws
 * as {@link callRemoteMethod}.
 */
export async function openLog(endpoint: Endpoint, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  // compat: supervisord holds a log back in pieces of 64 KiB where the connection is not to be kept.
  return send(
    endpoint,
    { method: 'GET', path: encodeURI(path), headers: { Accept: '*/*', Connection: 'keep-alive' }, signal },
    null,
  );
}

/** Keeps Node from looking for an IPv6 address in the Host header: its pattern for that takes 8 ms to compile. */
const NO_SERVER_NAME = { servername: '' };

function send(endpoint: Endpoint, options: RequestOptions, body: Buffer | null): Promise<IncomingMessage> {
  const target = parseServerUrl(endpoint.serverUrl);
  const place = target.kind === 'unix' ? { socketPath: target.path } : { host: target.host, port: target.port };
  const auth =
    endpoint.username === null || endpoint.username === ''
      ? {}
      : { auth: `${endpoint.username}:${endpoint.password ?? ''}` };
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, ...place, ...auth, ...NO_SERVER_NAME, agent: false });
    sent.on('response', resolve);
    // It stays after the answer has begun: a connection that breaks later is seen by whoever reads, and must not end
    // the process here.
    sent.on('error', (error) => reject(toConnectionError(error, options.signal)));
    sent.end(body);
  });
}

async function readBody(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_TEXT_LENGTH)
        throw new CtlError(
          'xmlrpc.client.ResponseError',
          `the answer of the server is longer than ${MAX_TEXT_LENGTH} bytes`,
        );
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof CtlError) throw error;
    throw toConnectionError(error, signal);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * What a failed request means. Node reports a server that closes without a word as ECONNRESET without a system call.
 */
export function toConnectionError(error: unknown, signal: AbortSignal | undefined): Error {
  if (signal?.aborted === true) return new InterruptError();
  const code = errnoOf(error);
  if (code === null) return new ConnectionError('', error);
  if (code.startsWith('HPE_')) return new CtlError('http.client.BadStatusLine', messageOf(error), { cause: error });
  const isSilentEnd = code === 'ECONNRESET' && (error as NodeJS.ErrnoException).syscall === undefined;
  return new ConnectionError(isSilentEnd ? 'DISCONNECTED' : code, error);
}
