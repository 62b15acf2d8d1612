/** Statuses and events as JSON, encoded once for all clients that get them in the same turn. */
import type { HistoryEvent } from '../core/history.ts';
import type { ProcessTimes } from '../rpc/process-times.ts';
import { eventStruct } from '../rpc/history-structs.ts';
import { processStatus } from '../rpc/status-methods.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { withDisplayName } from './messages.ts';

/** Sources of the facts. */
export interface FactSources {
  readonly api: SupervisorApi;
  readonly times: ProcessTimes;
}

/** Encoded facts of one turn. */
export class StatusTexts {
  readonly #sources: FactSources;
  readonly #statuses = new Map<string, string | null>();
  readonly #events = new Map<number, string>();

  constructor(sources: FactSources) {
    this.#sources = sources;
  }

  /** Returns the status of a process; null if it is not active. */
  statusOf(id: string): string | null {
    const known = this.#statuses.get(id);
    if (known !== undefined) return known;
    const proc = this.#sources.api.process(id);
    const text = proc === null ? null : JSON.stringify(processStatus(this.#sources, proc, null));
    this.#statuses.set(id, text);
    return text;
  }

  eventText(event: HistoryEvent): string {
    const known = this.#events.get(event.seq);
    if (known !== undefined) return known;
    const text = JSON.stringify(withDisplayName(eventStruct(event)));
    this.#events.set(event.seq, text);
    return text;
  }
}
