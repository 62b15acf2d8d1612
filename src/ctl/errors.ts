/**
 * Errors between the client and a supervisor, and their texts. compat: supervisorctl prints an unexpected error as
 * `error: <class 'x.Y'>, text: file: F line: N`, with the names of Python's classes. Scripts search for those names. We
 * leave out the file and the line, which are of Python's sources.
 */
import { formatPythonString } from '../config/python-text.ts';
import { messageOf } from '../core/error-text.ts';
import { RpcFault } from '../core/faults.ts';
import { fitMessage } from '../core/shown-text.ts';

/** An error that ends a command. `pythonClass` is the class that supervisorctl would print. */
export class CtlError extends Error {
  readonly pythonClass: string;

  constructor(pythonClass: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CtlError';
    this.pythonClass = pythonClass;
  }
}

/** A connection that failed or broke. `code` is the error code of node:net, for example ECONNREFUSED. */
export class ConnectionError extends CtlError {
  readonly code: string;

  constructor(code: string, cause: unknown) {
    const [pythonClass, text] = CONNECTION_ERRORS.get(code) ?? ['OSError', messageOf(cause)];
    super(pythonClass, text, { cause });
    this.name = 'ConnectionError';
    this.code = code;
  }
}

/** An answer with a status other than 200. */
export class HttpStatusError extends CtlError {
  readonly status: number;

  constructor(status: number, reason: string) {
    // compat: Supervisor's client prints this host for every server.
    super('xmlrpc.client.ProtocolError', `<ProtocolError for 127.0.0.1/RPC2: ${status} ${reason}>`);
    this.name = 'HttpStatusError';
    this.status = status;
  }
}

/** Ctrl-C while a command ran or a line was read. */
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

/** Formats a fault as Python does: `<Fault 6: 'SHUTDOWN_STATE'>`. */
export function formatFault(fault: RpcFault): string {
  return `<Fault ${fault.code}: ${formatPythonString(fault.faultString)}>`;
}

/** Formats the line for an error that the command does not handle. */
export function formatError(error: unknown): string {
  if (error instanceof RpcFault) return `error: <class 'xmlrpc.client.Fault'>, ${formatFault(error)}`;
  if (error instanceof CtlError) return `error: <class '${error.pythonClass}'>, ${fitMessage(error.message)}`;
  return fitMessage(`error: ${error instanceof Error ? `${error.name}, ${error.message}` : String(error)}`);
}
