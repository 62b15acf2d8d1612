/**
 * `GET /healthz` and `GET /readyz`, for the probes of Kubernetes and of load balancers: 200 and `ok`, or 503 and a line for each problem.
 * What is a problem is judged in core/; this only asks.
 */
import type { Question } from '../core/process-problem.ts';
import { findProblems, type ProblemSources } from '../rpc/problems.ts';
import { sendText } from './answers.ts';
import type { Route } from './route.ts';

/** The routes of the probes. */
export function healthRoutes(sources: ProblemSources): Route[] {
  const route = (path: string, question: Question): Route => ({
    method: 'GET', path, access: 'probes_auth',
    answer: (exchange) => {
      const problems = findProblems(sources, question);
      const text = problems.length === 0 ? 'ok\n' : problems.map((line) => `${line}\n`).join('');
      sendText(exchange, problems.length === 0 ? 200 : 503, 'text/plain;charset=utf-8', text, { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
    },
  });
  return [route('/healthz', 'alive'), route('/readyz', 'ready')];
}
