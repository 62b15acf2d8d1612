/**
 * Names as users type them: words, and patterns with `*` and `?` that match processes. Patterns are an addition;
 * Supervisor knows `group:*` only. Pure.
 */
import { createMatcher, MAX_LENGTH } from '../core/wildcard.ts';
import { formatNamespec, parseNamespec } from '../core/namespec.ts';

/** The names of a process. */
export interface Named {
  readonly name: string;
  readonly group: string;
}

/** Splits at whitespace, as Python's str.split(). */
export function splitNames(argument: string): string[] {
  return argument.split(/\s+/).filter((name) => name !== '');
}

/** True if a name is a pattern. False for a plain name and for `group:*`, which the server understands itself. */
export function isPattern(name: string): boolean {
  const { group, process: proc } = parseNamespec(name);
  return /[*?]/.test(group) || (proc !== null && /[*?]/.test(proc));
}

/**
 * Finds the processes whose name in `status` matches a pattern: `*` matches any characters, `?` matches one. A pattern
 * without a group matches names in all groups.
 */
export function findMatches<T extends Named>(pattern: string, processes: readonly T[]): T[] {
  if (pattern.length > MAX_LENGTH) return [];
  const pieces = pattern.split('*').map((piece) => piece.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\?/g, '.'));
  const isMatch = createMatcher(pieces, 'su');
  return processes.filter(
    ({ group, name }) =>
      isMatch(formatNamespec(group, name)) || isMatch(`${group}:${name}`) || (!pattern.includes(':') && isMatch(name)),
  );
}

/** Finds the processes that the names on a command line mean, each once. */
export function selectNamed<T extends Named>(names: readonly string[], processes: readonly T[]): T[] {
  const found = names.flatMap((name) => {
    if (name === 'all') return [...processes];
    const { group, process: proc } = parseNamespec(name);
    return findMatches(proc === null ? `${group}:*` : name, processes);
  });
  return [...new Set(found)];
}

/** Replaces each pattern by the processes that it matches, each once. A pattern without a match stays. */
export async function expandNames(
  names: readonly string[],
  listProcesses: () => Promise<readonly Named[]>,
): Promise<string[]> {
  if (!names.some(isPattern)) return [...names];
  const processes = await listProcesses();
  const expanded = names.flatMap((name) => (isPattern(name) ? matchesOrName(name, processes) : [name]));
  return [...new Set(expanded)];
}

/**
 * Returns the processes that a name with `*` or `?` matches, `group:*` included, for a method of the server that takes
 * single processes only. A name without a match stays.
 */
export async function matchOrKeep(
  name: string,
  listProcesses: () => Promise<readonly Named[]>,
): Promise<readonly string[]> {
  return /[*?]/.test(name) ? matchesOrName(name, await listProcesses()) : [name];
}

function matchesOrName(name: string, processes: readonly Named[]): string[] {
  const found = findMatches(name, processes);
  return found.length === 0 ? [name] : found.map((proc) => formatNamespec(proc.group, proc.name));
}
