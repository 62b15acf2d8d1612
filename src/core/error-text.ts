/** Texts for errors that Node, the addon or a plug-in throws. Pure. */
import { showText } from './shown-text.ts';

/** Returns the error code, such as `ENOENT`; null for an error without a code. */
export function errnoOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Returns the message of an error, without its class and its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Returns the first line of the message. Errors of module loading have more lines, with paths and advice for
 * developers.
 */
export function firstLineOf(error: unknown): string {
  return messageOf(error).split('\n', 1)[0] ?? '';
}

/** Returns the shortest useful reason: the error code, or the message of an error without a code. */
export function reasonOf(error: unknown): string {
  return errnoOf(error) ?? messageOf(error);
}

/** Errors of a write whose reader has gone. */
const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET']);

/** Describes an error of a write to standard output; null if only the reader has gone, as in `status | head -1`. */
export function describeLostOutput(error: unknown): string | null {
  if (READER_GONE.has(errnoOf(error) ?? '')) return null;
  return `cannot write standard output: ${messageOf(error).replace(/, write$/, '')}`;
}

/** Limit for a message in {@link describeMistake}. The message may repeat text of a client. */
const MESSAGE_LENGTH = 500;

/** Describes an error that only a bug of ours causes: its message on one line, then the stack. */
export function describeMistake(error: unknown): string {
  if (!(error instanceof Error)) return showText(String(error), MESSAGE_LENGTH);
  const { name, message, stack = '' } = error;
  const at = stack.indexOf(message);
  const calls = at === -1 ? '' : stack.slice(at + message.length);
  return `${name}: ${showText(message, MESSAGE_LENGTH)}${calls}`;
}
