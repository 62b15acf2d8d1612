/**
 * Resolves the names by which programs refer to each other: depends_on, dependent_startup_wait_for, forward_signals.
 * Unknown names and cycles are errors. Pure.
 */
import type { Condition } from '../core/process-record.ts';
import { CONDITIONS, type DependencySpec, STATE_CONDITIONS } from './dependency-spec.ts';
import type { Dependency, GroupConfig, ProcessConfig, SourceLocation } from './model.ts';
import { formatSuggestion } from './nearest.ts';
import type { Problems } from './problems.ts';
import { sectionNameOf } from './section-names.ts';

const idOf = ({ group, name }: Pick<ProcessConfig, 'group' | 'name'>): string => `${group}:${name}`;

/** Returns the processes that a name means: `group:process`, `group:*`, a program, a group, or a process. */
export function findProcesses(name: string, all: readonly ProcessConfig[]): ProcessConfig[] {
  const colon = name.indexOf(':');
  if (colon !== -1) {
    const [group, proc] = [name.slice(0, colon), name.slice(colon + 1)];
    return all.filter((other) => other.group === group && (proc === '*' || proc === '' || other.name === proc));
  }
  for (const key of ['program', 'group', 'name'] as const) {
    const found = all.filter((other) => other[key] === name);
    if (found.length > 0) return found;
  }
  return [];
}

/** Explains that a name means no process, with the name that was probably meant. */
export function explainUnknownName(name: string, all: readonly ProcessConfig[]): string {
  const names = new Set(all.flatMap(({ program, group, name: own }) => [program, group, own]));
  return `there is no program, group or process named "${name}"${formatSuggestion(name, names)}`;
}

type DependencyOption = 'depends_on' | 'dependent_startup_wait_for';

/** Explains a `name:word` whose name exists and whose word is no condition; null for other names. */
function explainCondition(
  spec: string,
  known: ReadonlyMap<string, Condition>,
  all: readonly ProcessConfig[],
): string | null {
  const colon = spec.lastIndexOf(':');
  const [start, word] = [spec.slice(0, colon), spec.slice(colon + 1)];
  // In `db:healthy:restrat`, the condition is right.
  const end = start.lastIndexOf(':');
  const name = known.has(start.slice(end + 1).toLowerCase()) ? start.slice(0, end) : start;
  if (colon < 1 || findProcesses(name, all).length === 0) return null;
  const members = all.filter(({ group }) => group === name).map((proc) => proc.name);
  const conditions = [...new Set(known.values())].join(', ');
  // The group of a single program has no other member that the word could mean.
  const isLone = members.every((member) => member === name);
  if (isLone)
    return `"${word}" is not a condition; the conditions are ${conditions}${formatSuggestion(word, known.keys())}`;
  const hint = formatSuggestion(word, [...members, ...known.keys()]);
  return `"${word}" is neither a process of "${name}" nor a condition (${conditions})${hint}`;
}

/** Explains that a dependency means no other process. */
function explainUnknown(name: string, option: DependencyOption, all: readonly ProcessConfig[]): string {
  if (findProcesses(name, all).length > 0) return `"${name}" is this program itself`;
  const known = option === 'depends_on' ? CONDITIONS : STATE_CONDITIONS;
  return explainCondition(name, known, all) ?? explainUnknownName(name, all);
}

type Report = Record<'error' | 'warn', (reason: string) => void>;

/** Reports conditions that these processes can never meet, or that are probably a mistake. */
function checkConditions(
  { name, conditions }: DependencySpec,
  found: readonly ProcessConfig[],
  option: DependencyOption,
  report: Report,
): void {
  const hasOnly = (...wanted: readonly Condition[]): boolean =>
    conditions.length > 0 && conditions.every((condition) => wanted.includes(condition));
  const isEndless = found.some(
    ({ options }) => options.autorestart === 'true' && !options.oneshot && options.cron === null,
  );
  if (hasOnly('completed', 'exited') && isEndless) {
    report.warn(
      `"${name}" is started again whenever it ends (autorestart=true), so it is never completed; ` +
        'set oneshot=true for it',
    );
  }
  const unchecked = found.find(({ options }) => options.healthcheck === null);
  if (hasOnly('healthy') && unchecked !== undefined) {
    report.error(
      `"${name}" cannot become healthy: ${sectionNameOf(unchecked)} has no healthcheck; ` +
        'add one, or use started, ready or completed',
    );
  }
  const hasOneshot = found.some(({ options }) => options.oneshot && options.healthcheck === null);
  if (conditions.length === 0 && option === 'depends_on' && hasOneshot) {
    report.warn(
      `"${name}" is a oneshot, and without a condition this program waits for its start, not for its end; ` +
        `write ${name}:completed, or ${name}:started if the start is enough`,
    );
  }
}

/** Finds where an option of a section is set, also in [program-default]; undefined if it is not set. */
export type PlaceOf = (section: string, option: string) => SourceLocation | undefined;

/** Returns the groups with `dependsOn` filled in. */
export function resolveDependencies(
  groups: readonly GroupConfig[],
  problems: Problems,
  placeOf: PlaceOf,
): GroupConfig[] {
  const all = groups.flatMap(({ processes }) => processes);
  const resolve = (proc: ProcessConfig, option: DependencyOption, spec: DependencySpec): Dependency[] => {
    const section = sectionNameOf(proc);
    const place = placeOf(section, option) ?? proc.place;
    const report: Report = {
      error: (reason) => problems.error(place, section, option, reason),
      warn: (reason) => problems.warn(place, section, option, reason),
    };
    const found = findProcesses(spec.name, all).filter((other) => other !== proc);
    if (found.length === 0) {
      const reason = explainUnknown(spec.name, option, all);
      // supervisord-dependent-startup starts a program without its unknown dependencies, and files rely on that.
      if (option === 'depends_on') report.error(reason);
      else report.warn(`${reason}; this dependency is ignored`);
    }
    checkConditions(spec, found, option, report);
    return found.map((other) => ({
      group: other.group,
      process: other.name,
      conditions: spec.conditions.length > 0 ? spec.conditions : [defaultCondition(other)],
      isFollowed: spec.isFollowed,
    }));
  };
  const resolveAll = (proc: ProcessConfig): ProcessConfig => {
    const { depends_on: specs, dependent_startup: isDependent, dependent_startup_wait_for: waits } = proc.options;
    const list = [
      ...specs.flatMap((spec) => resolve(proc, 'depends_on', spec)),
      ...(isDependent ? waits : []).flatMap((spec) => resolve(proc, 'dependent_startup_wait_for', spec)),
    ];
    const keys = list.map(
      ({ group, process: name, conditions, isFollowed }) => `${group}:${name} ${conditions.join(',')} ${isFollowed}`,
    );
    return { ...proc, dependsOn: list.filter((_dependency, index) => keys.indexOf(keys[index] ?? '') === index) };
  };
  const resolved = groups.map((group) => ({ ...group, processes: group.processes.map(resolveAll) }));
  reportCycles(resolved, problems, placeOf);
  return resolved;
}

/** Returns the condition of a dependency that names none. */
function defaultCondition({ options }: ProcessConfig): Condition {
  return options.healthcheck === null ? 'started' : 'healthy';
}

/** Reports each cycle once, with its path. */
function reportCycles(groups: readonly GroupConfig[], problems: Problems, placeOf: PlaceOf): void {
  const byId = new Map(groups.flatMap(({ processes }) => processes.map((proc) => [idOf(proc), proc] as const)));
  for (const cycle of findCycles(byId)) {
    const [first] = cycle;
    if (first === undefined) continue;
    const section = sectionNameOf(first);
    const names = [...cycle, first].map((proc) => (proc.group === proc.name ? proc.name : idOf(proc)));
    problems.error(
      placeOf(section, 'depends_on') ?? first.place,
      section,
      'depends_on',
      `the programs wait for each other: ${names.join(' → ')}`,
    );
  }
}

/** A process on the path of the search, and the index of the dependency to follow next. */
interface Step {
  readonly proc: ProcessConfig;
  next: number;
}

/** Finds the cycles by depth-first search. There is no recursion, because a chain may be longer than the stack. */
function findCycles(byId: ReadonlyMap<string, ProcessConfig>): ProcessConfig[][] {
  const cycles: ProcessConfig[][] = [];
  const done = new Set<string>();
  for (const start of byId.values()) {
    if (done.has(idOf(start))) continue;
    const path: Step[] = [{ proc: start, next: 0 }];
    const onPath = new Set([idOf(start)]);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const dependency = top.proc.dependsOn[top.next++];
      if (dependency === undefined) {
        done.add(idOf(top.proc));
        onPath.delete(idOf(top.proc));
        path.pop();
        continue;
      }
      const id = idOf({ group: dependency.group, name: dependency.process });
      const proc = byId.get(id);
      if (proc === undefined || done.has(id)) continue;
      if (onPath.has(id)) {
        cycles.push(path.slice(path.findIndex((step) => idOf(step.proc) === id)).map((step) => step.proc));
        continue;
      }
      path.push({ proc, next: 0 });
      onPath.add(id);
    }
  }
  return cycles;
}
