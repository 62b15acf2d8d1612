/**
 * Splits a line into pieces with colours. Sequences that set colours (SGR) become classes or colours; all other control
 * sequences are removed, and other control characters are made visible. Pure.
 */
import { escapeControls } from '../../core/shown-text.ts';

/** A piece of a line with one look. */
export interface Piece {
  readonly text: string;
  /** Names of classes; empty for the look of the view. */
  readonly look: string;
  /** Colour of the text as `#rrggbb`, if no class has it. */
  readonly color?: string;
  readonly background?: string;
}

/** CSI, control strings with or without their end, and sequences of two characters; also the beginnings of such. */
const CSI = String.raw`(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|$)`;
const CONTROL_STRING = String.raw`(?:\x1b[\]P^_X]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)`;
const SEQUENCES = new RegExp(String.raw`${CSI}|${CONTROL_STRING}|\x1b(?:[ -/]*[0-~])?`, 'g');
const ANY_CONTROL = /[\x1b\x80-\x9f]/;
const SGR = /^(?:\x1b\[|\x9b)([\d;:]*)m$/;

/** Characters that are not shown as they are; a tab is. */
const HIDDEN = /[^\P{Cc}\t]|[\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/u;

/** Removes all control sequences, and the carriage return at the end. */
export function stripSequences(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return ANY_CONTROL.test(text) ? text.replace(SEQUENCES, '') : text;
}

/** Makes control characters visible, except for tabs. */
export function showControls(text: string): string {
  return HIDDEN.test(text) ? text.split('\t').map(escapeControls).join('\t') : text;
}

/** The look that the sequences of a line have set so far. */
interface Look {
  readonly flags: Set<string>;
  color: Colour;
  background: Colour;
}

/** One of 16 colours, a colour of its own, or null for the colour of the view. */
type Colour = number | string | null;

const FLAGS: Readonly<Record<number, string>> = {
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'under',
  7: 'inverse',
  9: 'strike',
};
const CLEARED: Readonly<Record<number, readonly string[]>> = {
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['under'],
  27: ['inverse'],
  29: ['strike'],
};

/** Splits a line into pieces. Colours do not reach into the next line. */
export function splitColours(line: string): Piece[] {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (!ANY_CONTROL.test(text)) return text === '' ? [] : [{ text: showControls(text), look: '' }];
  const pieces: Piece[] = [];
  const look: Look = { flags: new Set(), color: null, background: null };
  let at = 0;
  const take = (end: number): void => {
    if (end > at) pieces.push(pieceOf(showControls(text.slice(at, end)), look));
  };
  for (const match of text.matchAll(SEQUENCES)) {
    take(match.index);
    at = match.index + match[0].length;
    const codes = SGR.exec(match[0])?.[1];
    if (codes !== undefined) change(look, codes);
  }
  take(text.length);
  return pieces;
}

function pieceOf(text: string, { flags, color, background }: Look): Piece {
  const classes = [...flags];
  if (typeof color === 'number') classes.push(`fg${color}`);
  if (typeof background === 'number') classes.push(`bg${background}`);
  return {
    text,
    look: classes.join(' '),
    ...(typeof color === 'string' ? { color } : {}),
    ...(typeof background === 'string' ? { background } : {}),
  };
}

/** Applies the numbers of one sequence. */
function change(look: Look, codes: string): void {
  // `38:2::1:2:3` is the form of the standard, `38;2;1;2;3` the usual one.
  const numbers = codes
    .replace(/([34]8:2:)\d*:(\d*:\d*:\d*)/g, '$1$2')
    .split(/[;:]/)
    .map(Number);
  for (let at = 0; at < numbers.length; at++) {
    const code = numbers[at] as number;
    if (code === 38 || code === 48) {
      const isIndexed = numbers[at + 1] === 5;
      const colour = isIndexed ? indexed(numbers[at + 2]) : trueColour(numbers.slice(at + 2, at + 5));
      at += isIndexed ? 2 : 4;
      if (code === 38) look.color = colour;
      else look.background = colour;
    } else {
      changeOne(look, code);
    }
  }
}

function changeOne(look: Look, code: number): void {
  const flag = FLAGS[code];
  if (flag !== undefined) look.flags.add(flag);
  else if (code === 0) reset(look);
  else if (code >= 30 && code <= 37) look.color = code - 30;
  else if (code >= 90 && code <= 97) look.color = code - 82;
  else if (code >= 40 && code <= 47) look.background = code - 40;
  else if (code >= 100 && code <= 107) look.background = code - 92;
  else if (code === 39) look.color = null;
  else if (code === 49) look.background = null;
  else for (const cleared of CLEARED[code] ?? []) look.flags.delete(cleared);
}

function reset(look: Look): void {
  look.flags.clear();
  look.color = null;
  look.background = null;
}

/** The 256 colours: 16 of the terminal, a cube of 6 × 6 × 6, and 24 greys. */
function indexed(index: number | undefined): Colour {
  if (index === undefined || index > 255) return null;
  if (index < 16) return index;
  if (index >= 232) return trueColour(Array<number>(3).fill(8 + (index - 232) * 10));
  const cube = index - 16;
  const levels = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6];
  return trueColour(levels.map((level) => (level === 0 ? 0 : 55 + level * 40)));
}

function trueColour(parts: readonly number[]): Colour {
  if (parts.length < 3) return null;
  return `#${parts.map((part) => Math.min(part, 255).toString(16).padStart(2, '0')).join('')}`;
}
