/**
 * Measures the memory and the processor time of programs, including all processes that they have started. Reads /proc
 * in slices, so that many processes do not block the loop. Has no limits and sends no signal.
 */
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pidsIn, readProcess, type TreeEntry, treesOf } from './process-tree.ts';

/** Longest time to block the loop. Reading one process takes about 15 µs. */
const SLICE_MS = 2;

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

/**
 * Measures the process trees of these programs, by pid. Programs that are not visible have no entry. Rejects if /proc
 * cannot be listed.
 */
export async function readUsage(programs: readonly number[]): Promise<Map<number, TreeUsage>> {
  const entries = await inSlices(pidsIn(await readdir('/proc')), readProcess);
  const trees = treesOf(
    programs,
    entries.filter((entry) => entry !== null),
  );
  const members = [...new Set([...trees.values()].flat())];
  const used = new Map(
    await inSlices(members, (entry) => [entry.pid, { ...entry, residentBytes: residentBytes(entry.pid) }] as const),
  );
  return new Map(
    programs.flatMap((pid) => {
      const own = used.get(pid);
      if (own === undefined) return [];
      const others = (trees.get(pid) ?? []).filter((entry) => entry.pid !== pid);
      return [[pid, sumOf([own, ...others.map((entry) => used.get(entry.pid) ?? { ...entry, residentBytes: 0 })])]];
    }),
  );
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
  let beganMs = performance.now();
  for (const item of items) {
    if (performance.now() - beganMs > SLICE_MS) {
      await nextTurn();
      beganMs = performance.now();
    }
    found.push(look(item));
  }
  return found;
}

/** Returns VmRSS. The kernel reports it in kB, whatever the page size. 0 for a process that has ended. */
function residentBytes(pid: number): number {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return 0;
  }
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
