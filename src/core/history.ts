/** The history of a supervisor: its events, and the latest runs of each process. Types only. */
import type { Cause, ClientRequest } from './cause.ts';
import type { ExitCause } from './exit-policy.ts';
import type { Health, Hold } from './process-record.ts';
import type { RunEnd } from './run-end.ts';
import type { ProcessStateName } from './states.ts';

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
