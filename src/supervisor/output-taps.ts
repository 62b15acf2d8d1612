/**
 * Taps on the output of programs. A tap creates PROCESS_LOG and PROCESS_COMMUNICATION events of one stream. It exists
 * only while an event listener subscribes to these events, so other output costs nothing.
 */
import type { ProcessConfig } from '../config/model.ts';
import type { SupervisorEvent } from '../core/event-payload.ts';
import type { EventType } from '../core/event-types.ts';
import { STREAM_NAMES, type StreamName } from '../core/stream-name.ts';
import { OutputTap, type TapPlan } from '../events/output-tap.ts';
import type { ProgramStreams } from './program-streams.ts';

/** An event with output of a program. */
export type OutputEvent = Extract<SupervisorEvent, { readonly bytes: Uint8Array }>;

/** Parts of {@link OutputTaps}. */
export interface OutputTapsParts {
  readonly streams: Pick<ProgramStreams, 'channel'>;
  /** True if a listener subscribes to the events of a type. */
  readonly wants: (type: EventType) => boolean;
  /** Takes the events of a process. */
  readonly take: (id: string, event: OutputEvent) => void;
}

/** The taps of all programs of one configuration. */
export class OutputTaps {
  readonly #parts: OutputTapsParts;
  /** By process and stream. */
  readonly #taps = new Map<string, { readonly plan: TapPlan; readonly tap: OutputTap }>();

  constructor(parts: OutputTapsParts) {
    this.#parts = parts;
  }

  /** Opens and closes taps, so that they match the processes (by id) and the subscriptions of the listeners. */
  update(processes: ReadonlyMap<string, ProcessConfig>): void {
    for (const [id, proc] of processes) this.follow(id, proc);
  }

  /** Opens and closes the taps of one process. */
  follow(id: string, proc: ProcessConfig): void {
    for (const stream of STREAM_NAMES) {
      const key = keyOf(id, stream);
      const plan = this.#planOf(proc, stream);
      const known = this.#taps.get(key)?.plan;
      if (known?.log !== plan.log || known.communication !== plan.communication) this.#close(key);
      if (!this.#taps.has(key)) this.#open(id, proc, stream, plan);
    }
  }

  /** Closes the taps of a process that is removed. */
  leave(id: string): void {
    for (const stream of STREAM_NAMES) this.#close(keyOf(id, stream));
  }

  /** True if a stream of the process has a tap. */
  has(id: string): boolean {
    return STREAM_NAMES.some((stream) => this.#taps.has(keyOf(id, stream)));
  }

  /** Publishes events for the output that the taps of a process still hold. */
  flush(id: string): void {
    for (const stream of STREAM_NAMES) this.#taps.get(keyOf(id, stream))?.tap.flush();
  }

  /** Closes all taps. */
  close(): void {
    for (const key of this.#taps.keys()) this.#close(key);
  }

  #open(id: string, proc: ProcessConfig, stream: StreamName, plan: TapPlan): void {
    const channel = this.#parts.streams.channel(id, stream);
    if (channel === null || !(plan.log || plan.communication)) return;
    const source = { process: proc.name, group: proc.group };
    const tap = new OutputTap(channel, source, plan, (event) => this.#parts.take(id, event));
    this.#taps.set(keyOf(id, stream), { plan, tap });
  }

  #close(key: string): void {
    this.#taps.get(key)?.tap.close();
    this.#taps.delete(key);
  }

  /**
   * Plans the tap of a stream. The standard output of an event listener is a protocol, and listeners have no capture
   * mode.
   */
  #planOf({ type, options }: ProcessConfig, stream: StreamName): TapPlan {
    const isListener = type === 'eventlistener';
    const suffix = stream === 'stdout' ? 'STDOUT' : 'STDERR';
    return {
      log:
        !(isListener && stream === 'stdout') &&
        options[`${stream}_events_enabled`] &&
        this.#parts.wants(`PROCESS_LOG_${suffix}`),
      communication:
        !isListener &&
        options[`${stream}_capture_maxbytes`] > 0 &&
        this.#parts.wants(`PROCESS_COMMUNICATION_${suffix}`),
    };
  }
}

function keyOf(id: string, stream: StreamName): string {
  return `${id} ${stream}`;
}
