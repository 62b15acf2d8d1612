/**
 * `log_prefix`: the template for the text before each log line. The configuration validates a template with the same
 * parser that the logs use. Pure.
 */
import { type Conversion, ConversionError, parseConversion } from './percent-format.ts';

/** Names that a template can use, as in `%(process_name)s`. */
export const TEMPLATE_FIELDS = ['process_name', 'group_name', 'program_name', 'pid', 'channel', 'time'] as const;
export type TemplateField = (typeof TEMPLATE_FIELDS)[number];

/** A piece of a template: text, or a field with its width. */
export type TemplatePart = string | { readonly field: TemplateField; readonly conversion: Conversion };

/** Reason why a template is invalid. `conversion`: the invalid conversion, as it is written. */
export class TemplateError extends Error {
  readonly conversion: string;

  constructor(conversion: string, message: string) {
    super(message);
    this.conversion = conversion;
  }
}

function isField(key: string | null): key is TemplateField {
  return TEMPLATE_FIELDS.some((field) => field === key);
}

/** Returns the field of a conversion. `%(pid)d` is a number; all others are text. */
function fieldOf({ key, type }: Conversion, written: string): TemplateField {
  if (isField(key) && (type === 's' || (key === 'pid' && type === 'd'))) return key;
  const fields = TEMPLATE_FIELDS.map((field) => `%(${field})s`).join(', ');
  throw new TemplateError(written, `"${written}" is not a name of a log prefix; there are ${fields}`);
}

/**
 * Parses a template. `%%` is a percent sign, and a width as in `%(process_name)-12s` pads. Throws {@link
 * TemplateError}.
 */
export function parseLogTemplate(template: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let at = 0;
  for (let percent = template.indexOf('%'); percent !== -1; percent = template.indexOf('%', at)) {
    if (percent > at) parts.push(template.slice(at, percent));
    const { conversion, end } = readConversion(template, percent);
    parts.push(
      conversion.type === '%' && end === percent + 2
        ? '%'
        : { field: fieldOf(conversion, template.slice(percent, end)), conversion },
    );
    at = end;
  }
  if (at < template.length) parts.push(template.slice(at));
  return parts;
}

function readConversion(template: string, percent: number): ReturnType<typeof parseConversion> {
  try {
    return parseConversion(template, percent);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new TemplateError(template.slice(percent, percent + 20), error.message);
  }
}
