/**
 * Text with colours (SGR sequences) on a terminal: its width, cutting, wrapping, and making lines of programs safe.
 * All other control characters must have been removed by {@link showLine}. Pure.
 */
import { showLine as makeSafe } from '../logs/shown-line.ts';
import { widthOfCharacter } from '../../logs/columns.ts';
import { paint as paintWithColours, type Screen, type Tone } from '../screen.ts';

/** Abilities of the terminal. */
export type Abilities = Pick<Screen, 'hasColour' | 'hasUnicode'>;

/** Longest line of a program that is kept, in characters. */
const MAX_LINE = 10_000;

const PLAIN = /^[\x20-\x7e]*$/;
const COLOUR = /\x1b\[[\d;:]*m/y;

/** A character with its width, or a sequence with width null. */
export interface Token {
  readonly text: string;
  readonly width: number | null;
}

/** Splits a text into characters and colour sequences. */
export function* tokensOf(text: string): Generator<Token> {
  for (let at = 0; at < text.length;) {
    COLOUR.lastIndex = at;
    const sequence = text[at] === '\x1b' ? COLOUR.exec(text)?.[0] : undefined;
    if (sequence === undefined) {
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      yield { text: character, width: widthOfCharacter(character) };
      at += character.length;
    } else {
      yield { text: sequence, width: null };
      at += sequence.length;
    }
  }
}

/** Returns the number of columns of a text. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const token of tokensOf(text)) width += token.width ?? 0;
  return width;
}

/** Fills a text with blanks up to a number of columns. */
export function pad(text: string, columns: number, isRight = false): string {
  const blanks = ' '.repeat(Math.max(0, columns - widthOf(text)));
  return isRight ? blanks + text : text + blanks;
}

/** Cuts a text at its end, so that it fits into a number of columns. A mark shows the cut. */
export function cut(text: string, columns: number, { hasUnicode }: Pick<Abilities, 'hasUnicode'>): string {
  if (widthOf(text) <= columns) return text;
  if (columns < 1) return '';
  const [start = ''] = splitColumns(text, columns - 1, 1);
  return `${start}${hasUnicode ? '…' : '~'}${text.includes('\x1b') ? RESET : ''}`;
}

/** Wraps a text at a number of columns. Colours continue on the next line. At least one line. */
export function wrap(text: string, columns: number): string[] {
  return splitColumns(text, Math.max(1, columns), Infinity);
}

/** Removes colours. */
export function withoutColours(text: string): string {
  return text.replaceAll(/\x1b\[[\d;:]*m/g, '');
}

const RESET = '\x1b[0m';

/** Splits a text into pieces of at most `columns`, and returns at most `count` of them. */
function splitColumns(text: string, columns: number, count: number): string[] {
  if (PLAIN.test(text) && text.length <= columns) return [text];
  const pieces: string[] = [];
  let [piece, width, colours] = ['', 0, ''];
  for (const token of tokensOf(text)) {
    if (token.width === null) {
      colours = /^\x1b\[0*m$/.test(token.text) ? '' : colours + token.text;
      piece += token.text;
      continue;
    }
    // A wide character does not fit into one column.
    if (token.width > columns) continue;
    if (width + token.width > columns) {
      pieces.push(colours === '' ? piece : piece + RESET);
      if (pieces.length >= count) return pieces;
      [piece, width] = [colours, 0];
    }
    piece += token.text;
    width += token.width;
  }
  pieces.push(colours === '' ? piece : piece + RESET);
  return pieces;
}

const TAB = 8;

/**
 * Makes a line of a program safe, as `onevisor logs` does. Tabs become blanks, since their columns must be known. A
 * very long line is cut.
 */
export function showLine(line: string, hasColour: boolean): string {
  const text = makeSafe(line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line, hasColour);
  const [first = '', ...parts] = text.split('\t');
  let [shown, width] = [first, widthOf(first)];
  for (const part of parts) {
    const blanks = TAB - (width % TAB);
    shown += ' '.repeat(blanks) + part;
    width += blanks + widthOf(part);
  }
  return shown;
}

/** Reverse video is no colour: without it, nothing shows the chosen line. */
const REVERSE = '\x1b[7m';

/** Colours a text, or marks it as chosen. Without colours, only bold and reverse video remain. */
export function paint(text: string, tone: Tone | 'chosen', { hasColour }: Pick<Abilities, 'hasColour'>): string {
  if (tone !== 'chosen') return paintWithColours(text, tone, { hasColour: hasColour || tone === 'head' });
  return text === '' ? '' : `${REVERSE}${text}${RESET}`;
}
