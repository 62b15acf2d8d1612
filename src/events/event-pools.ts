/**
 * All pools of event listeners. An event without a subscriber costs a look-up in each pool, and nothing more.
 * Serial numbers continue for the life of the supervisor, also after a reload.
 */
import type { SupervisorEvent } from '../core/event-payload.ts';
import { type EventType, isSubscribed } from '../core/event-types.ts';
import type { ListenerPool } from './listener-pool.ts';

/** Serial numbers of events, from 0 up: `serial` of the header. */
export class Serials {
  #next = 0;

  take(): number {
    return this.#next++;
  }
}

/** All pools of event listeners, by the name of their group. */
export class EventPools {
  readonly #serials: Serials;
  readonly #pools = new Map<string, ListenerPool>();

  constructor(serials: Serials) {
    this.#serials = serials;
  }

  add(name: string, pool: ListenerPool): void {
    this.#pools.set(name, pool);
  }

  /** Closes a pool. Returns false if there is no pool of that name. */
  remove(name: string): boolean {
    this.#pools.get(name)?.close();
    return this.#pools.delete(name);
  }

  get(name: string): ListenerPool | undefined {
    return this.#pools.get(name);
  }

  /** Returns true if any pool subscribes to events of a type. */
  wants(type: EventType): boolean {
    return [...this.#pools.values()].some(({ wanted }) => isSubscribed(type, wanted));
  }

  /** True if no pool has an event that one of its listeners could still take. */
  get isIdle(): boolean {
    return [...this.#pools.values()].every(({ isIdle }) => isIdle);
  }

  /**
   * Gives an event to every pool that subscribes to it. compat: an event without a subscriber gets no serial number.
   */
  publish(event: SupervisorEvent): void {
    let serial: number | null = null;
    for (const pool of this.#pools.values()) pool.offer(event, () => (serial ??= this.#serials.take()));
  }

  /** Closes all pools. */
  close(): void {
    for (const name of this.#pools.keys()) this.remove(name);
  }
}
