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

/** True if a part of a path is a pattern: it has `*`, `?` or `[`. */
export function hasWildcard(part: string): boolean {
  return /[*?[]/.test(part);
}

/** Makes a test for names in a directory, with the patterns of Python's fnmatch: `*`, `?` and `[...]`. */
export function createPartMatcher(part: string): (name: string) => boolean {
  return part.length > MAX_LENGTH ? () => false : createMatcher(translatePattern(part), 's');
}

/** Translates a pattern as fnmatch.translate() does, divided at each `*`. */
function translatePattern(part: string): string[] {
  const pieces = [''];
  const add = (source: string): void => {
    pieces.push((pieces.pop() ?? '') + source);
  };
  const lastBracket = part.lastIndexOf(']');
  for (let at = 0; at < part.length; at++) {
    const character = part.charAt(at);
    if (character === '*') pieces.push('');
    else if (character === '?') add('.');
    else if (character === '[') {
      const start = part.charAt(at + 1) === '!' ? at + 2 : at + 1;
      const end = start < lastBracket ? part.indexOf(']', start + 1) : -1;
      if (end === -1) {
        add('\\[');
        continue;
      }
      const body = part
        .slice(start, end)
        .replaceAll('\\', '\\\\')
        .replace(/[\]^[]/g, '\\$&');
      add(start === at + 2 ? `[^${body}]` : `[${body}]`);
      at = end;
    } else add(character.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  }
  return pieces;
}
