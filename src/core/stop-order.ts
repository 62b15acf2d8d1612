/**
 * In which order processes are started and stopped: ranks by priority, and within that by `depends_on`, which outweighs
 * priority. Pure; it starts and stops nothing.
 */

/** What the order depends on. */
export interface Ranked {
  /** Namespec `group:name`. */
  readonly id: string;
  readonly groupPriority: number;
  readonly priority: number;
  /** Namespecs of what it depends on; those that are not among the processes to be ordered count for nothing. */
  readonly dependsOn: readonly string[];
}

/** Where a process stands: by priority first, then by how many of the same priority must come before it. */
interface OrderRank {
  readonly groupPriority: number;
  readonly priority: number;
  readonly depth: number;
}

const byPriority = (a: OrderRank, b: OrderRank): number => a.groupPriority - b.groupPriority || a.priority - b.priority;
const byRank = (a: OrderRank, b: OrderRank): number => byPriority(a, b) || a.depth - b.depth;

/**
 * Start order: ascending priority of the group, then of the process (Supervisor, `priority`); of equal rank as they
 * were given. What a process depends on comes before it, whatever the priorities.
 */
export function startOrder(processes: readonly Ranked[]): string[] {
  const standings = standAll(processes, {
    before: ({ dependsOn }) => dependsOn,
    counts: () => true,
    later: (own, other) => (byPriority(own, other) >= 0 ? own : other),
  });
  return processes.toSorted((a, b) => byRank(standingOf(standings, a), standingOf(standings, b))).map(({ id }) => id);
}

/**
 * Stop order: ranks of descending priority, and what depends on a process before that process, whatever the priorities.
 * All of one rank are stopped at the same time, the next rank when they are gone. Only what `isUp` is in a rank; the
 * others still say what comes before what. Supervisor stops one group after the other even where priorities are equal,
 * and so outlasts the patience of `docker stop`; that is not reproduced.
 */
export function stopRanks(processes: readonly Ranked[], isUp: (id: string) => boolean): string[][] {
  const dependents = new Map<string, string[]>();
  for (const { id, dependsOn } of processes)
    for (const other of dependsOn) dependents.set(other, [...(dependents.get(other) ?? []), id]);
  const standings = standAll(processes, {
    before: ({ id }) => dependents.get(id) ?? [],
    counts: ({ id }) => isUp(id),
    later: (own, other) => (byPriority(own, other) <= 0 ? own : other),
  });
  const compare = (a: OrderRank, b: OrderRank): number => byPriority(b, a) || a.depth - b.depth;
  const ranks: string[][] = [];
  let previous: OrderRank | null = null;
  for (const proc of processes
    .filter(({ id }) => isUp(id))
    .toSorted((a, b) => compare(standingOf(standings, a), standingOf(standings, b)))) {
    const standing = standingOf(standings, proc);
    const rank = ranks.at(-1);
    if (rank !== undefined && previous !== null && compare(previous, standing) === 0) rank.push(proc.id);
    else ranks.push([proc.id]);
    previous = standing;
  }
  return ranks;
}

function standingOf(standings: ReadonlyMap<string, OrderRank>, { id, groupPriority, priority }: Ranked): OrderRank {
  return standings.get(id) ?? { groupPriority, priority, depth: 0 };
}

/** One way to go through the dependencies. */
interface Direction {
  readonly before: (proc: Ranked) => readonly string[];
  /** Whether a process makes those that come after it deeper. */
  readonly counts: (proc: Ranked) => boolean;
  readonly later: (own: OrderRank, other: OrderRank) => OrderRank;
}

/**
 * The standing of each process, after all that come before it: the priority that `later` picks of its own and theirs,
 * and one deeper than the deepest of the same priority. The configuration has no cycles (config/dependencies.ts); where
 * an update has made one for a moment, it is cut.
 */
function standAll(processes: readonly Ranked[], direction: Direction): Map<string, OrderRank> {
  const { before } = direction;
  const byId = new Map(processes.map((proc) => [proc.id, proc]));
  const standings = new Map<string, OrderRank>();
  for (const start of processes) {
    // Depth first without recursion: a chain may be longer than the stack.
    const path = [start];
    const entered = new Set<string>();
    while (path.length > 0) {
      const proc = path[path.length - 1] as Ranked;
      entered.add(proc.id);
      const unknown = before(proc)
        .flatMap((id) => byId.get(id) ?? [])
        .filter(({ id }) => !standings.has(id) && !entered.has(id));
      if (unknown.length > 0 && !standings.has(proc.id)) {
        path.push(...unknown);
        continue;
      }
      path.pop();
      if (!standings.has(proc.id))
        standings.set(
          proc.id,
          stand(
            proc,
            before(proc).flatMap((id) => standings.get(id) ?? []),
            direction,
          ),
        );
    }
  }
  return standings;
}

function stand(proc: Ranked, others: readonly OrderRank[], { later, counts }: Direction): OrderRank {
  const { groupPriority, priority } = proc;
  const own: OrderRank = { groupPriority, priority, depth: 0 };
  const latest = others.reduce(later, own);
  const deepest = Math.max(-1, ...others.filter((other) => byPriority(other, latest) === 0).map(({ depth }) => depth));
  return { ...latest, depth: deepest + (counts(proc) ? 1 : 0) };
}
