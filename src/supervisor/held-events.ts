/**
 * The order of the events of one process: the events of its last output come before the event of its end, as in
 * Supervisor, which reads the remaining output first. Events that come too early are held.
 */
import type { StateEvent, SupervisorEvent } from '../core/event-payload.ts';
import { STREAM_NAMES } from '../core/stream-name.ts';
import type { Clock } from '../engine/ports.ts';
import { type OutputEvent, type OutputTaps } from './output-taps.ts';
import type { ProgramStreams } from './program-streams.ts';

/** Maximum time that the end of a run waits for its remaining output. A log may stall. */
const DRAIN_MS = 1000;

/** Parts of {@link HeldEvents}. */
export interface HeldEventsParts {
  readonly clock: Clock;
  readonly streams: Pick<ProgramStreams, 'channel'>;
  readonly taps: Pick<OutputTaps, 'has' | 'flush'>;
  readonly publish: (event: SupervisorEvent) => void;
  /** Called when the events of a process have been released. */
  readonly released: () => void;
}

/** The events of a process whose run has ended, until its output has been read. */
interface EndedRun {
  readonly pid: number;
  readonly events: SupervisorEvent[];
}

/** The held events of all processes. */
export class HeldEvents {
  readonly #parts: HeldEventsParts;
  readonly #ended = new Map<string, EndedRun>();
  #isClosed = false;

  constructor(parts: HeldEventsParts) {
    this.#parts = parts;
  }

  /** True if no event is held. */
  get isEmpty(): boolean {
    return this.#ended.size === 0;
  }

  /** Takes a change of state. `endedPid` is the pid of the run that has ended with the change; null for none. */
  takeState(id: string, endedPid: number | null, event: StateEvent): void {
    const ended = this.#ended.get(id);
    if (ended !== undefined) {
      ended.events.push(event);
    } else if (endedPid === null || !this.#parts.taps.has(id)) {
      this.#parts.publish(event);
    } else {
      this.#ended.set(id, { pid: endedPid, events: [event] });
      this.afterOutput(id, () => this.release(id));
    }
  }

  /** Takes output. Output of the ended run is published at once, output of the next run is held. */
  takeOutput(id: string, event: OutputEvent): void {
    const ended = this.#ended.get(id);
    if (ended === undefined || ended.pid === event.pid) this.#parts.publish(event);
    else ended.events.push(event);
  }

  /** Publishes the held events of a process, after the output that its taps still hold. */
  release(id: string): void {
    this.#parts.taps.flush(id);
    const ended = this.#ended.get(id);
    this.#ended.delete(id);
    for (const event of ended?.events ?? []) this.#parts.publish(event);
    this.#parts.released();
  }

  /** Calls back when all output that a process has written so far has been read, or after {@link DRAIN_MS}. */
  afterOutput(id: string, then: () => void): void {
    const { clock, streams } = this.#parts;
    const drained = STREAM_NAMES.flatMap((stream) => streams.channel(id, stream)?.drained() ?? []);
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.alarm(clock.nowMs() + DRAIN_MS, resolve);
    void Promise.race([promise, Promise.allSettled(drained)]).then(() => {
      cancel();
      if (!this.#isClosed) then();
    });
  }

  /** Drops all held events. */
  close(): void {
    this.#isClosed = true;
    this.#ended.clear();
  }
}
