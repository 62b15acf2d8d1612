/**
 * One conversion of Python's `%` formatting: `%(name)-12s`. Used for expansions in the configuration and for
 * `log_prefix`. Pure.
 */

/** A conversion, as it is written after its percent sign. */
export interface Conversion {
  /** The name in parentheses; null without them. */
  readonly key: string | null;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | null;
  /** The letter at its end; empty if the text ends before it. */
  readonly type: string;
}

/** Reason why a conversion cannot be read. */
export class ConversionError extends Error {}

/**
 * Largest width and precision. A path has at most 4096 bytes; without a limit, a slip of the finger fills the memory.
 */
export const MAX_WIDTH = 4096;

const CONVERSION = /([#0\- +]*)(\*|\d+)?(?:\.(\*|\d+)?)?([hlL]?)([^]?)/y;

/**
 * Reads the conversion whose percent sign is at `percent`. `end` is where the text goes on. Throws {@link
 * ConversionError}.
 */
export function parseConversion(
  format: string,
  percent: number,
): { readonly conversion: Conversion; readonly end: number } {
  const { key, at } = parseKey(format, percent + 1);
  CONVERSION.lastIndex = at;
  const [all = '', flags = '', width = '', precision, , type = ''] = CONVERSION.exec(format) ?? [];
  if (width === '*' || precision === '*') throw new ConversionError('"*" as a width needs a number, and there is none');
  const noPrecision = all.includes('.') ? 0 : null;
  return {
    conversion: {
      key,
      flags,
      width: readBounded(width),
      precision: precision === undefined ? noPrecision : readBounded(precision),
      type,
    },
    end: at + all.length,
  };
}

/** Parentheses within a name must be in pairs. */
function parseKey(format: string, from: number): { readonly key: string | null; readonly at: number } {
  if (format[from] !== '(') return { key: null, at: from };
  let depth = 1;
  let at = from + 1;
  for (; at < format.length && depth > 0; at++) depth += depthOf(format[at]);
  if (depth > 0) throw new ConversionError(`"%(" without its closing parenthesis; a percent sign is written %%`);
  return { key: format.slice(from + 1, at - 1), at };
}

function depthOf(character: string | undefined): number {
  if (character === '(') return 1;
  return character === ')' ? -1 : 0;
}

function readBounded(digits: string): number {
  const width = Number(digits);
  if (width > MAX_WIDTH)
    throw new ConversionError(`${digits.slice(0, 20)} is too wide; a width is at most ${MAX_WIDTH}`);
  return width;
}

/** Pads a text to the width of its conversion. Counts characters, not UTF-16 code units. */
export function padText(text: string, { flags, width }: Pick<Conversion, 'flags' | 'width'>): string {
  const blanks = ' '.repeat(Math.max(0, width - [...text].length));
  return flags.includes('-') ? text + blanks : blanks + text;
}

/** The first characters of a text, as many as the precision says. */
export function cutToPrecision(text: string, { precision }: Pick<Conversion, 'precision'>): string {
  return precision === null ? text : [...text].slice(0, precision).join('');
}
