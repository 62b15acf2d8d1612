/**
 * `KEY="value",KEY2=value2`, the form of `environment=`: Python's shlex in its non-POSIX mode, as Supervisor uses it.
 * Owns the tokens and the pairs; expand.ts expands the values. Pure.
 */
import type { Piece } from './expand.ts';
import { joinPieces } from './expand.ts';

/** Reason why a list cannot be read. */
export class ListError extends Error {}

const EXPECTED_PAIRS = 'expected KEY=value pairs with commas between them';
const QUOTE_VALUES = 'put values with special characters in quotes: KEY="value"';

/** A list that ends within quotes. */
export class UnclosedListError extends ListError {}

interface Unit {
  readonly text: string;
  /** True for text from an expansion. It is part of a word, whatever characters it has. */
  readonly isValue: boolean;
}

const WORD = /[A-Za-z0-9_/.+\-():]/;
const QUOTE = /["']/;
const BLANK = /[ \t\r\n]/;
const COMMENT = /#/;
const NEWLINE = /\n/;
const BACKSLASH = /\\/;

/**
 * Reading of quotes: as in Supervisor up to 4.3, which ends a value at the first quote, or as in 4.4, where a backslash
 * in double quotes keeps a quote or a backslash.
 */
type Quoting = 'plain' | 'escaped';

/** Pairs, and the names of those after which there is text that belongs to no pair. */
export interface KeyValueList {
  readonly pairs: Map<string, string>;
  readonly cut: readonly string[];
}

/**
 * Reads the pairs. Values from an expansion are taken literally, with their quotes, commas and percent signs. If that
 * makes no list, because a variable holds whole pairs (`environment=%(ENV_EXTRA)s`), the expanded text is read as a
 * list, as in Supervisor. Throws {@link ListError}.
 */
export function parseKeyValueList(pieces: readonly Piece[]): KeyValueList {
  try {
    return readList(pieces);
  } catch (error) {
    if (!(error instanceof ListError) || !pieces.some((piece) => piece.isValue)) throw error;
    return readList([{ text: joinPieces(pieces), isValue: false }]);
  }
}

/**
 * compat: a list is read as in 4.3, unless that loses text. A backslash before a quote makes 4.3 lose text or fail. The
 * list is then read as in 4.4, if that loses nothing.
 */
function readList(pieces: readonly Piece[]): KeyValueList {
  const escaped = pieces.some(({ text, isValue }) => !isValue && text.includes('\\"'))
    ? tryPairs(pieces, 'escaped')
    : null;
  const isWhole = escaped !== null && escaped.cut.length === 0;
  try {
    const plain = readPairs(pieces, 'plain');
    return plain.cut.length > 0 && isWhole ? escaped : plain;
  } catch (error) {
    if (error instanceof ListError && isWhole) return escaped;
    throw error;
  }
}

function tryPairs(pieces: readonly Piece[], quoting: Quoting): KeyValueList | null {
  try {
    return readPairs(pieces, quoting);
  } catch (error) {
    if (!(error instanceof ListError)) throw error;
    return null;
  }
}

function readPairs(pieces: readonly Piece[], quoting: Quoting): KeyValueList {
  const tokens = readTokens(
    pieces.flatMap((piece): Unit[] =>
      piece.isValue ? [piece] : [...piece.text].map((text) => ({ text, isValue: false })),
    ),
    quoting,
  );
  const pairs = new Map<string, string>();
  const cut: string[] = [];
  // compat: the token after a value is skipped as its comma, whatever it is.
  for (let at = 0; at < tokens.length; at += 4) {
    const [key, equals, value, comma] = tokens.slice(at, at + 4);
    if (key === undefined || equals === undefined || value === undefined || joinUnits(equals) !== '=') {
      throw new ListError(`${EXPECTED_PAIRS}, ${describePlace([...pairs.keys()].at(-1), key)}; ${QUOTE_VALUES}`);
    }
    pairs.set(joinUnits(key), joinUnits(quoting === 'escaped' ? unescape(value) : stripQuotes(value)));
    if (comma !== undefined && joinUnits(comma) !== ',') cut.push(joinUnits(key));
  }
  return { pairs, cut };
}

/**
 * Says where a list is wrong. Text of a list is named only if it is punctuation: other text can be part of a password
 * that contains a special character, and messages go to logs.
 */
function describePlace(lastKey: string | undefined, token: readonly Unit[] | undefined): string {
  const place = lastKey === undefined ? 'at the beginning' : `after the value of ${lastKey}`;
  const text = token === undefined ? '' : joinUnits(token);
  return /^[^\w'"]$/.test(text) ? `found "${text}" ${place}` : `found other text ${place}`;
}

/** Takes the quotes off a value of 4.4: those at its ends, if it has them. */
function unescape(units: readonly Unit[]): readonly Unit[] {
  const [first] = units;
  if (first === undefined || !isChar(first, QUOTE)) return units;
  const inner = units.slice(1, -1);
  return first.text === '"' ? inner.filter((unit, index) => !isBackslashBefore(inner, index) || unit.isValue) : inner;
}

/** True for a backslash that escapes what follows it; the second of two is escaped itself. */
function isBackslashBefore(units: readonly Unit[], at: number): boolean {
  let count = 0;
  while (isChar(units[at - count], BACKSLASH)) count++;
  const next = units[at + 1];
  return count % 2 === 1 && next !== undefined && !next.isValue && (next.text === '"' || next.text === '\\');
}

function joinUnits(units: readonly Unit[]): string {
  return units.map((unit) => unit.text).join('');
}

/** compat: all quotes at both ends go, of either kind. */
function stripQuotes(units: readonly Unit[]): readonly Unit[] {
  const isQuote = (unit: Unit): boolean => isChar(unit, QUOTE);
  const start = units.findIndex((unit) => !isQuote(unit));
  return start === -1 ? [] : units.slice(start, units.findLastIndex((unit) => !isQuote(unit)) + 1);
}

function readTokens(units: readonly Unit[], quoting: Quoting): Unit[][] {
  const tokens: Unit[][] = [];
  let at = 0;
  while (at < units.length) {
    const unit = units[at] as Unit;
    if (isChar(unit, BLANK)) {
      at++;
    } else if (isChar(unit, COMMENT)) {
      at = skipLine(units, at);
    } else if (isChar(unit, QUOTE)) {
      const start = at++;
      while (at < units.length && (units[at]?.isValue || units[at]?.text !== unit.text))
        at += quoting === 'escaped' && unit.text === '"' && isChar(units[at], BACKSLASH) ? 2 : 1;
      if (at >= units.length) throw new UnclosedListError(`the quote ${unit.text} is not closed`);
      tokens.push(units.slice(start, ++at));
    } else if (isWord(unit)) {
      const token: Unit[] = [];
      while (at < units.length) {
        const next = units[at] as Unit;
        // compat: a comment within a word does not end it; the word continues on the next line.
        if (isChar(next, COMMENT)) at = skipLine(units, at);
        // A quote within a word is part of it and quotes nothing.
        else if (isWord(next) || isChar(next, QUOTE)) token.push(units[at++] as Unit);
        else break;
      }
      tokens.push(token);
    } else {
      tokens.push([unit]);
      at++;
    }
  }
  return tokens;
}

function isChar(unit: Unit | undefined, characters: RegExp): boolean {
  return unit !== undefined && !unit.isValue && characters.test(unit.text);
}

function isWord(unit: Unit): boolean {
  return unit.isValue || WORD.test(unit.text);
}

/** compat: `#` outside of quotes begins a comment, up to the end of the line. */
function skipLine(units: readonly Unit[], from: number): number {
  let at = from;
  while (at < units.length && !isChar(units[at], NEWLINE)) at++;
  return at + 1;
}
