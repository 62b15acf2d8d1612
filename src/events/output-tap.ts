/**
 * Makes events of the output of one stream of one process: PROCESS_LOG of the output, and PROCESS_COMMUNICATION of the
 * captured sections. A tap exists only while a pool subscribes to such events.
 */
import type { EventSource, SupervisorEvent } from '../core/event-payload.ts';
import type { StreamName } from '../core/stream-name.ts';
import { countSplitBytes } from '../core/utf8.ts';
import type { LogChannel } from '../logs/ports.ts';

/** Kinds of events to make. */
export interface TapPlan {
  readonly log: boolean;
  readonly communication: boolean;
}

/** Makes events of the output of one stream of one process. */
export class OutputTap {
  readonly #source: EventSource;
  readonly #stream: StreamName;
  readonly #publish: (event: Extract<SupervisorEvent, { readonly bytes: Uint8Array }>) => void;
  readonly #unsubscribers: Array<() => void> = [];
  /** Beginning of a UTF-8 character that two reads cut apart, with the pid of its writer. */
  #split: { readonly pid: number; readonly bytes: Uint8Array } | null = null;

  constructor(
    channel: LogChannel,
    source: EventSource,
    plan: TapPlan,
    publish: (event: Extract<SupervisorEvent, { readonly bytes: Uint8Array }>) => void,
  ) {
    this.#source = source;
    this.#stream = channel.spec.stream;
    this.#publish = publish;
    if (plan.log) this.#unsubscribers.push(channel.onBytes((bytes, pid) => this.#take(bytes, pid)));
    if (plan.communication)
      this.#unsubscribers.push(
        channel.onCapture((bytes, pid) => this.#publishBytes('communication', Uint8Array.from(bytes), pid)),
      );
  }

  /** Publishes bytes that are held back, because the process has ended. */
  flush(): void {
    const split = this.#split;
    this.#split = null;
    if (split !== null) this.#publishBytes('log', split.bytes, split.pid);
  }

  /** Stops making events. */
  close(): void {
    for (const unsubscribe of this.#unsubscribers) unsubscribe();
    this.#split = null;
  }

  /**
   * Publishes an event for each read, as Supervisor does. A character that two reads cut apart goes whole into the
   * second event. In Supervisor, both events would be undecodable.
   */
  #take(bytes: Uint8Array, pid: number): void {
    if (this.#split !== null && this.#split.pid !== pid) this.flush();
    const before = this.#split?.bytes ?? new Uint8Array();
    const whole = new Uint8Array(before.length + bytes.length);
    whole.set(before);
    whole.set(bytes, before.length);
    const end = whole.length - countSplitBytes(whole);
    this.#split = end === whole.length ? null : { pid, bytes: whole.slice(end) };
    if (end > 0) this.#publishBytes('log', whole.subarray(0, end), pid);
  }

  #publishBytes(kind: 'log' | 'communication', bytes: Uint8Array, pid: number): void {
    this.#publish({ kind, ...this.#source, stream: this.#stream, pid, bytes });
  }
}
