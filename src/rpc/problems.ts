/**
 * What is wrong with the programs, a line each, as /healthz and /readyz tell it. What is a problem is judged in core/; this only asks.
 */
import { formatNamespec } from '../core/namespec.ts';
import { findProblem, type Question } from '../core/process-problem.ts';
import { factsOf } from './process-facts.ts';
import type { ProcessTimes } from './process-times.ts';
import type { Supervisor } from './supervisor.ts';

/** What the answer is worked out from. */
export interface ProblemSources {
  readonly supervisor: Supervisor;
  readonly times: ProcessTimes;
}

/** One line a problem. A supervisor that is about to end is alive, whatever its programs do, and no longer ready. */
export function findProblems({ supervisor, times }: ProblemSources, question: Question): string[] {
  const state = supervisor.state();
  if (state !== 'RUNNING') return question === 'alive' ? [] : [`supervisor: ${state}`];
  return supervisor.processes().flatMap((view) => {
    const problem = findProblem(factsOf(view, supervisor, times), question);
    return problem === null ? [] : [`${formatNamespec(view.config.group, view.config.name)}: ${problem}`];
  });
}
