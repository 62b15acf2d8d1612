/**
 * `GET /healthz` and `GET /readyz`, for the probes of Kubernetes and of load balancers: 200 and `ok`, or 503 and a line for each problem.
 * What is a problem is judged in core/; this only asks.
 */
import { formatNamespec } from '../core/namespec.ts';
import { findProblem, type Question } from '../core/process-problem.ts';
import { factsOf } from '../rpc/process-facts.ts';
import type { ProcessTimes } from '../rpc/process-times.ts';
import type { Supervisor } from '../rpc/supervisor.ts';
import { sendText } from './answers.ts';
import type { Route } from './route.ts';

/** What the answers are worked out from. */
export interface HealthSources {
  readonly supervisor: Supervisor;
  readonly times: ProcessTimes;
}

/** One line a problem. A supervisor that is about to end is alive, whatever its programs do, and no longer ready. */
function findProblems({ supervisor, times }: HealthSources, question: Question): string[] {
  const state = supervisor.state();
  if (state !== 'RUNNING') return question === 'alive' ? [] : [`supervisor: ${state}`];
  return supervisor.processes().flatMap((view) => {
    const problem = findProblem(factsOf(view, supervisor, times), question);
    return problem === null ? [] : [`${formatNamespec(view.config.group, view.config.name)}: ${problem}`];
  });
}

/** The routes of the probes. */
export function healthRoutes(sources: HealthSources): Route[] {
  const route = (path: string, question: Question): Route => ({
    method: 'GET', path, access: 'password',
    answer: ({ response }) => {
      const problems = findProblems(sources, question);
      const text = problems.length === 0 ? 'ok\n' : problems.map((line) => `${line}\n`).join('');
      sendText(response, problems.length === 0 ? 200 : 503, 'text/plain;charset=utf-8', text, { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
    },
  });
  return [route('/healthz', 'alive'), route('/readyz', 'ready')];
}
