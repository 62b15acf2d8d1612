/**
 * Python's `%` formatting of a string with a mapping, as Supervisor expands every value: `%(name)s`,
 * `%(process_num)02d`, `%%`. Adds `%(ENV_X:-default)s` and `%(ENV_X:?message)s`. Pure; the caller decides which names
 * exist.
 */
import { type Conversion, ConversionError, cutToPrecision, padText, parseConversion } from '../core/percent-format.ts';
import { formatPythonString } from './python-text.ts';

/** Values by the names that can stand in `%(name)s`. */
export type Names = ReadonlyMap<string, string | number>;

/** A stretch of an expanded text: as the author wrote it, or the value of a name. */
export interface Piece {
  readonly text: string;
  readonly isValue: boolean;
}

/** Reason why a text cannot be expanded. */
export class ExpansionError extends Error {}

/** Longest expanded value; execve(2) takes no argument of more than 128 KiB. */
const MAX_LENGTH = 1024 * 1024;
/** Deepest default within a default. */
const MAX_DEPTH = 16;
/** Maximum number of digits that JavaScript writes. Process numbers need none. */
const MAX_PLACES = 100;
/** Digits after the point without a precision. */
const DEFAULT_PLACES = 6;
const MAX_CODE_POINT = 0x10ffff;

/** Expands a text once. Throws {@link ExpansionError}. */
export function expand(format: string, names: Names): string {
  return joinPieces(expandPieces(format, names));
}

/**
 * Expands a text twice.
 * compat: Supervisor does so with log file names, so a percent sign is written `%%%%` there.
 * The values of names are left alone the second time: a `%` in a password does no harm.
 */
export function expandTwice(format: string, names: Names): Piece[] {
  return expandPieces(format, names).flatMap((piece) => (piece.isValue ? [piece] : expandPieces(piece.text, names)));
}

/** Returns the text of pieces. */
export function joinPieces(pieces: readonly Piece[]): string {
  return pieces.map((piece) => piece.text).join('');
}

/** Expands a text. Keeps written text and values of names apart. Throws {@link ExpansionError}. */
export function expandPieces(format: string, names: Names, depth = 0): Piece[] {
  const pieces: Piece[] = [];
  let length = 0;
  const writeValue = (text: string): void => {
    length += text.length;
    if (length > MAX_LENGTH) throw new ExpansionError(`the expanded value is longer than ${MAX_LENGTH} characters`);
    pieces.push({ text, isValue: true });
  };
  const write = (text: string): void => {
    const before = pieces.at(-1);
    if (before !== undefined && !before.isValue)
      pieces[pieces.length - 1] = { text: before.text + text, isValue: false };
    else pieces.push({ text, isValue: false });
  };
  let wholeUsed = false;
  let at = 0;
  for (;;) {
    const percent = format.indexOf('%', at);
    if (percent === -1) break;
    if (percent > at) write(format.slice(at, percent));
    const { conversion, end } = readConversion(format, percent);
    at = end;
    if (conversion.key !== null) {
      const value = lookUp(conversion.key, names, depth);
      wholeUsed = true;
      writeValue(formatValue(value, conversion));
    } else if (conversion.type === '%') {
      write('%');
    } else {
      // compat: without a name in parentheses, Python formats the mapping itself, as the first conversion only: "date
      // +%s" becomes a listing of all names.
      if (wholeUsed)
        throw new ExpansionError(`"%${conversion.type}" has no name in parentheses; a percent sign is written %%`);
      wholeUsed = true;
      if (!'rsa'.includes(conversion.type)) throw unsupported(conversion.type, percent);
      writeValue(formatValue(formatMapping(names), { ...conversion, type: 's' }));
    }
  }
  if (at < format.length || pieces.length === 0) write(format.slice(at));
  return pieces;
}

/**
 * True if a text that can be expanded has a conversion without a name. It expands to all names at once, and is probably
 * a mistake.
 */
export function hasNamelessConversion(format: string): boolean {
  for (let percent = format.indexOf('%'); percent !== -1;) {
    const { conversion, end } = parseConversion(format, percent);
    if (conversion.key === null && conversion.type !== '%') return true;
    percent = format.indexOf('%', end);
  }
  return false;
}

/** Reads a conversion. Without a name, refuses the conversions that Python refuses. */
function readConversion(format: string, percent: number): ReturnType<typeof parseConversion> {
  const parsed = parseBounded(format, percent);
  const { key, type } = parsed.conversion;
  if (key !== null) return parsed;
  if (type === '') throw new ExpansionError('the text ends within a "%"; a percent sign is written %%');
  const isPlain = parsed.end === percent + 2;
  if (!(isPlain ? 'diouxXeEfFgGcrsa%' : 'diouxXeEfFgGcrsa').includes(type)) throw unsupported(type, percent);
  return parsed;
}

function parseBounded(format: string, percent: number): ReturnType<typeof parseConversion> {
  try {
    return parseConversion(format, percent);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new ExpansionError(error.message);
  }
}

function unsupported(type: string, at: number): ExpansionError {
  return new ExpansionError(`"%${type}" at character ${at + 1} is not an expansion; a percent sign is written %%`);
}

/** Returns the value of a name, or of `ENV_x:-default` and `ENV_x:?message`. Other names are always set. */
function lookUp(key: string, names: Names, depth: number): string | number {
  const plain = names.get(key);
  if (plain !== undefined) return plain;
  const extended = /^(ENV_\w+):([-?])([^]*)$/.exec(key);
  if (extended !== null) {
    const [, name = '', kind, rest = ''] = extended;
    const value = names.get(name);
    if (value !== undefined && value !== '') return value;
    if (depth === MAX_DEPTH) throw new ExpansionError(`more than ${MAX_DEPTH} defaults within each other`);
    if (kind === '-') return joinPieces(expandPieces(rest, names, depth + 1));
    throw new ExpansionError(`%(${name})s is not set: ${rest === '' ? 'it is required' : rest}`);
  }
  if (key.startsWith('ENV_')) {
    throw new ExpansionError(
      `the environment variable ${key.slice(4)} is not set; set it, or give a default: %(${key}:-value)s`,
    );
  }
  const known = [...names.keys()].filter((name) => !name.startsWith('ENV_')).sort();
  throw new ExpansionError(
    `%(${key}) is not a name that can be expanded here; there are ${known.join(', ')} and ENV_x for each ` +
      'environment variable x',
  );
}

function formatMapping(names: Names): string {
  const items = [...names].map(
    ([name, value]) => `${formatPythonString(name)}: ${typeof value === 'number' ? value : formatPythonString(value)}`,
  );
  return `{${items.join(', ')}}`;
}

function formatValue(value: string | number, conversion: Conversion): string {
  const { type } = conversion;
  if (type === '')
    throw new ExpansionError(`"%(${conversion.key})" is incomplete: a letter must follow, as in %(${conversion.key})s`);
  if ('sra'.includes(type)) {
    const text = typeof value === 'number' || type === 's' ? String(value) : formatPythonString(value);
    return padText(cutToPrecision(text, conversion), conversion);
  }
  if (type === 'c') {
    if (typeof value === 'number' && (value < 0 || value > MAX_CODE_POINT))
      throw new ExpansionError(`%(${conversion.key})c: ${value} is no character`);
    const text = typeof value === 'number' ? String.fromCodePoint(value) : value;
    if ([...text].length !== 1) throw new ExpansionError(`%(${conversion.key})c needs a single character`);
    return padText(text, conversion);
  }
  if (!'diuoxXeEfFgG'.includes(type))
    throw new ExpansionError(
      `"%(${conversion.key})${type}" is not an expansion: after the parenthesis comes s, or d for a number; a ` +
        'percent sign is written %%',
    );
  if (typeof value !== 'number')
    throw new ExpansionError(
      `%(${conversion.key})${type} needs a number, and this is a text; write %(${conversion.key})s`,
    );
  return padNumber(formatNumber(value, conversion), conversion);
}

function signOf(value: number, flags: string): string {
  if (value < 0) return '-';
  if (flags.includes('+')) return '+';
  return flags.includes(' ') ? ' ' : '';
}

/** Formats a number by its conversion, with its sign and before padding to the width. Process numbers are whole. */
function formatNumber(value: number, { type, flags, precision }: Conversion): string {
  const size = Math.abs(value);
  const sign = signOf(value, flags);
  if ('diu'.includes(type)) return sign + String(size).padStart(precision ?? 0, '0');
  if ('oxX'.includes(type)) {
    const digits = size.toString(type === 'o' ? 8 : 16).padStart(precision ?? 0, '0');
    return sign + (flags.includes('#') ? `0${type}` : '') + (type === 'X' ? digits.toUpperCase() : digits);
  }
  return sign + formatFraction(size, type, flags, precision ?? DEFAULT_PLACES);
}

/** Formats a number without its sign by `e`, `f` or `g`, in either case. */
function formatFraction(size: number, type: string, flags: string, places: number): string {
  if (places > MAX_PLACES) throw new ExpansionError(`${places} places are too many; there are at most ${MAX_PLACES}`);
  let text: string;
  switch (type.toLowerCase()) {
    case 'f':
      text = size.toFixed(places);
      break;
    case 'e':
      text = size.toExponential(places);
      break;
    default:
      text = size.toPrecision(Math.max(places, 1));
      if (!flags.includes('#')) text = text.replace(/\.?0+(?=e|$)/, (zeros) => (text.includes('.') ? '' : zeros));
  }
  text = text.replace(/e([+-])(\d)$/, 'e$10$2');
  return type === type.toLowerCase() ? text : text.toUpperCase();
}

function padNumber(text: string, conversion: Conversion): string {
  const { flags, width } = conversion;
  if (flags.includes('-') || !flags.includes('0')) return padText(text, conversion);
  const [head = ''] = /^[-+ ]?(?:0[oxX])?/.exec(text) ?? [];
  return head + text.slice(head.length).padStart(width - head.length, '0');
}
