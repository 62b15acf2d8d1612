/**
 * Command lines split into words as Python's shlex.split() does, and words put together again. No shell is involved. Pure.
 * (The package `shlex` also understands `$'…'`, which Supervisor takes literally.)
 */

/** Why a command line cannot be split; in Python's words, which Supervisor's users know. */
export class CommandLineError extends Error {}

/** The words of a command line. Throws {@link CommandLineError}. */
export function splitCommandLine(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === '\\' && quote !== "'") {
      if (at + 1 === line.length) throw new CommandLineError('No escaped character');
      const next = line.charAt(++at);
      // Within double quotes only the quote and the backslash can be escaped.
      word = (word ?? '') + (quote === '"' && next !== '"' && next !== '\\' ? `\\${next}` : next);
    } else if (quote !== null) {
      if (character === quote) quote = null;
      else word = (word ?? '') + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (' \t\r\n'.includes(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== null) throw new CommandLineError('No closing quotation');
  if (word !== null) words.push(word);
  return words;
}

/** A command line that splits into these words. */
export function joinCommandLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`)).join(' ');
}
