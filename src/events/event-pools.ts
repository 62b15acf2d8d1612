/**
 * All pools of listeners at work, and the way of an event to them. What nobody subscribes to costs a look at a table.
 * The numbers of events go on for as long as the supervisor lives, also when it is reloaded.
 */
import type { SupervisorEvent } from '../core/event-payload.ts';
import { type EventType, isWanted } from '../core/event-types.ts';
import type { ListenerPool } from './listener-pool.ts';

/** Numbers from 0 up: `serial` of the header. */
export class Serials {
  #next = 0;

  take(): number {
    return this.#next++;
  }
}

/** See the head of this file. */
export class EventPools {
  readonly #serials: Serials;
  readonly #pools = new Map<string, ListenerPool>();

  constructor(serials: Serials) {
    this.#serials = serials;
  }

  add(name: string, pool: ListenerPool): void {
    this.#pools.set(name, pool);
  }

  /** Ends a pool. False when there is none of that name. */
  remove(name: string): boolean {
    this.#pools.get(name)?.close();
    return this.#pools.delete(name);
  }

  get(name: string): ListenerPool | undefined {
    return this.#pools.get(name);
  }

  /** Whether any pool subscribes to events of a type. */
  wants(type: EventType): boolean {
    return [...this.#pools.values()].some(({ wanted }) => isWanted(type, wanted));
  }

  /** Whether no pool has an event that one of its listeners could still take. */
  get isIdle(): boolean {
    return [...this.#pools.values()].every(({ isIdle }) => isIdle);
  }

  /** Gives an event to every pool that subscribes to it. compat: an event that nobody wants has no number. */
  publish(event: SupervisorEvent): void {
    let serial: number | null = null;
    for (const pool of this.#pools.values()) pool.offer(event, () => (serial ??= this.#serials.take()));
  }

  /** Ends all pools. */
  close(): void {
    for (const name of this.#pools.keys()) this.remove(name);
  }
}
