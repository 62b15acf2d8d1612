/** `GET /metrics`: the current metrics, for Prometheus. The option `metrics_auth` controls the access. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ProcessTimes } from '../rpc/process-times.ts';
import { isFlapping } from '../rpc/status-methods.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { sendText } from './answers.ts';
import { CONTENT_TYPE, formatFamilies } from './exposition.ts';
import { describeMetrics } from './metrics.ts';
import type { Route } from './route.ts';

const compress = promisify(gzip);

/** True if a client accepts gzip (RFC 9110, 12.5.3); `q=0` refuses it. */
export function takesGzip(accepted: string | readonly string[] | undefined): boolean {
  const codings = String(accepted ?? '')
    .split(',')
    .map((part) => part.trim().toLowerCase());
  return codings.some((coding) => /^(?:x-)?gzip(?:;|\s|$)/.test(coding) && !/;\s*q=0(?:\.0*)?\s*$/.test(coding));
}

/** Sources of the metrics. */
export interface MetricsSources {
  readonly api: SupervisorApi;
  readonly times: ProcessTimes;
  /** Version of onevisor. */
  readonly version: string;
  /** Returns the resident memory of the supervisor; null if it is unknown. */
  readonly residentBytes: () => number | null;
}

/** Makes the route of the metrics. */
export function metricsRoute({ api, times, version, residentBytes }: MetricsSources): Route {
  return {
    method: 'GET',
    path: '/metrics',
    access: 'metrics_auth',
    answer: async (exchange) => {
      const processes = api.processes().map((view) => ({
        view,
        start: times.of(view).start,
        oomKills: api.oomKills(view.id),
        ends: api.history.endsOf(view.id),
        isFlapping: isFlapping(api, view.id),
      }));
      const text = formatFamilies(
        describeMetrics({ version, state: api.state(), processes, residentBytes: residentBytes() }),
      );
      const vary = { Vary: 'Accept-Encoding' };
      const type = CONTENT_TYPE;
      if (!takesGzip(exchange.request.headers['accept-encoding'])) sendText(exchange, 200, { type, text }, vary);
      else sendText(exchange, 200, { type, text: await compress(text) }, { ...vary, 'Content-Encoding': 'gzip' });
    },
  };
}
