/** Finds descendants of processes in a snapshot of /proc. Sends no signal. The result may be outdated immediately. */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';

/** A process and its parent. A zombie has ended and waits to be reaped. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly isZombie: boolean;
}

/** A process with its process group and its session. Each is named by the pid of its leader. */
export interface TreeEntry extends ProcessEntry {
  /** Short name (`/proc/PID/comm`). */
  readonly name: string;
  readonly group: number;
  readonly session: number;
  /** Processor time of the process, and of its children that it has waited for, in milliseconds. */
  readonly cpuMs: number;
  /** Resident pages. Shared pages count for each process. */
  readonly residentPages: number;
}

/** Milliseconds of a clock tick in /proc/PID/stat. The kernel shows 100 ticks a second on every processor. */
const TICK_MS = 10;

/**
 * True if /proc shows our PID namespace. Otherwise (`unshare --pid` without --mount-proc) its numbers are not those of
 * our processes. Throws without /proc.
 */
export function isOwnProc(): boolean {
  return readlinkSync('/proc/self') === String(process.pid);
}

/**
 * Reads all visible processes. Null if there is no /proc, or if it shows another PID namespace.
 */
export function readProcesses(): TreeEntry[] | null {
  let names: string[];
  try {
    if (!isOwnProc()) return null;
    names = readdirSync('/proc');
  } catch {
    return null;
  }
  const entries = pidsIn(names)
    .map(readProcess)
    .filter((entry) => entry !== null);
  return entries.length === 0 ? null : entries;
}

/** Returns the pids among the names in /proc. */
export function pidsIn(names: readonly string[]): number[] {
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Returns the descendants of `pid`, parents before their children, including zombies. */
export function descendantsOf(pid: number, entries: readonly ProcessEntry[]): ProcessEntry[] {
  const children = Map.groupBy(entries, ({ parent }) => parent);
  const found: ProcessEntry[] = [...(children.get(pid) ?? [])];
  for (const entry of found) found.push(...(children.get(entry.pid) ?? []));
  return found;
}

/**
 * Returns the processes of programs, by pid: the program itself, its descendants, and orphans in the groups and
 * sessions that the program or a descendant leads. Empty for a program that is not among the entries and has left no
 * processes.
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

/** Reads one process. Null if there is none with this pid. */
export function readProcess(pid: number): TreeEntry | null {
  let stat: string;
  try {
    stat = readStat(pid);
  } catch {
    // The process ended after the listing.
    return null;
  }
  // proc(5): the name in parentheses may contain any character, so count the fields from the last parenthesis.
  const end = stat.lastIndexOf(')');
  const fields = stat.slice(end + 2).split(' ');
  const [state, parent, group, session] = fields;
  const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number);
  return {
    pid,
    name: stat.slice(stat.indexOf('(') + 1, end),
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    cpuMs: ((user ?? 0) + (system ?? 0) + (childUser ?? 0) + (childSystem ?? 0)) * TICK_MS,
    residentPages: Number(fields[21] ?? 0),
    isZombie: state === 'Z' || state === 'X',
  };
}

/** Returns the children of a process; none if it has ended. Throws if the kernel does not list children. */
export function childrenOf(pid: number): number[] {
  const folder = `/proc/${pid}/task`;
  return listOrNone(folder).flatMap((thread) => {
    try {
      return pidsIn(readFileSync(`${folder}/${thread}/children`, 'latin1').split(' '));
    } catch (error) {
      if (existsSync(`${folder}/${thread}`)) throw error;
      return []; // The thread has ended.
    }
  });
}

function listOrNone(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Longest text of /proc/PID/stat: 52 numbers and a name. */
const statBuffer = Buffer.alloc(2048);

/** Reads a file of /proc with three system calls. `readFileSync` makes five, which matter for hundreds of processes. */
function readStat(pid: number): string {
  const fd = openSync(`/proc/${pid}/stat`, 'r');
  try {
    return statBuffer.toString('latin1', 0, readSync(fd, statBuffer));
  } finally {
    closeSync(fd);
  }
}
