/**
 * Makes events of what one stream of one process says: PROCESS_LOG of its output, PROCESS_COMMUNICATION of what it says
 * in capture mode. It exists only while somebody subscribes to them.
 */
import type { EventSource, SupervisorEvent } from '../core/event-payload.ts';
import { countSplitBytes } from '../core/utf8.ts';
import type { LogChannel, StreamName } from '../logs/ports.ts';

/** Which events are made. */
export interface TapPlan {
  readonly log: boolean;
  readonly communication: boolean;
}

/** See the head of this file. */
export class OutputTap {
  readonly #source: EventSource;
  readonly #stream: StreamName;
  readonly #publish: (event: Extract<SupervisorEvent, { readonly bytes: Uint8Array }>) => void;
  readonly #endings: Array<() => void> = [];
  /** The beginning of a character that a read has cut in two, and whose it is. */
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
    if (plan.log) this.#endings.push(channel.onBytes((bytes, pid) => this.#take(bytes, pid)));
    if (plan.communication)
      this.#endings.push(channel.onCapture((bytes, pid) => this.#tell('communication', Uint8Array.from(bytes), pid)));
  }

  /** Tells what is held back: the process has ended. */
  flush(): void {
    const split = this.#split;
    this.#split = null;
    if (split !== null) this.#tell('log', split.bytes, split.pid);
  }

  /** Ends it. */
  close(): void {
    for (const end of this.#endings) end();
    this.#split = null;
  }

  /**
   * Supervisor makes an event of each read, and of a character that is cut in two events that cannot be decoded; its
   * bytes are kept together here.
   */
  #take(bytes: Uint8Array, pid: number): void {
    if (this.#split !== null && this.#split.pid !== pid) this.flush();
    const before = this.#split?.bytes ?? new Uint8Array();
    const whole = new Uint8Array(before.length + bytes.length);
    whole.set(before);
    whole.set(bytes, before.length);
    const end = whole.length - countSplitBytes(whole);
    this.#split = end === whole.length ? null : { pid, bytes: whole.slice(end) };
    if (end > 0) this.#tell('log', whole.subarray(0, end), pid);
  }

  #tell(kind: 'log' | 'communication', bytes: Uint8Array, pid: number): void {
    this.#publish({ kind, ...this.#source, stream: this.#stream, pid, bytes });
  }
}
