/** The type of options that are a pattern for lines of output (core/linear-pattern.ts). */
import { LinearPattern, PatternError } from '../core/linear-pattern.ts';
import { dataType, reject } from './datatype.ts';

/** A pattern for lines. The value is its text, which {@link LinearPattern} accepts. */
export const linePattern = dataType('regex', (value) => {
  try {
    void new LinearPattern(value);
    return value;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return reject(value, error.message);
  }
});
