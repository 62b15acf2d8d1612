/**
 * The groups that an engine works on, and their changes while it runs: `reread`, `add`, `remove` and `update`. The
 * latest configuration names the groups that can be added.
 */
import { diffConfigs } from '../config/diff.ts';
import type { Scale } from '../config/find-files.ts';
import type { Config, GroupConfig, ProcessConfig } from '../config/model.ts';
import type { Cause } from '../core/cause.ts';
import type { Engine } from '../engine/engine.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { Reread, ScaleOutcome } from '../rpc/supervisor-api.ts';
import type { ConfigurationReader, Unread } from './config-reader.ts';
import { planUpdate, type UpdatePlan, updateGroup } from './group-update.ts';
import { type ProgramSockets, SocketRefusal } from './program-sockets.ts';
import type { ProgramStreams } from './program-streams.ts';

/** Parts of {@link ActiveGroups}. */
export interface ActiveGroupsParts {
  readonly engine: Engine;
  readonly streams: ProgramStreams;
  readonly sockets: Pick<ProgramSockets, 'prepare' | 'openAll'>;
  readonly configuration: ConfigurationReader;
}

/** The active groups of one engine. */
export class ActiveGroups {
  readonly #parts: ActiveGroupsParts;
  readonly #byName: Map<string, GroupConfig>;
  #latest: Config;
  /** The groups of the latest configurations, by name. */
  readonly #indexes = new WeakMap<Config, ReadonlyMap<string, GroupConfig>>();
  /** The last change of each group that is under way. Never rejects. */
  readonly #turns = new Map<string, Promise<void>>();

  /** `config` is the configuration that the engine was made from. */
  constructor(config: Config, parts: ActiveGroupsParts) {
    this.#parts = parts;
    this.#byName = new Map(config.groups.map((group) => [group.name, group]));
    this.#latest = config;
  }

  /** The active groups, by priority. */
  get list(): GroupConfig[] {
    return [...this.#byName.values()].toSorted((a, b) => a.priority - b.priority);
  }

  /** The groups of the latest configuration. */
  get configured(): readonly GroupConfig[] {
    return this.#latest.groups;
  }

  /** The latest configuration that was read. */
  get latest(): Config {
    return this.#latest;
  }

  /** Returns an active group. */
  get(name: string): GroupConfig | undefined {
    return this.#byName.get(name);
  }

  /** Calls a function when the files can be read again, or with the problem ({@link ConfigurationReader.reach}). */
  reach<T>(act: (unread: Unread | null) => T): Promise<T> {
    return this.#parts.configuration.reach(act);
  }

  /** Reads the configuration again, and returns its differences from the active groups, or its problems. */
  reread(): ReturnType<typeof diffConfigs> | Unread {
    const reread = this.#parts.configuration.reread();
    if (reread.config === null) return reread;
    this.#latest = reread.config;
    return diffConfigs({ groups: [...this.#byName.values()] }, reread.config);
  }

  /** Calls a function while the configuration of the files is the latest one. Nothing of it is kept afterwards. */
  preview<T>(look: (changes: ReturnType<ActiveGroups['reread']>) => T): T {
    const read = this.#parts.configuration.peek();
    if (read.config === null) return look(read);
    const before = this.#latest;
    this.#latest = read.config;
    try {
      return look(diffConfigs({ groups: [...this.#byName.values()] }, read.config));
    } finally {
      this.#latest = before;
    }
  }

  /** Activates a group of the latest configuration. A group whose sockets cannot be opened is refused. */
  add(name: string, cause: Cause): 'added' | 'unknown' | 'active' | SocketRefusal {
    if (this.#byName.has(name)) return 'active';
    const group = this.#configuredGroup(name);
    if (group === undefined) return 'unknown';
    const sockets = catchRefusal(() => {
      const pending = this.#parts.sockets.prepare(group);
      // A new group has no sockets to give up: one in its way is that of another group.
      pending.complete();
      return pending;
    });
    if (sockets instanceof SocketRefusal) return sockets;
    this.#byName.set(name, group);
    for (const proc of group.processes) this.#parts.streams.open(proc);
    this.#parts.engine.addGroup(group, cause);
    sockets.end();
    return 'added';
  }

  /** Removes a group whose processes have all stopped. */
  remove(name: string): 'removed' | 'unknown' | 'running' {
    const outcome = this.#parts.engine.removeGroup(name);
    if (outcome !== 'removed') return outcome;
    for (const proc of this.#byName.get(name)?.processes ?? []) this.#parts.streams.close(namespecOf(proc));
    this.#byName.delete(name);
    return outcome;
  }

  /** Plans the update of an active group to its latest configuration. Null if the group cannot be updated in place. */
  planUpdate(name: string): UpdatePlan | null {
    return planUpdate(this.#parts.engine, this.#byName.get(name), this.#configuredGroup(name));
  }

  /**
   * Updates a group by that plan. Resolves with the names of the processes that were stopped for it; null without a
   * plan. Changes of one group happen one after the other. Resolves with a {@link SocketRefusal} if a socket cannot be
   * opened; the group then stays as it is.
   */
  update(name: string, cause: Cause): Promise<string[] | null | SocketRefusal> {
    return this.#inTurn([name], () => this.#update(name, cause));
  }

  /**
   * Gives a program another number of processes, until `numprocs` of the configuration changes. Starts or stops only
   * the difference, unless the program uses %(numprocs)s. Programs that depend on it then depend on that number of
   * processes. Resolves when the processes that are too many have stopped. Refuses if the group has other changes in
   * the configuration, because they would be applied too.
   */
  scale(program: string, count: number, cause: Cause): Promise<ScaleOutcome> {
    const isOf = (proc: ProcessConfig): boolean => proc.program === program;
    const name = [...this.#byName.values()].find(({ processes }) => processes.some(isOf))?.name;
    if (name === undefined) return Promise.resolve({ kind: 'unknown' });
    const dependents = this.#dependentsOf(program);
    return this.#inTurn([name, ...dependents.filter((other) => other !== name)], async () => {
      const unread = await this.reach((problem) => problem);
      if (unread !== null) return { kind: 'refused', reason: unread.problems.join('; ') };
      const group = this.#byName.get(name);
      const present = group?.processes.filter(isOf) ?? [];
      const [first] = present;
      if (group === undefined || first === undefined) return { kind: 'unknown' };
      const { scales } = this.#parts.configuration;
      const scale = { program, count, configured: first.scaledFrom ?? present.length };
      const changed = this.#prepareScale(group, scale);
      if (typeof changed === 'string') return { kind: 'refused', reason: changed };
      const affected = dependents.filter((other) => other !== name && changed.includes(other));
      // No dependent may wait for a process that is not configured.
      if (count < present.length) for (const other of affected) await this.#update(other, cause);
      const updated = await this.#update(name, cause);
      if (updated instanceof SocketRefusal) {
        this.#parts.configuration.setScales(scales);
        this.reread();
      }
      for (const other of affected) await this.#update(other, cause);
      if (updated instanceof SocketRefusal) return { kind: 'refused', reason: updated.message };
      const [before, after] = [group, this.#byName.get(name)].map(
        (state) => new Set(state?.processes.map((proc) => proc.name)),
      );
      return {
        kind: 'scaled',
        from: present.length,
        started: [...(after ?? [])].filter((proc) => before?.has(proc) !== true),
        stopped: [...(before ?? [])].filter((proc) => after?.has(proc) !== true),
      };
    });
  }

  /**
   * Reads the configuration with another number of processes. Returns the names of the groups that only this number
   * changes, or the reason why it is refused.
   */
  #prepareScale(
    group: GroupConfig,
    { program, ...scale }: Scale & { readonly program: string },
  ): readonly string[] | string {
    if (group.type !== 'program' || group.processes.some((proc) => proc.program === program && proc.type !== 'program'))
      return `${program} is no [program:x]; only programs can be scaled`;
    const { configuration } = this.#parts;
    const { scales } = configuration;
    const pending = this.reread();
    if ('problems' in pending) return pending.problems.join('; ');
    if (pending.changed.includes(group.name) || pending.removed.includes(group.name))
      return `the configuration of ${group.name} has changed; apply that first: onevisor update ${group.name}`;
    const others = [...scales].filter(([name]) => name !== program);
    configuration.setScales(new Map(scale.count === scale.configured ? others : [...others, [program, scale]]));
    const changed = this.reread();
    if (!('problems' in changed)) return changed.changed.filter((other) => !pending.changed.includes(other));
    configuration.setScales(scales);
    this.reread();
    return changed.problems.join('; ');
  }

  async #update(name: string, cause: Cause): Promise<string[] | null | SocketRefusal> {
    const plan = this.planUpdate(name);
    const before = this.#byName.get(name);
    if (plan === null || before === undefined) return null;
    const pending = catchRefusal(() => this.#parts.sockets.prepare(plan.group));
    if (pending instanceof SocketRefusal) return pending;
    this.#byName.set(name, plan.group);
    try {
      return await updateGroup({ ...this.#parts, pending }, plan, cause);
    } catch (error) {
      pending.undo();
      if (!(error instanceof SocketRefusal)) throw error;
      this.#byName.set(name, before);
      this.#parts.sockets.openAll([before]);
      for (const proc of [...plan.stopped, ...plan.restarted])
        this.#parts.engine.request(namespecOf(proc), 'start', cause);
      return error;
    }
  }

  /** Returns the names of the active groups with a process that depends on a process of a program. */
  #dependentsOf(program: string): string[] {
    const all = [...this.#byName.values()];
    const ids = new Set(
      all.flatMap(({ processes }) => processes.filter((proc) => proc.program === program).map(namespecOf)),
    );
    const depends = ({ dependsOn }: ProcessConfig): boolean =>
      dependsOn.some(({ group, process: name }) => ids.has(namespecOf({ group, name })));
    return all.filter(({ processes }) => processes.some(depends)).map(({ name }) => name);
  }

  /**
   * Runs a change of groups after the changes of those groups that are under way. All places in line are taken at once,
   * so that two changes never wait for each other.
   */
  #inTurn<T>(names: readonly string[], change: () => Promise<T>): Promise<T> {
    const turn = Promise.all(names.flatMap((name) => this.#turns.get(name) ?? [])).then(change);
    const over = turn.then(
      () => undefined,
      () => undefined,
    );
    for (const name of names) this.#turns.set(name, over);
    void over.then(() => {
      for (const name of names) if (this.#turns.get(name) === over) this.#turns.delete(name);
    });
    return turn;
  }

  #configuredGroup(name: string): GroupConfig | undefined {
    const known = this.#indexes.get(this.#latest);
    const index = known ?? new Map(this.#latest.groups.map((group) => [group.name, group]));
    if (known === undefined) this.#indexes.set(this.#latest, index);
    return index.get(name);
  }
}

/** Converts the outcome of a reading for clients. */
export function toReread(outcome: ReturnType<ActiveGroups['reread']>): Reread {
  return 'problems' in outcome
    ? { kind: 'invalid', reason: outcome.problems.join('; ') }
    : { kind: 'changes', ...outcome };
}

function catchRefusal<T>(attempt: () => T): T | SocketRefusal {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof SocketRefusal) return error;
    throw error;
  }
}
