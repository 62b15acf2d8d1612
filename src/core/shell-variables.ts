/**
 * Replaces `$NAME`, `${NAME}`, `${NAME-text}` and `${NAME:-text}` by values, as a shell does in double quotes, for
 * files with variables (`environment_file_expand`). There are no commands, and the text after `-` has no references.
 * Pure.
 */

/** Returns the value of a variable; undefined if it is not set. */
export type LookUp = (name: string) => string | undefined;

/** A text that cannot be expanded. The message has no value, because values may be secrets. */
export class ExpansionError extends Error {}

/** Limit for all values that one file inserts, in characters. Lines that double each other would fill the memory. */
const MAX_INSERTED = 1024 * 1024;

const REFERENCE = /\\([^])|\$([A-Za-z_]\w*)|\$\{([A-Za-z_]\w*)(?:(:?-)([^${}]*))?\}|\$\{/g;

/**
 * Makes a function that expands the values of one file. A variable that is not set is empty. `escape` returns the text
 * for a backslash and a character; `\$` is always a dollar sign. The function throws {@link ExpansionError}.
 */
export function createExpander(lookUp: LookUp): (text: string, escape: (character: string) => string) => string {
  let left = MAX_INSERTED;
  return (text, escape) =>
    text.replace(REFERENCE, (...match: Array<string | undefined>) => {
      const [, escaped, plain, braced, operator, instead] = match;
      if (escaped !== undefined) return escaped === '$' ? '$' : escape(escaped);
      const name = plain ?? braced;
      if (name === undefined)
        throw new ExpansionError('has a ${ that is not ${NAME} or ${NAME:-text}; write \\$ for $');
      const value = lookUp(name);
      const isMissing = value === undefined || (operator === ':-' && value === '');
      const inserted = isMissing ? (instead ?? '') : value;
      left -= inserted.length;
      if (left < 0) throw new ExpansionError('makes the inserted values longer than 1 MB together');
      return inserted;
    });
}
