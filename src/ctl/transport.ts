/**
 * Requests to a supervisor: one HTTP request for each call, over a unix socket or TCP, with Basic authentication. No
 * connection stays open between calls, because a restart of the supervisor would break it. Knows no method and prints
 * nothing.
 */
import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { errnoOf, messageOf } from '../core/error-text.ts';
import { RpcFault } from '../core/faults.ts';
import { fitMessage, showText } from '../core/shown-text.ts';
import { decodeJsonAnswer, JSON_TYPE } from '../rpc/json-answer.ts';
import { decodeResponse, encodeCall, MAX_TEXT_LENGTH, type XmlRpcValue, XmlRpcSyntaxError } from '../rpc/xmlrpc.ts';
import { ConnectionError, CtlError, HttpStatusError, InterruptError } from './errors.ts';
import { parseServerUrl } from './server-url.ts';

/** Longest shown reason of a status line. A server of ours names the needed role there. */
const MAX_REASON_PHRASE = 100;

/** The address of a supervisor, with the user and the password. */
export interface Endpoint {
  readonly serverUrl: string;
  readonly username: string | null;
  readonly password: string | null;
  /** Where the address comes from, for people, for example `from -s`. */
  readonly origin?: string;
}

/**
 * Calls a method and waits for its answer without a timeout: `startProcess` answers when the process is up.
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
  // A supervisord ignores the Accept header and answers in XML.
  const headers = { 'Content-Type': 'text/xml', Accept: `${JSON_TYPE}, text/xml`, 'Content-Length': body.length };
  const response = await send(endpoint, { method: 'POST', path: '/RPC2', headers, signal }, body);
  const text = await readBody(response, signal);
  if (response.statusCode !== 200)
    throw new HttpStatusError(response.statusCode ?? 0, showText(response.statusMessage ?? '', MAX_REASON_PHRASE));
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
 * Opens a stream that follows a log, for example `/logtail/NAME/stdout`. The caller ends the stream with the signal.
 * Throws the errors of {@link callRemoteMethod}.
 */
export async function openLog(endpoint: Endpoint, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  // compat: without keep-alive, supervisord buffers the log and sends it in pieces of 64 KiB.
  return send(
    endpoint,
    { method: 'GET', path: encodeURI(path), headers: { Accept: '*/*', Connection: 'keep-alive' }, signal },
    null,
  );
}

/** Prevents Node's search for an IPv6 address in the Host header. Compiling the pattern for that takes 8 ms. */
const NO_SERVER_NAME = { servername: '' };

function send(endpoint: Endpoint, options: RequestOptions, body: Buffer | null): Promise<IncomingMessage> {
  const target = parseServerUrl(endpoint.serverUrl);
  const address = target.kind === 'unix' ? { socketPath: target.path } : { host: target.host, port: target.port };
  const auth =
    endpoint.username === null || endpoint.username === ''
      ? {}
      : { auth: `${endpoint.username}:${endpoint.password ?? ''}` };
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, ...address, ...auth, ...NO_SERVER_NAME, agent: false });
    sent.on('response', resolve);
    // This listener stays after the answer has begun. A connection that breaks later is an error for the reader of the
    // answer; without a listener here, it would end the process.
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
 * Converts the error of a failed request. If the server closes the connection without an answer, Node reports
 * ECONNRESET without a system call.
 */
export function toConnectionError(error: unknown, signal: AbortSignal | undefined): Error {
  if (signal?.aborted === true) return new InterruptError();
  const code = errnoOf(error);
  if (code === null) return new ConnectionError('', error);
  if (code.startsWith('HPE_')) return new CtlError('http.client.BadStatusLine', messageOf(error), { cause: error });
  const isSilentEnd = code === 'ECONNRESET' && (error as NodeJS.ErrnoException).syscall === undefined;
  return new ConnectionError(isSilentEnd ? 'DISCONNECTED' : code, error);
}
