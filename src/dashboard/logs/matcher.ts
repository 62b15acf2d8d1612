/**
 * Search texts of people: plain text, or a regular expression between slashes (`/time(out)?/`). Case counts only if
 * the text has a capital letter, or with `/…/` without the flag `i`. Pure.
 */

/** Characters of a line that are searched. */
const SEARCHED = 16 * 1024;

/** Maximum number of marked matches of a line. */
const MAX_SPANS = 200;

/** A match: its first character, and the character after its last. */
export type Span = readonly [start: number, end: number];

/** Finds a text in lines. */
export class Matcher {
  readonly #pattern: RegExp;
  /** The text as the server takes it. */
  readonly query: { readonly grep: string; readonly regex: true };

  private constructor(source: string, isCaseIgnored: boolean) {
    this.query = { grep: `${isCaseIgnored ? '(?i)' : ''}${source}`, regex: true };
    this.#pattern = new RegExp(source, isCaseIgnored ? 'gi' : 'g');
  }

  /** Reads a search text. Null for an empty text; a string is the problem of a pattern. */
  static parse(text: string): Matcher | string | null {
    if (text.trim() === '') return null;
    const [, pattern, flags] = /^\/(.+)\/(i?)$/.exec(text) ?? [];
    try {
      if (pattern !== undefined) return new Matcher(pattern, flags === 'i');
      return new Matcher(text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`), !/\p{Lu}/u.test(text));
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** True if the text is in a line. */
  test(line: string): boolean {
    this.#pattern.lastIndex = 0;
    return this.#pattern.test(line.length > SEARCHED ? line.slice(0, SEARCHED) : line);
  }

  /** Returns the matches in a line, in order. */
  spans(line: string): Span[] {
    const found: Span[] = [];
    for (const { index, 0: match } of line.slice(0, SEARCHED).matchAll(this.#pattern)) {
      if (match.length > 0) found.push([index, index + match.length]);
      if (found.length === MAX_SPANS) break;
    }
    return found;
  }
}
