/**
 * Columns of text on a terminal: width, padding and cuts. Control characters must be escaped before
 * (core/shown-text.ts). Pure.
 */
import { eastAsianWidth } from 'get-east-asian-width';

const PLAIN = /^[\x20-\x7e]*$/;

/**
 * Returns the number of columns of one character. Marks on another character, joiners, and characters for layout only
 * take none. The pattern is within the function because V8 takes most of a millisecond to make it.
 */
export function widthOfCharacter(character: string): number {
  if (character >= ' ' && character <= '~') return 1;
  return /^[\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}]$/u.test(character)
    ? 0
    : eastAsianWidth(character.codePointAt(0) ?? 0);
}

/** Returns the number of columns of a text on one line. Characters of East Asia and emoji take two. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

/** Fills a text with blanks up to a number of columns. */
export function pad(text: string, columns: number, isRight = false): string {
  const blanks = ' '.repeat(Math.max(0, columns - widthOf(text)));
  return isRight ? blanks + text : text + blanks;
}

let segmenter: Intl.Segmenter | null = null;

/** Splits a text into characters as people see them: a letter stays with its marks, and an emoji in one piece. */
function splitCharacters(text: string): string[] {
  if (PLAIN.test(text)) return [...text];
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Returns the longest beginning of a text that fits into a number of columns. */
export function fitStart(text: string, columns: number): string {
  return fit(splitCharacters(text), columns).join('');
}

/** Returns the longest end of a text that fits. */
function fitEnd(text: string, columns: number): string {
  return fit(splitCharacters(text).reverse(), columns).reverse().join('');
}

function fit(characters: readonly string[], columns: number): string[] {
  let width = 0;
  const end = characters.findIndex((character) => (width += widthOf(character)) > columns);
  return characters.slice(0, end === -1 ? characters.length : end);
}

/**
 * Cuts a text in its middle, so that it fits into a number of columns with a mark in place of the middle. The end gets
 * `endColumns`, and the beginning the rest.
 */
export function cutMiddleWith(text: string, mark: string, columns: number, endColumns: number): string {
  const end = fitEnd(text, endColumns);
  return fitStart(text, columns - widthOf(mark) - widthOf(end)) + mark + end;
}
