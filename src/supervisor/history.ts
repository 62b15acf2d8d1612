/**
 * Keeps the history of the supervisor across its reloads: its latest events, the latest runs of each process, and the
 * times of unexpected restarts. All of it is bounded. Changes nothing.
 */
import { type ClientRequest, formatClient, isAutomatic } from '../core/cause.ts';
import { type HistoryEvent, type HistoryReader, MAX_RESTART_TIMES, type RunSummary } from '../core/history.ts';
import { causeFields } from '../core/log-fields.ts';
import { endOf, type EndReason, isPlannedEnd, reasonOfEnd, type RunEnd } from '../core/run-end.ts';
import type { Sequence } from '../core/sequence.ts';
import { showText } from '../core/shown-text.ts';
import type { ProcessStateName } from '../core/states.ts';
import type { EngineEvent, Listener } from '../engine/events.ts';
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

type ProcessEvent = Extract<EngineEvent, { type: 'process' }>;
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
  /** The latest run comes last. */
  readonly runs: RunSummary[];
  /** Times of unexpected restarts by the monotonic clock, in order. */
  readonly restartsMs: number[];
  readonly ends: Map<EndReason, number>;
}

/** The history of one supervisor. {@link HistoryReader} documents its readers. */
export class History implements HistoryReader {
  readonly #parts: HistoryParts;
  readonly #events: HistoryEvent[] = [];
  readonly #processes = new Map<string, ProcessHistory>();
  readonly #listeners = new Set<() => void>();

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

  runsOf(id: string): readonly RunSummary[] {
    return this.#processes.get(id)?.runs ?? [];
  }

  endsOf(id: string): ReadonlyMap<EndReason, number> {
    return this.#processes.get(id)?.ends ?? new Map<EndReason, number>();
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

  #observe(event: EngineEvent): void {
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
        this.#add({ kind: 'group', group: event.group, change: event.change });
        if (event.change === 'removed') this.#forget(event.group);
        return;
      case 'supervisor': {
        const change = event.goal === 'exit' ? 'stopping' : 'restarting';
        this.#add({ kind: 'supervisor', change, cause: event.cause });
        return;
      }
      case 'configured':
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
    const before = history.runs.at(-1)?.ended?.end;
    if (isAutomatic(startCause) && before !== undefined && !isPlannedEnd(before)) {
      history.restartsMs.push(this.#parts.nowMs());
      if (history.restartsMs.length > MAX_RESTART_TIMES) history.restartsMs.shift();
    }
    history.runs.push({ run, pid: null, startSeq, startedMs, startCause, ended: null });
    if (history.runs.length > MAX_RUNS) history.runs.shift();
  }

  #spawned(id: string, pid: number): void {
    const { runs } = this.#of(id);
    const latest = runs.pop();
    if (latest !== undefined) runs.push({ ...latest, pid });
  }

  #ended({ id, record }: ProcessView, end: RunEnd, seq: number): void {
    const { runs, ends } = this.#of(id);
    const reason = reasonOfEnd(end);
    ends.set(reason, (ends.get(reason) ?? 0) + 1);
    const latest = runs.pop();
    if (latest === undefined) return;
    const { startedMs, endedMs } = record;
    const lastedMs = startedMs === null || endedMs === null ? 0 : endedMs - startedMs;
    runs.push({ ...latest, ended: { seq, atMs: this.#parts.wallMs(), lastedMs, end } });
  }

  #of(id: string): ProcessHistory {
    const known = this.#processes.get(id);
    if (known !== undefined) return known;
    const made: ProcessHistory = { runs: [], restartsMs: [], ends: new Map() };
    this.#processes.set(id, made);
    return made;
  }

  #forget(group: string): void {
    for (const id of this.#processes.keys()) if (id.startsWith(`${group}:`)) this.#processes.delete(id);
  }
}

/** True if a run has ended with this change, also a run that was never executed. */
function isEndOfRun({ from, process: { record } }: ProcessEvent): boolean {
  return ENDED_STATES.has(record.state) && !ENDED_STATES.has(from);
}
