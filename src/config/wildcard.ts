/**
 * Matching of `*`: each piece between two of them is looked for from where the one before ended, so the time is that of
 * a few searches whatever the pattern is.
 * A regular expression with several `.*` would try every way to divide the text. Pure.
 */

/** A longer pattern is no path and no name. */
export const MAX_LENGTH = 4096;

/**
 * A test for texts that consist of `pieces` with anything in between. A piece is the source of a regular expression
 * without repetition.
 * One that is no regular expression, as a range the wrong way round, matches nothing; so does a pattern of more than
 * 4096 characters.
 */
export function createMatcher(pieces: readonly string[], flags: 's' | 'su'): (text: string) => boolean {
  if (pieces.join('').length > MAX_LENGTH) return () => false;
  const needed = pieces.filter((piece, index) => piece !== '' || index === 0 || index === pieces.length - 1);
  const last = needed.length - 1;
  let expressions: readonly RegExp[];
  try {
    expressions = needed.map(
      (piece, index) => new RegExp(`${index === 0 ? '^' : ''}(?:${piece})${index === last ? '$' : ''}`, `g${flags}`),
    );
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return () => false;
  }
  return (text) => {
    let at = 0;
    return expressions.every((expression) => {
      expression.lastIndex = at;
      const isFound = expression.test(text);
      at = expression.lastIndex;
      return isFound;
    });
  };
}
