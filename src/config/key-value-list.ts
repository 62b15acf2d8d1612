/**
 * `KEY="value",KEY2=value2`, the form of `environment=`: Python's shlex in its non-POSIX mode, as Supervisor uses it.
 * Owns the tokens and the pairs; what stands in the values is the business of expand.ts. Pure.
 */
import type { Piece } from './expand.ts';
import { joinPieces } from './expand.ts';

/** Why a list cannot be read. */
export class ListError extends Error {}

/** A list that ends within quotes. */
export class UnclosedListError extends ListError {}

interface Unit {
  readonly text: string;
  /** It came from an expansion: part of a word, whatever is in it. */
  readonly isValue: boolean;
}

const WORD = /[A-Za-z0-9_/.+\-():]/;
const QUOTE = /["']/;
const BLANK = /[ \t\r\n]/;
const COMMENT = /#/;
const NEWLINE = /\n/;

/**
 * Reads the pairs. Values that came from an expansion are taken as they are, whatever quotes, commas or percent signs are in them.
 * Where that makes no list, because a variable holds whole pairs (`environment=%(ENV_EXTRA)s`), the expanded text is read as one,
 * as Supervisor reads it. Throws {@link ListError}.
 */
export function parseKeyValueList(pieces: readonly Piece[]): Map<string, string> {
  try {
    return readPairs(pieces);
  } catch (error) {
    if (!(error instanceof ListError) || !pieces.some((piece) => piece.isValue)) throw error;
    return readPairs([{ text: joinPieces(pieces), isValue: false }]);
  }
}

function readPairs(pieces: readonly Piece[]): Map<string, string> {
  const tokens = readTokens(pieces.flatMap((piece): Unit[] => (piece.isValue ? [piece] : [...piece.text].map((text) => ({ text, isValue: false })))));
  const pairs = new Map<string, string>();
  // compat: whatever follows a value is skipped as its comma, one token of any kind.
  for (let at = 0; at < tokens.length; at += 4) {
    const [key, equals, value] = tokens.slice(at, at + 3);
    if (key === undefined || equals === undefined || value === undefined || joinUnits(equals) !== '=') {
      const text = key === undefined ? '' : joinUnits(key);
      throw new ListError(`expected KEY=value pairs with commas between them, found "${text}"; put values with special characters in quotes: KEY="value"`);
    }
    pairs.set(joinUnits(key), joinUnits(stripQuotes(value)));
  }
  return pairs;
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

function readTokens(units: readonly Unit[]): Unit[][] {
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
      while (at < units.length && (units[at]?.isValue || units[at]?.text !== unit.text)) at++;
      if (at === units.length) throw new UnclosedListError(`the quote ${unit.text} is not closed`);
      tokens.push(units.slice(start, ++at));
    } else if (isWord(unit)) {
      const token: Unit[] = [];
      while (at < units.length) {
        const next = units[at] as Unit;
        // compat: a comment within a word does not end it; the word goes on in the next line.
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

function isChar(unit: Unit, characters: RegExp): boolean {
  return !unit.isValue && characters.test(unit.text);
}

function isWord(unit: Unit): boolean {
  return unit.isValue || WORD.test(unit.text);
}

/** compat: `#` outside of quotes begins a comment, up to the end of the line. */
function skipLine(units: readonly Unit[], from: number): number {
  let at = from;
  while (at < units.length && !isChar(units[at] as Unit, NEWLINE)) at++;
  return at + 1;
}
