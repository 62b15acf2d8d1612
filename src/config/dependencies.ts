/**
 * Resolves what programs say about each other: depends_on, dependent_startup_wait_for, forward_signals. Unknown names and cycles are errors. Pure.
 */
import type { Dependency, GroupConfig, Place, ProcessConfig } from './model.ts';
import { formatSuggestion } from './nearest.ts';
import type { Problems } from './problems.ts';
import { prefixes } from './programs.ts';
import { CONDITIONS, type Wish } from './relations.ts';

const idOf = ({ group, name }: Pick<ProcessConfig, 'group' | 'name'>): string => `${group}:${name}`;

/** The processes that a name means: `group:process`, `group:*`, a program, a group, or a process. */
export function findProcesses(name: string, all: readonly ProcessConfig[]): ProcessConfig[] {
  const colon = name.indexOf(':');
  if (colon !== -1) {
    const [group, process] = [name.slice(0, colon), name.slice(colon + 1)];
    return all.filter((other) => other.group === group && (process === '*' || process === '' || other.name === process));
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

/** What is wrong with `name:word` where the name is known and the word is no condition; null where that is not so. */
function explainCondition(wish: string, all: readonly ProcessConfig[]): string | null {
  const colon = wish.lastIndexOf(':');
  const [name, word] = [wish.slice(0, colon), wish.slice(colon + 1)];
  if (colon < 1 || findProcesses(name, all).length === 0) return null;
  const members = all.filter(({ group }) => group === name).map((process) => process.name);
  const conditions = [...new Set(CONDITIONS.values())].join(', ');
  // A group of one that is called as its program has no other members that could be meant.
  const isLone = members.every((member) => member === name);
  if (isLone) return `"${word}" is no condition; there are ${conditions}${formatSuggestion(word, CONDITIONS.keys())}`;
  return `"${word}" is neither a process of "${name}" nor a condition (${conditions})${formatSuggestion(word, [...members, ...CONDITIONS.keys()])}`;
}

/** Where an option of a process was set; found by its section and name. */
export type PlaceOf = (section: string, option: string) => Place | undefined;

/** The groups with `dependsOn` filled in. */
export function resolveDependencies(groups: readonly GroupConfig[], problems: Problems, placeOf: PlaceOf): GroupConfig[] {
  const all = groups.flatMap(({ processes }) => processes);
  const known = listNames(all);
  const resolve = (process: ProcessConfig, option: 'depends_on' | 'dependent_startup_wait_for', { name, condition }: Wish): Dependency[] => {
    const found = findProcesses(name, all).filter((other) => other !== process);
    const section = prefixes[process.type] + process.program;
    const place = placeOf(section, option) ?? process.place;
    if (found.length === 0) {
      const self = findProcesses(name, all).length > 0;
      const reason = self ? `"${name}" is this program itself` : (explainCondition(name, all) ?? `there is no program, group or process named "${name}"${formatSuggestion(name, known)}`);
      // The plug-in whose option it is goes on without it, and files in use rely on that.
      if (option === 'depends_on') problems.error(place, section, option, reason);
      else problems.warn(place, section, option, `${reason}; it is not waited for`);
    }
    const endless = condition === 'completed' ? found.find(({ options }) => options.autorestart === 'true' && !options.oneshot && options.cron === null) : undefined;
    if (endless !== undefined) problems.warn(place, section, option, `"${name}" is started again whenever it ends (autorestart=true), so it is never completed; give it oneshot=true`);
    const unchecked = condition === 'healthy' ? found.find(({ options }) => options.healthcheck === null) : undefined;
    if (unchecked !== undefined) problems.error(place, section, option, `"${name}" can not become healthy: ${prefixes[unchecked.type]}${unchecked.program} has no healthcheck; give it one, or use started, ready or completed`);
    const passing = condition === null && option === 'depends_on' ? found.find(({ options }) => options.oneshot && options.healthcheck === null) : undefined;
    if (passing !== undefined) problems.warn(place, section, option, `"${name}" is a oneshot, and without a condition only its start is waited for, not its end; write ${name}:completed, or ${name}:started if its start is meant`);
    return found.map((other) => ({ group: other.group, process: other.name, condition: condition ?? (other.options.healthcheck === null ? 'started' : 'healthy') }));
  };
  const resolved = groups.map((group) => ({
    ...group,
    processes: group.processes.map((process) => {
      const { depends_on: wishes, dependent_startup: isDependent, dependent_startup_wait_for: waits } = process.options;
      const list = [...wishes.flatMap((wish) => resolve(process, 'depends_on', wish)), ...(isDependent ? waits : []).flatMap((wish) => resolve(process, 'dependent_startup_wait_for', wish))];
      const asked = list.map(({ group: of, process: name, condition }) => `${of}:${name} ${condition}`);
      return { ...process, dependsOn: list.filter((_dependency, index) => asked.indexOf(asked[index] ?? '') === index) };
    }),
  }));
  reportCycles(resolved, problems, placeOf);
  return resolved;
}

/** Reports each cycle once, with the path. */
function reportCycles(groups: readonly GroupConfig[], problems: Problems, placeOf: PlaceOf): void {
  const byId = new Map(groups.flatMap(({ processes }) => processes.map((process) => [idOf(process), process] as const)));
  const done = new Set<string>();
  for (const start of byId.values()) {
    // Depth first without recursion: a chain may be longer than the stack.
    const path: Array<{ process: ProcessConfig; next: number }> = done.has(idOf(start)) ? [] : [{ process: start, next: 0 }];
    const onPath = new Set(path.map(({ process }) => idOf(process)));
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
      const process = byId.get(id);
      if (process === undefined || done.has(id)) continue;
      if (onPath.has(id)) {
        const cycle = path.slice(path.findIndex((step) => idOf(step.process) === id)).map((step) => step.process);
        const section = prefixes[process.type] + process.program;
        const names = [...cycle, process].map((step) => (step.group === step.name ? step.name : idOf(step)));
        problems.error(placeOf(section, 'depends_on') ?? process.place, section, 'depends_on', `the programs wait for each other: ${names.join(' → ')}`);
        continue;
      }
      path.push({ process, next: 0 });
      onPath.add(id);
    }
  }
}
