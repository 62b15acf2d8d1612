/**
 * Parses files with variables, in the format of Docker's `--env-file` and dotenv: `NAME=value`, `export NAME=value`,
 * comments, blank lines. Single quotes take everything literally. Double quotes interpret \n \r \t \" \\ and may span
 * several lines. Expansion is optional. Pure.
 */
import { createExpander, ExpansionError, type LookUp } from './shell-variables.ts';

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

/** Variables of a text, or the number of the first invalid line and what is wrong with it. */
export type EnvironmentText =
  | { readonly ok: true; readonly variables: Map<string, string> }
  | { readonly ok: false; readonly line: number; readonly problem: string };

const NAME = /(?:export[ \t]+)?([^\s=#]+)/y;
const IN_SINGLE_QUOTES = /'([^']*)'[ \t]*(?:#.*)?/y;
const IN_DOUBLE_QUOTES = /"((?:[^"\\]|\\[^])*)"[ \t]*(?:#.*)?/y;
const BARE = /([^ \t\r\n\u2028\u2029].*)?/y;
const VALUE = [IN_SINGLE_QUOTES, IN_DOUBLE_QUOTES, BARE].map(({ source }) => source).join('|');
/** One line: a comment, an assignment, or nothing. */
const LINE = String.raw`[ \t]*(?:#.*|${NAME.source}[ \t]*=([ \t]*)(?:${VALUE})|)\r?(?:\n|$)`;
/** A line that has a name alone. */
const NAME_ALONE = String.raw`[ \t]*${NAME.source}[ \t]*(?:[ \t]#.*)?\r?(?:\n|$)`;
const INVALID = 'is not NAME=value';

/**
 * Parses the text of a file with variables. With `outer`, which returns the variables from outside the file, values are
 * expanded (core/shell-variables.ts), except in single quotes; a name alone takes the value from outside, if there is
 * one; and ` #` begins a comment after a value without quotes.
 */
export function parseEnvironmentText(raw: string, outer: LookUp | null = null): EnvironmentText {
  const variables = new Map<string, string>();
  const read = outer === null ? readPlain : createReader((name) => variables.get(name) ?? outer(name));
  // Editors may write a byte order mark.
  const text = raw.replace(/^\uFEFF/, '');
  const line = new RegExp(outer === null ? LINE : `${LINE}|${NAME_ALONE}`, 'y');
  let row = 1;
  while (line.lastIndex < text.length) {
    const from = line.lastIndex;
    const match = line.exec(text);
    const [whole = '', assigned, space = '', single, double, bare = '', alone] = match ?? [];
    const name = assigned ?? alone;
    if (match === null || (name !== undefined && !VARIABLE_NAME.test(name)))
      return { ok: false, line: row, problem: INVALID };
    try {
      const value = name === alone ? outer?.(name ?? '') : (single ?? read({ double, bare: `${space}${bare}` }));
      if (name !== undefined && value !== undefined) variables.set(name, value);
    } catch (error) {
      if (!(error instanceof ExpansionError)) throw error;
      return { ok: false, line: row, problem: error.message };
    }
    row += text.slice(from, from + whole.length).split('\n').length - 1;
  }
  return { ok: true, variables };
}

/** A value as it is written: in double quotes, or else without quotes, with the space before it. */
interface Written {
  readonly double: string | undefined;
  readonly bare: string;
}

function readPlain({ double, bare }: Written): string {
  return double?.replace(/\\([^])/g, (_whole, letter: string) => unescape(letter)) ?? bare.trim();
}

function createReader(lookUp: LookUp): (written: Written) => string {
  const expand = createExpander(lookUp);
  return ({ double, bare }) => {
    if (double !== undefined) return expand(double, unescape);
    const [value = ''] = bare.split(/[ \t]#/, 1);
    return expand(value.trim(), (letter) => `\\${letter}`);
  };
}

function unescape(letter: string): string {
  return ESCAPES.get(letter) ?? letter;
}
