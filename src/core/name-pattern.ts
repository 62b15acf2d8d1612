/**
 * Names of processes with `*` and `?`, as users type them: `*` matches any characters, `?` matches one. Supervisor
 * knows `group:*` only. Pure.
 */
import { formatNamespec, parseNamespec } from './namespec.ts';
import { createMatcher, MAX_LENGTH } from './wildcard.ts';

/** The names of a process. */
export interface Named {
  readonly name: string;
  readonly group: string;
}

/** True if a name is a pattern. False for a plain name and for `group:*`. */
export function isPattern(name: string): boolean {
  const { group, process: proc } = parseNamespec(name);
  return /[*?]/.test(group) || (proc !== null && /[*?]/.test(proc));
}

/**
 * Makes a test for processes whose name in `status` matches a pattern. A pattern without a group matches names in all
 * groups. Takes linear time for any pattern.
 */
export function createNameMatcher(pattern: string): (named: Named) => boolean {
  if (pattern.length > MAX_LENGTH) return () => false;
  const pieces = pattern.split('*').map((piece) => piece.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\?/g, '.'));
  const isMatch = createMatcher(pieces, 'su');
  return ({ group, name }) =>
    isMatch(formatNamespec(group, name)) || isMatch(`${group}:${name}`) || (!pattern.includes(':') && isMatch(name));
}

/** Makes a test for the processes that any of the names means: `name`, `group:name`, `group:*`, or a pattern. */
export function createNameFilter(names: readonly string[]): (named: Named) => boolean {
  const tests = names.map((name): ((named: Named) => boolean) => {
    if (isPattern(name)) return createNameMatcher(name);
    const { group, process: proc } = parseNamespec(name);
    return (named) => named.group === group && (proc === null || named.name === proc);
  });
  return (named) => tests.some((test) => test(named));
}
