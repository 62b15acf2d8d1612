/**
 * Python's functions for text, where they differ from JavaScript's: whitespace, ends of lines, numbers, repr(). Knows
 * nothing of configurations; every function is pure.
 */

/** str.isspace(): JavaScript's \s has U+FEFF and lacks U+001C to U+001F and U+0085. */
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const LEADING = new RegExp(`^${SPACE}+`);
const SPACES = new RegExp(`${SPACE}+`);
const ONE = new RegExp(`^${SPACE}$`);

/** True if Python counts a character as whitespace. */
export function isSpace(character: string): boolean {
  return ONE.test(character);
}

/** str.rstrip() in linear time. A regular expression that is anchored at the end would try every run of spaces. */
export function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** True for a printable character of ASCII other than a space. NaN, the code of no character, is none. */
function isPlain(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}

/** str.strip(). */
export function strip(text: string): string {
  if (isPlain(text.charCodeAt(0)) && isPlain(text.charCodeAt(text.length - 1))) return text;
  return stripEnd(text.replace(LEADING, ''));
}

/** str.split() without argument: the words between runs of whitespace. */
export function splitWords(text: string): string[] {
  return text.split(SPACES).filter((word) => word !== '');
}

/** The lines of a file opened in Python's text mode (universal newlines), without their ends. */
export function splitLines(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** int() of Python: whitespace around the number, a sign, underscores between digits. Null for other texts. */
export function parseInteger(text: string, base: 8 | 10 = 10): number | null {
  const pattern = base === 8 ? /^([+-]?)(?:0[oO]_?)?([0-7]+(?:_[0-7]+)*)$/ : /^([+-]?)(\d+(?:_\d+)*)$/;
  const match = pattern.exec(strip(text));
  if (match === null) return null;
  const size = Number.parseInt((match[2] ?? '').replaceAll('_', ''), base);
  return match[1] === '-' ? 0 - size : size;
}

/** Returns the number of whitespace characters at the beginning of a line. */
export function indentation(line: string): number {
  if (isPlain(line.charCodeAt(0))) return 0;
  return LEADING.exec(line)?.[0].length ?? 0;
}

/** repr() of a string: in single quotes, or in double quotes if the text has single quotes and no double quotes. */
export function formatPythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const named: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', [quote]: `\\${quote}` };
  const hex = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  // oxlint-disable-next-line no-control-regex
  const body = text.replace(
    /[\\'"\n\r\t]|[\x00-\x1f\x7f-\xa0\xad]/g,
    (c) => named[c] ?? (c === "'" || c === '"' ? c : hex(c)),
  );
  return quote + body + quote;
}
