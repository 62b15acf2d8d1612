/**
 * When each process was started and ended last, by the time of day: what `start` and `stop` show.
 * Taken down as it happens, since the difference between the two clocks may change later. Changes nothing.
 */
import type { ProcessView } from '../engine/process-table.ts';
import type { EngineEvent } from '../engine/events.ts';
import type { SupervisorApi } from './supervisor-api.ts';

/** Seconds since 1970 of the latest start and of the latest end; 0 for never. */
export interface Times {
  readonly start: number;
  readonly stop: number;
}

const never: Times = { start: 0, stop: 0 };

/**
 * Follows all processes of one supervisor. Made before the first of them starts, it knows all; what it missed it works
 * out from the records.
 */
export class ProcessTimes {
  readonly #api: SupervisorApi;
  readonly #times = new Map<string, Times>();
  readonly #unsubscribe: () => void;

  constructor(api: SupervisorApi) {
    this.#api = api;
    this.#unsubscribe = api.subscribe((event) => this.#note(event));
  }

  /** Times of a process. */
  of(proc: ProcessView): Times {
    return this.#times.get(proc.id) ?? this.#fromRecord(proc);
  }

  /** Follows no more. */
  close(): void {
    this.#unsubscribe();
  }

  #note(event: EngineEvent): void {
    if (event.type === 'group' && event.change === 'removed') {
      for (const id of this.#times.keys()) if (id.startsWith(`${event.group}:`)) this.#times.delete(id);
    }
    if (event.type !== 'process') return;
    const { process: proc, pid } = event;
    const now = Math.floor(this.#api.wallMs() / 1000);
    const before = this.#times.get(proc.id) ?? never;
    if (proc.record.state === 'STARTING') this.#times.set(proc.id, { ...before, start: now });
    // compat: the time of an end, however the process ended. A start that never made a process has none.
    else if (pid !== null && proc.record.pid === null) this.#times.set(proc.id, { ...before, stop: now });
  }

  #fromRecord({ record }: ProcessView): Times {
    const toWall = (atMs: number | null): number =>
      atMs === null ? 0 : Math.floor((this.#api.wallMs() - this.#api.nowMs() + atMs) / 1000);
    // The latest end may be that of a start which never made a process.
    return { start: toWall(record.startedMs), stop: record.spawnExitCode === null ? toWall(record.endedMs) : 0 };
  }
}
