/**
 * What can go wrong between the client and a supervisor, and how it is shown. compat: supervisorctl prints any other
 * error than those it expects as `error: <class 'x.Y'>, text: file: F line: N`, with the names of Python's classes.
 * Scripts look for those names; the place in Python's sources, which we do not have, is left out.
 */
import { formatPythonString } from '../config/python-text.ts';
import { messageOf } from '../core/error-text.ts';
import { RpcFault } from '../core/faults.ts';
import { fitMessage } from '../core/shown-text.ts';

/** An error that a command ends with; `pythonClass` is what supervisorctl would have called it. */
export class CtlError extends Error {
  readonly pythonClass: string;

  constructor(pythonClass: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CtlError';
    this.pythonClass = pythonClass;
  }
}

/** No connection, or a broken one; `code` is that of node:net, such as ECONNREFUSED. */
export class ConnectionError extends CtlError {
  readonly code: string;

  constructor(code: string, cause: unknown) {
    const [pythonClass, text] = CONNECTION_ERRORS.get(code) ?? ['OSError', messageOf(cause)];
    super(pythonClass, text, { cause });
    this.name = 'ConnectionError';
    this.code = code;
  }
}

/** The server answered with another status than 200. */
export class HttpStatusError extends CtlError {
  readonly status: number;

  constructor(status: number, reason: string) {
    // compat: Supervisor names this host whatever the server is.
    super('xmlrpc.client.ProtocolError', `<ProtocolError for 127.0.0.1/RPC2: ${status} ${reason}>`);
    this.name = 'HttpStatusError';
    this.status = status;
  }
}

/** Ctrl-C while something went on. */
export class InterruptError extends Error {
  override readonly name = 'InterruptError';
}

const CONNECTION_ERRORS: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['ENOENT', ['FileNotFoundError', '[Errno 2] No such file or directory']],
  ['EACCES', ['PermissionError', '[Errno 13] Permission denied']],
  ['ENOTDIR', ['NotADirectoryError', '[Errno 20] Not a directory']],
  ['EPIPE', ['BrokenPipeError', '[Errno 32] Broken pipe']],
  ['ENETUNREACH', ['OSError', '[Errno 101] Network is unreachable']],
  ['ECONNRESET', ['ConnectionResetError', '[Errno 104] Connection reset by peer']],
  ['ETIMEDOUT', ['TimeoutError', '[Errno 110] Connection timed out']],
  ['ECONNREFUSED', ['ConnectionRefusedError', '[Errno 111] Connection refused']],
  ['EHOSTUNREACH', ['OSError', '[Errno 113] No route to host']],
  ['ENOTFOUND', ['socket.gaierror', '[Errno -2] Name or service not known']],
  ['EAI_AGAIN', ['socket.gaierror', '[Errno -3] Temporary failure in name resolution']],
  ['DISCONNECTED', ['http.client.RemoteDisconnected', 'Remote end closed connection without response']],
]);

/** A fault as Python shows it: `<Fault 6: 'SHUTDOWN_STATE'>`. */
export function formatFault(fault: RpcFault): string {
  return `<Fault ${fault.code}: ${formatPythonString(fault.faultString)}>`;
}

/** The line for an error that no command expects. */
export function formatError(error: unknown): string {
  if (error instanceof RpcFault) return `error: <class 'xmlrpc.client.Fault'>, ${formatFault(error)}`;
  if (error instanceof CtlError) return `error: <class '${error.pythonClass}'>, ${fitMessage(error.message)}`;
  return fitMessage(`error: ${error instanceof Error ? `${error.name}, ${error.message}` : String(error)}`);
}
