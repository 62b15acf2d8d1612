/**
 * Matches patterns with `*` in linear time: the pieces between the stars are searched one after the other. A regular
 * expression with several `.*` would try every way to divide the text. Pure.
 */

/** Makes a test for names that one of the patterns matches. `*` stands for any text. */
export function createNameMatcher(patterns: readonly string[]): (name: string) => boolean {
  const matchers = patterns.map((pattern) =>
    createMatcher(
      pattern.split('*').map((piece) => piece.replace(/[.+^${}()|[\]\\?]/g, '\\$&')),
      'su',
    ),
  );
  return (name) => matchers.some((isMatch) => isMatch(name));
}

/** Longest pattern. No path or name is longer. */
export const MAX_LENGTH = 4096;

/**
 * Makes a test for texts that consist of `pieces` with any text in between. A piece is the source of a regular
 * expression without repetition. A piece that is no regular expression (`[z-a]`) matches nothing. A pattern of more
 * than 4096 characters matches nothing either.
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
