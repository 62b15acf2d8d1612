/**
 * The wall-clock times of the latest start and end of each process, for `start` and `stop`. They are recorded when they
 * happen, because the difference between the two clocks may change later.
 */
import type { ProcessView } from '../engine/process-table.ts';
import type { SupervisorEvent } from '../engine/events.ts';
import type { SupervisorApi } from './supervisor-api.ts';

/** Times of the latest start and the latest end in seconds since 1970; 0 for never. */
export interface Times {
  readonly start: number;
  readonly stop: number;
}

const never: Times = { start: 0, stop: 0 };

/**
 * Records the times of all processes of one supervisor. Times from before its creation are calculated from the records
 * of the processes.
 */
export class ProcessTimes {
  readonly #api: SupervisorApi;
  readonly #times = new Map<string, Times>();
  readonly #unsubscribe: () => void;

  constructor(api: SupervisorApi) {
    this.#api = api;
    this.#unsubscribe = api.subscribe((event) => this.#note(event));
  }

  /** Returns the times of a process. */
  of(proc: ProcessView): Times {
    return this.#times.get(proc.id) ?? this.#fromRecord(proc);
  }

  /** Stops recording. */
  close(): void {
    this.#unsubscribe();
  }

  #note(event: SupervisorEvent): void {
    if (event.type === 'group' && event.change === 'removed') {
      for (const id of event.ids) this.#times.delete(id);
    }
    if (event.type === 'restarted') for (const id of this.#times.keys()) if (!event.ids.has(id)) this.#times.delete(id);
    if (event.type !== 'process') return;
    const { process: proc, pid } = event;
    const now = Math.floor(this.#api.wallMs() / 1000);
    const before = this.#times.get(proc.id) ?? never;
    if (proc.record.state === 'STARTING') this.#times.set(proc.id, { ...before, start: now });
    // compat: every exit of a process counts. A start that created no process has no exit.
    else if (pid !== null && proc.record.pid === null) this.#times.set(proc.id, { ...before, stop: now });
  }

  #fromRecord({ record }: ProcessView): Times {
    const toWall = (atMs: number | null): number =>
      atMs === null ? 0 : Math.floor((this.#api.wallMs() - this.#api.nowMs() + atMs) / 1000);
    // The latest end may belong to a start that created no process.
    return { start: toWall(record.startedMs), stop: record.spawnExitCode === null ? toWall(record.endedMs) : 0 };
  }
}
