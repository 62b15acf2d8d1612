/**
 * `GET /metrics`: the current metrics, for Prometheus. The option `metrics_auth` controls the access.
 * `?program=web` limits the answer to one process (`web`, `group:web`) or group (`web`, `web:*`). Its cost does not
 * grow with the other programs. The parameter can be repeated.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { takesGzip } from '../core/accepts-gzip.ts';
import { Lane } from '../core/lane.ts';
import { parseNamespec } from '../core/namespec.ts';
import { STREAM_NAMES } from '../core/stream-name.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { TreeMeasures } from '../rpc/measures.ts';
import type { ProcessTimes } from '../rpc/process-times.ts';
import { isFlapping } from '../rpc/status-methods.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { sendText } from './answers.ts';
import { chooseFormat, type MetricsFormat } from './exposition.ts';
import { describeMetrics, labelProcess, type LabelledProcess, type MeasuredProcess } from './metrics.ts';
import { queryOf } from './query.ts';
import type { Exchange, Route } from './route.ts';
import { SharedAnswer } from './shared-answer.ts';
import { Slices } from './slices.ts';

/** Compresses a text. Node's module for that is loaded with the first one. */
const compress = (text: Buffer): Promise<Buffer> => promisify(gzip)(text);

/** Pause after an answer about all processes, as a multiple of its time. */
const PAUSE_FACTOR = 1;
/** Number of processes that are read between two looks at the clock. */
const PROCESSES_PER_LOOK = 20;

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

/** The metrics of one supervisor. */
class MetricsAnswers {
  readonly #sources: MetricsSources;
  /** Answers about all processes, by format and coding. */
  readonly #shared = new Map<string, SharedAnswer<Buffer>>();
  /** One answer about some processes is made at a time, as its group may be large. */
  readonly #lane = new Lane(1);

  constructor(sources: MetricsSources) {
    this.#sources = sources;
  }

  async answer(exchange: Exchange): Promise<void> {
    const { api } = this.#sources;
    const { url, headers } = exchange.request;
    const names = queryOf(url).getAll('program');
    const format = chooseFormat(headers.accept);
    const isPacked = takesGzip(headers['accept-encoding']);
    const views = names.length === 0 ? null : namedProcesses(api, names);
    if (names.length > 0 && views === null)
      return sendText(exchange, 404, { type: 'text/plain;charset=utf-8', text: UNKNOWN });
    const make = async (): Promise<Buffer> => {
      const bytes = await this.#make(format, views);
      return isPacked ? compress(bytes) : bytes;
    };
    const text = await (views === null
      ? this.#sharedBy(`${format.type} ${isPacked}`).ask(make, exchange.signal)
      : this.#lane.run(make, exchange.signal));
    const vary = { Vary: 'Accept, Accept-Encoding' };
    const coding = isPacked ? { 'Content-Encoding': 'gzip' } : {};
    return sendText(exchange, 200, { type: format.type, text }, { ...vary, ...coding });
  }

  #sharedBy(key: string): SharedAnswer<Buffer> {
    const shared = this.#shared.get(key) ?? new SharedAnswer(PAUSE_FACTOR);
    this.#shared.set(key, shared);
    return shared;
  }

  /** Makes the text about some processes; about all for null. */
  async #make({ format }: MetricsFormat, some: readonly ProcessView[] | null): Promise<Buffer> {
    const { api, version, residentBytes } = this.#sources;
    const { measures } = api;
    const views = some ?? api.processes();
    const trees = await (some === null ? measures.readTrees() : measures.readTreesOf(some.map(({ id }) => id)));
    const slices = new Slices();
    const processes: LabelledProcess[] = [];
    for (const view of views) {
      processes.push(labelProcess(this.#measure(view, trees)));
      if (processes.length % PROCESSES_PER_LOOK === 0) await slices.next();
    }
    const pieces: Buffer[] = [];
    const families = describeMetrics({ version, state: api.state(), processes, residentBytes: residentBytes() });
    for (const piece of format(families)) {
      pieces.push(Buffer.from(piece));
      await slices.next();
    }
    return Buffer.concat(pieces);
  }

  #measure(view: ProcessView, trees: ReadonlyMap<string, TreeMeasures> | null): MeasuredProcess {
    const { api, times } = this.#sources;
    const { measures, history } = api;
    return {
      view,
      usage: trees === null ? null : { cpuSeconds: measures.cpuSecondsOf(view.id), tree: trees.get(view.id) ?? null },
      outputs: STREAM_NAMES.flatMap((stream) => {
        const counts = measures.outputOf(view.id, stream);
        return counts === null ? [] : [{ stream, counts }];
      }),
      start: times.of(view).start,
      oomKills: api.oomKills(view.id),
      ends: history.endsOf(view.id),
      starts: history.startsOf(view.id),
      isFlapping: isFlapping(api, view.id),
    };
  }
}

/** Makes the route of the metrics. */
export function metricsRoute(sources: MetricsSources): Route {
  const answers = new MetricsAnswers(sources);
  return {
    method: 'GET',
    path: '/metrics',
    access: 'metrics_auth',
    answer: (exchange) => answers.answer(exchange),
  };
}
