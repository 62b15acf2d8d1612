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
interface Standing {
  readonly groupPriority: number;
  readonly priority: number;
  readonly depth: number;
}

const byPriority = (a: Standing, b: Standing): number => a.groupPriority - b.groupPriority || a.priority - b.priority;
const byStanding = (a: Standing, b: Standing): number => byPriority(a, b) || a.depth - b.depth;

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
  return processes
    .toSorted((a, b) => byStanding(standingOf(standings, a), standingOf(standings, b)))
    .map(({ id }) => id);
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
  const compare = (a: Standing, b: Standing): number => byPriority(b, a) || a.depth - b.depth;
  const ranks: string[][] = [];
  let previous: Standing | null = null;
  for (const process of processes
    .filter(({ id }) => isUp(id))
    .toSorted((a, b) => compare(standingOf(standings, a), standingOf(standings, b)))) {
    const standing = standingOf(standings, process);
    const rank = ranks.at(-1);
    if (rank !== undefined && previous !== null && compare(previous, standing) === 0) rank.push(process.id);
    else ranks.push([process.id]);
    previous = standing;
  }
  return ranks;
}

function standingOf(standings: ReadonlyMap<string, Standing>, { id, groupPriority, priority }: Ranked): Standing {
  return standings.get(id) ?? { groupPriority, priority, depth: 0 };
}

/** One way to go through the dependencies. */
interface Direction {
  readonly before: (process: Ranked) => readonly string[];
  /** Whether a process makes those that come after it deeper. */
  readonly counts: (process: Ranked) => boolean;
  readonly later: (own: Standing, other: Standing) => Standing;
}

/**
 * The standing of each process, after all that come before it: the priority that `later` picks of its own and theirs,
 * and one deeper than the deepest of the same priority. The configuration has no cycles (config/dependencies.ts); where
 * an update has made one for a moment, it is cut.
 */
function standAll(processes: readonly Ranked[], direction: Direction): Map<string, Standing> {
  const { before } = direction;
  const byId = new Map(processes.map((process) => [process.id, process]));
  const standings = new Map<string, Standing>();
  for (const start of processes) {
    // Depth first without recursion: a chain may be longer than the stack.
    const path = [start];
    const entered = new Set<string>();
    while (path.length > 0) {
      const process = path[path.length - 1] as Ranked;
      entered.add(process.id);
      const unknown = before(process)
        .flatMap((id) => byId.get(id) ?? [])
        .filter(({ id }) => !standings.has(id) && !entered.has(id));
      if (unknown.length > 0 && !standings.has(process.id)) {
        path.push(...unknown);
        continue;
      }
      path.pop();
      if (!standings.has(process.id))
        standings.set(
          process.id,
          stand(
            process,
            before(process).flatMap((id) => standings.get(id) ?? []),
            direction,
          ),
        );
    }
  }
  return standings;
}

function stand(process: Ranked, others: readonly Standing[], { later, counts }: Direction): Standing {
  const { groupPriority, priority } = process;
  const own: Standing = { groupPriority, priority, depth: 0 };
  const latest = others.reduce(later, own);
  const deepest = Math.max(-1, ...others.filter((other) => byPriority(other, latest) === 0).map(({ depth }) => depth));
  return { ...latest, depth: deepest + (counts(process) ? 1 : 0) };
}
