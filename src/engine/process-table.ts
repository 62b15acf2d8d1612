/**
 * What the engine knows: the processes by namespec, and which pid is whose. It decides nothing and orders nothing.
 */
import type { GroupConfig, ProcessConfig } from '../config/model.ts';
import { initialRecord, type ProcessPolicy, type ProcessRecord } from '../core/process-record.ts';
import type { Ranked } from '../core/stop-order.ts';
import type { Alarm } from './alarm.ts';
import { policyOf } from './policy.ts';

/** One process as others may see it. */
export interface ProcessView {
  /** Namespec `group:name`. */
  readonly id: string;
  readonly config: ProcessConfig;
  readonly record: ProcessRecord;
}

/** One process as the engine keeps it. */
export interface Entry extends ProcessView {
  /** Replaced, with policy and rank, where the configuration changes while it runs. */
  config: ProcessConfig;
  policy: ProcessPolicy;
  rank: Ranked;
  record: ProcessRecord;
  /** The alarm for the deadline of the record. */
  readonly alarm: Alarm;
}

/** A run that a pid belongs to. */
export interface ProcessRun {
  readonly entry: Entry;
  readonly run: number;
}

/** A process as others may see it, at this moment. */
export function viewOf({ id, config, record }: Entry): ProcessView {
  return { id, config, record };
}

/** Namespec of a process. */
export function namespecOf(config: Pick<ProcessConfig, 'group' | 'name'>): string {
  return `${config.group}:${config.name}`;
}

/** The processes of one engine. */
export class ProcessTable {
  readonly #entries = new Map<string, Entry>();
  readonly #runs = new Map<number, ProcessRun>();
  /** Who depends on whom, the other way round; made when it is asked for. */
  #dependents: Map<string, Entry[]> | null = null;
  readonly #makeAlarm: (id: string) => Alarm;

  /** `makeAlarm` makes the alarm of a process. */
  constructor(makeAlarm: (id: string) => Alarm) {
    this.#makeAlarm = makeAlarm;
  }

  /**
   * Takes in all processes of a group. One that is known keeps its record, and is what the configuration now says in
   * all else.
   */
  setGroup(group: GroupConfig): void {
    this.#dependents = null;
    for (const config of group.processes) {
      const id = namespecOf(config);
      const dependsOn = config.dependsOn.map((other) => namespecOf({ group: other.group, name: other.process }));
      const configured = {
        config,
        policy: policyOf(config),
        rank: { id, groupPriority: group.priority, priority: config.options.priority, dependsOn },
      };
      const known = this.#entries.get(id);
      if (known !== undefined) Object.assign(known, configured);
      else this.#entries.set(id, { id, ...configured, record: initialRecord, alarm: this.#makeAlarm(id) });
    }
  }

  /** Forgets a process. */
  remove(entry: Entry): void {
    this.#dependents = null;
    entry.alarm.set(null);
    this.#entries.delete(entry.id);
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** All processes, in the order in which they were taken in. */
  all(): Entry[] {
    return [...this.#entries.values()];
  }

  inGroup(name: string): Entry[] {
    return this.all().filter(({ config }) => config.group === name);
  }

  /** The processes that depend on one (`depends_on`). */
  dependentsOf(id: string): readonly Entry[] {
    this.#dependents ??= this.#listDependents();
    return this.#dependents.get(id) ?? [];
  }

  #listDependents(): Map<string, Entry[]> {
    const dependents = new Map<string, Entry[]>();
    for (const entry of this.#entries.values()) {
      for (const other of entry.rank.dependsOn) {
        const list = dependents.get(other);
        if (list === undefined) dependents.set(other, [entry]);
        else list.push(entry);
      }
    }
    return dependents;
  }

  /** A pid that a spawn has made belongs to this run from now on. */
  claimPid(pid: number, run: ProcessRun): void {
    this.#runs.set(pid, run);
  }

  /** The run of a pid that was reaped: from now on the pid is nobody's, and the kernel may give it away again. */
  releasePid(pid: number): ProcessRun | undefined {
    const run = this.#runs.get(pid);
    this.#runs.delete(pid);
    return run;
  }

  /** Whether a pid is one of our children that was not reaped yet. */
  ownsPid(pid: number): boolean {
    return this.#runs.has(pid);
  }
}
