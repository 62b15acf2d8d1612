/**
 * The words for an error of the kernel in a message to people.
 */
import { getSystemErrorMessage } from 'node:util';

/** As `no space left on device (ENOSPC)`; the error's own message where it has no number. */
export function describeError(error: NodeJS.ErrnoException): string {
  if (error.errno === undefined || error.code === undefined) return error.message;
  return `${getSystemErrorMessage(error.errno)} (${error.code})`;
}
