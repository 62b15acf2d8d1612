/** `GET /metrics`: the current metrics, for Prometheus. The option `metrics_auth` controls the access. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { takesGzip } from '../core/accepts-gzip.ts';
import { STREAM_NAMES } from '../core/stream-name.ts';
import type { ProcessTimes } from '../rpc/process-times.ts';
import { isFlapping } from '../rpc/status-methods.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { sendText } from './answers.ts';
import { chooseFormat } from './exposition.ts';
import { describeMetrics } from './metrics.ts';
import type { Route } from './route.ts';

const compress = promisify(gzip);

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
      const trees = await api.measures.readTrees();
      const processes = api.processes().map((view) => ({
        view,
        usage:
          trees === null ? null : { cpuSeconds: api.measures.cpuSecondsOf(view.id), tree: trees.get(view.id) ?? null },
        outputs: STREAM_NAMES.flatMap((stream) => {
          const counts = api.measures.outputOf(view.id, stream);
          return counts === null ? [] : [{ stream, counts }];
        }),
        start: times.of(view).start,
        oomKills: api.oomKills(view.id),
        ends: api.history.endsOf(view.id),
        starts: api.history.startsOf(view.id),
        isFlapping: isFlapping(api, view.id),
      }));
      const { type, format } = chooseFormat(exchange.request.headers.accept);
      const text = format(describeMetrics({ version, state: api.state(), processes, residentBytes: residentBytes() }));
      const vary = { Vary: 'Accept, Accept-Encoding' };
      if (!takesGzip(exchange.request.headers['accept-encoding'])) sendText(exchange, 200, { type, text }, vary);
      else sendText(exchange, 200, { type, text: await compress(text) }, { ...vary, 'Content-Encoding': 'gzip' });
    },
  };
}
