/**
 * `GET /healthz` and `GET /readyz`, for the probes of Kubernetes and of load balancers: 200 and `ok`, or 503 and a line
 * for each problem. `?program=web` limits the answer to one program, group or process, and its cost does not grow with
 * the others. The rules are in
 * core/process-problem.ts.
 */
import type { Question } from '../core/process-problem.ts';
import { findProblems, type ProblemSources, selectProcesses } from '../rpc/problems.ts';
import { sendText } from './answers.ts';
import { queryOf } from './query.ts';
import type { Route } from './route.ts';

const TEXT_TYPE = 'text/plain;charset=utf-8';
const HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

/** Makes the routes of the probes. */
export function healthRoutes(sources: ProblemSources): Route[] {
  const route = (path: string, question: Question): Route => ({
    method: 'GET',
    path,
    access: 'probes_auth',
    answer: (exchange) => {
      const programs = queryOf(exchange.request.url).getAll('program');
      const processes = selectProcesses(sources.api, programs);
      const send = (status: number, lines: readonly string[]): void =>
        sendText(exchange, status, { type: TEXT_TYPE, text: lines.map((line) => `${line}\n`).join('') }, HEADERS);
      if (processes === null) return send(404, ['there is no program, group or process with that name']);
      const problems = findProblems(sources, question, { processes, isNamed: programs.length > 0 });
      return problems.length === 0 ? send(200, ['ok']) : send(503, problems);
    },
  });
  return [route('/healthz', 'alive'), route('/readyz', 'ready')];
}
