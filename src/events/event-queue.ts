/**
 * The events that wait for the listeners of one pool: bounded, oldest first out. It counts what it drops and says so,
 * twice for each time it overflows. It knows no listener.
 *
 * `buffer_size` (10 by default) is meant for listeners that lag behind, and counts only for them. While the supervisor
 * comes up its listeners do too; and where Supervisor stops and starts one program at a turn of its loop, we do all at
 * once. So until the listeners have caught up for the first time, and for a second after they last had nothing to do,
 * the queue is as long as memory allows (MOST) and nothing is lost.
 */
import { type SupervisorEvent, weightOf } from '../core/event-payload.ts';
import type { Report } from '../engine/ports.ts';

/** Bounds of the queue whatever else. */
const MOST = { events: 10_000, bytes: 16 * 1024 * 1024 } as const;
/** How long a queue may be longer than `buffer_size` since it was empty. */
const BURST_MS = 1000;

/** An event on its way to a listener. */
export interface QueuedEvent {
  readonly event: SupervisorEvent;
  readonly serial: number;
  readonly poolSerial: number;
  /** How often it came back. */
  returns: number;
}

/** What a queue is made from. */
export interface QueueParts {
  /** Name of the pool. */
  readonly pool: string;
  /** `buffer_size`. */
  readonly bufferSize: number;
  readonly report: Report;
  readonly nowMs: () => number;
}

/** See the head of this file. */
export class EventQueue {
  readonly #parts: QueueParts;
  readonly #events: QueuedEvent[] = [];
  #bytes = 0;
  /** When it was last empty; null until it is for the first time after a listener was ready. */
  #emptyMs: number | null = null;
  #isAnswered = false;
  /** Dropped since the queue was empty last. */
  #dropped = 0;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#events.length;
  }

  /** A listener of the pool was ready. */
  markReady(): void {
    this.#isAnswered = true;
    if (this.#events.length === 0) this.#settle();
  }

  /** Appends an event; the oldest make room for it. */
  push(queued: QueuedEvent): void {
    if (this.#events.length === 0 && this.#isAnswered) this.#settle();
    const weight = weightOf(queued.event);
    if (this.#isLate()) this.#dropOldest();
    while (this.#events.length >= MOST.events || (this.#events.length > 0 && this.#bytes + weight > MOST.bytes))
      this.#dropOldest();
    this.#events.push(queued);
    this.#bytes += weight;
  }

  /**
   * Puts an event back that was not accepted, before all that came after it. Nothing makes room for it, it has had its
   * place.
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
    if (this.#events.length === 0) this.#settle();
    return queued;
  }

  /** Says what was dropped, at the end of the pool. */
  close(): void {
    this.#sumUp();
  }

  /** Whether its listeners lag behind and the buffer that they have is full. */
  #isLate(): boolean {
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
    // Supervisor says it for each event, and so fills the log of a supervisor whose listener hangs.
    if (this.#dropped === 0)
      this.#parts.report(
        'error',
        `pool ${this.#parts.pool} event buffer overflowed, discarding event ${queued.serial}`,
      );
    this.#dropped++;
  }

  #settle(): void {
    this.#emptyMs = this.#parts.nowMs();
    this.#sumUp();
  }

  #sumUp(): void {
    if (this.#dropped > 1)
      this.#parts.report(
        'error',
        `pool ${this.#parts.pool} discarded ${this.#dropped} events while its buffer was full (buffer_size)`,
      );
    this.#dropped = 0;
  }
}
