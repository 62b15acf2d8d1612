/**
 * Command lines split into words as Python's shlex.split() does, and words put together again. No shell is involved.
 * Pure. (The package `shlex` also understands `$'…'`, which Supervisor takes literally.)
 */

/** Why a command line cannot be split; in Python's words, which Supervisor's users know. */
export class CommandLineError extends Error {}

/** A word of a command line. */
export interface Word {
  readonly text: string;
  /** The word as it is written, with its quotes and backslashes. */
  readonly source: string;
}

/** The words of a command line, and how they are written. Throws {@link CommandLineError}. */
export function parseCommandLine(line: string): Word[] {
  const words: Word[] = [];
  let text: string | null = null;
  let start = 0;
  let quote: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (quote === null && ' \t\r\n'.includes(character)) {
      if (text !== null) words.push({ text, source: line.slice(start, at) });
      text = null;
      continue;
    }
    if (text === null) [text, start] = ['', at];
    if (character === '\\' && quote !== "'") {
      if (at + 1 === line.length) throw new CommandLineError('No escaped character');
      const next = line.charAt(++at);
      // Within double quotes only the quote and the backslash can be escaped.
      text += quote === '"' && next !== '"' && next !== '\\' ? `\\${next}` : next;
    } else if (quote !== null) {
      if (character === quote) quote = null;
      else text += character;
    } else if (character === '"' || character === "'") {
      quote = character;
    } else {
      text += character;
    }
  }
  if (quote !== null) throw new CommandLineError('No closing quotation');
  if (text !== null) words.push({ text, source: line.slice(start) });
  return words;
}

/** The words of a command line. Throws {@link CommandLineError}. */
export function splitCommandLine(line: string): string[] {
  return parseCommandLine(line).map(({ text }) => text);
}

/** A text as one word: in single quotes, or in double ones where that is easier to read. */
export function quoteWord(text: string): string {
  return text.includes("'") && !/["\\]/.test(text) ? `"${text}"` : `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** A command line that splits into these words. */
export function joinCommandLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quoteWord(word))).join(' ');
}
