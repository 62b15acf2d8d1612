/**
 * Names as users type them: words, and patterns with `*` and `?` that match processes. Patterns are an addition;
 * Supervisor knows `group:*` only. Pure.
 */
import { createNameMatcher, isPattern, type Named } from '../core/name-pattern.ts';
import { formatNamespec, parseNamespec } from '../core/namespec.ts';

export { isPattern, type Named };

/** Splits at whitespace, as Python's str.split(). */
export function splitNames(argument: string): string[] {
  return argument.split(/\s+/).filter((name) => name !== '');
}

/** Finds the processes whose name in `status` matches a pattern. */
export function findMatches<T extends Named>(pattern: string, processes: readonly T[]): T[] {
  return processes.filter(createNameMatcher(pattern));
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
