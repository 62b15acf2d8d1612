/**
 * Types of the options that are variables or files with variables: `environment` and `environment_file`. Pure.
 */
import type { EnvironmentFile } from '../core/environment-text.ts';
import { type DataType, dataType, UnclosedValue, WrongValue } from './datatype.ts';
import { boolean, parseBoolean, wordList } from './datatypes.ts';
import type { Piece } from './expand.ts';
import { type KeyValueList, ListError, parseKeyValueList, UnclosedListError } from './key-value-list.ts';

function readList(pieces: readonly Piece[]): KeyValueList {
  try {
    return parseKeyValueList(pieces);
  } catch (error) {
    if (error instanceof UnclosedListError) throw new UnclosedValue(error.message, '');
    if (!(error instanceof ListError)) throw error;
    throw new WrongValue(error.message);
  }
}

/** Returns the first variable in a shell's notation that exists; null if there is none. */
function findShellVariable(value: string, exists: (name: string) => boolean): string | null {
  for (const [, plain, braced] of value.matchAll(/\$(?:([A-Za-z_]\w{0,99})|\{([A-Za-z_]\w{0,99})\})/g)) {
    const name = plain ?? braced ?? '';
    if (exists(name)) return name;
  }
  return null;
}

/** Warns of values with the `$NAME` of a variable that exists, or that is being set: only a shell would replace it. */
function remarkDollars(pieces: readonly Piece[], isVariable: (name: string) => boolean): string[] {
  // Expanded values are left out: they are taken literally, and may be secrets.
  const written = readList(pieces.map((piece) => (piece.isValue ? { text: '', isValue: true } : piece))).pairs;
  return [...written].flatMap(([own, value]) => {
    const name = findShellVariable(value, (other) => other === own || isVariable(other));
    if (name === null) return [];
    const instead = isVariable(name) ? `%(ENV_${name})s` : `%(ENV_${name}:-)s`;
    return [`"$${name}" in the value of ${own} is not replaced, because no shell reads it; write ${instead}`];
  });
}

/** Warns of a value that ends too early, because it has a blank or a quote in it. */
function remarkCut(name: string): string {
  return (
    `the value of ${name} ends at its first blank or quote, and the text after it is lost; write ${name}="…" with ` +
    'all of the value between the quotes (a quote within is written \\"), and a comma after it'
  );
}

/** Variables as pairs with commas between them. */
export const environment: DataType<ReadonlyMap<string, string>> = {
  name: 'KEY="value",…',
  parse: (value) => readList([{ text: value, isValue: false }]).pairs,
  parsePieces: (pieces) => readList(pieces).pairs,
  remarks: (pieces, isVariable) => [
    ...readList(pieces).cut.slice(0, 1).map(remarkCut),
    ...remarkDollars(pieces, isVariable),
  ],
  show: (pairs) => Object.fromEntries(pairs),
};

function requireNames(words: readonly string[], wanted: string): readonly string[] {
  const wrong = words.find((word) => !/^[A-Za-z_*][\w.*-]*$/.test(word));
  if (wrong !== undefined) throw new WrongValue(`"${wrong}" is no name of a variable; write ${wanted}`);
  return words;
}

/** Names of variables and patterns with `*` (`environment_pass`). */
export const variableNames = dataType<readonly string[]>(
  'names',
  (value, context) => requireNames(wordList.parse(value, context), 'names, such as PATH, LC_*'),
  (names) => names.join(', '),
);

/** Names of variables and patterns with `*`, or true or false (`expand_file_variables`). */
export const fileVariables = dataType<boolean | readonly string[]>(
  'true, false, or names',
  (value, context) => {
    const words = wordList.parse(value, context);
    const [first] = words;
    if (words.length === 1 && first !== undefined && parseBoolean(first) !== null) return boolean.parse(first, context);
    return requireNames(words, 'names without _FILE, such as DB_PASSWORD, API_*');
  },
  (rule) => (typeof rule === 'boolean' ? rule : rule.join(', ')),
);

/** Paths with commas or spaces between them, with `-` before an optional file. */
export const environmentFiles = dataType<readonly EnvironmentFile[]>(
  '[-]path, …',
  (value, context) =>
    wordList
      .parse(value, context)
      .map((word) =>
        word.startsWith('-') ? { path: word.slice(1), isOptional: true } : { path: word, isOptional: false },
      ),
  (files) => files.map(({ path, isOptional }) => (isOptional ? `-${path}` : path)).join(', '),
);
