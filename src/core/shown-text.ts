/**
 * Text from outside for our messages: bounded, on one line, and without characters that control a terminal. Pure. Every
 * message that repeats text of a client, a program, a file or another server must use these functions.
 */

/** Maximum number of characters of such a text that a message repeats. */
const SHOWN_LENGTH = 40;

/** Text with nothing to escape, as nearly all text is. */
const PLAIN = /^[ -~]*$/;

/**
 * Replaces control characters, Unicode line separators, marks that change the direction of writing, and lone
 * surrogates. The pattern is here because V8 takes a millisecond to make it.
 */
function replaceUnsafe(text: string, replace: (character: string) => string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/gu, replace);
}

/**
 * Returns at most `length` characters of a text, then `…`. Unprintable characters are escaped as in JSON: `\n`,
 * `\u001b`.
 */
export function showText(text: string, length = SHOWN_LENGTH): string {
  return escapeControls(text.length > length ? `${text.slice(0, length)}…` : text);
}

/** Escapes the unprintable characters of a text. Use it only for a text of bounded length. */
export function escapeControls(text: string): string {
  return PLAIN.test(text) ? text : replaceUnsafe(text, escapeCharacter);
}

/** Maximum number of characters of one message. */
const MESSAGE_LENGTH = 16 * 1024;

/**
 * Makes a message safe for a log or a terminal. Line ends and tabs stay, since our messages may have several lines.
 * Text from outside must have been through {@link showText} before.
 */
export function fitMessage(text: string): string {
  const cut = text.length > MESSAGE_LENGTH ? `${text.slice(0, MESSAGE_LENGTH)}…` : text;
  if (PLAIN.test(cut)) return cut;
  return replaceUnsafe(cut, (character) =>
    character === '\n' || character === '\t' ? character : escapeCharacter(character),
  );
}

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacter(character: string): string {
  return NAMED[character] ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}
