/**
 * What holds the start of a process back, seen among all others: the facts that core/dependency-gate.ts judges,
 * gathered. It changes nothing.
 */
import { type Dependable, hasFailedForGood, judgeGate } from '../core/dependency-gate.ts';
import type { Hold } from '../core/process-record.ts';
import type { Entry, ProcessTable } from './process-table.ts';

/** Why a process may not be started now, as far as `depends_on` goes; null where it may. */
export function gateOf(entry: Entry, registry: ProcessTable): Hold | null {
  return new Judgement(registry).of(entry);
}

/**
 * Whether a process at rest will be started without anybody asking: by its schedule, or when what it waits for has
 * come.
 */
export function isAwaited(id: string, registry: ProcessTable): boolean {
  const entry = registry.get(id);
  if (entry === undefined) return false;
  return (
    entry.policy.purpose === 'scheduled' || (entry.record.hold !== null && gateOf(entry, registry)?.kind !== 'stuck')
  );
}

/**
 * The process whose failure keeps this one from being started, for good; null where there is none. Of a chain of
 * dependencies, the last one.
 */
export function failedRootOf(entry: Entry, registry: ProcessTable): Entry | null {
  return new Judgement(registry).rootOf(entry, new Set());
}

/** One look at all: a dependency that waits is judged itself, since what it was told last may be out of date. */
class Judgement {
  readonly #registry: ProcessTable;
  readonly #known = new Map<string, Hold | null>();

  constructor(registry: ProcessTable) {
    this.#registry = registry;
  }

  of(entry: Entry): Hold | null {
    const known = this.#known.get(entry.id);
    if (known !== undefined) return known;
    // A cycle, which an update can make for a moment, comes to its end here.
    this.#known.set(entry.id, entry.record.hold);
    const judged = judgeGate(entry.config.dependsOn.map((_dependency, index) => this.#look(entry, index)));
    this.#known.set(entry.id, judged);
    return judged;
  }

  rootOf(entry: Entry, seen: Set<Entry>): Entry | null {
    seen.add(entry);
    for (const [index, id] of entry.rank.dependsOn.entries()) {
      const other = this.#registry.get(id);
      if (other === undefined || seen.has(other)) continue;
      const dependency = this.#look(entry, index);
      if (dependency.hold === null && hasFailedForGood(dependency)) return other;
      const root = dependency.hold?.kind === 'stuck' ? this.rootOf(other, seen) : null;
      if (root !== null) return root;
    }
    return null;
  }

  #look({ config, rank }: Entry, index: number): Dependable {
    const dependency = config.dependsOn[index];
    const other = this.#registry.get(rank.dependsOn[index] ?? '');
    const name =
      dependency === undefined || dependency.group === dependency.process
        ? (dependency?.process ?? '')
        : `${dependency.group}:${dependency.process}`;
    const conditions = dependency?.conditions ?? ['started'];
    if (other === undefined)
      return {
        name,
        conditions,
        record: null,
        exitCodes: [],
        isOneshot: false,
        tellsReadiness: false,
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
      tellsReadiness: fd !== null || notify !== null,
      isScheduled: policy.purpose === 'scheduled',
      hold: record.hold === null ? null : (this.of(other) ?? { kind: 'waiting', reason: record.hold.reason }),
    };
  }
}
