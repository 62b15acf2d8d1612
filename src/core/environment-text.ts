/**
 * Parses files with variables, in the format of Docker's `--env-file` and dotenv: `NAME=value`, `export NAME=value`,
 * comments, blank lines. Single quotes take everything literally. Double quotes interpret \n \r \t \" \\ and may span
 * several lines. Pure.
 */

/** One entry of `environment_file`. */
export interface EnvironmentFile {
  readonly path: string;
  /** True if a missing file is no error. */
  readonly isOptional: boolean;
}

/** Allowed names of variables in a file. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** Variables of a text, or the number of the first invalid line. */
export type EnvironmentText =
  { readonly ok: true; readonly variables: Map<string, string> } | { readonly ok: false; readonly line: number };

const NAME = /(?:export[ \t]+)?([^\s=#]+)/y;
const IN_SINGLE_QUOTES = /'([^']*)'[ \t]*(?:#.*)?/y;
const IN_DOUBLE_QUOTES = /"((?:[^"\\]|\\[^])*)"[ \t]*(?:#.*)?/y;
const BARE = /([^ \t\r\n\u2028\u2029].*)?/y;
const VALUE = [IN_SINGLE_QUOTES, IN_DOUBLE_QUOTES, BARE].map(({ source }) => source).join('|');
/** One line: a comment, an assignment, or nothing. */
const LINE = String.raw`[ \t]*(?:#.*|${NAME.source}[ \t]*=[ \t]*(?:${VALUE})|)\r?(?:\n|$)`;

/** Parses the text of a file with variables. */
export function parseEnvironmentText(raw: string): EnvironmentText {
  const variables = new Map<string, string>();
  // Editors may write a byte order mark.
  const text = raw.replace(/^\uFEFF/, '');
  const line = new RegExp(LINE, 'y');
  let row = 1;
  while (line.lastIndex < text.length) {
    const from = line.lastIndex;
    const match = line.exec(text);
    const [whole = '', name, single, double, bare] = match ?? [];
    if (match === null || (name !== undefined && !VARIABLE_NAME.test(name))) return { ok: false, line: row };
    if (name !== undefined)
      variables.set(name, single ?? (double === undefined ? (bare ?? '').trim() : unescape(double)));
    row += text.slice(from, from + whole.length).split('\n').length - 1;
  }
  return { ok: true, variables };
}

function unescape(text: string): string {
  return text.replace(/\\([^])/g, (_whole, letter: string) => ESCAPES.get(letter) ?? letter);
}
