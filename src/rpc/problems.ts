/**
 * Problems of the programs, one line each, for /healthz and /readyz. The rules are in core/process-problem.ts.
 */
import { formatNamespec } from '../core/namespec.ts';
import { findProblem, type Question } from '../core/process-problem.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { factsOf } from './process-facts.ts';
import type { ProcessTimes } from './process-times.ts';
import type { SupervisorApi } from './supervisor-api.ts';

/** Sources of the facts. */
export interface ProblemSources {
  readonly api: SupervisorApi;
  readonly times: ProcessTimes;
}

/** True if a name selects a process: the name of its program, its group or itself, `group:process`, or `group:*`. */
function isSelected(name: string, { program, group, name: proc }: ProcessView['config']): boolean {
  return name === program || name === group || name === proc || name === `${group}:${proc}` || name === `${group}:*`;
}

/** Returns the names that match no process. */
export function findUnknown({ api }: ProblemSources, programs: readonly string[]): string[] {
  const processes = api.processes();
  return programs.filter((name) => !processes.some(({ config }) => isSelected(name, config)));
}

/**
 * Returns one line for each problem; only of `programs`, if there are any. A supervisor that shuts down is alive,
 * whatever its programs do, but not ready.
 */
export function findProblems(
  { api, times }: ProblemSources,
  question: Question,
  programs: readonly string[] = [],
): string[] {
  const state = api.state();
  if (state !== 'RUNNING') return question === 'alive' ? [] : [`supervisor: ${state}`];
  // A question about one program means that the program should run, even if a user has stopped it.
  const isNamed = programs.length > 0 && question === 'ready';
  const asked = api
    .processes()
    .filter(({ config }) => programs.length === 0 || programs.some((name) => isSelected(name, config)));
  return asked.flatMap((view) => {
    const problem = findProblem(factsOf(view, api, times), question, isNamed);
    return problem === null ? [] : [`${formatNamespec(view.config.group, view.config.name)}: ${problem}`];
  });
}
