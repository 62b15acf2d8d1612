/** The history of a supervisor: its events, and the latest runs of each process. Types, and a limit. */
import type { Cause, ClientRequest } from './cause.ts';
import type { ExitCause } from './exit-policy.ts';
import type { Health, Hold } from './process-record.ts';
import type { ReloadResult } from './program-reload.ts';
import type { EndReason, RunEnd } from './run-end.ts';
import type { ProcessStateName } from './states.ts';

/** Number of unexpected restarts whose times are kept; also the largest value of `flapping_restarts`. */
export const MAX_RESTART_TIMES = 100;

/** One thing that has happened. */
export type HistoryEvent = {
  /** Number in the sequence of everything that happens (core/sequence.ts). */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
} & (
  | {
      readonly kind: 'supervisor';
      readonly change: 'started' | 'stopping' | 'restarting';
      readonly cause: ExitCause | null;
    }
  | { readonly kind: 'request'; readonly request: ClientRequest; readonly target: string | null }
  | { readonly kind: 'group'; readonly group: string; readonly change: 'added' | 'removed' }
  /** `cause`: of a start in STARTING, of a stop in STOPPING. `end`: with the change that ended a run. */
  | {
      readonly kind: 'state';
      readonly id: string;
      readonly from: ProcessStateName;
      readonly to: ProcessStateName;
      readonly run: number;
      readonly pid: number | null;
      readonly cause: Cause | null;
      readonly end: RunEnd | null;
    }
  | { readonly kind: 'ready'; readonly id: string }
  | { readonly kind: 'health'; readonly id: string; readonly health: Health | null; readonly reason: string | null }
  | { readonly kind: 'held'; readonly id: string; readonly hold: Hold | null }
  /** The program was asked to read its own configuration again. */
  | { readonly kind: 'reload'; readonly id: string; readonly cause: Cause; readonly result: ReloadResult }
);

/** One run of a process. */
export interface RunSummary {
  readonly run: number;
  readonly pid: number | null;
  /** Number of the start in the sequence. */
  readonly startSeq: number;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly startCause: Cause;
  /** Null while the run goes on. */
  readonly ended: {
    readonly seq: number;
    /** Milliseconds since 1970. */
    readonly atMs: number;
    /** Length of the run by the monotonic clock. */
    readonly lastedMs: number;
    readonly end: RunEnd;
  } | null;
}

/** Starts of a process. An automatic start after an end that was not planned is not planned either. */
export interface StartCounts {
  readonly planned: number;
  readonly unplanned: number;
}

/** The history as its readers see it. Names are namespecs `group:name`. */
export interface HistoryReader {
  /** Returns the latest runs of a process, the latest last. */
  runsOf(id: string): readonly RunSummary[];
  /** Returns the number of ends of a process, by reason. */
  endsOf(id: string): ReadonlyMap<EndReason, number>;
  /** Returns the number of starts of a process. */
  startsOf(id: string): StartCounts;
  /**
   * Returns the number of unexpected restarts of a process within the last `windowMs`, at most
   * {@link MAX_RESTART_TIMES}.
   */
  restartsWithin(id: string, windowMs: number): number;
  /**
   * Returns the first `limit` events with a number above `after`, in order. `isComplete`: false if older events above
   * `after` are no longer kept.
   */
  eventsAfter(after: number, limit: number): { readonly events: readonly HistoryEvent[]; readonly isComplete: boolean };
  /** Number of the latest event; 0 before the first. */
  readonly latestSeq: number;
  /**
   * Number of the latest change of the processes themselves: a group was added or removed, or a configuration was
   * changed. 0 for none. Not all of these changes are events.
   */
  readonly structureSeq: number;
  /** Calls the listener after each new event. Returns a function that unsubscribes. */
  subscribe(listener: () => void): () => void;
}
