/**
 * `template` of a `[notify:x]`: JSON with facts of an alert in it, as `%(message)s`. Inserted values are escaped, so
 * that the text stays JSON, whatever a program writes. Pure.
 */
import { type Alert, type AlertField, alertFieldNames, isNumberField } from './alert.ts';
import { type Conversion, ConversionError, parseConversion } from './percent-format.ts';

/** A piece of a template: text, or a fact. `%(pid)d` is a number or null, `%(pid)s` a number or nothing. */
type TemplatePart = string | { readonly field: AlertField; readonly isNumber: boolean };

/** A template that is JSON with any facts. */
export interface AlertTemplate {
  readonly text: string;
  readonly parts: readonly TemplatePart[];
}

/** Reason why a template is invalid. */
export class AlertTemplateError extends Error {
  /** True if the text is no JSON, perhaps because a part of it is missing. */
  readonly isBroken: boolean;

  constructor(message: string, isBroken = false) {
    super(message);
    this.isBroken = isBroken;
  }
}

/** Parses a template. `%%` is a percent sign. Throws {@link AlertTemplateError}. */
export function parseAlertTemplate(text: string): AlertTemplate {
  const parts = partsOf(text);
  // A number may stand outside of quotes, a text may not.
  const sample = fill(parts, ({ isNumber }) => (isNumber ? '0' : 'x'));
  if (!isJson(sample))
    throw new AlertTemplateError(
      'the template is not JSON; for example {"text": "%(message)s"}, with quotes around every text',
      true,
    );
  return { text, parts };
}

/** Returns the JSON of a template with the facts of an alert. */
export function renderAlert({ parts }: AlertTemplate, alert: Alert): string {
  return fill(parts, ({ field, isNumber }) => {
    const value = alert[field];
    if (typeof value === 'string') return JSON.stringify(value.toWellFormed()).slice(1, -1);
    return value === null && !isNumber ? '' : String(value);
  });
}

function fill(parts: readonly TemplatePart[], valueOf: (part: Exclude<TemplatePart, string>) => string): string {
  return parts.map((part) => (typeof part === 'string' ? part : valueOf(part))).join('');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function partsOf(text: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let at = 0;
  for (let percent = text.indexOf('%'); percent !== -1; percent = text.indexOf('%', at)) {
    if (percent > at) parts.push(text.slice(at, percent));
    const { conversion, end } = readConversion(text, percent);
    parts.push(conversion.type === '%' && end === percent + 2 ? '%' : readFact(conversion, text.slice(percent, end)));
    at = end;
  }
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}

function readConversion(text: string, percent: number): ReturnType<typeof parseConversion> {
  try {
    return parseConversion(text, percent);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new AlertTemplateError(error.message);
  }
}

/** Reads the fact of a conversion: `%(message)s`, `%(pid)d`. */
function readFact({ key, flags, width, precision, type }: Conversion, written: string): Exclude<TemplatePart, string> {
  if (key === null) throw new AlertTemplateError(`"${written}" has no name; a percent sign is written %%`);
  const field = alertFieldNames.find((name) => name === key);
  if (field === undefined)
    throw new AlertTemplateError(
      `"${written}" is no fact of a notification; there are ${alertFieldNames.join(', ')}; a percent sign is %%`,
    );
  const isPlain = flags === '' && width === 0 && precision === null;
  if (!isPlain || (type !== 's' && !(type === 'd' && isNumberField(field))))
    throw new AlertTemplateError(
      `"${written}" must be %(${field})s${isNumberField(field) ? `, or %(${field})d without quotes` : ''}`,
    );
  return { field, isNumber: type === 'd' };
}
