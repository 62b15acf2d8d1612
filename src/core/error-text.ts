/** Texts for errors that Node, the addon or a plug-in throws. Pure. */
import { showText } from './shown-text.ts';

/** Name of the error code, such as `ENOENT`; null for an error without one. */
export function errnoOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** The message of an error, without its class and its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The first line of the message. Errors of module loading go on with paths and advice for authors of modules. */
export function firstLineOf(error: unknown): string {
  return messageOf(error).split('\n', 1)[0] ?? '';
}

/** The shortest reason that still says why: the error code, or the message of an error without a code. */
export function reasonOf(error: unknown): string {
  return errnoOf(error) ?? messageOf(error);
}

/** Maximum length of a message in {@link describeMistake}: it may repeat text of a client. */
const MESSAGE_LENGTH = 500;

/** Describes an error that only a mistake of ours causes: its message on one line, then the stack. */
export function describeMistake(error: unknown): string {
  if (!(error instanceof Error)) return showText(String(error), MESSAGE_LENGTH);
  const { name, message, stack = '' } = error;
  const at = stack.indexOf(message);
  const calls = at === -1 ? '' : stack.slice(at + message.length);
  return `${name}: ${showText(message, MESSAGE_LENGTH)}${calls}`;
}
