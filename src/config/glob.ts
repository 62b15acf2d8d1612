/**
 * Python's glob, as `[include] files` uses it: `*`, `?` and `[...]` within one part of a path, no `**`, no hidden files unless named.
 * Pure over the source's list of a directory.
 */
import type { Source } from './source.ts';

/** Whether a part of a path is a pattern. */
function isPattern(part: string): boolean {
  return /[*?[]/.test(part);
}

/** The paths that match an absolute pattern, in the order of Python's sorted(). */
export function findMatches(pattern: string, source: Pick<Source, 'list' | 'isFile' | 'isDirectory'>): string[] {
  const parts = pattern.split('/').filter((part) => part !== '');
  let found = [''];
  for (const part of parts) {
    if (isPattern(part)) {
      const matcher = compilePattern(part);
      found = found.flatMap((base) => source.list(base === '' ? '/' : base).filter((name) => matcher.test(name) && (part.startsWith('.') || !name.startsWith('.'))).map((name) => `${base}/${name}`));
    } else {
      found = found.map((base) => `${base}/${part}`);
    }
  }
  return found.filter((path) => source.isFile(path) || source.isDirectory(path)).sort(compareText);
}

/** The order in which Python sorts names. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** fnmatch.translate(). */
function compilePattern(part: string): RegExp {
  let out = '';
  for (let at = 0; at < part.length; at++) {
    const character = part.charAt(at);
    if (character === '*') out += '.*';
    else if (character === '?') out += '.';
    else if (character === '[') {
      const start = part.charAt(at + 1) === '!' ? at + 2 : at + 1;
      const end = part.indexOf(']', start + 1);
      if (end === -1) {
        out += '\\[';
        continue;
      }
      const body = part.slice(start, end).replaceAll('\\', '\\\\').replace(/[\]^[]/g, '\\$&');
      out += start === at + 2 ? `[^${body}]` : `[${body}]`;
      at = end;
    } else out += character.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  }
  return compileSafely(out);
}

/** A range the wrong way round (`[z-a]`) matches nothing, as in Python. */
function compileSafely(pattern: string): RegExp {
  try {
    return new RegExp(`^${pattern}$`, 's');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return /(?!)/;
  }
}
