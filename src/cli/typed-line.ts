/** A command line of bash as it is typed: its words, and the quotes around the last one. Pure. */

/** A line that may end in the middle of a word. */
export interface TypedLine {
  /** The words without quotes; the last one may be empty. */
  readonly words: readonly string[];
  /** The last word as it is typed. */
  readonly raw: string;
  /** The quote that is open at the end; empty for none. */
  readonly quote: '' | "'" | '"';
  /** The part of the last word, without quotes, before the quote that is open. */
  readonly beforeQuote: string;
}

/** Characters before which a backslash has a meaning in double quotes (bash, "Double Quotes"). */
const ESCAPED_IN_DOUBLE: ReadonlySet<string> = new Set(['"', '$', '`', '\\', '']);

/** Splits a line as bash does, as far as quotes, backslashes and blanks go. */
export function splitTyped(line: string): TypedLine {
  const words: string[] = [];
  let [word, raw]: [string, string] = ['', ''];
  let quote: TypedLine['quote'] = '';
  let beforeQuote = '';
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (quote === '' && /\s/.test(character)) {
      if (raw !== '') words.push(word);
      [word, raw] = ['', ''];
      continue;
    }
    raw += character;
    if (character === quote) quote = '';
    else if (quote === '' && (character === "'" || character === '"')) {
      quote = character;
      beforeQuote = word;
    } else if (character === '\\' && (quote === '' || (quote === '"' && ESCAPED_IN_DOUBLE.has(line.charAt(at + 1))))) {
      at++;
      raw += line.charAt(at);
      word += line.charAt(at);
    } else word += character;
  }
  return { words: [...words, word], raw, quote, beforeQuote };
}

/** Quotes a word for bash, with backslashes, so that its beginning stays as it was typed. */
export function escapeForShell(word: string): string {
  return word.replace(/[^\w.,:=@%/+\-\u0080-\uffff]/g, '\\$&');
}

/** Escapes the text after an open quote, which bash closes itself. */
function escapeInQuote(text: string, quote: "'" | '"'): string {
  if (quote === "'") return text.replaceAll("'", "'\\''");
  // An interactive bash expands `!` in double quotes, and a backslash before it stays there.
  return text.replace(/["$`\\]/g, '\\$&').replaceAll('!', '"\\!"');
}

/**
 * Returns a word in the form in which bash inserts it. Bash replaces the part of a word after the last break character,
 * and nothing before it. In a quote that is open there are no breaks, and bash replaces the text after the quote.
 *
 * @param breaks - the value of COMP_WORDBREAKS
 */
export function insertionFor(word: string, { raw, quote, beforeQuote }: TypedLine, breaks: string): string {
  if (quote !== '') return escapeInQuote(word.slice(beforeQuote.length), quote);
  const escaped = escapeForShell(word);
  if (raw.startsWith("'") || raw.startsWith('"')) return escaped;
  const last = Math.max(...[':', '='].filter((mark) => breaks.includes(mark)).map((mark) => raw.lastIndexOf(mark)), -1);
  return escaped.slice(last + 1);
}
