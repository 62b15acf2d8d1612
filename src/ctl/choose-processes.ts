/** The processes that names on a command line mean, in the order of the names. Pure. */
import { parseNamespec } from '../core/namespec.ts';
import { findMatches, isPattern } from './names.ts';
import type { ProcessInfo } from './supervisor-client.ts';

/** Chooses the processes that names mean, with a line for each name that no process has. */
export function chooseProcesses(
  names: readonly string[],
  infos: readonly ProcessInfo[],
): { found: readonly ProcessInfo[]; problems: readonly string[]; unknown: readonly string[] } {
  if (names.length === 0 || names.includes('all')) return { found: infos, problems: [], unknown: [] };
  const problems: string[] = [];
  const unknown: string[] = [];
  const found = names.flatMap((name) => {
    const { group, process: proc } = parseNamespec(name);
    const matches = isPattern(name)
      ? findMatches(name, infos)
      : infos.filter((info) => info.group === group && (proc === null || info.name === proc));
    if (matches.length === 0) {
      unknown.push(name);
      problems.push(proc === null ? `${group}: ERROR (no such group)` : `${name}: ERROR (no such process)`);
    }
    return matches;
  });
  return { found, problems, unknown };
}
