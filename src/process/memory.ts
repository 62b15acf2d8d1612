/**
 * Memory that programs use, with all processes that they have started. It reads /proc in slices, so that a machine full
 * of processes does not hold up the loop; it has no limits and sends no signal.
 */
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pidsIn, readProcess, treesOf } from './process-tree.ts';

/** The longest that the loop is held up at once; a look at one process takes about 15 µs. */
const SLICE_MS = 2;

/**
 * Resident bytes of the trees of these programs, by pid. Pages that processes share count for each. Without an entry:
 * programs that are not to be seen. Rejects where /proc cannot be listed.
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

/** VmRSS, which the kernel says in kB whatever the size of a page; 0 for a process that has ended. */
function residentBytes(pid: number): number {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return 0;
  }
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
