/** The live views that HTTP routes use. */
import { RpcFault } from '../core/faults.ts';
import type { Exchange } from '../http/route.ts';
import { findOneProcess } from '../rpc/lookup.ts';
import { downloadLogs } from './download-route.ts';
import { readProgramStream, searchFiles } from './files-route.ts';
import { followLogs, type LogRouteParts } from './follow-route.ts';
import { sendJsonError } from './json-answers.ts';
import { displayName } from './messages.ts';
import type { LiveServiceParts } from './service-parts.ts';
import { QueryError, queryOf, readNameList } from './stream-query.ts';
import { defaultStreamLimits, type StreamLimits, StreamRoute } from './stream-route.ts';
import { type LiveTimers, systemTimers } from './timers.ts';
import { type NamedSamples, SAMPLE_MS, UsageHistory } from './usage-history.ts';

/** The live views of one supervisor. */
export class LiveService {
  readonly #parts: LiveServiceParts;
  readonly #logParts: LogRouteParts;
  readonly #streams: StreamRoute;
  readonly #usage: UsageHistory;

  constructor(parts: LiveServiceParts, timers: LiveTimers = systemTimers, limits: StreamLimits = defaultStreamLimits) {
    const { api } = parts;
    this.#parts = parts;
    this.#logParts = { api, timers, stallMs: limits.stallMs };
    this.#usage = new UsageHistory({ api, timers });
    this.#streams = new StreamRoute({ ...parts, timers, limits, sampled: (usages) => this.#usage.take(usages) });
  }

  /** Sets the time of the history of the usage (`[dashboard] history`); 0 for a history only while a client watches. */
  configureHistory(historyMs: number): void {
    this.#usage.configure(historyMs);
  }

  stream(exchange: Exchange): void {
    checked(exchange, () => this.#streams.answer(exchange));
  }

  async follow(exchange: Exchange): Promise<void> {
    await checkedAsync(exchange, async () => {
      if (this.#streams.admit(exchange)) await followLogs(exchange, this.#logParts);
    });
  }

  async download(exchange: Exchange): Promise<void> {
    await checkedAsync(exchange, async () => {
      this.#requireKnown(exchange);
      if (this.#streams.admit(exchange)) await downloadLogs(exchange, this.#logParts);
    });
  }

  async files(exchange: Exchange): Promise<void> {
    await checkedAsync(exchange, async () => {
      const { api } = this.#parts;
      const query = queryOf(exchange.request.url);
      const { config } = findOneProcess(api, query.get('name') ?? '');
      const path = api.logPath(config, readProgramStream(query));
      if (path?.startsWith('/') !== true || path.startsWith('/dev/'))
        return sendJsonError(exchange, { status: 404, code: 'no_file', message: 'this stream has no log file' });
      if (this.#streams.admit(exchange)) await searchFiles(exchange, path, this.#logParts);
    });
  }

  /** Returns the names of the query. Throws an RpcFault for a name without a process: it is a mistake. */
  #requireKnown(exchange: Exchange): readonly string[] {
    const names = readNameList(queryOf(exchange.request.url), 'names');
    const unknown = this.#parts.api.findUnknownName(names);
    if (unknown !== null) throw RpcFault.of('BAD_NAME', unknown);
    return names;
  }

  /** Returns the kept samples of processes; of all without names. Throws an RpcFault for an unknown name. */
  usageHistory(names: readonly string[]): { readonly interval_ms: number; readonly series: NamedSamples } {
    const { api } = this.#parts;
    const unknown = api.findUnknownName(names);
    if (unknown !== null) throw RpcFault.of('BAD_NAME', unknown);
    const series = this.#usage.read(names.length === 0 ? () => true : api.nameFilter(names));
    return {
      interval_ms: SAMPLE_MS,
      series: Object.fromEntries([...series].map(([id, samples]) => [displayName(id), samples])),
    };
  }
}

/** Answers errors of the query. Rethrows others: the API answers faults. */
function answerError(exchange: Exchange, error: unknown): void {
  if (error instanceof QueryError)
    return sendJsonError(exchange, { status: 400, code: 'bad_value', message: error.message });
  throw error;
}

function checked(exchange: Exchange, act: () => void): void {
  try {
    act();
  } catch (error) {
    answerError(exchange, error);
  }
}

async function checkedAsync(exchange: Exchange, act: () => Promise<void> | void): Promise<void> {
  try {
    await act();
  } catch (error) {
    answerError(exchange, error);
  }
}
