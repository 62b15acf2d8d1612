/**
 * Changes as the engine reports them to the rest of the supervisor, and those who are told. Subscriptions of event
 * listeners are another layer's.
 */
import { describeMistake } from '../core/error-text.ts';
import type { Goal } from '../core/shutdown-machine.ts';
import type { Health } from '../core/process-record.ts';
import type { ProcessStateName } from '../core/states.ts';
import type { Report } from './ports.ts';
import type { ProcessView } from './process-table.ts';

/** A change, told after it happened. */
export type EngineEvent =
  /**
   * A process went from one state to another; `expected` is meant for EXITED (`exitcodes`). `pid`: of the run that goes
   * on or has just ended, which the record of one that has ended no longer has; null where there is none.
   */
  | {
      readonly type: 'process';
      readonly process: ProcessView;
      readonly from: ProcessStateName;
      readonly expected: boolean;
      readonly pid: number | null;
    }
  /** A run was executed; the record has its pid. Comes before what state that makes. */
  | { readonly type: 'spawned'; readonly process: ProcessView; readonly run: number; readonly pid: number }
  /** It said that it is ready. */
  | { readonly type: 'ready'; readonly process: ProcessView }
  /** Its health is another one. */
  | { readonly type: 'health'; readonly process: ProcessView; readonly from: Health | null }
  /** A start that is wanted waits, waits for something else now, or is called off. */
  | { readonly type: 'held'; readonly process: ProcessView }
  /** It is configured anew, and goes on (a live update). */
  | { readonly type: 'configured'; readonly process: ProcessView }
  /** A group was taken in or forgotten at run time. */
  | { readonly type: 'group'; readonly group: string; readonly change: 'added' | 'removed' }
  /** The supervisor began to end or to restart. */
  | { readonly type: 'supervisor'; readonly goal: Goal };

/** Takes events as they happen; it must return at once. */
export type Listener = (event: EngineEvent) => void;

/** Those who are told of every change. */
export class Subscribers {
  readonly #report: Report;
  readonly #listeners = new Set<Listener>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** Tells `listener` from now on. Returns the function that ends this. */
  add(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells everyone. An error in one listener is reported, and the others are told all the same. */
  tell(event: EngineEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#report('critical', `cannot tell of an event: ${describeMistake(error)}`);
      }
    }
  }
}
