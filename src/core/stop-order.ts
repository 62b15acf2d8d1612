/** The order of starts and stops: ranks by priority and by `depends_on`, which outweighs priority. Pure. */

/** The facts that the order depends on. */
export interface Ranked {
  /** Namespec `group:name`. */
  readonly id: string;
  readonly groupPriority: number;
  readonly priority: number;
  /** Namespecs of the dependencies. Names that are not among the processes to be ordered are ignored. */
  readonly dependsOn: readonly string[];
}

/** Rank of a process: its priority, then the number of processes of the same priority that must come before. */
interface OrderRank {
  readonly groupPriority: number;
  readonly priority: number;
  readonly depth: number;
}

const byPriority = (a: OrderRank, b: OrderRank): number => a.groupPriority - b.groupPriority || a.priority - b.priority;
const byRank = (a: OrderRank, b: OrderRank): number => byPriority(a, b) || a.depth - b.depth;

/**
 * Returns the start order: ascending priority of the group, then of the process (Supervisor, `priority`), then the
 * order given. The dependencies of a process come before it, whatever the priorities.
 */
export function startOrder(processes: readonly Ranked[]): string[] {
  const ranksById = rankAll(processes, {
    before: ({ dependsOn }) => dependsOn,
    counts: () => true,
    later: (own, other) => (byPriority(own, other) >= 0 ? own : other),
  });
  return processes.toSorted((a, b) => byRank(rankOf(ranksById, a), rankOf(ranksById, b))).map(({ id }) => id);
}

/**
 * Returns the stop order: ranks of descending priority. Dependents of a process stop before it, whatever the
 * priorities. All processes of a rank stop at the same time, and the next rank follows when they have ended. The result
 * has only processes that are up (`isUp`), but the dependencies of the others count too. Unlike Supervisor, groups of
 * equal priority stop together: stopping one after the other can take longer than `docker stop` waits.
 */
export function stopRanks(processes: readonly Ranked[], isUp: (id: string) => boolean): string[][] {
  const dependents = new Map<string, string[]>();
  for (const { id, dependsOn } of processes)
    for (const other of dependsOn) dependents.set(other, [...(dependents.get(other) ?? []), id]);
  const ranksById = rankAll(processes, {
    before: ({ id }) => dependents.get(id) ?? [],
    counts: ({ id }) => isUp(id),
    later: (own, other) => (byPriority(own, other) <= 0 ? own : other),
  });
  const compare = (a: OrderRank, b: OrderRank): number => byPriority(b, a) || a.depth - b.depth;
  const ranks: string[][] = [];
  let previous: OrderRank | null = null;
  for (const proc of processes
    .filter(({ id }) => isUp(id))
    .toSorted((a, b) => compare(rankOf(ranksById, a), rankOf(ranksById, b)))) {
    const rank = rankOf(ranksById, proc);
    const last = ranks.at(-1);
    if (last !== undefined && previous !== null && compare(previous, rank) === 0) last.push(proc.id);
    else ranks.push([proc.id]);
    previous = rank;
  }
  return ranks;
}

function rankOf(ranksById: ReadonlyMap<string, OrderRank>, { id, groupPriority, priority }: Ranked): OrderRank {
  return ranksById.get(id) ?? { groupPriority, priority, depth: 0 };
}

/** Direction of a walk through the dependencies: for starts, or for stops. */
interface Direction {
  readonly before: (proc: Ranked) => readonly string[];
  /** True if a process increases the depth of the processes after it. */
  readonly counts: (proc: Ranked) => boolean;
  readonly later: (own: OrderRank, other: OrderRank) => OrderRank;
}

/**
 * Returns the rank of each process, after all that come before it: the priority that `later` chooses, and one deeper
 * than the deepest of the same priority. The configuration has no cycles (config/dependencies.ts). A cycle that an
 * update has made for a moment is ignored.
 */
function rankAll(processes: readonly Ranked[], direction: Direction): Map<string, OrderRank> {
  const { before } = direction;
  const byId = new Map(processes.map((proc) => [proc.id, proc]));
  const ranksById = new Map<string, OrderRank>();
  for (const start of processes) {
    // Depth first without recursion: a chain may be longer than the stack.
    const path = [start];
    const entered = new Set<string>();
    while (path.length > 0) {
      const proc = path[path.length - 1] as Ranked;
      entered.add(proc.id);
      const unknown = before(proc)
        .flatMap((id) => byId.get(id) ?? [])
        .filter(({ id }) => !ranksById.has(id) && !entered.has(id));
      if (unknown.length > 0 && !ranksById.has(proc.id)) {
        path.push(...unknown);
        continue;
      }
      path.pop();
      if (!ranksById.has(proc.id))
        ranksById.set(
          proc.id,
          rankAfter(
            proc,
            before(proc).flatMap((id) => ranksById.get(id) ?? []),
            direction,
          ),
        );
    }
  }
  return ranksById;
}

function rankAfter(proc: Ranked, others: readonly OrderRank[], { later, counts }: Direction): OrderRank {
  const { groupPriority, priority } = proc;
  const own: OrderRank = { groupPriority, priority, depth: 0 };
  const latest = others.reduce(later, own);
  const deepest = Math.max(-1, ...others.filter((other) => byPriority(other, latest) === 0).map(({ depth }) => depth));
  return { ...latest, depth: deepest + (counts(proc) ? 1 : 0) };
}
