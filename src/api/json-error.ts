/** Finds the place of the error in a text that is not JSON. V8's messages have no place for short texts. Pure. */

/** A place in a text; both are counted from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** Parts of a token of JSON. No alternative within a repetition begins as another does, so there is no backtracking. */
const PUNCTUATION = String.raw`[[\]{},:]`;
const STRING = String.raw`"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"`;
const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`;

/** A token after blanks: a mark of punctuation, or a value of one token. */
const TOKEN = new RegExp(
  String.raw`[ \t\r\n]*(?:(${PUNCTUATION})|(${STRING}|(?:${NUMBER}|true|false|null)(?![\w.+-])))`,
  'y',
);

/** The tokens that may come next: a value, a name of a member, or what follows a value. */
type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | 'separator' | 'end';

/** Returns the place of the first token that JSON does not allow; the end of a text that ends too early. */
export function locateJsonError(text: string): TextPlace {
  const open: string[] = [];
  let expected: Expected = 'value';
  TOKEN.lastIndex = 0;
  for (;;) {
    const at = TOKEN.lastIndex;
    const match: RegExpExecArray | null = TOKEN.exec(text);
    const next: Expected | null = match === null ? null : advance(expected, match[1] ?? match[2] ?? '', open);
    if (next === null) return placeOf(text, at);
    expected = next;
  }
}

/** Returns what may follow a token; null if the token itself is wrong. Changes the list of open brackets. */
function advance(expected: Expected, token: string, open: string[]): Expected | null {
  const isString = token.startsWith('"');
  const isPunctuation = token.length === 1 && '[]{},:'.includes(token);
  const close = (): Expected => {
    open.pop();
    return open.length === 0 ? 'end' : 'separator';
  };
  switch (expected) {
    case 'value':
    case 'value or ]':
      if (token === ']' && expected === 'value or ]') return close();
      if (token === '[' || token === '{') {
        open.push(token);
        return token === '[' ? 'value or ]' : 'name or }';
      }
      if (isPunctuation) return null;
      return open.length === 0 ? 'end' : 'separator';
    case 'name':
    case 'name or }':
      if (token === '}' && expected === 'name or }') return close();
      return isString ? ':' : null;
    case ':':
      return token === ':' ? 'value' : null;
    case 'separator': {
      const isArray = open.at(-1) === '[';
      if (token === ',') return isArray ? 'value' : 'name';
      return token === (isArray ? ']' : '}') ? close() : null;
    }
    case 'end':
      return null;
  }
}

/** Returns the place of the first character at or after `at` that is not a blank. */
function placeOf(text: string, at: number): TextPlace {
  const blanks = /[ \t\r\n]*/y;
  blanks.lastIndex = at;
  blanks.exec(text);
  const before = text.slice(0, blanks.lastIndex);
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') };
}
