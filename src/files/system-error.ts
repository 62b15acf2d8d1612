/**
 * Text for a failed system call. All other texts for errors are in core/error-text.ts, which is pure and so cannot use
 * node:util.
 */
import { getSystemErrorMap } from 'node:util';
import { errnoOf, messageOf } from '../core/error-text.ts';

/**
 * Describes a failed system call: `no space left on device (ENOSPC)`. Any other error is described by its message.
 * Accepts errors of Node, whose errno is negative, and of the addon, whose errno is positive.
 */
export function describeSystemError(error: unknown): string {
  const code = errnoOf(error);
  const { errno } = error as NodeJS.ErrnoException;
  if (code === null || errno === undefined) return messageOf(error);
  const [, words = 'unknown error'] = getSystemErrorMap().get(-Math.abs(errno)) ?? [];
  return `${words} (${code})`;
}
