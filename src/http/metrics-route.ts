/**
 * `GET /metrics`: the metrics of the moment, for Prometheus. The one route with an option of its own for who may use it (`metrics_auth`).
 */
import type { ProcessTimes } from '../rpc/process-times.ts';
import type { Supervisor } from '../rpc/supervisor.ts';
import { sendText } from './answers.ts';
import { CONTENT_TYPE, formatFamilies } from './exposition.ts';
import { describeMetrics } from './metrics.ts';
import type { Route } from './route.ts';

/** What the metrics are worked out from. */
export interface MetricsSources {
  readonly supervisor: Supervisor;
  readonly times: ProcessTimes;
  /** Our own version. */
  readonly version: string;
  /** Resident memory of the supervisor; null where it cannot be told. */
  readonly residentBytes: () => number | null;
}

/** The route of the metrics. */
export function metricsRoute({ supervisor, times, version, residentBytes }: MetricsSources): Route {
  return {
    method: 'GET', path: '/metrics', access: 'metrics_auth',
    answer: (exchange) => {
      const processes = supervisor.processes().map((view) => ({ view, start: times.of(view).start }));
      sendText(exchange, 200, CONTENT_TYPE, formatFamilies(describeMetrics({ version, state: supervisor.state(), processes, residentBytes: residentBytes() })));
    },
  };
}
