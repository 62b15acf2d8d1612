/**
 * Names as they are typed: words, and patterns with `*` and `?` that stand for processes (an addition; Supervisor knows
 * `group:*` only). Pure.
 */
import { createMatcher, MAX_LENGTH } from '../config/wildcard.ts';
import { formatNamespec, parseNamespec } from '../core/namespec.ts';

/** A process as far as its names go. */
interface Named {
  readonly name: string;
  readonly group: string;
}

/** Splits at whitespace, as Python's str.split(). */
export function splitNames(argument: string): string[] {
  return argument.split(/\s+/).filter((name) => name !== '');
}

/** Whether a name is a pattern of ours, and not a name or `group:*`, which the server understands itself. */
export function isPattern(name: string): boolean {
  const { group, process: proc } = parseNamespec(name);
  return /[*?]/.test(group) || (proc !== null && /[*?]/.test(proc));
}

/**
 * Processes whose name in `status` matches a pattern: `*` stands for any characters, `?` for one. A pattern without a
 * group is one for names in all groups.
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

/** Names with each pattern replaced by what matches it, each process once; a pattern that matches nothing stays. */
export async function expandNames(
  names: readonly string[],
  listProcesses: () => Promise<readonly Named[]>,
): Promise<string[]> {
  if (!names.some(isPattern)) return [...names];
  const processes = await listProcesses();
  const expanded = names.flatMap((name) => {
    const found = isPattern(name) ? findMatches(name, processes) : [];
    return found.length === 0 ? [name] : found.map((proc) => formatNamespec(proc.group, proc.name));
  });
  return [...new Set(expanded)];
}
