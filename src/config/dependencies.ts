/**
 * Resolves what programs say about each other: depends_on, dependent_startup_wait_for, forward_signals. Unknown names
 * and cycles are errors. Pure.
 */
import type { Condition } from '../core/process-record.ts';
import type { Dependency, GroupConfig, SourceLocation, ProcessConfig } from './model.ts';
import { formatSuggestion } from './nearest.ts';
import type { Problems } from './problems.ts';
import { prefixes } from './programs.ts';
import { CONDITIONS, STATE_CONDITIONS, type DependencySpec } from './relations.ts';

const idOf = ({ group, name }: Pick<ProcessConfig, 'group' | 'name'>): string => `${group}:${name}`;

/** The processes that a name means: `group:process`, `group:*`, a program, a group, or a process. */
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

/** Every name that could be meant, for suggestions. */
export function listNames(all: readonly ProcessConfig[]): Set<string> {
  return new Set(all.flatMap(({ program, group, name }) => [program, group, name]));
}

type DependencyOption = 'depends_on' | 'dependent_startup_wait_for';

/** What is wrong with `name:word` where the name is known and the word is no condition; null where that is not so. */
function explainCondition(
  spec: string,
  known: ReadonlyMap<string, Condition>,
  all: readonly ProcessConfig[],
): string | null {
  const colon = spec.lastIndexOf(':');
  const [name, word] = [spec.slice(0, colon), spec.slice(colon + 1)];
  if (colon < 1 || findProcesses(name, all).length === 0) return null;
  const members = all.filter(({ group }) => group === name).map((proc) => proc.name);
  const conditions = [...new Set(known.values())].join(', ');
  // A group of one that is called as its program has no other members that could be meant.
  const isLone = members.every((member) => member === name);
  if (isLone) return `"${word}" is no condition; there are ${conditions}${formatSuggestion(word, known.keys())}`;
  return `"${word}" is neither a process of "${name}" nor a condition (${conditions})${formatSuggestion(word, [...members, ...known.keys()])}`;
}

/** Why no process is meant by a name. */
function explainUnknown(name: string, option: DependencyOption, all: readonly ProcessConfig[]): string {
  if (findProcesses(name, all).length > 0) return `"${name}" is this program itself`;
  const known = option === 'depends_on' ? CONDITIONS : STATE_CONDITIONS;
  return (
    explainCondition(name, known, all) ??
    `there is no program, group or process named "${name}"${formatSuggestion(name, listNames(all))}`
  );
}

/** Reports conditions that these processes can never meet, or that are hardly meant. */
function checkConditions(
  { name, conditions }: DependencySpec,
  found: readonly ProcessConfig[],
  option: DependencyOption,
  report: Record<'error' | 'warn', (reason: string) => void>,
): void {
  const isOnly = (...wanted: readonly Condition[]): boolean =>
    conditions.length > 0 && conditions.every((condition) => wanted.includes(condition));
  const endless = found.find(
    ({ options }) => options.autorestart === 'true' && !options.oneshot && options.cron === null,
  );
  if (isOnly('completed', 'exited') && endless !== undefined) {
    report.warn(
      `"${name}" is started again whenever it ends (autorestart=true), so it is never completed; give it oneshot=true`,
    );
  }
  const unchecked = found.find(({ options }) => options.healthcheck === null);
  if (isOnly('healthy') && unchecked !== undefined) {
    report.error(
      `"${name}" can not become healthy: ${prefixes[unchecked.type]}${unchecked.program} has no healthcheck; give it one, or use started, ready or completed`,
    );
  }
  const passing = found.some(({ options }) => options.oneshot && options.healthcheck === null);
  if (conditions.length === 0 && option === 'depends_on' && passing) {
    report.warn(
      `"${name}" is a oneshot, and without a condition only its start is waited for, not its end; write ${name}:completed, or ${name}:started if its start is meant`,
    );
  }
}

/** Where an option of a process was set; found by its section and name. */
export type PlaceOf = (section: string, option: string) => SourceLocation | undefined;

/** The groups with `dependsOn` filled in. */
export function resolveDependencies(
  groups: readonly GroupConfig[],
  problems: Problems,
  placeOf: PlaceOf,
): GroupConfig[] {
  const all = groups.flatMap(({ processes }) => processes);
  const resolve = (proc: ProcessConfig, option: DependencyOption, spec: DependencySpec): Dependency[] => {
    const { name, conditions } = spec;
    const found = findProcesses(name, all).filter((other) => other !== proc);
    const section = prefixes[proc.type] + proc.program;
    const place = placeOf(section, option) ?? proc.place;
    const report = {
      error: (reason: string): void => problems.error(place, section, option, reason),
      warn: (reason: string): void => problems.warn(place, section, option, reason),
    };
    if (found.length === 0) {
      const reason = explainUnknown(name, option, all);
      // The plug-in whose option it is goes on without it, and files in use rely on that.
      if (option === 'depends_on') report.error(reason);
      else report.warn(`${reason}; it is not waited for`);
    }
    checkConditions(spec, found, option, report);
    const defaultFor = ({ options }: ProcessConfig): Condition =>
      options.healthcheck === null ? 'started' : 'healthy';
    return found.map((other) => ({
      group: other.group,
      process: other.name,
      conditions: conditions.length > 0 ? conditions : [defaultFor(other)],
    }));
  };
  const resolved = groups.map((group) => ({
    ...group,
    processes: group.processes.map((proc) => {
      const { depends_on: specs, dependent_startup: isDependent, dependent_startup_wait_for: waits } = proc.options;
      const list = [
        ...specs.flatMap((spec) => resolve(proc, 'depends_on', spec)),
        ...(isDependent ? waits : []).flatMap((spec) => resolve(proc, 'dependent_startup_wait_for', spec)),
      ];
      const asked = list.map(({ group: of, process: name, conditions }) => `${of}:${name} ${conditions.join(',')}`);
      return {
        ...proc,
        dependsOn: list.filter((_dependency, index) => asked.indexOf(asked[index] ?? '') === index),
      };
    }),
  }));
  reportCycles(resolved, problems, placeOf);
  return resolved;
}

/** Reports each cycle once, with the path. */
function reportCycles(groups: readonly GroupConfig[], problems: Problems, placeOf: PlaceOf): void {
  const byId = new Map(groups.flatMap(({ processes }) => processes.map((proc) => [idOf(proc), proc] as const)));
  const done = new Set<string>();
  for (const start of byId.values()) {
    // Depth first without recursion: a chain may be longer than the stack.
    const path: Array<{ process: ProcessConfig; next: number }> = done.has(idOf(start))
      ? []
      : [{ process: start, next: 0 }];
    const onPath = new Set(path.map(({ process: proc }) => idOf(proc)));
    while (path.length > 0) {
      const top = path[path.length - 1] as (typeof path)[number];
      const dependency = top.process.dependsOn[top.next++];
      if (dependency === undefined) {
        done.add(idOf(top.process));
        onPath.delete(idOf(top.process));
        path.pop();
        continue;
      }
      const id = idOf({ group: dependency.group, name: dependency.process });
      const proc = byId.get(id);
      if (proc === undefined || done.has(id)) continue;
      if (onPath.has(id)) {
        const cycle = path.slice(path.findIndex((step) => idOf(step.process) === id)).map((step) => step.process);
        const section = prefixes[proc.type] + proc.program;
        const names = [...cycle, proc].map((step) => (step.group === step.name ? step.name : idOf(step)));
        problems.error(
          placeOf(section, 'depends_on') ?? proc.place,
          section,
          'depends_on',
          `the programs wait for each other: ${names.join(' → ')}`,
        );
        continue;
      }
      path.push({ process: proc, next: 0 });
      onPath.add(id);
    }
  }
}
