/** The processes of one engine by namespec, and the owners of pids. */
import type { GroupConfig, ProcessConfig } from '../config/model.ts';
import { initialRecord, type ProcessPolicy, type ProcessRecord } from '../core/process-record.ts';
import type { Ranked } from '../core/stop-order.ts';
import type { Alarm } from './alarm.ts';
import { policyOf } from './policy.ts';

/** The read-only view of one process. */
export interface ProcessView {
  /** Namespec `group:name`. */
  readonly id: string;
  readonly config: ProcessConfig;
  readonly record: ProcessRecord;
}

/** One process in the table. */
export interface Entry extends ProcessView {
  /** Replaced together with policy and rank when the configuration changes while the process runs. */
  config: ProcessConfig;
  policy: ProcessPolicy;
  rank: Ranked;
  record: ProcessRecord;
  /** The alarm for the deadline of the record. */
  readonly alarm: Alarm;
}

/** The owner of a pid. */
export interface ProcessRun {
  readonly entry: Entry;
  readonly run: number;
}

/** Returns a copy of the view. */
export function viewOf({ id, config, record }: Entry): ProcessView {
  return { id, config, record };
}

/** Returns the namespec of a process. */
export function namespecOf(config: Pick<ProcessConfig, 'group' | 'name'>): string {
  return `${config.group}:${config.name}`;
}

/** True if a process is restarted when some dependency has a new run. */
export function isFollower({ config }: Entry): boolean {
  return config.dependsOn.some(({ isFollowed }) => isFollowed);
}

/** True if a process is restarted when this one has a new run. */
function follows({ config }: Entry, id: string): boolean {
  return config.dependsOn.some(
    ({ isFollowed, group, process: name }) => isFollowed && namespecOf({ group, name }) === id,
  );
}

/** Shared by the many processes without. */
const NO_DEPENDENCIES: readonly string[] = [];

/** Returns the namespecs of the processes that a process depends on. */
function dependenciesOf({ dependsOn }: ProcessConfig): readonly string[] {
  if (dependsOn.length === 0) return NO_DEPENDENCIES;
  return dependsOn.map((other) => namespecOf({ group: other.group, name: other.process }));
}

/** True if two policies are the same. Lists are, if they come from options that are shared. */
function isSamePolicy({ restarts, ...policy }: ProcessPolicy, other: ProcessPolicy): boolean {
  return hasSameMembers(policy, other) && hasSameMembers(restarts, other.restarts);
}

function hasSameMembers<T extends object>(members: T, other: T): boolean {
  return Object.entries(members).every(([name, value]) => other[name as keyof T] === value);
}

function append(lists: Map<string, Entry[]>, key: string, entry: Entry): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [entry]);
  else list.push(entry);
}

/** The processes of one engine. */
export class ProcessTable {
  readonly #entries = new Map<string, Entry>();
  readonly #groups = new Map<string, GroupConfig>();
  readonly #runs = new Map<number, ProcessRun>();
  /** Namespecs of the processes that were removed from groups that are still here. */
  readonly #former = new Map<string, Set<string>>();
  /** Dependents of each process, computed on first use. */
  #dependents: Map<string, Entry[]> | null = null;
  /** The processes by their names and those of their programs, computed on first use. */
  #named: Map<string, Entry[]> | null = null;
  readonly #makeAlarm: (id: string) => Alarm;
  #latestPolicy: ProcessPolicy | null = null;

  /** `makeAlarm` makes the alarm of a process. */
  constructor(makeAlarm: (id: string) => Alarm) {
    this.#makeAlarm = makeAlarm;
  }

  /** Adds or updates all processes of a group. A known process keeps its record. */
  setGroup(group: GroupConfig): void {
    this.#forgetIndexes();
    this.#groups.set(group.name, group);
    for (const config of group.processes) {
      const id = namespecOf(config);
      const dependsOn = dependenciesOf(config);
      const configured = {
        config,
        policy: this.#sharedPolicyOf(config),
        rank: { id, groupPriority: group.priority, priority: config.options.priority, dependsOn },
      };
      const known = this.#entries.get(id);
      if (known !== undefined) Object.assign(known, configured);
      else this.#entries.set(id, { id, ...configured, record: initialRecord, alarm: this.#makeAlarm(id) });
    }
  }

  /** Returns the policy of a process: the latest one if it is the same. Thousands of programs may share it. */
  #sharedPolicyOf(config: ProcessConfig): ProcessPolicy {
    const policy = policyOf(config);
    const latest = this.#latestPolicy;
    if (latest !== null && isSamePolicy(policy, latest)) return latest;
    this.#latestPolicy = policy;
    return policy;
  }

  /** Removes a process. */
  remove(entry: Entry): void {
    this.#forgetIndexes();
    entry.alarm.set(null);
    this.#entries.delete(entry.id);
  }

  /** Removes a process from a group that stays. */
  removeFromGroup(entry: Entry): void {
    this.remove(entry);
    const { group } = entry.config;
    this.#former.set(group, (this.#former.get(group) ?? new Set()).add(entry.id));
  }

  /** Removes a group with its processes. Returns their namespecs, and those of processes that were removed from it. */
  removeGroup(name: string): string[] {
    const entries = this.inGroup(name);
    for (const entry of entries) this.remove(entry);
    this.#groups.delete(name);
    const ids = new Set([...entries.map(({ id }) => id), ...(this.#former.get(name) ?? [])]);
    this.#former.delete(name);
    return [...ids];
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** Returns all processes, in the order in which they were added. */
  all(): Entry[] {
    return [...this.#entries.values()];
  }

  /** True if some process passes a test. Stops at the first one, and copies no list. */
  some(isFound: (entry: Entry) => boolean): boolean {
    for (const entry of this.#entries.values()) if (isFound(entry)) return true;
    return false;
  }

  /** Returns the processes of a group, in their order. */
  inGroup(name: string): Entry[] {
    return this.#groups.get(name)?.processes.flatMap((config) => this.#entries.get(namespecOf(config)) ?? []) ?? [];
  }

  /** Returns the processes that depend on a process (`depends_on`). */
  dependentsOf(id: string): readonly Entry[] {
    this.#dependents ??= this.#listDependents();
    return this.#dependents.get(id) ?? [];
  }

  /**
   * Returns the processes that a change of a process may start or restart: those that depend on it, and those that
   * follow it (`depends_on=x:restart`) over any number of others.
   */
  affectedBy(id: string): readonly Entry[] {
    const followers = new Set(this.dependentsOf(id).filter((entry) => follows(entry, id)));
    // The loop also visits what it adds to the set.
    for (const { id: next } of followers)
      for (const entry of this.dependentsOf(next)) if (follows(entry, next)) followers.add(entry);
    return [...new Set([...this.dependentsOf(id), ...followers])];
  }

  /** Returns the processes of a program, and those that have this name themselves. */
  named(name: string): readonly Entry[] {
    this.#named ??= this.#listNames();
    return this.#named.get(name) ?? [];
  }

  #forgetIndexes(): void {
    this.#dependents = null;
    this.#named = null;
  }

  #listNames(): Map<string, Entry[]> {
    const named = new Map<string, Entry[]>();
    for (const entry of this.#entries.values())
      for (const name of new Set([entry.config.name, entry.config.program])) append(named, name, entry);
    return named;
  }

  #listDependents(): Map<string, Entry[]> {
    const dependents = new Map<string, Entry[]>();
    for (const entry of this.#entries.values())
      for (const other of entry.rank.dependsOn) append(dependents, other, entry);
    return dependents;
  }

  /** Assigns a new pid to a run. */
  claimPid(pid: number, run: ProcessRun): void {
    this.#runs.set(pid, run);
  }

  /** Removes a reaped pid and returns its run. From now on the kernel may give the pid to another process. */
  releasePid(pid: number): ProcessRun | undefined {
    const run = this.#runs.get(pid);
    this.#runs.delete(pid);
    return run;
  }

  /** True if a pid belongs to a run that was not reaped yet. */
  ownsPid(pid: number): boolean {
    return this.#runs.has(pid);
  }
}
