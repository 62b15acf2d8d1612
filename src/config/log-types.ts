/**
 * Types of the log options other than targets: level, template of the prefix, rotation by time. Pure.
 */
import { levels } from '../core/log-level.ts';
import { parseLogTemplate, TemplateError } from '../core/log-template.ts';
import { choice, duration, parseByteSize } from './datatypes.ts';
import { dataType, reject, WrongValue } from './datatype.ts';
import { parseInteger, strip } from './python-text.ts';

/** A level of the supervisor's own log. */
export const logLevel = choice(...levels);

/** The template of a log prefix. Quotes around the template keep blanks at its ends. */
export const logTemplate = dataType('template', (value) => {
  const template = /^(["'])([^]*)\1$/.exec(value)?.[2] ?? value;
  try {
    parseLogTemplate(template);
    return template;
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new WrongValue(error.message);
  }
});

/** Largest memory for the output of one stream. A configuration with more has probably a unit too many. */
const MAX_TAIL_BYTES = 16 * 1024 * 1024;

/** Memory for the latest output of a stream. */
export const tailSize = dataType('size', (value) => {
  const size = parseByteSize(value);
  return size !== null && size >= 0 && size <= MAX_TAIL_BYTES
    ? size
    : reject(value, 'a size from 0 to 16MB: a whole number of bytes, or a number with KB or MB, for example 256KB');
});

/** Shortest limit of names in prefixes. A shorter one would leave too little of them. */
const MIN_WIDTH = 8;

/** A limit of names in prefixes; 0 for none. */
export const prefixWidth = dataType('columns', (value) => {
  const width = parseInteger(value) ?? -1;
  return width === 0 || width >= MIN_WIDTH ? width : reject(value, `a whole number of ${MIN_WIDTH} or more, or 0`);
});

/**
 * Rotation by time: at the full hour, at midnight, at midnight before Sunday, or each time this number of seconds has
 * passed. 0 means never.
 */
export type RotateInterval = 'hourly' | 'daily' | 'weekly' | number;

const MIN_INTERVAL_S = 1;
const INTERVAL_FORM =
  'a rotation interval: hourly, daily, weekly, or a duration of 1s or more, for example 90m or 2h; 0 for never';

/** A rotation interval: a word or a duration. */
export const rotateInterval = dataType<RotateInterval>('hourly \\| daily \\| weekly \\| seconds', (value, context) => {
  const word = strip(value).toLowerCase();
  if (word === 'hourly' || word === 'daily' || word === 'weekly') return word;
  if (!/^[\d.]/.test(word)) reject(value, INTERVAL_FORM);
  const seconds = duration.parse(value, context);
  return seconds === 0 || seconds >= MIN_INTERVAL_S ? seconds : reject(value, INTERVAL_FORM);
});
