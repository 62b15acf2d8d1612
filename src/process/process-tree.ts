/**
 * Descendants of processes, read from /proc at one moment. It sends no signal; what it says may be old as soon as it is
 * said.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** A process and its parent; a zombie has ended and only waits for its parent. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly isZombie: boolean;
}

/**
 * A process with what it belongs to besides its parent: a process group and a session, each named after the pid of its
 * leader.
 */
export interface TreeEntry extends ProcessEntry {
  /** Its short name (`/proc/PID/comm`). */
  readonly name: string;
  readonly group: number;
  readonly session: number;
}

/** All processes that can be seen; null where there is no /proc. */
export function readProcesses(): TreeEntry[] | null {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return null;
  }
  const entries = pidsIn(names)
    .map(readProcess)
    .filter((entry) => entry !== null);
  return entries.length === 0 ? null : entries;
}

/** The pids among the names in /proc. */
export function pidsIn(names: readonly string[]): number[] {
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Those below `pid` in the tree, parents before their children; zombies too. */
export function descendantsOf(pid: number, entries: readonly ProcessEntry[]): ProcessEntry[] {
  const children = Map.groupBy(entries, ({ parent }) => parent);
  const found: ProcessEntry[] = [...(children.get(pid) ?? [])];
  for (const entry of found) found.push(...(children.get(entry.pid) ?? []));
  return found;
}

/**
 * The processes of programs, by their pids: each program itself, what descends from it, and what was left to others of
 * the groups and sessions that it or a descendant leads. None for a program that is not among the entries and has left
 * nothing.
 */
export function treesOf(pids: readonly number[], entries: readonly TreeEntry[]): Map<number, TreeEntry[]> {
  const belonging = new Map<number, TreeEntry[]>();
  const belongs = (entry: TreeEntry, pid: number): void => {
    const others = belonging.get(pid);
    if (others === undefined) belonging.set(pid, [entry]);
    else others.push(entry);
  };
  for (const entry of entries) {
    belongs(entry, entry.pid);
    belongs(entry, entry.parent);
    if (entry.group !== entry.pid) belongs(entry, entry.group);
    if (entry.session !== entry.group) belongs(entry, entry.session);
  }
  return new Map(
    pids.map((pid) => {
      const found = new Set(belonging.get(pid));
      for (const entry of found) for (const other of belonging.get(entry.pid) ?? []) found.add(other);
      return [pid, [...found]];
    }),
  );
}

/** One process; null where there is none of that pid. */
export function readProcess(pid: number): TreeEntry | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // It ended between the listing and the look.
    return null;
  }
  // proc(5): the name in parentheses may itself hold any character, so the fields count from the last parenthesis.
  const end = stat.lastIndexOf(')');
  const [state, parent, group, session] = stat.slice(end + 2).split(' ');
  return {
    pid,
    name: stat.slice(stat.indexOf('(') + 1, end),
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    isZombie: state === 'Z' || state === 'X',
  };
}
