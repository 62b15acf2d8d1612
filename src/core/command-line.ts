/**
 * Splits command lines into words as Python's shlex.split() does, and joins words again. No shell is involved. Pure.
 * (The npm package `shlex` also interprets `$'…'`, which Supervisor takes literally.)
 */

/** Reason why a command line cannot be split. The messages are Python's, because users of Supervisor know them. */
export class CommandLineError extends Error {
  /** Index of the quote that has no partner, or of the backslash at the end. */
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}

/** A word of a command line. */
export interface Word {
  readonly text: string;
  /** The word as it is written, with its quotes and backslashes. */
  readonly source: string;
}

/** Parses a command line into words and their source text. Throws {@link CommandLineError}. */
export function parseCommandLine(line: string): Word[] {
  const words: Word[] = [];
  let text: string | null = null;
  let start = 0;
  let quote: string | null = null;
  let quoteAt = 0;
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (quote === null && ' \t\r\n'.includes(character)) {
      if (text !== null) words.push({ text, source: line.slice(start, at) });
      text = null;
      continue;
    }
    if (text === null) [text, start] = ['', at];
    if (character === '\\' && quote !== "'") {
      if (at + 1 === line.length) throw new CommandLineError('No escaped character', at);
      const next = line.charAt(++at);
      // Within double quotes only the quote and the backslash can be escaped.
      text += quote === '"' && next !== '"' && next !== '\\' ? `\\${next}` : next;
    } else if (quote !== null) {
      if (character === quote) quote = null;
      else text += character;
    } else if (character === '"' || character === "'") {
      [quote, quoteAt] = [character, at];
    } else {
      text += character;
    }
  }
  if (quote !== null) throw new CommandLineError('No closing quotation', quoteAt);
  if (text !== null) words.push({ text, source: line.slice(start) });
  return words;
}

/** Returns the words of a command line. Throws {@link CommandLineError}. */
export function splitCommandLine(line: string): string[] {
  return parseCommandLine(line).map(({ text }) => text);
}

/** Quotes a text as one word: in double quotes if it has only single quotes to protect, otherwise in single quotes. */
export function quoteWord(text: string): string {
  return text.includes("'") && !/["\\]/.test(text) ? `"${text}"` : `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** Joins words into a command line that splits into the same words. */
export function joinCommandLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quoteWord(word))).join(' ');
}
