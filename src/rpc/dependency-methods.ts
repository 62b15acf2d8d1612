/** The methods about the dependencies of processes (`depends_on`): which ones a start needs, and which ones depend. */
import { formatNamespec } from '../core/namespec.ts';
import { isMet } from '../core/start-hold.ts';
import { startOrder } from '../core/stop-order.ts';
import { namespecOf, type ProcessView } from '../engine/process-table.ts';
import { dependencyFacts } from '../engine/start-holds.ts';
import { chosenProcesses } from './lookup.ts';
import type { Method } from './method.ts';
import type { SupervisorApi } from './supervisor-api.ts';

/** Returns the namespecs of the processes that a process depends on directly. */
function dependenciesOf({ config }: ProcessView): string[] {
  return config.dependsOn.map(({ group, process: name }) => namespecOf({ group, name }));
}

/** Returns the processes that `next` leads to from these, without them. Ends in a cycle, too. */
function closure(from: readonly ProcessView[], next: (proc: ProcessView) => readonly ProcessView[]): ProcessView[] {
  const found = new Map(from.map((proc) => [proc.id, proc]));
  // The loop also visits what it adds to the map.
  for (const proc of found.values())
    for (const other of next(proc)) if (!found.has(other.id)) found.set(other.id, other);
  for (const { id } of from) found.delete(id);
  return [...found.values()];
}

/** Returns the names as clients write them, in the order of starts. */
function namesInOrder(processes: readonly ProcessView[]): string[] {
  const byId = new Map(processes.map((proc) => [proc.id, proc]));
  const ranked = processes.map((proc) => ({
    id: proc.id,
    groupPriority: 0,
    priority: proc.config.options.priority,
    dependsOn: dependenciesOf(proc),
  }));
  return startOrder(ranked).flatMap((id) => {
    const config = byId.get(id)?.config;
    return config === undefined ? [] : [formatNamespec(config.group, config.name)];
  });
}

function dependentsOf(api: SupervisorApi, chosen: readonly ProcessView[]): string[] {
  return namesInOrder(closure(chosen, ({ id }) => api.dependentsOf(id)));
}

/** Returns the dependencies that do not meet their conditions, and those of these. */
function unmetOf(api: SupervisorApi, { config }: ProcessView): ProcessView[] {
  return config.dependsOn.flatMap((dependency) => {
    const other = api.process(namespecOf({ group: dependency.group, name: dependency.process }));
    return other === null || isMet(dependencyFacts(dependency, other, null)) ? [] : [other];
  });
}

/** True if nothing runs the process, and nothing is about to start it. A scheduled program is left to its schedule. */
function needsStart({ record, config }: ProcessView): boolean {
  const isDown = record.state === 'STOPPED' || record.state === 'EXITED' || record.state === 'FATAL';
  return isDown && record.deadlineMs === null && record.hold === null && config.options.cron === null;
}

const NAMES = { type: 'array', name: 'names', help: 'Names of processes, group:name, or group:*' } as const;

/** The methods about dependencies. */
export const dependencyMethods: readonly Method[] = [
  {
    name: 'onevisor.getDependents',
    help: 'Names of the processes that depend on these, also over others, in the order of their starts',
    parameters: [NAMES],
    returns: { type: 'array', name: 'result', help: 'Names; the given processes are not among them' },
    call: (context, [names]) => dependentsOf(context.api, chosenProcesses(context.api, names)),
  },
  {
    name: 'onevisor.getMissingDependencies',
    help: 'Names of the processes that must be started before these can be, in the order of their starts',
    parameters: [NAMES],
    returns: {
      type: 'array',
      name: 'result',
      help: 'Names of processes that do not run, do not meet their condition, and have no schedule',
    },
    call: ({ api }, [names]) => {
      const missing = closure(chosenProcesses(api, names), (proc) => unmetOf(api, proc));
      return namesInOrder(missing.filter(needsStart));
    },
  },
];
