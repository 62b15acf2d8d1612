/**
 * Python's glob, as `[include] files` uses it: `*`, `?` and `[...]` within one part of a path, no `**`, no hidden files
 * unless named. Pure over the source's list of a directory.
 */
import type { Source } from './source.ts';
import { createMatcher, MAX_LENGTH } from '../core/wildcard.ts';

/** True if a part of a path is a pattern. */
function isPattern(part: string): boolean {
  return /[*?[]/.test(part);
}

/** Returns the paths that match an absolute pattern, in the order of Python's sorted(). */
export function findMatches(pattern: string, source: Pick<Source, 'list' | 'isFile' | 'isDirectory'>): string[] {
  const parts = pattern.split('/').filter((part) => part !== '');
  let found = [''];
  for (const part of parts) {
    if (isPattern(part)) {
      if (part.length > MAX_LENGTH) return [];
      const isMatch = createMatcher(translatePattern(part), 's');
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
