/**
 * Text for a terminal: cutting, colours and symbols. Control characters must be escaped before (core/shown-text.ts).
 * Pure, except for {@link readScreen}.
 */
import { cutMiddleWith, fitStart, widthOf } from '../logs/columns.ts';
import type { CtlIo } from './io.ts';

/** Meaning of a colour. `good`: green, `busy`: yellow, `bad`: red, `idle`: grey, `head`: bold. */
export type Tone = 'good' | 'busy' | 'bad' | 'idle' | 'head';

/** Abilities of the place that we write to. */
export interface Screen {
  /** Columns of the terminal; null for a pipe or a file, where nothing is cut. */
  readonly columns: number | null;
  readonly hasColour: boolean;
  /** False in a locale that is set and has no UTF-8, such as C: symbols are ASCII characters. */
  readonly hasUnicode: boolean;
}

const CODES: Readonly<Record<Tone, string>> = { good: '32', busy: '33', bad: '31', idle: '90', head: '1' };
const DEFAULT_COLUMNS = 80;
/**
 * The first of these variables that is set names the character set (setlocale(3)). `docker exec` sets none, and the
 * terminals of today show UTF-8, so that is the default here.
 */
const LOCALE: readonly string[] = ['LC_ALL', 'LC_CTYPE', 'LANG'];

/** Reads the abilities of standard output from the environment: NO_COLOR, TERM, and the locale. */
export function readScreen({ stdout, env }: Pick<CtlIo, 'stdout' | 'env'>): Screen {
  const isTerminal = stdout.isTTY === true;
  const has = (name: string): boolean => (env[name] ?? '') !== '';
  // A terminal that does not know its size reports 0.
  const columns = (stdout.columns ?? 0) > 0 ? (stdout.columns ?? 0) : DEFAULT_COLUMNS;
  return {
    columns: isTerminal ? columns : null,
    hasColour: isTerminal && !has('NO_COLOR') && env['TERM'] !== 'dumb',
    hasUnicode: /utf-?8/i.test(env[LOCALE.find(has) ?? ''] ?? 'utf-8'),
  };
}

/** Returns the mark of a cut. */
function markOf(screen: Pick<Screen, 'hasUnicode'>): string {
  return screen.hasUnicode ? '…' : '~';
}

/** Cuts a text at its end, so that it fits into a number of columns. */
export function cutEnd(text: string, columns: number, screen: Pick<Screen, 'hasUnicode'>): string {
  if (widthOf(text) <= columns) return text;
  return columns < 1 ? '' : fitStart(text, columns - 1) + markOf(screen);
}

/** Cuts a name in its middle: its beginning and its end tell names of a group apart. */
export function cutMiddle(text: string, columns: number, screen: Pick<Screen, 'hasUnicode'>): string {
  if (widthOf(text) <= columns) return text;
  if (columns < 1) return '';
  return cutMiddleWith(text, markOf(screen), columns, Math.floor((columns - 1) / 2));
}

/** Colours a text, if there are colours. */
export function paint(text: string, tone: Tone, { hasColour }: Pick<Screen, 'hasColour'>): string {
  return hasColour && text !== '' ? `\x1b[${CODES[tone]}m${text}\x1b[0m` : text;
}

const SYMBOLS: Readonly<Record<Exclude<Tone, 'head'>, readonly [unicode: string, ascii: string]>> = {
  good: ['●', '*'],
  busy: ['◐', '~'],
  bad: ['✗', '!'],
  idle: ['○', '-'],
};

/** Returns the symbol of a tone. It says the same as the colour. */
export function symbolOf(tone: Exclude<Tone, 'head'>, { hasUnicode }: Pick<Screen, 'hasUnicode'>): string {
  return SYMBOLS[tone][hasUnicode ? 0 : 1];
}
