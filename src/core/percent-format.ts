/**
 * Parses one conversion of Python's `%` formatting, such as `%(name)-12s`. Used for expansions in the configuration and
 * for `log_prefix`. Pure.
 */

/** A conversion, without its percent sign. */
export interface Conversion {
  /** The name in parentheses; null without them. */
  readonly key: string | null;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | null;
  /** The conversion type, its last letter. Empty if the text ends before it. */
  readonly type: string;
}

/** Reason why a conversion is invalid. */
export class ConversionError extends Error {}

/**
 * Largest width and precision. A path has at most 4096 bytes. Without a limit, a typing error could fill the memory.
 */
export const MAX_WIDTH = 4096;

const CONVERSION = /([#0\- +]*)(\*|\d+)?(?:\.(\*|\d+)?)?([hlL]?)([^]?)/y;

/**
 * Parses the conversion whose percent sign is at `percent`. `end`: index after the conversion. Throws {@link
 * ConversionError}.
 */
export function parseConversion(
  format: string,
  percent: number,
): { readonly conversion: Conversion; readonly end: number } {
  const { key, at } = parseKey(format, percent + 1);
  CONVERSION.lastIndex = at;
  const [all = '', flags = '', width = '', precision, , type = ''] = CONVERSION.exec(format) ?? [];
  if (width === '*' || precision === '*')
    throw new ConversionError('a width of "*" is not supported; write the number');
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

/** Parses the name in parentheses. Parentheses within a name must be balanced. */
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

/** Cuts a text to the number of characters that the precision allows. */
export function cutToPrecision(text: string, { precision }: Pick<Conversion, 'precision'>): string {
  return precision === null ? text : [...text].slice(0, precision).join('');
}
