/**
 * Returns memory to the system when the supervisor has become quiet: after the start, and after each burst of work. V8
 * keeps the pages of garbage until it needs them, and an idle supervisor never does. Costs nothing while nothing
 * happens: one timer, which runs only after activity.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Report } from '../engine/ports.ts';

/** Length of a quiet time. */
const QUIET_MS = 5000;

/** Number of quiet times that activity may postpone the collection. A crash loop must not postpone it for ever. */
const MOST_POSTPONED = 12;

/** Growth of the heap since the last collection that makes the next one worth its pause of about 20 ms. */
const WORTH_BYTES = 2 * 1024 * 1024;

/** Share of one processor above which the supervisor is busy, for example with log lines. */
const BUSY_SHARE = 0.05;

/** The functions of the process that settling uses. */
export interface MemoryPort {
  /** Bytes of objects on the heap, garbage included. */
  readonly heapBytes: () => number;
  /** Processor time of the process so far, in milliseconds. */
  readonly cpuMs: () => number;
  /** Collects all garbage, and returns unused memory to the system. */
  readonly collect: () => void;
  /** Calls a function later, once. */
  readonly later: (due: () => void, afterMs: number) => void;
}

/** Collects garbage in quiet times. */
export class Settling {
  readonly #port: MemoryPort;
  #isWaiting = false;
  #isActive = false;
  #postponed = 0;
  #cpuMs = 0;
  /** Bytes on the heap after the last collection. */
  #settledBytes = 0;

  constructor(port: MemoryPort) {
    this.#port = port;
  }

  /** Notes that something has happened. Cheap. */
  note(): void {
    this.#isActive = true;
    if (!this.#isWaiting) this.#wait();
  }

  #wait(): void {
    this.#isWaiting = true;
    this.#isActive = false;
    this.#cpuMs = this.#port.cpuMs();
    this.#port.later(() => this.#due(), QUIET_MS);
  }

  #due(): void {
    const isBusy = this.#port.cpuMs() - this.#cpuMs > QUIET_MS * BUSY_SHARE;
    if (isBusy || (this.#isActive && this.#postponed < MOST_POSTPONED)) {
      this.#postponed += isBusy ? 0 : 1;
      return this.#wait();
    }
    this.#isWaiting = false;
    this.#postponed = 0;
    if (this.#port.heapBytes() - this.#settledBytes < WORTH_BYTES) return;
    this.#port.collect();
    this.#settledBytes = this.#port.heapBytes();
  }
}

function inMegabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** Unlike process.memoryUsage(), this opens no file: it works without a free descriptor. */
function heapBytes(): number {
  return getHeapStatistics().used_heap_size;
}

type Collector = (options: { type: 'major'; flavor: 'last-resort'; execution: 'sync' }) => void;

/** Makes the port of this process. `trim`: returns memory of the C library to the system. */
export function memoryPort(trim: () => void, report: Report): MemoryPort {
  let collect: Collector | null = null;
  return {
    heapBytes,
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    collect: () => {
      // A flag of the command line with the same effect makes each start 15 ms longer.
      setFlagsFromString('--expose-gc');
      collect ??= runInNewContext('gc') as Collector;
      const before = heapBytes();
      collect({ type: 'major', flavor: 'last-resort', execution: 'sync' });
      trim();
      const after = heapBytes();
      report('debug', `collected garbage in a quiet time: ${inMegabytes(before)} to ${inMegabytes(after)}`);
    },
    later: (due, afterMs) => void setTimeout(due, afterMs),
  };
}
