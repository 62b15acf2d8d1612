/**
 * Who descends from whom, read from /proc at one moment. It signals nobody; what it says may be old as soon as it is said.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** A process and its parent; a zombie has ended and only waits for its parent. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly isZombie: boolean;
}

/** All processes that can be seen; null where there is no /proc. */
export function readProcesses(): ProcessEntry[] | null {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return null;
  }
  const entries = names.filter((name) => /^\d+$/.test(name)).map(readProcess).filter((entry) => entry !== null);
  return entries.length === 0 ? null : entries;
}

/** Those below `pid` in the tree, parents before their children; zombies too. */
export function descendantsOf(pid: number, entries: readonly ProcessEntry[]): ProcessEntry[] {
  const children = Map.groupBy(entries, ({ parent }) => parent);
  const found: ProcessEntry[] = [...(children.get(pid) ?? [])];
  for (const entry of found) found.push(...(children.get(entry.pid) ?? []));
  return found;
}

function readProcess(name: string): ProcessEntry | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${name}/stat`, 'latin1');
  } catch {
    // It ended between the listing and the look.
    return null;
  }
  // proc(5): the name in parentheses may itself hold any character, so the fields count from the last parenthesis.
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid: Number(name), parent: Number(parent), isZombie: state === 'Z' || state === 'X' };
}
