/** Errors of the API: a status, a code for programs and a message for people. */
import { type FaultName, faultName, type RpcFault } from '../core/faults.ts';

/** Statuses of errors. */
export type ErrorStatus = 400 | 403 | 404 | 405 | 409 | 413 | 415 | 429 | 503;

/** An error that the client gets as an answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: ErrorStatus;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: ErrorStatus, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Value of `Retry-After` for a client that is refused because too many others are served. */
const RETRY = { 'Retry-After': '1' } as const;

/** Makes the error for a client that exceeds a limit of the server, and may try again. */
export function tooMany(status: 429 | 503, message: string): ApiError {
  return new ApiError(status, status === 429 ? 'too_many_changes' : 'too_many_waiting', message, RETRY);
}

/** Statuses of faults. All others are 409: the request is right, but its object is in the wrong state. */
const STATUSES: { readonly [N in FaultName]?: ErrorStatus } = {
  INCORRECT_PARAMETERS: 400,
  BAD_ARGUMENTS: 400,
  BAD_SIGNAL: 400,
  BAD_NAME: 404,
  SHUTDOWN_STATE: 503,
};

/** Words for faults without details of their own. */
const WORDS: { readonly [N in FaultName]?: string } = {
  SHUTDOWN_STATE: 'the supervisor is shutting down or restarting',
  INCORRECT_PARAMETERS: 'a parameter is wrong',
};

/** Converts a fault of a method. `BAD_NAME: web` becomes `bad_name` with a text for people. */
export function errorOfFault(fault: RpcFault): ApiError {
  const name = faultName(fault.code);
  const detail = fault.faultString.replace(/^[A-Z_]+(?:: |$)/, '');
  const text = name === 'BAD_NAME' ? `there is no process or group "${detail}"` : detail;
  const message = fault.reason ?? (text === '' ? (WORDS[name ?? 'FAILED'] ?? fault.faultString) : text);
  return new ApiError(STATUSES[name ?? 'FAILED'] ?? 409, (name ?? 'FAILED').toLowerCase(), message);
}
