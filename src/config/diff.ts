/**
 * What changed between two configurations: groups as `reread` names them, processes as `update` must treat them. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Config, GroupConfig, ProcessConfig } from './model.ts';
import type { Table } from './option.ts';
import { programOptions } from './options.ts';

/** Names of groups, each list in the order of the configuration that has them. */
export interface ConfigDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** Compares two configurations group by group (`supervisor.reloadConfig`). */
export function diffConfigs(before: Pick<Config, 'groups'>, after: Pick<Config, 'groups'>): ConfigDiff {
  const old = new Map(before.groups.map((group) => [group.name, group]));
  const fresh = new Set(after.groups.map(({ name }) => name));
  return {
    added: after.groups.filter(({ name }) => !old.has(name)).map(({ name }) => name),
    removed: before.groups.filter(({ name }) => !fresh.has(name)).map(({ name }) => name),
    changed: after.groups.filter((group) => isGroupChanged(old.get(group.name), group)).map(({ name }) => name),
  };
}

/** Lines of the file may move without anything being changed. */
function isGroupChanged(before: GroupConfig | undefined, after: GroupConfig): boolean {
  const content = ({ processes, ...group }: GroupConfig): unknown => [group, processes.map(configured)];
  return before !== undefined && !isDeepStrictEqual(content(before), content(after));
}

/**
 * What a process is, as opposed to where that is written, and to how many there are of its kind: its own number is
 * another field.
 */
function configured({
  place: _place,
  options: { numprocs: _count, numprocs_start: _first, ...options },
  ...proc
}: ProcessConfig): unknown {
  return [proc, options];
}

/** Whether a process must be restarted to be as configured; a change of anything else is applied while it runs. */
export function isExecutionChanged(before: ProcessConfig, after: ProcessConfig): boolean {
  return !isDeepStrictEqual(executed(before), executed(after));
}

/** What it takes to make a group that is at work as it is configured now. */
export interface GroupUpdate {
  /** They are configured no more: to be stopped, if they run, and forgotten. */
  readonly removed: readonly ProcessConfig[];
  readonly added: readonly ProcessConfig[];
  /** A run of theirs is not as configured: those that run must be executed anew. */
  readonly renewed: readonly ProcessConfig[];
  /** What has changed of them is applied while they run. */
  readonly live: readonly ProcessConfig[];
}

/**
 * Compares a group process by process: numprocs up or down touches the difference only. What has not changed is in none
 * of the lists.
 */
export function planGroupUpdate(before: GroupConfig, after: GroupConfig): GroupUpdate {
  const old = new Map(before.processes.map((proc) => [proc.name, proc]));
  const names = new Set(after.processes.map(({ name }) => name));
  const changed = after.processes.flatMap((proc) => {
    const former = old.get(proc.name);
    if (former === undefined || isDeepStrictEqual(configured(former), configured(proc))) return [];
    return { process: proc, isRenewed: isExecutionChanged(former, proc) };
  });
  return {
    removed: before.processes.filter(({ name }) => !names.has(name)),
    added: after.processes.filter(({ name }) => !old.has(name)),
    renewed: changed.filter(({ isRenewed }) => isRenewed).map(({ process: proc }) => proc),
    live: changed.filter(({ isRenewed }) => !isRenewed).map(({ process: proc }) => proc),
  };
}

/** All that a spawn depends on. */
function executed({ type, argv, echoed, options }: ProcessConfig): unknown {
  const rows: Table = programOptions;
  return [type, argv, echoed, Object.entries(options).filter(([name]) => rows[name]?.isLive !== true)];
}
