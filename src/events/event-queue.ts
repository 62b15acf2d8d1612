/**
 * The events that wait for the listeners of one pool: bounded, oldest first out. It counts what it drops and says so, twice for each time it overflows.
 * It knows no listener.
 *
 * While the supervisor comes up the listeners do too, and `buffer_size` (10 by default) is soon full. So until they have caught up for the first time
 * the queue is as long as memory allows (MAX_BOOT), and nothing of the boot is lost. From then on `buffer_size` counts.
 */
import { type SupervisorEvent, weightOf } from '../core/event-payload.ts';
import type { Report } from '../engine/ports.ts';

/** Bounds of the queue before the listeners have caught up for the first time. */
const MAX_BOOT = { events: 10_000, bytes: 16 * 1024 * 1024 } as const;

/** An event on its way to a listener. */
export interface QueuedEvent {
  readonly event: SupervisorEvent;
  readonly serial: number;
  readonly poolSerial: number;
  /** How often it came back. */
  returns: number;
}

/** See the head of this file. */
export class EventQueue {
  readonly #pool: string;
  readonly #bufferSize: number;
  readonly #report: Report;
  readonly #events: QueuedEvent[] = [];
  #bytes = 0;
  /** The listeners of the pool have not caught up yet since it was made. */
  #isBoot = true;
  #isAnswered = false;
  /** Dropped since the queue was empty last. */
  #dropped = 0;

  constructor(pool: string, bufferSize: number, report: Report) {
    this.#pool = pool;
    this.#bufferSize = bufferSize;
    this.#report = report;
  }

  get size(): number {
    return this.#events.length;
  }

  /** A listener of the pool was ready for the first time. */
  markReady(): void {
    this.#isAnswered = true;
    this.#settle();
  }

  /** Appends an event; the oldest make room for it. */
  push(queued: QueuedEvent): void {
    const weight = weightOf(queued.event);
    while (this.#events.length > 0 && this.#isFull(weight)) this.#dropOldest();
    this.#events.push(queued);
    this.#bytes += weight;
  }

  /** Puts an event back that was not accepted, before all that came after it. Nothing makes room for it, it has had its place. */
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
    this.#settle();
    return queued;
  }

  /** Says what was dropped, at the end of the pool. */
  close(): void {
    this.#sumUp();
  }

  #isFull(weight: number): boolean {
    if (this.#isBoot) return this.#events.length >= MAX_BOOT.events || this.#bytes + weight > MAX_BOOT.bytes;
    return this.#events.length >= this.#bufferSize;
  }

  #dropOldest(): void {
    const queued = this.#events.shift();
    if (queued === undefined) return;
    this.#bytes -= weightOf(queued.event);
    // Supervisor says it for each event, and so fills the log of a supervisor whose listener hangs.
    if (this.#dropped === 0) this.#report('error', `pool ${this.#pool} event buffer overflowed, discarding event ${queued.serial}`);
    this.#dropped++;
  }

  #settle(): void {
    if (this.#isAnswered && this.#events.length <= this.#bufferSize) this.#isBoot = false;
    if (this.#events.length === 0) this.#sumUp();
  }

  #sumUp(): void {
    if (this.#dropped > 1) this.#report('error', `pool ${this.#pool} discarded ${this.#dropped} events while its buffer was full (buffer_size)`);
    this.#dropped = 0;
  }
}
