/** Parts of a sink (sink.ts): its context, its destination and its waiters. */
import { BlockQueue } from './block-queue.ts';
import type { BlockPool } from './blocks.ts';
import type { Outlet, OutletHost } from './outlets.ts';
import { OwnLines } from './own-lines.ts';
import type { LogClock, LogNatives, LogProblem } from './ports.ts';
import type { Sink } from './sink.ts';
import type { Operation } from './sink-operation.ts';

/** A reader that is paused because a sink is full. */
export interface Waiter {
  resume(): void;
  /**
   * True while the pipe may still hold the last output of a process that has ended. That output is written before the
   * supervisor's own line about the end of the process.
   */
  readonly hasLastOutput: boolean;
}

/** Parts that all sinks share. */
export class SinkContext {
  readonly pool: BlockPool;
  readonly natives: LogNatives;
  readonly clock: LogClock;
  readonly report: (sink: Sink, problem: LogProblem) => void;
  /** The queue of the sinks that have queued nothing yet. */
  readonly noBytes: BlockQueue;

  constructor({ pool, natives, clock, report }: Omit<SinkContext, 'noBytes'>) {
    this.pool = pool;
    this.natives = natives;
    this.clock = clock;
    this.report = report;
    this.noBytes = new BlockQueue(pool, natives);
  }
}

/** The destination of a sink. */
export interface SinkPlace {
  /** Equal for destinations that are the same place. */
  readonly id: string;
  /** Name of the destination in messages: a path, `standard output`. */
  readonly name: string;
  /** Codes of errors after which the destination never takes a byte again. */
  readonly goneOn: ReadonlySet<string>;
  readonly makeOutlet: (host: OutletHost) => Outlet;
}

/** Shared by the sinks without any. Never changed. */
export const NO_WAITERS: Waiter[] = [];
export const NO_OPERATIONS: Operation[] = [];
export const NO_OWN_LINES = new OwnLines();
