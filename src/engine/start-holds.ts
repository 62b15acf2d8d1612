/**
 * The dependencies of a process in the process table. Collects the facts that core/start-hold.ts judges, and changes
 * nothing.
 */
import type { Dependency } from '../config/model.ts';
import { formatNamespec } from '../core/namespec.ts';
import type { Circumstances, Hold, ProcessInput } from '../core/process-record.ts';
import { BEFORE_FIRST_RUN, findNewRuns, type FollowedDependency, isAboutToFollow } from '../core/dependency-restart.ts';
import { canStillBeMet, type DependencyFacts, findHold, hasFailedForGood, isMet } from '../core/start-hold.ts';
import { purposeOf, tellsReadiness } from './policy.ts';
import { type Entry, isFollower, namespecOf, type ProcessTable, type ProcessView } from './process-table.ts';

/** Returns the unmet dependencies that hold back a start of a process now; null for none. */
export function holdOf(entry: Entry, table: ProcessTable): Hold | null {
  return new DependencySearch(table).holdOf(entry);
}

/** Returns what a step of a process depends on in its dependencies. */
export function judgeDependencies(
  entry: Entry,
  { type }: ProcessInput,
  table: ProcessTable,
): Pick<Circumstances, 'hold' | 'newRuns' | 'knownStartsMs'> {
  const { isStartPending, stopCause } = entry.record;
  // A process that follows its dependencies waits for them, as at its first start.
  const isFollowing = isStartPending && stopCause?.kind === 'dependency' && (type === 'exited' || type === 'elapsed');
  const isStart = type === 'start' || type === 'dependenciesChanged' || isFollowing;
  const hasFollowed = isFollower(entry);
  return {
    hold: isStart ? holdOf(entry, table) : null,
    newRuns: hasFollowed && type === 'dependenciesChanged' ? findNewRuns(followedBy(entry, table)) : [],
    knownStartsMs:
      hasFollowed && (type === 'spawned' || type === 'configured') ? knownStartsOf(entry, table, type) : null,
  };
}

function followedBy(entry: Entry, table: ProcessTable): FollowedDependency[] {
  return new DependencySearch(table).followedBy(entry);
}

/**
 * Returns the starts of the dependencies that a process follows, as its run sees them from now on: those of runs that
 * meet the condition. Another dependency keeps the start that was known before. After an update, only those change that
 * were not followed before. The first run of one that the update has added is none to follow.
 */
function knownStartsOf(entry: Entry, table: ProcessTable, type: 'spawned' | 'configured'): ReadonlyMap<string, number> {
  const before = entry.record.knownStartsMs;
  return new Map(
    followedBy(entry, table).map(({ id, startedMs, isMet: isMetNow }) => {
      if (type === 'configured') return [id, before.get(id) ?? startedMs ?? BEFORE_FIRST_RUN];
      return [id, isMetNow ? (startedMs ?? 0) : (before.get(id) ?? 0)];
    }),
  );
}

/**
 * True if a stopped process will be started without a request: by its schedule, by a connection, or when its
 * dependencies are met.
 */
export function isAwaited(id: string, table: ProcessTable): boolean {
  const entry = table.get(id);
  if (entry === undefined) return false;
  if (entry.config.options.listen_lazy && entry.record.state === 'EXITED') return true;
  return entry.policy.purpose === 'scheduled' || (entry.record.hold !== null && holdOf(entry, table)?.kind !== 'stuck');
}

/**
 * Returns the process whose failure means that this process can never be started; null for none. In a chain of
 * dependencies it is the last one.
 */
export function failedRootOf(entry: Entry, table: ProcessTable): Entry | null {
  return new DependencySearch(table).failedRootOf(entry, new Set());
}

/**
 * One search through the dependencies. The hold in the record of a dependency may be out of date, so each is judged
 * again.
 */
class DependencySearch {
  readonly #table: ProcessTable;
  readonly #known = new Map<string, Hold | null>();
  readonly #aboutToRestart = new Map<Entry, boolean>();

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  holdOf(entry: Entry): Hold | null {
    const known = this.#known.get(entry.id);
    if (known !== undefined) return known;
    // Ends the recursion in a cycle, which an update of the configuration can make for a moment.
    this.#known.set(entry.id, entry.record.hold);
    const hold = findHold(entry.config.dependsOn.map((dependency) => this.#factsOf(dependency)));
    this.#known.set(entry.id, hold);
    return hold;
  }

  followedBy(entry: Entry): FollowedDependency[] {
    return entry.config.dependsOn.flatMap((dependency) => {
      const id = namespecOf({ group: dependency.group, name: dependency.process });
      const other = this.#table.get(id);
      if (!dependency.isFollowed || other === undefined) return [];
      const facts = this.#factsOf(dependency);
      const isMetNow = isMet(facts);
      return {
        id,
        name: facts.name,
        startedMs: other.record.startedMs,
        knownStartMs: entry.record.knownStartsMs.get(id) ?? null,
        isFirstRun: other.record.run === 1,
        isMet: isMetNow,
        isAwaited: !isMetNow && canStillBeMet(facts),
        isAboutToRestart: this.#isAboutToRestart(other),
      };
    });
  }

  /** True if a process is up and will be restarted by the dependencies that it follows. */
  #isAboutToRestart(entry: Entry): boolean {
    const { state, pid } = entry.record;
    if (pid === null || (state !== 'STARTING' && state !== 'RUNNING')) return false;
    const known = this.#aboutToRestart.get(entry);
    if (known !== undefined) return known;
    // Ends the recursion in a cycle, which an update of the configuration can make for a moment.
    this.#aboutToRestart.set(entry, false);
    const isAbout = isAboutToFollow(this.followedBy(entry));
    this.#aboutToRestart.set(entry, isAbout);
    return isAbout;
  }

  failedRootOf(entry: Entry, seen: Set<Entry>): Entry | null {
    seen.add(entry);
    for (const dependency of entry.config.dependsOn) {
      const other = this.#table.get(namespecOf({ group: dependency.group, name: dependency.process }));
      if (other === undefined || seen.has(other)) continue;
      const facts = this.#factsOf(dependency);
      if (facts.hold === null && hasFailedForGood(facts)) return other;
      const root = facts.hold?.kind === 'stuck' ? this.failedRootOf(other, seen) : null;
      if (root !== null) return root;
    }
    return null;
  }

  #factsOf(dependency: Dependency): DependencyFacts {
    const other = this.#table.get(namespecOf({ group: dependency.group, name: dependency.process }));
    // A start whose dependencies are met now has not been taken from the queue yet: it still waits.
    const hold =
      other === undefined || other.record.hold === null
        ? null
        : (this.holdOf(other) ?? { kind: 'waiting' as const, dependencies: [] });
    return dependencyFacts(dependency, other ?? null, hold);
  }
}

/** Returns the facts about a dependency. `other`: its process; null if it is not configured. `hold`: its own hold. */
export function dependencyFacts(
  { group, process: proc, conditions }: Dependency,
  other: ProcessView | null,
  hold: Hold | null,
): DependencyFacts {
  const options = other?.config.options ?? null;
  const purpose = options === null ? null : purposeOf(options);
  return {
    name: formatNamespec(group, proc),
    conditions,
    record: other?.record ?? null,
    exitCodes: options?.exitcodes ?? [],
    isOneshot: purpose === 'oneshot',
    reportsReadiness: options !== null && tellsReadiness(options),
    isScheduled: purpose === 'scheduled',
    hold,
  };
}
