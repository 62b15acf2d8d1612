/**
 * The queue of events for the listeners of one pool, with a limit. A full queue drops the oldest event. It reports the
 * first dropped event, and the number of all when it is empty again. The queue knows no listener.
 *
 * `buffer_size` limits the queue only for listeners that lag behind. Listeners start together with the supervisor, and
 * we start and stop all programs at once where Supervisor handles one in each turn of its loop. Such a burst must not
 * lose events. `buffer_size` therefore applies only after the queue was empty once, and only when the queue has not
 * been empty for a second. The hard limit ({@link HARD_LIMIT}) always applies.
 */
import { type SupervisorEvent, weightOf } from '../core/event-payload.ts';
import type { Report } from '../engine/ports.ts';

/** Limit that always applies. */
const HARD_LIMIT = { events: 10_000, bytes: 16 * 1024 * 1024 } as const;
/** Time after the queue was last empty in which it may be longer than `buffer_size`. */
const BURST_MS = 1000;

/** An event on its way to a listener. */
export interface QueuedEvent {
  readonly event: SupervisorEvent;
  readonly serial: number;
  readonly poolSerial: number;
  /** Number of times that a listener did not accept the event. */
  returns: number;
}

/** Parts of a queue. */
export interface QueueParts {
  /** Name of the pool. */
  readonly pool: string;
  /** `buffer_size`. */
  readonly bufferSize: number;
  readonly report: Report;
  readonly nowMs: () => number;
}

/** The queue of events for the listeners of one pool. */
export class EventQueue {
  readonly #parts: QueueParts;
  readonly #events: QueuedEvent[] = [];
  #bytes = 0;
  /** Time at which the queue was last empty. Null: it was not empty since a listener was first ready. */
  #emptyMs: number | null = null;
  /** True if a listener of the pool has been ready. */
  #hasBeenReady = false;
  /** Number of events dropped since the queue was last empty. */
  #dropped = 0;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#events.length;
  }

  /** Notes that a listener of the pool is ready. */
  markReady(): void {
    this.#hasBeenReady = true;
    if (this.#events.length === 0) this.#onEmpty();
  }

  /** Appends an event. Drops the oldest events if there is no room. */
  push(queued: QueuedEvent): void {
    if (this.#events.length === 0 && this.#hasBeenReady) this.#onEmpty();
    const weight = weightOf(queued.event);
    if (this.#hasOverflowed()) this.#dropOldest();
    while (
      this.#events.length >= HARD_LIMIT.events ||
      (this.#events.length > 0 && this.#bytes + weight > HARD_LIMIT.bytes)
    )
      this.#dropOldest();
    this.#events.push(queued);
    this.#bytes += weight;
  }

  /**
   * Puts back an event that was not accepted, before all events with a later serial number. No event is dropped for it,
   * because it had a place in the queue before.
   */
  putBack(queued: QueuedEvent): void {
    queued.returns++;
    const at = this.#events.findIndex(({ poolSerial }) => poolSerial > queued.poolSerial);
    this.#events.splice(at === -1 ? this.#events.length : at, 0, queued);
    this.#bytes += weightOf(queued.event);
  }

  /** Takes the oldest event. */
  shift(): QueuedEvent | undefined {
    const queued = this.#events.shift();
    if (queued === undefined) return undefined;
    this.#bytes -= weightOf(queued.event);
    if (this.#events.length === 0) this.#onEmpty();
    return queued;
  }

  /** Reports the number of dropped events at the end of the pool. */
  close(): void {
    this.#reportDropped();
  }

  /** Returns true if the listeners lag behind and the queue has reached `buffer_size`. */
  #hasOverflowed(): boolean {
    return (
      this.#emptyMs !== null &&
      this.#events.length >= this.#parts.bufferSize &&
      this.#parts.nowMs() - this.#emptyMs >= BURST_MS
    );
  }

  #dropOldest(): void {
    const queued = this.#events.shift();
    if (queued === undefined) return;
    this.#bytes -= weightOf(queued.event);
    // Supervisor reports each event, which fills the log when a listener hangs.
    if (this.#dropped === 0)
      this.#parts.report(
        'error',
        `pool ${this.#parts.pool} event buffer overflowed, discarding event ${queued.serial}`,
      );
    this.#dropped++;
  }

  #onEmpty(): void {
    this.#emptyMs = this.#parts.nowMs();
    this.#reportDropped();
  }

  #reportDropped(): void {
    if (this.#dropped > 1)
      this.#parts.report(
        'error',
        `pool ${this.#parts.pool} discarded ${this.#dropped} events while its buffer was full (buffer_size)`,
      );
    this.#dropped = 0;
  }
}
