/**
 * The words of `update`: of its steps, and of its dry run. The client of the terminal and the JSON API say the same.
 * compat: the lines of groups are those of supervisorctl. Pure.
 */
import { formatNamespec } from './namespec.ts';

/** Names of groups or sections that an update adds, changes or removes. */
export interface NamedChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** Names of processes by the effect of an update on them. */
export interface PlannedProcesses {
  readonly stopped: readonly string[];
  readonly restarted: readonly string[];
  readonly started: readonly string[];
  /** Processes that change without a restart. */
  readonly changed: readonly string[];
}

/** The plan of a changed group. `whole`: the group is replaced. Null: the supervisor cannot tell. */
export type PlannedGroup = PlannedProcesses | 'whole' | null;

/** The lines of steps, each with the name of its group. */
export const updateSteps = {
  stopped: (group: string): string => `${group}: stopped`,
  notRemoved: (group: string): string => `${group}: has problems; not removing`,
  removed: (group: string): string => `${group}: removed process group`,
  updated: (group: string): string => `${group}: updated process group`,
  added: (group: string): string => `${group}: added process group`,
  refused: (group: string, reason: string): string => `${group}: ERROR (${reason})`,
} as const;

/** True if there is anything to change. */
export function hasChanges({ added, changed, removed }: NamedChanges): boolean {
  return added.length + changed.length + removed.length > 0;
}

/** Formats the groups of a dry run. `plans`: the plans of the changed groups. */
export function formatGroupPlans(changes: NamedChanges, plans: ReadonlyMap<string, PlannedGroup>): string[] {
  if (!hasChanges(changes)) return ['No config updates to processes'];
  return [
    ...changes.removed.map((name) => `${name}: would be stopped and removed`),
    ...changes.changed.flatMap((name) => [`${name}: would be updated`, ...formatPlan(name, plans.get(name) ?? null)]),
    ...changes.added.map((name) => `${name}: would be added`),
  ];
}

/** Formats one line for each process, in the order of the changes. */
function formatPlan(group: string, plan: PlannedGroup): string[] {
  if (plan === null) return [];
  if (plan === 'whole') return ['  all its processes would be stopped and started'];
  const linesOf = (names: readonly string[], what: string): string[] =>
    names.map((name) => `  ${formatNamespec(group, name)} would ${what}`);
  return [
    ...linesOf(plan.stopped, 'be stopped'),
    ...linesOf(plan.restarted, 'be restarted'),
    ...linesOf(plan.started, 'be started'),
    ...linesOf(plan.changed, 'change without a restart'),
  ];
}

/** Formats the changed options of `[supervisord]`, and those that only a reload applies. */
export function formatSettings(
  { live, pending }: { readonly live: readonly string[]; readonly pending: readonly string[] },
  isDryRun: boolean,
): string[] {
  return [
    ...(live.length === 0 ? [] : [`[supervisord]: ${live.join(', ')} ${isDryRun ? 'would be updated' : 'updated'}`]),
    ...(pending.length === 0
      ? []
      : [`not applied: ${pending.join(', ')}; use onevisor reload, which restarts all programs`]),
  ];
}

/** Formats the changes of the sections `[notify:x]`. */
export function formatNotifications({ added, changed, removed }: NamedChanges, isDryRun: boolean): string[] {
  const would = isDryRun ? 'would be ' : '';
  const linesOf = (names: readonly string[], what: string): string[] =>
    names.map((name) => `notify:${name}: ${would}${what}`);
  return [...linesOf(removed, 'removed'), ...linesOf(changed, 'updated'), ...linesOf(added, 'added')];
}
