/**
 * Measures the memory of programs, including all processes that they have started. Reads /proc in slices, so that many
 * processes do not block the loop. Has no limits and sends no signal.
 */
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pidsIn, readProcess, treesOf } from './process-tree.ts';

/** Longest time to block the loop. Reading one process takes about 15 µs. */
const SLICE_MS = 2;

/**
 * Returns the resident bytes of the process trees of these programs, by pid. Shared pages count for each process.
 * Programs that are not visible have no entry. Rejects if /proc cannot be listed.
 */
export async function readMemory(programs: readonly number[]): Promise<Map<number, number>> {
  const entries = await inSlices(pidsIn(await readdir('/proc')), readProcess);
  const trees = treesOf(
    programs,
    entries.filter((entry) => entry !== null),
  );
  const members = [...new Set([...trees.values()].flat())];
  const sizes = new Map(await inSlices(members, ({ pid }) => [pid, residentBytes(pid)] as const));
  const seen = programs.flatMap((pid) => (sizes.has(pid) ? [[pid, trees.get(pid) ?? []] as const] : []));
  return new Map(seen.map(([pid, tree]) => [pid, tree.reduce((sum, entry) => sum + (sizes.get(entry.pid) ?? 0), 0)]));
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
