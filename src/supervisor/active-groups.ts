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
import type { ScaleOutcome } from '../rpc/supervisor-api.ts';
import type { ConfigurationReader } from './config-reader.ts';
import { planUpdate, type UpdatePlan, updateGroup } from './group-update.ts';
import type { ProgramStreams } from './program-streams.ts';

/** Parts of {@link ActiveGroups}. */
export interface ActiveGroupsParts {
  readonly engine: Engine;
  readonly streams: ProgramStreams;
  readonly configuration: ConfigurationReader;
}

/** The active groups of one engine. */
export class ActiveGroups {
  readonly #parts: ActiveGroupsParts;
  readonly #byName: Map<string, GroupConfig>;
  #latest: Config;
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

  /** Returns an active group. */
  get(name: string): GroupConfig | undefined {
    return this.#byName.get(name);
  }

  /** Reads the configuration again, and returns its differences from the active groups, or its problems. */
  reread(): ReturnType<typeof diffConfigs> | { readonly problems: readonly string[] } {
    const reread = this.#parts.configuration.reread();
    if (reread.config === null) return { problems: reread.problems };
    this.#latest = reread.config;
    return diffConfigs({ groups: [...this.#byName.values()] }, reread.config);
  }

  /** Activates a group of the latest configuration. */
  add(name: string, cause: Cause): 'added' | 'unknown' | 'active' {
    if (this.#byName.has(name)) return 'active';
    const group = this.#configuredGroup(name);
    if (group === undefined) return 'unknown';
    this.#byName.set(name, group);
    for (const proc of group.processes) this.#parts.streams.open(proc);
    this.#parts.engine.addGroup(group, cause);
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
   * plan. Changes of one group happen one after the other.
   */
  update(name: string, cause: Cause): Promise<string[] | null> {
    return this.#inTurn(name, () => this.#update(name, cause));
  }

  /**
   * Gives a program another number of processes, until `numprocs` of the configuration changes. Starts or stops only
   * the difference, unless the program uses %(numprocs)s. Resolves when the processes that are too many have stopped.
   * Refuses if the group has other changes in the configuration, because they would be applied too.
   */
  scale(program: string, count: number, cause: Cause): Promise<ScaleOutcome> {
    const isOf = (proc: ProcessConfig): boolean => proc.program === program;
    const name = [...this.#byName.values()].find(({ processes }) => processes.some(isOf))?.name;
    if (name === undefined) return Promise.resolve({ kind: 'unknown' });
    return this.#inTurn(name, async () => {
      const group = this.#byName.get(name);
      const present = group?.processes.filter(isOf) ?? [];
      const [first] = present;
      if (group === undefined || first === undefined) return { kind: 'unknown' };
      const reason = this.#prepareScale(group, { program, count, configured: first.scaledFrom ?? present.length });
      if (reason !== null) return { kind: 'refused', reason };
      await this.#update(name, cause);
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

  /** Reads the configuration with another number of processes. Returns null, or the reason why that is refused. */
  #prepareScale(group: GroupConfig, { program, ...scale }: Scale & { readonly program: string }): string | null {
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
    if (!('problems' in changed)) return null;
    configuration.setScales(scales);
    this.reread();
    return changed.problems.join('; ');
  }

  async #update(name: string, cause: Cause): Promise<string[] | null> {
    const plan = this.planUpdate(name);
    if (plan === null) return null;
    this.#byName.set(name, plan.group);
    return updateGroup(this.#parts, plan, cause);
  }

  /** Runs a change of a group after the changes of that group that are under way. */
  #inTurn<T>(name: string, change: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(change);
    const over = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(name, over);
    void over.then(() => {
      if (this.#turns.get(name) === over) this.#turns.delete(name);
    });
    return turn;
  }

  #configuredGroup(name: string): GroupConfig | undefined {
    return this.#latest.groups.find((group) => group.name === name);
  }
}
