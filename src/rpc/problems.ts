/**
 * Problems of the programs, one line each, for /healthz and /readyz. The rules are in core/process-problem.ts.
 */
import { formatNamespec, parseNamespec } from '../core/namespec.ts';
import { findProblem, type Question } from '../core/process-problem.ts';
import { namespecOf, type ProcessView } from '../engine/process-table.ts';
import { factsOf } from './process-facts.ts';
import type { ProcessTimes } from './process-times.ts';
import type { SupervisorApi } from './supervisor-api.ts';

/** Sources of the facts. */
export interface ProblemSources {
  readonly api: SupervisorApi;
  readonly times: ProcessTimes;
}

/** Returns the processes that a name means: its program, its group, itself, `group:process`, or `group:*`. */
function selectedBy(api: SupervisorApi, name: string): readonly ProcessView[] {
  const { group, process: own } = parseNamespec(name);
  if (own === null) return api.processesIn(group);
  if (!name.includes(':')) return [...api.processesIn(name), ...api.processesNamed(name)];
  const proc = api.process(namespecOf({ group, name: own }));
  return proc === null ? [] : [proc];
}

/** Returns the processes that names mean, each once; all processes without names. Null if a name means none. */
export function selectProcesses(api: SupervisorApi, names: readonly string[]): readonly ProcessView[] | null {
  if (names.length === 0) return api.processes();
  const found = names.map((name) => selectedBy(api, name));
  if (found.some((processes) => processes.length === 0)) return null;
  return [...new Map(found.flat().map((view) => [view.id, view])).values()];
}

/**
 * Returns one line for each problem of these processes. `isNamed`: someone has asked about these processes in
 * particular. A supervisor that shuts down is alive, whatever its programs do, but not ready.
 */
export function findProblems(
  { api, times }: ProblemSources,
  question: Question,
  { processes, isNamed }: { readonly processes: readonly ProcessView[]; readonly isNamed: boolean },
): string[] {
  const state = api.state();
  if (state !== 'RUNNING') return question === 'alive' ? [] : [`supervisor: ${state}`];
  // A question about one program means that the program should run, even if a user has stopped it.
  const isWanted = isNamed && question === 'ready';
  return processes.flatMap((view) => {
    const problem = findProblem(factsOf(view, api, times), question, isWanted);
    return problem === null ? [] : [`${formatNamespec(view.config.group, view.config.name)}: ${problem}`];
  });
}

/** Returns one line for each problem of all processes. */
export function findAllProblems(sources: ProblemSources, question: Question): string[] {
  return findProblems(sources, question, { processes: sources.api.processes(), isNamed: false });
}
