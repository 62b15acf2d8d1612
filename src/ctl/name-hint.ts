/** Hints for people about names that no process has: a group that was meant, or the nearest name. */
import { nearestName } from '../config/nearest.ts';
import { formatNamespec } from '../core/namespec.ts';
import type { Named } from './names.ts';
import type { Session } from './session.ts';

/**
 * Returns the hint for a name without a process; null for none.
 *
 * @param isQuoted - true if the hint is for a shell of the system, where `*` needs quotes
 */
export function hintFor(name: string, processes: readonly Named[], isQuoted: boolean): string | null {
  const own = processes.filter(({ group }) => group === name);
  if (own.length > 0) return `${name} is a group; use ${isQuoted ? `'${name}:*'` : `${name}:*`}`;
  const inGroup = processes.find((proc) => proc.name === name);
  if (inGroup !== undefined) return `did you mean ${formatNamespec(inGroup.group, inGroup.name)}?`;
  const known = processes.flatMap((proc) => [formatNamespec(proc.group, proc.name), proc.name]);
  const nearest = nearestName(name, known);
  const meant = processes.find((proc) => formatNamespec(proc.group, proc.name) === nearest || proc.name === nearest);
  return meant === undefined ? null : `did you mean ${formatNamespec(meant.group, meant.name)}?`;
}

/** Prints the hints for names without a process, on a terminal only. Asks the supervisor if there is such a name. */
export async function showHints(session: Session, names: readonly string[]): Promise<void> {
  if (names.length === 0 || !session.isForPeople) return;
  const processes = await session.client.getAllProcessInfo();
  for (const name of names) {
    const hint = hintFor(name, processes, session.isOneCommand);
    if (hint === null || session.shownHints.has(hint)) continue;
    session.shownHints.add(hint);
    session.output(hint);
  }
}

/**
 * Prints the nearest group for each name that no group has, on a terminal only. `groups` are further groups that are
 * known.
 */
export async function showGroupHints(
  session: Session,
  names: readonly string[],
  groups: readonly string[] = [],
): Promise<void> {
  if (names.length === 0 || !session.isForPeople) return;
  const known = new Set([...(await session.client.getAllConfigInfo()).map(({ group }) => group), ...groups]);
  for (const name of names) {
    const nearest = nearestName(name, known);
    if (nearest !== null) session.output(`did you mean ${nearest}?`);
  }
}
