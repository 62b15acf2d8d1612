/**
 * The groups that an engine works on, and their changes while it runs: `reread`, `add`, `remove` and `update`. The
 * latest configuration names the groups that can be added.
 */
import { diffConfigs } from '../config/diff.ts';
import type { Config, GroupConfig } from '../config/model.ts';
import type { Cause } from '../core/cause.ts';
import type { Engine } from '../engine/engine.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { Reread } from './config-reader.ts';
import { planUpdate, type UpdatePlan, updateGroup } from './group-update.ts';
import type { ProgramStreams } from './program-streams.ts';

/** Parts of {@link ActiveGroups}. */
export interface ActiveGroupsParts {
  readonly engine: Engine;
  readonly streams: ProgramStreams;
  /** Reads the configuration again and reports its warnings. */
  readonly reread: () => Reread;
}

/** The active groups of one engine. */
export class ActiveGroups {
  readonly #parts: ActiveGroupsParts;
  readonly #byName: Map<string, GroupConfig>;
  #latest: Config;

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
    const reread = this.#parts.reread();
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
   * plan.
   */
  async update(name: string, cause: Cause): Promise<string[] | null> {
    const plan = this.planUpdate(name);
    if (plan === null) return null;
    this.#byName.set(name, plan.group);
    return updateGroup(this.#parts, plan, cause);
  }

  #configuredGroup(name: string): GroupConfig | undefined {
    return this.#latest.groups.find((group) => group.name === name);
  }
}
