/**
 * Keeps the history of the supervisor across its reloads: its latest events, the latest runs of each process, and the
 * times of unexpected restarts. All of it is bounded. Changes nothing.
 */
import { type Cause, type ClientRequest, formatClient, isAutomatic } from '../core/cause.ts';
import {
  type HistoryEvent,
  type HistoryReader,
  MAX_RESTART_TIMES,
  type RunSummary,
  type StartCounts,
} from '../core/history.ts';
import { causeFields } from '../core/log-fields.ts';
import type { ReloadResult } from '../core/program-reload.ts';
import { endOf, type EndReason, isPlannedEnd, reasonOfEnd, type RunEnd } from '../core/run-end.ts';
import type { Sequence } from '../core/sequence.ts';
import { showText } from '../core/shown-text.ts';
import type { ProcessStateName } from '../core/states.ts';
import type { SupervisorEvent, Listener } from '../engine/events.ts';
import type { Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';

/** Number of events that are kept. */
const MAX_EVENTS = 2000;
/** Number of runs that are kept of each process. */
const MAX_RUNS = 10;
/** Longest part of a parameter in a log line. */
const MAX_TARGET = 100;

/** States without a run. */
const ENDED_STATES: ReadonlySet<ProcessStateName> = new Set(['BACKOFF', 'EXITED', 'STOPPED', 'FATAL']);

type ProcessEvent = Extract<SupervisorEvent, { type: 'process' }>;
type NewEvent = HistoryEvent extends infer E ? (E extends HistoryEvent ? Omit<E, 'seq' | 'atMs'> : never) : never;

/** Parts of {@link History}. */
export interface HistoryParts {
  readonly sequence: Sequence;
  readonly subscribe: (listener: Listener) => unknown;
  readonly report: Report;
  /** The monotonic clock. */
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  /** True if the latest end of a process was a kill for memory. Asked while the end is handled. */
  readonly isOutOfMemory: (id: string) => boolean;
  /** Returns the reason of the latest failed health check; null for none. */
  readonly healthReason: (id: string) => string | null;
}

/** The history of one process. */
interface ProcessHistory {
  /** The latest run comes last. Replaced and not grown: an array that grows by push has room for 17 runs. */
  runs: readonly RunSummary[];
  /** Times of unexpected restarts by the monotonic clock, in order. */
  restartsMs: readonly number[];
  ends: ReadonlyMap<EndReason, number>;
  starts: number;
  unplannedStarts: number;
}

/** Shared by the many processes that have not ended yet. */
const NO_TIMES: readonly number[] = [];
const NO_ENDS: ReadonlyMap<EndReason, number> = new Map();

/** The history of one supervisor. {@link HistoryReader} documents its readers. */
export class History implements HistoryReader {
  readonly #parts: HistoryParts;
  readonly #events: HistoryEvent[] = [];
  readonly #processes = new Map<string, ProcessHistory>();
  readonly #listeners = new Set<() => void>();
  #structureSeq = 0;

  constructor(parts: HistoryParts) {
    this.#parts = parts;
    this.#add({ kind: 'supervisor', change: 'started', cause: null });
    parts.subscribe((event) => this.#observe(event));
  }

  /** Logs a request of a client that changes something, and keeps it. */
  noteRequest(request: ClientRequest, target: string | null): void {
    const shown = target === null ? '' : ` ${showText(target, MAX_TARGET)}`;
    this.#parts.report('info', `${request.method}${shown}: requested by ${formatClient(request.client)}`, {
      event: 'requested',
      ...causeFields(request),
    });
    this.#add({ kind: 'request', request, target });
  }

  /** Keeps a reload of a program, whatever its result. */
  noteReload(id: string, cause: Cause, result: ReloadResult): void {
    this.#add({ kind: 'reload', id, cause, result });
  }

  runsOf(id: string): readonly RunSummary[] {
    return this.#processes.get(id)?.runs ?? [];
  }

  endsOf(id: string): ReadonlyMap<EndReason, number> {
    return this.#processes.get(id)?.ends ?? NO_ENDS;
  }

  startsOf(id: string): StartCounts {
    const { starts = 0, unplannedStarts = 0 } = this.#processes.get(id) ?? {};
    return { planned: starts - unplannedStarts, unplanned: unplannedStarts };
  }

  restartsWithin(id: string, windowMs: number): number {
    const since = this.#parts.nowMs() - windowMs;
    return this.#processes.get(id)?.restartsMs.filter((atMs) => atMs >= since).length ?? 0;
  }

  eventsAfter(
    after: number,
    limit: number,
  ): { readonly events: readonly HistoryEvent[]; readonly isComplete: boolean } {
    const hasNewer = (this.#events.at(-1)?.seq ?? 0) > after;
    const first = hasNewer ? this.#events.findIndex(({ seq }) => seq > after) : -1;
    const events = first === -1 ? [] : this.#events.slice(first, first + limit);
    return { events, isComplete: first !== 0 || this.#events.length < MAX_EVENTS };
  }

  get latestSeq(): number {
    return this.#events.at(-1)?.seq ?? 0;
  }

  get structureSeq(): number {
    return this.#structureSeq;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #add(event: NewEvent): HistoryEvent {
    const stamped = { ...event, seq: this.#parts.sequence.take(), atMs: this.#parts.wallMs() };
    if (this.#events.push(stamped) > MAX_EVENTS) this.#events.shift();
    for (const listener of this.#listeners) listener();
    return stamped;
  }

  #observe(event: SupervisorEvent): void {
    switch (event.type) {
      case 'process':
        return this.#changed(event);
      case 'spawned':
        return this.#spawned(event.process.id, event.pid);
      case 'ready':
        this.#add({ kind: 'ready', id: event.process.id });
        return;
      case 'health': {
        const { id, record } = event.process;
        this.#add({ kind: 'health', id, health: record.health, reason: this.#parts.healthReason(id) });
        return;
      }
      case 'held':
        this.#add({ kind: 'held', id: event.process.id, hold: event.process.record.hold });
        return;
      case 'group':
        this.#structureSeq = this.#add({ kind: 'group', group: event.group, change: event.change }).seq;
        if (event.change === 'removed') for (const id of event.ids) this.#processes.delete(id);
        return;
      case 'supervisor': {
        const change = event.goal === 'exit' ? 'stopping' : 'restarting';
        this.#add({ kind: 'supervisor', change, cause: event.cause });
        return;
      }
      case 'restarted':
        this.#structureSeq = this.#parts.sequence.take();
        for (const id of this.#processes.keys()) if (!event.ids.has(id)) this.#processes.delete(id);
        return;
      case 'configured':
        // A number of its own: a client that knows the number before does not know this change.
        this.#structureSeq = this.#parts.sequence.take();
        return;
    }
  }

  #changed(event: ProcessEvent): void {
    const { from, pid, process: proc } = event;
    const { id, record } = proc;
    const end = isEndOfRun(event) ? endOf(record, proc.config.options.exitcodes, this.#parts.isOutOfMemory(id)) : null;
    const cause = record.state === 'STARTING' ? record.startCause : record.stopCause;
    const { seq, atMs } = this.#add({ kind: 'state', id, from, to: record.state, run: record.run, pid, cause, end });
    if (record.state === 'STARTING') this.#began(proc, seq, atMs);
    if (end !== null) this.#ended(proc, end, seq);
  }

  #began({ id, record }: ProcessView, startSeq: number, startedMs: number): void {
    const { run, startCause } = record;
    const history = this.#of(id);
    if (startCause === null) return;
    history.starts++;
    const before = history.runs.at(-1)?.ended?.end;
    if (isAutomatic(startCause) && before !== undefined && !isPlannedEnd(before)) {
      history.unplannedStarts++;
      history.restartsMs = [...history.restartsMs, this.#parts.nowMs()].slice(-MAX_RESTART_TIMES);
    }
    const latest = { run, pid: null, startSeq, startedMs, startCause, ended: null };
    history.runs = [...history.runs, latest].slice(-MAX_RUNS);
  }

  #spawned(id: string, pid: number): void {
    const history = this.#of(id);
    history.runs = withLatest(history.runs, { pid });
  }

  #ended({ id, record }: ProcessView, end: RunEnd, seq: number): void {
    const history = this.#of(id);
    const reason = reasonOfEnd(end);
    history.ends = new Map(history.ends).set(reason, (history.ends.get(reason) ?? 0) + 1);
    const { startedMs, endedMs } = record;
    const lastedMs = startedMs === null || endedMs === null ? 0 : endedMs - startedMs;
    history.runs = withLatest(history.runs, { ended: { seq, atMs: this.#parts.wallMs(), lastedMs, end } });
  }

  #of(id: string): ProcessHistory {
    const known = this.#processes.get(id);
    if (known !== undefined) return known;
    const made: ProcessHistory = {
      runs: [],
      restartsMs: NO_TIMES,
      ends: NO_ENDS,
      starts: 0,
      unplannedStarts: 0,
    };
    this.#processes.set(id, made);
    return made;
  }
}

/** Returns runs with a change of the latest one. */
function withLatest(runs: readonly RunSummary[], change: Partial<RunSummary>): readonly RunSummary[] {
  return runs.map((run, index) => (index === runs.length - 1 ? { ...run, ...change } : run));
}

/** True if a run has ended with this change, also a run that was never executed. */
function isEndOfRun({ from, process: { record } }: ProcessEvent): boolean {
  return ENDED_STATES.has(record.state) && !ENDED_STATES.has(from);
}
