/**
 * The words for a failed system call. All other texts for errors are in core/error-text.ts, which is pure and so cannot
 * ask node:util.
 */
import { getSystemErrorMap } from 'node:util';
import { errnoOf, messageOf } from '../core/error-text.ts';

/**
 * Describes a failed system call, as `no space left on device (ENOSPC)`. Any other error is described by its message.
 * Takes errors of Node and of the addon: Node's errno is negative, the addon's is positive.
 */
export function describeSystemError(error: unknown): string {
  const code = errnoOf(error);
  const { errno } = error as NodeJS.ErrnoException;
  if (code === null || errno === undefined) return messageOf(error);
  const [, words = 'unknown error'] = getSystemErrorMap().get(-Math.abs(errno)) ?? [];
  return `${words} (${code})`;
}
