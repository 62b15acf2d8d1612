/**
 * `GET /metrics`: the current metrics, for Prometheus. The option `metrics_auth` controls the access.
 * `?program=web` limits the answer to one process (`web`, `group:web`) or group (`web`, `web:*`). Its cost does not
 * grow with the other programs. The parameter can be repeated.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { takesGzip } from '../core/accepts-gzip.ts';
import { parseNamespec } from '../core/namespec.ts';
import { STREAM_NAMES } from '../core/stream-name.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { ProcessTimes } from '../rpc/process-times.ts';
import { isFlapping } from '../rpc/status-methods.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { sendText } from './answers.ts';
import { chooseFormat } from './exposition.ts';
import { describeMetrics } from './metrics.ts';
import { queryOf } from './query.ts';
import type { Route } from './route.ts';

/** Compresses a text. Node's module for that is loaded with the first one. */
const compress = (text: string): Promise<Buffer> => promisify(gzip)(text);

const UNKNOWN = 'there is no process or group with that name\n';

/** Returns the processes with these names, each once; null if a name is unknown. */
function namedProcesses(api: SupervisorApi, names: readonly string[]): readonly ProcessView[] | null {
  const found = names.map((name) => {
    const { group, process: wanted } = parseNamespec(name);
    const proc = wanted === null ? null : api.process(`${group}:${wanted}`);
    if (proc !== null) return [proc];
    const isGroup = (wanted === null || wanted === name) && api.hasGroup(group);
    return isGroup ? api.processesIn(group) : null;
  });
  const known = found.filter((some) => some !== null);
  if (known.length < found.length) return null;
  return [...new Map(known.flat().map((view) => [view.id, view])).values()];
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
      const names = queryOf(exchange.request.url).getAll('program');
      const views = names.length === 0 ? api.processes() : namedProcesses(api, names);
      if (views === null) return sendText(exchange, 404, { type: 'text/plain;charset=utf-8', text: UNKNOWN });
      const { measures } = api;
      const trees = await (names.length === 0 ? measures.readTrees() : measures.readTreesOf(views.map(({ id }) => id)));
      const processes = views.map((view) => ({
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
