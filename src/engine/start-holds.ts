/**
 * The dependencies of a process in the process table. Collects the facts that core/start-hold.ts judges, and changes
 * nothing.
 */
import type { Dependency } from '../config/model.ts';
import { formatNamespec } from '../core/namespec.ts';
import type { Hold } from '../core/process-record.ts';
import { type DependencyFacts, findHold, hasFailedForGood } from '../core/start-hold.ts';
import { type Entry, namespecOf, type ProcessTable } from './process-table.ts';

/** Returns the unmet dependencies that hold back a start of a process now; null for none. */
export function holdOf(entry: Entry, table: ProcessTable): Hold | null {
  return new DependencySearch(table).holdOf(entry);
}

/** True if a stopped process will be started without a request: by its schedule, or when its dependencies are met. */
export function isAwaited(id: string, table: ProcessTable): boolean {
  const entry = table.get(id);
  if (entry === undefined) return false;
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

  #factsOf({ group, process: proc, conditions }: Dependency): DependencyFacts {
    const name = formatNamespec(group, proc);
    const other = this.#table.get(namespecOf({ group, name: proc }));
    if (other === undefined)
      return {
        name,
        conditions,
        record: null,
        exitCodes: [],
        isOneshot: false,
        reportsReadiness: false,
        isScheduled: false,
        hold: null,
      };
    const { notification_fd: fd, notify } = other.config.options;
    const { record, policy } = other;
    return {
      name,
      conditions,
      record,
      exitCodes: policy.exitCodes,
      isOneshot: policy.purpose === 'oneshot',
      reportsReadiness: fd !== null || notify !== null,
      isScheduled: policy.purpose === 'scheduled',
      // A start whose dependencies are met now has not been taken from the queue yet: it still waits.
      hold: record.hold === null ? null : (this.holdOf(other) ?? { kind: 'waiting', dependencies: [] }),
    };
  }
}
