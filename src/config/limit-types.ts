/**
 * Types of the options that limit resources: `rlimit_*`, `max_memory`, and those of control groups. Pure.
 */
import type { Limit } from '../core/resource-limits.ts';
import { dataType, reject, WrongValue } from './datatype.ts';
import { byteSize, parseByteSize } from './datatypes.ts';
import { strip } from './python-text.ts';

const UNLIMITED: ReadonlySet<string> = new Set(['unlimited', 'infinity', '-1']);

/** `soft[:hard]`, each a number (with KB, MB or GB for a size) or `unlimited`. */
export const limit = dataType<Limit>(
  'soft[:hard]',
  (value) => {
    const parts = value.split(':').map((part): number => {
      const word = strip(part).toLowerCase();
      const number = UNLIMITED.has(word) ? Infinity : parseByteSize(word);
      return number !== null && number >= 0
        ? number
        : reject(part, 'a limit: unlimited, or a whole number of 0 or more, for example 1024 or 50MB');
    });
    const [soft = 0, hard = soft] = parts;
    if (parts.length > 2) reject(value, 'a limit of the form soft[:hard]');
    if (soft > hard) throw new WrongValue(`the soft limit ${value.split(':')[0]} is above the hard limit`);
    return { soft, hard };
  },
  ({ soft, hard }) => [soft, hard].map((side) => (side === Infinity ? 'unlimited' : String(side))).join(':'),
);

/** An upper limit of memory. */
export const memoryLimit = dataType('size', (value, context) => {
  const bytes = byteSize.parse(strip(value), context);
  return bytes > 0 ? bytes : reject(value, 'a size of memory above 0, for example 300MB');
});

/** A number of processors above 0. */
export const processors = dataType('processors', (value) => {
  const number = /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : 0;
  return number >= 0.01 ? number : reject(value, 'a number of processors, for example 0.5 or 2');
});
