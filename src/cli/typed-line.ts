/** A command line of bash as it is typed: its words, and the quotes around the last one. Pure. */

/** A line that may end in the middle of a word. */
export interface TypedLine {
  /** The words without quotes; the last one may be empty. */
  readonly words: readonly string[];
  /** The last word as it is typed. */
  readonly raw: string;
  /** The quote that is open at the end; empty for none. */
  readonly quote: '' | "'" | '"';
}

/** Splits a line as bash does, as far as quotes, backslashes and blanks go. */
export function splitTyped(line: string): TypedLine {
  const words: string[] = [];
  let [word, raw]: [string, string] = ['', ''];
  let quote: TypedLine['quote'] = '';
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (quote === '' && /\s/.test(character)) {
      if (raw !== '') words.push(word);
      [word, raw] = ['', ''];
      continue;
    }
    raw += character;
    if (character === quote) quote = '';
    else if (quote === '' && (character === "'" || character === '"')) quote = character;
    else if (character === '\\' && quote !== "'") {
      at++;
      raw += line.charAt(at);
      word += line.charAt(at);
    } else word += character;
  }
  return { words: [...words, word], raw, quote };
}

/** Quotes a word for bash, with backslashes, so that its beginning stays as it was typed. */
export function escapeForShell(word: string): string {
  return word.replace(/[^\w.,:=@%/+\-\u0080-\uffff]/g, '\\$&');
}

/**
 * Returns a word in the form in which bash inserts it. Bash replaces the part of a word after the last break character,
 * and nothing before it. In quotes there are no breaks.
 *
 * @param breaks - the value of COMP_WORDBREAKS
 */
export function insertionFor(word: string, { raw, quote }: TypedLine, breaks: string): string {
  if (quote !== '') return word;
  const escaped = escapeForShell(word);
  const last = Math.max(...[':', '='].filter((mark) => breaks.includes(mark)).map((mark) => raw.lastIndexOf(mark)), -1);
  return raw.startsWith("'") || raw.startsWith('"') ? word : escaped.slice(last + 1);
}
