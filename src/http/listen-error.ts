/** The error of opening a server: the address, and the reason as a code. */
import { errnoOf, reasonOf } from '../core/error-text.ts';

/**
 * Reason of the error. `inUse`: another program listens there. `notASocket`: the path is another kind of file, which is
 * not removed. `insecure`: reachable from other machines without a password. `denied`: no permission. `unavailable`:
 * any other error of the kernel, for example a missing directory.
 */
export type ListenErrorCode = 'inUse' | 'notASocket' | 'insecure' | 'denied' | 'unavailable';

/** A server that cannot listen. The message is "cannot listen on ADDRESS: reason". */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: ListenErrorCode;
  /** The path, or host:port. */
  readonly address: string;

  constructor(code: ListenErrorCode, address: string, reason: string, options?: ErrorOptions) {
    super(`cannot listen on ${address}: ${reason}`, options);
    this.code = code;
    this.address = address;
  }
}

/** Makes the error for a failure of bind(2), listen(2) or a file operation before them. */
export function listenErrorOf(address: string, error: unknown): ListenError {
  if (error instanceof ListenError) return error;
  const code = errnoOf(error);
  switch (code) {
    case 'EADDRINUSE':
    case 'EEXIST':
      return new ListenError('inUse', address, 'another program listens there already', { cause: error });
    case 'EACCES':
    case 'EPERM':
      return new ListenError('denied', address, 'permission denied', { cause: error });
    case 'ENOENT':
      return new ListenError('unavailable', address, 'the directory does not exist', { cause: error });
    case 'EROFS':
      return new ListenError('unavailable', address, 'the file system is read-only', { cause: error });
    case 'EADDRNOTAVAIL':
      return new ListenError('unavailable', address, 'this machine does not have that address', { cause: error });
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ListenError('unavailable', address, 'there is no such host', { cause: error });
    case 'EINVAL':
    case 'ENAMETOOLONG':
      return new ListenError('unavailable', address, 'the path is too long for a socket', { cause: error });
    default:
      return new ListenError('unavailable', address, reasonOf(error), { cause: error });
  }
}
