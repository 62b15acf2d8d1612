/** The events of the engine, and its subscribers within the supervisor. Event listener programs are in events/. */
import { describeMistake } from '../core/error-text.ts';
import type { ExitCause } from '../core/exit-policy.ts';
import type { Goal } from '../core/shutdown-machine.ts';
import type { Health } from '../core/process-record.ts';
import type { ProcessStateName } from '../core/states.ts';
import type { Report } from './ports.ts';
import type { ProcessView } from './process-table.ts';

/** A change that has happened. */
export type EngineEvent =
  /**
   * A process has changed its state. `expected` applies to EXITED (`exitcodes`). `pid` belongs to the current run, or
   * to the run that has just ended; null without a process. The record of an ended run no longer has the pid.
   */
  | {
      readonly type: 'process';
      readonly process: ProcessView;
      readonly from: ProcessStateName;
      readonly expected: boolean;
      readonly pid: number | null;
    }
  /** A program was executed, and the record has its pid. Comes before the change of state that follows. */
  | { readonly type: 'spawned'; readonly process: ProcessView; readonly run: number; readonly pid: number }
  /** A program has reported its readiness. */
  | { readonly type: 'ready'; readonly process: ProcessView }
  /** The health has changed. */
  | { readonly type: 'health'; readonly process: ProcessView; readonly from: Health | null }
  /** A requested start waits for dependencies, waits for others now, or was cancelled. */
  | { readonly type: 'held'; readonly process: ProcessView }
  /** The configuration has changed while the process runs (a live update). */
  | { readonly type: 'configured'; readonly process: ProcessView }
  /** A group was added or removed at run time. `ids`: its processes; also those that an update has removed before. */
  | {
      readonly type: 'group';
      readonly group: string;
      readonly change: 'added' | 'removed';
      readonly ids: readonly string[];
    }
  /** A shutdown or restart of the supervisor has begun. */
  | { readonly type: 'supervisor'; readonly goal: Goal; readonly cause: ExitCause };

/** An event for those who stay subscribed over a restart of the supervisor, which makes a new engine. */
export type SupervisorEvent =
  | EngineEvent
  /** The next engine is there, and its programs start next. `ids` are its processes. */
  | { readonly type: 'restarted'; readonly ids: ReadonlySet<string> };

/** Receives the events of one engine. Must return at once. */
export type EngineListener = (event: EngineEvent) => void;

/** Receives the events of all engines. Must return at once. */
export type Listener = (event: SupervisorEvent) => void;

/** The subscribers of one engine. */
export class Subscribers {
  readonly #report: Report;
  readonly #listeners = new Set<EngineListener>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** Adds a listener. Returns the function that removes the listener. */
  add(listener: EngineListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls every listener. An error in one listener is logged, and the others are still called. */
  publish(event: EngineEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#report('critical', `cannot deliver an event: ${describeMistake(error)}`, { event: 'internal_error' });
      }
    }
  }
}
