/**
 * Text from outside in a message of ours: bounded, on one line, and without anything that a terminal would act on.
 * Every message that repeats text of a client, a program, a file or another server puts it through here. Pure.
 */

/** Characters of a text from outside that a message repeats. */
const SHOWN_LENGTH = 40;

/** Control characters, line separators of Unicode, marks that turn the direction of writing, half surrogate pairs. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/gu;

/**
 * At most `length` characters of a text, then `…`; what is no printable character is escaped as in JSON: `\n`,
 * `\u001b`.
 */
export function showText(text: string, length = SHOWN_LENGTH): string {
  return escapeControls(text.length > length ? `${text.slice(0, length)}…` : text);
}

/** The whole text, with what is no printable character escaped. Only for a text that is bounded already. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

/** Characters of one message. */
const MESSAGE_LENGTH = 16 * 1024;

/**
 * A message as it goes into a log or to a terminal. Only line ends and tabs are left of the control characters, since a
 * message of ours may have several lines;
 * text from outside within it must have been through {@link showText}.
 */
export function fitMessage(text: string): string {
  const cut = text.length > MESSAGE_LENGTH ? `${text.slice(0, MESSAGE_LENGTH)}…` : text;
  return cut.replace(UNSAFE, (character) =>
    character === '\n' || character === '\t' ? character : escapeCharacter(character),
  );
}

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacter(character: string): string {
  return NAMED[character] ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}
