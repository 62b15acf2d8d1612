/**
 * Measures the memory and the processor time of programs, including all processes that they have started. Reads /proc
 * in slices, so that many processes do not block the loop. Has no limits and sends no signal.
 */
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { childrenOf, isOwnProc, pidsIn, readProcess, type TreeEntry, treesOf } from './process-tree.ts';

/** Longest time to block the loop. Reading one process takes about 15 µs. */
const SLICE_MS = 2;

const OTHER_NAMESPACE = '/proc shows the processes of another PID namespace';

/** One process of a program. */
export interface ProcessUsage extends TreeEntry {
  /** Resident bytes. Shared pages count for each process. */
  readonly residentBytes: number;
}

/** The processes of a program, and what they use together. */
export interface TreeUsage {
  /** The program itself comes first. */
  readonly processes: readonly ProcessUsage[];
  readonly residentBytes: number;
  /** Processor time of all processes, and of their children that were reaped, in milliseconds. */
  readonly cpuMs: number;
}

/** The control groups of programs, by pid (process/cgroups.ts). */
export interface ProgramGroups {
  /** Returns the members of the group of a program; null if it has no group. */
  membersOf(pid: number): number[] | null;
}

/** Facts about the programs for {@link readUsageOf}. */
export interface KnownPrograms {
  readonly groups?: ProgramGroups;
  /** True for the pid of a program. Other children of ours are orphans of programs, or hooks and checks. */
  readonly isProgram: (pid: number) => boolean;
}

/**
 * Measures the process trees of these programs, by pid, with the members of their control groups. Programs that are not
 * visible have no entry. Rejects if /proc cannot be listed, or shows another PID namespace.
 */
export async function readUsage(programs: readonly number[], groups?: ProgramGroups): Promise<Map<number, TreeUsage>> {
  if (!isOwnProc()) throw new Error(OTHER_NAMESPACE);
  const entries = (await inSlices(pidsIn(await readdir('/proc')), readProcess)).filter((entry) => entry !== null);
  const trees = treesOf(programs, entries);
  if (groups !== undefined) addMembers(trees, entries, groups);
  const page = pageBytes();
  const measured = (entry: TreeEntry): ProcessUsage => ({ ...entry, residentBytes: entry.residentPages * page });
  return new Map(
    programs.flatMap((pid) => {
      const tree = trees.get(pid) ?? [];
      const own = tree.find((entry) => entry.pid === pid);
      if (own === undefined) return [];
      return [[pid, sumOf([own, ...tree.filter((entry) => entry !== own)].map(measured))]];
    }),
  );
}

/**
 * Measures some programs in the same way, without a look at the processes of the others. Reads our list of children for
 * orphans. Rejects if the kernel does not list children (CONFIG_PROC_CHILDREN).
 */
export async function readUsageOf(
  programs: readonly number[],
  { groups, isProgram }: KnownPrograms,
): Promise<Map<number, TreeUsage>> {
  if (!isOwnProc()) throw new Error(OTHER_NAMESPACE);
  const page = pageBytes();
  const usages = new Map<number, TreeUsage>();
  const pause = makePause();
  const others = childrenOf(process.pid).filter((pid) => !isProgram(pid));
  const orphans = (await inSlices(others, readProcess)).filter((entry) => entry !== null);
  for (const program of programs) {
    const pids = new Set([program, ...(groups?.membersOf(program) ?? [])]);
    const measured: ProcessUsage[] = [];
    // The loop also visits what it adds to the set.
    for (const pid of pids) {
      await pause();
      const entry = readProcess(pid);
      if (entry === null) continue;
      measured.push({ ...entry, residentBytes: entry.residentPages * page });
      for (const child of childrenOf(pid)) pids.add(child);
      for (const orphan of orphans) if (orphan.group === pid || orphan.session === pid) pids.add(orphan.pid);
    }
    if (measured[0]?.pid === program) usages.set(program, sumOf(measured));
  }
  return usages;
}

/** Adds the members of control groups, which may have left the tree of their program by a double fork. */
function addMembers(trees: Map<number, TreeEntry[]>, entries: readonly TreeEntry[], groups: ProgramGroups): void {
  for (const [pid, tree] of trees) {
    const members = groups.membersOf(pid);
    if (members === null) continue;
    const wanted = new Set(members);
    const known = new Set(tree.map((entry) => entry.pid));
    tree.push(...entries.filter((entry) => wanted.has(entry.pid) && !known.has(entry.pid)));
  }
}

/**
 * Returns the memory of processes with each shared page divided among its users (PSS), or VmRSS where the kernel does
 * not tell it. In bytes. A process that waits for a disk while it changes its memory makes the read wait, so it runs in
 * the thread pool, one after the other.
 */
export async function readProportionalBytes(pids: readonly number[]): Promise<number> {
  let sum = 0;
  for (const pid of pids) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch(() => '');
    const pss = /^Pss:\s*(\d+) kB$/m.exec(text)?.[1];
    sum += pss === undefined ? residentBytes(pid) : Number(pss) * 1024;
  }
  return sum;
}

function sumOf(processes: readonly ProcessUsage[]): TreeUsage {
  return {
    processes,
    residentBytes: processes.reduce((sum, proc) => sum + proc.residentBytes, 0),
    cpuMs: processes.reduce((sum, proc) => sum + proc.cpuMs, 0),
  };
}

async function inSlices<T, R>(items: readonly T[], look: (item: T) => R): Promise<R[]> {
  const found: R[] = [];
  const pause = makePause();
  for (const item of items) {
    await pause();
    found.push(look(item));
  }
  return found;
}

/** Returns a function that lets the loop turn when a slice of time is over. */
function makePause(): () => Promise<void> | undefined {
  let beganMs = performance.now();
  return () => {
    if (performance.now() - beganMs <= SLICE_MS) return undefined;
    return nextTurn().then(() => {
      beganMs = performance.now();
    });
  };
}

/** Returns VmRSS. The kernel reports it in kB, whatever the page size. 0 for a process that has ended. */
function residentBytes(pid: number): number {
  try {
    return parseResident(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return 0;
  }
}

function parseResident(status: string): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

let knownPageBytes = 0;

/** Returns the size of a page: the ratio of the two figures that the kernel has for us, rounded to a power of two. */
function pageBytes(): number {
  if (knownPageBytes > 0) return knownPageBytes;
  const pages = readProcess(process.pid)?.residentPages ?? 0;
  const bytes = residentBytes(process.pid);
  if (pages === 0 || bytes === 0) return 4096;
  knownPageBytes = 2 ** Math.round(Math.log2(bytes / pages));
  return knownPageBytes;
}
