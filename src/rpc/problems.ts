/**
 * Problems of the programs, a line each, as /healthz and /readyz report them. The judgement is in core/; this only
 * asks.
 */
import { formatNamespec } from '../core/namespec.ts';
import { findProblem, type Question } from '../core/process-problem.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { factsOf } from './process-facts.ts';
import type { ProcessTimes } from './process-times.ts';
import type { SupervisorApi } from './supervisor-api.ts';

/** Facts that the answer is made from. */
export interface ProblemSources {
  readonly api: SupervisorApi;
  readonly times: ProcessTimes;
}

/** True if a name means a process: that of its program, its group, its own, or `group:process`. */
function isMeant(name: string, { program, group, name: proc }: ProcessView['config']): boolean {
  return name === program || name === group || name === proc || name === `${group}:${proc}`;
}

/** Names of which no process is known. */
export function findUnknown({ api }: ProblemSources, programs: readonly string[]): string[] {
  const processes = api.processes();
  return programs.filter((name) => !processes.some(({ config }) => isMeant(name, config)));
}

/**
 * One line a problem; `programs`: only of these. A supervisor that is about to end is alive, whatever its programs do,
 * and no longer ready.
 */
export function findProblems(
  { api, times }: ProblemSources,
  question: Question,
  programs: readonly string[] = [],
): string[] {
  const state = api.state();
  if (state !== 'RUNNING') return question === 'alive' ? [] : [`supervisor: ${state}`];
  // A question about one program means that it should run, even if it was stopped by hand.
  const isNamed = programs.length > 0 && question === 'ready';
  const asked = api
    .processes()
    .filter(({ config }) => programs.length === 0 || programs.some((name) => isMeant(name, config)));
  return asked.flatMap((view) => {
    const problem = findProblem(factsOf(view, api, times), question, isNamed);
    return problem === null ? [] : [`${formatNamespec(view.config.group, view.config.name)}: ${problem}`];
  });
}
