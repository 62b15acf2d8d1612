/**
 * In which order processes are started and stopped: ranks by priority.
 * Pure; it starts and stops nothing.
 */

/** What the order depends on. */
export interface Ranked {
  /** Namespec `group:name`. */
  readonly id: string;
  readonly groupPriority: number;
  readonly priority: number;
}

const byRank = (a: Ranked, b: Ranked): number => a.groupPriority - b.groupPriority || a.priority - b.priority;

/** Start order: ascending priority of the group, then of the process; of equal rank as they were given (Supervisor, `priority`). */
export function startOrder(processes: readonly Ranked[]): string[] {
  return processes.toSorted(byRank).map(({ id }) => id);
}

/**
 * Stop order: ranks of descending priority. All of one rank are stopped at the same time, the next rank when they are gone.
 * Supervisor stops one group after the other even where priorities are equal, and so outlasts the patience of `docker stop`; that is not reproduced.
 */
export function stopRanks(processes: readonly Ranked[]): string[][] {
  const ranks: string[][] = [];
  let previous: Ranked | null = null;
  for (const process of processes.toSorted((a, b) => byRank(b, a))) {
    const rank = ranks.at(-1);
    if (rank !== undefined && previous !== null && byRank(previous, process) === 0) rank.push(process.id);
    else ranks.push([process.id]);
    previous = process;
  }
  return ranks;
}
