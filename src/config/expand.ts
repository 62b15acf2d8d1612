/**
 * Python's `%` formatting of a string with a mapping, as Supervisor expands every value: `%(name)s`, `%(process_num)02d`, `%%`.
 * Adds `%(ENV_X:-default)s` and `%(ENV_X:?message)s`. Pure; which names exist is the caller's to say.
 */
import { formatPythonString } from './python-text.ts';

/** Names that may stand in `%(name)s`. */
export type Names = ReadonlyMap<string, string | number>;

/** A stretch of an expanded text: as the author wrote it, or the value of a name. */
export interface Piece {
  readonly text: string;
  readonly isValue: boolean;
}

/** Why a text cannot be expanded. */
export class ExpansionError extends Error {}

interface Conversion {
  readonly key: string | null;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | null;
  readonly type: string;
}

const CONVERSION = /([#0\- +]*)(\*|\d+)?(?:\.(\*|\d+)?)?([hlL]?)([^]?)/y;

/** Expands a text once. Throws {@link ExpansionError}. */
export function expand(format: string, names: Names): string {
  return joinPieces(expandPieces(format, names));
}

/**
 * Expands a text twice.
 * compat: Supervisor does so with log file names and with [supervisord] environment, so a percent sign is written `%%%%` there.
 * The values of names are left alone the second time: a `%` in a password does no harm.
 */
export function expandTwice(format: string, names: Names): Piece[] {
  return expandPieces(format, names).flatMap((piece) => (piece.isValue ? [piece] : expandPieces(piece.text, names)));
}

/** The text of pieces. */
export function joinPieces(pieces: readonly Piece[]): string {
  return pieces.map((piece) => piece.text).join('');
}

/** Expands a text, keeping apart what was written and what came from a name. Throws {@link ExpansionError}. */
export function expandPieces(format: string, names: Names): Piece[] {
  const pieces: Piece[] = [];
  const write = (text: string): void => {
    const before = pieces.at(-1);
    if (before !== undefined && !before.isValue) pieces[pieces.length - 1] = { text: before.text + text, isValue: false };
    else pieces.push({ text, isValue: false });
  };
  let wholeUsed = false;
  let at = 0;
  for (;;) {
    const percent = format.indexOf('%', at);
    if (percent === -1) break;
    if (percent > at) write(format.slice(at, percent));
    const { conversion, end } = parseConversion(format, percent);
    at = end;
    if (conversion.key !== null) {
      const value = lookUp(conversion.key, names);
      wholeUsed = true;
      pieces.push({ text: formatValue(value, conversion), isValue: true });
    } else if (conversion.type === '%') {
      write('%');
    } else {
      // compat: without a name in parentheses, Python formats the mapping itself, as the first conversion only: "date +%s" becomes a listing of all names.
      if (wholeUsed) throw new ExpansionError(`"%${conversion.type}" has no name in parentheses; a percent sign is written %%`);
      wholeUsed = true;
      if (!'rsa'.includes(conversion.type)) throw unsupported(conversion.type, percent);
      pieces.push({ text: formatValue(formatMapping(names), { ...conversion, type: 's' }), isValue: true });
    }
  }
  if (at < format.length || pieces.length === 0) write(format.slice(at));
  return pieces;
}

/** Whether a text holds a conversion without a name, which stands for all names at once and is hardly ever meant. */
export function hasNamelessConversion(format: string): boolean {
  return /%[#0\- +]*[\d.]*[hlL]?[rsa]/.test(format.replaceAll('%%', ''));
}

function parseConversion(format: string, percent: number): { conversion: Conversion; end: number } {
  let at = percent + 1;
  let key: string | null = null;
  if (format[at] === '(') {
    let depth = 1;
    const start = ++at;
    for (; at < format.length && depth > 0; at++) depth += format[at] === '(' ? 1 : format[at] === ')' ? -1 : 0;
    if (depth > 0) throw new ExpansionError(`"%(" without its closing parenthesis; a percent sign is written %%`);
    key = format.slice(start, at - 1);
  }
  CONVERSION.lastIndex = at;
  const [all = '', flags = '', width = '', precision, , type = ''] = CONVERSION.exec(format) ?? [];
  if (width === '*' || precision === '*') throw new ExpansionError('"*" as a width needs a number, and there is none');
  const end = at + all.length;
  if (key === null && type === '') throw new ExpansionError('the text ends within a "%"; a percent sign is written %%');
  if (key === null && !'diouxXeEfFgGcrsa'.includes(type) && end !== percent + 2) throw unsupported(type, percent);
  if (key === null && end === percent + 2 && !'diouxXeEfFgGcrsa%'.includes(type)) throw unsupported(type, percent);
  const dotted = /\./.test(all);
  return { conversion: { key, flags, width: Number(width), precision: precision === undefined ? (dotted ? 0 : null) : Number(precision), type }, end };
}

function unsupported(type: string, at: number): ExpansionError {
  return new ExpansionError(`"%${type}" at character ${at + 1} is not an expansion; a percent sign is written %%`);
}

/** The value of `name`, `name:-default` or `name:?message`. */
function lookUp(key: string, names: Names): string | number {
  const plain = names.get(key);
  if (plain !== undefined) return plain;
  const extended = /^(\w+):([-?])([^]*)$/.exec(key);
  if (extended !== null) {
    const [, name = '', kind, rest = ''] = extended;
    const value = names.get(name);
    if (value !== undefined && value !== '') return value;
    if (kind === '-') return expand(rest, names);
    throw new ExpansionError(`%(${name})s is not set: ${rest === '' ? 'it is required' : rest}`);
  }
  if (key.startsWith('ENV_')) {
    throw new ExpansionError(`the environment variable ${key.slice(4)} is not set; set it, or give a default: %(${key}:-value)s`);
  }
  const known = [...names.keys()].filter((name) => !name.startsWith('ENV_')).sort();
  throw new ExpansionError(`%(${key}) is not a name that can be expanded here; there are ${known.join(', ')} and ENV_x for each environment variable x`);
}

function formatMapping(names: Names): string {
  const items = [...names].map(([name, value]) => `${formatPythonString(name)}: ${typeof value === 'number' ? value : formatPythonString(value)}`);
  return `{${items.join(', ')}}`;
}

function formatValue(value: string | number, conversion: Conversion): string {
  const { type, precision } = conversion;
  if (type === '') throw new ExpansionError(`"%(${conversion.key})" is incomplete: a letter must follow, as in %(${conversion.key})s`);
  if ('sra'.includes(type)) {
    const text = typeof value === 'number' || type === 's' ? String(value) : formatPythonString(value);
    return pad(precision === null ? text : [...text].slice(0, precision).join(''), conversion, false);
  }
  if (type === 'c') {
    const text = typeof value === 'number' ? String.fromCodePoint(value) : value;
    if ([...text].length !== 1) throw new ExpansionError(`%(${conversion.key})c needs a single character`);
    return pad(text, conversion, false);
  }
  if (!'diuoxXeEfFgG'.includes(type)) throw new ExpansionError(`"%(${conversion.key})${type}" is not an expansion: after the parenthesis comes s, or d for a number; a percent sign is written %%`);
  if (typeof value !== 'number') throw new ExpansionError(`%(${conversion.key})${type} needs a number, and this is a text; write %(${conversion.key})s`);
  return pad(formatNumber(value, conversion), conversion, true);
}

/** A number by its conversion, with its sign and before padding to the width. Process numbers are whole. */
function formatNumber(value: number, { type, flags, precision }: Conversion): string {
  const size = Math.abs(value);
  const sign = value < 0 ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  if ('diu'.includes(type)) return sign + String(size).padStart(precision ?? 0, '0');
  if ('oxX'.includes(type)) {
    const digits = size.toString(type === 'o' ? 8 : 16).padStart(precision ?? 0, '0');
    return sign + (flags.includes('#') ? `0${type}` : '') + (type === 'X' ? digits.toUpperCase() : digits);
  }
  const places = precision ?? 6;
  const lower = type.toLowerCase();
  let text = lower === 'f' ? size.toFixed(places) : lower === 'e' ? size.toExponential(places) : size.toPrecision(Math.max(places, 1));
  if (lower === 'g' && !flags.includes('#')) text = text.replace(/\.?0+(?=e|$)/, (zeros) => (text.includes('.') ? '' : zeros));
  text = text.replace(/e([+-])(\d)$/, 'e$10$2');
  return sign + (type === lower ? text : text.toUpperCase());
}

function pad(text: string, { flags, width }: Conversion, isNumber: boolean): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!isNumber || !flags.includes('0')) return text.padStart(width);
  const [head = ''] = /^[-+ ]?(?:0[oxX])?/.exec(text) ?? [];
  return head + text.slice(head.length).padStart(width - head.length, '0');
}
