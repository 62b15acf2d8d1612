/**
 * Python's glob, as `[include] files` uses it: `*`, `?` and `[...]` within one part of a path, no `**`, no hidden files
 * unless named. Pure over the source's list of a directory.
 */
import type { Source } from './source.ts';
import { createPartMatcher, hasWildcard } from '../core/wildcard.ts';

/** Returns the paths that match an absolute pattern, in the order of Python's sorted(). */
export function findMatches(pattern: string, source: Pick<Source, 'list' | 'isFile' | 'isDirectory'>): string[] {
  const parts = pattern.split('/').filter((part) => part !== '');
  let found = [''];
  for (const part of parts) {
    if (hasWildcard(part)) {
      const isMatch = createPartMatcher(part);
      found = found.flatMap((base) =>
        source
          .list(base === '' ? '/' : base)
          .filter((name) => isMatch(name) && (part.startsWith('.') || !name.startsWith('.')))
          .map((name) => `${base}/${name}`),
      );
    } else {
      found = found.map((base) => `${base}/${part}`);
    }
  }
  return found.filter((path) => source.isFile(path) || source.isDirectory(path)).sort(compareText);
}

/** Compares two names in the order in which Python sorts them. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
