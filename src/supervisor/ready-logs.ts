/**
 * Watches the output of programs for a line that means ready (`ready_log`): both streams of a run, until the first
 * match. Output costs nothing after that.
 */
import type { ProcessConfig } from '../config/model.ts';
import { LinearPattern } from '../core/linear-pattern.ts';
import { STREAM_NAMES, type StreamName } from '../core/stream-name.ts';
import type { Report } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { LogChannel } from '../logs/ports.ts';

/** Called when a run is ready. */
export type ReadyListener = (id: string, run: number) => void;

/** Returns the log channel of a stream; null if the supervisor does not read it. */
export type ChannelOf = (id: string, stream: StreamName) => Pick<LogChannel, 'onBytes'> | null;

/** One run of a program. */
export interface WatchedRun {
  readonly proc: ProcessConfig;
  readonly run: number;
  readonly pid: number;
}

/** The runs that are watched. */
export class ReadyLogs {
  readonly #report: Report;
  /** Functions that end the watch of a run, by its process. */
  readonly #watches = new Map<string, () => void>();
  #listener: ReadyListener = () => undefined;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Sets the receiver. Replaces the previous one. */
  listen(listener: ReadyListener): void {
    this.#listener = listener;
  }

  /** Watches the streams of a run that has just begun, if its program has the option. */
  watch({ proc, run, pid }: WatchedRun, channelOf: ChannelOf): void {
    const id = namespecOf(proc);
    this.close(id);
    const text = proc.options.ready_log;
    if (text === null) return;
    const pattern = new LinearPattern(text);
    const unsubscribers = this.#streamsOf(proc).flatMap((stream) => {
      const scanner = pattern.scanner();
      const channel = channelOf(id, stream);
      if (channel === null) return [];
      const take = (bytes: Uint8Array, writer: number): void => {
        // A process that an earlier run has left behind may still write.
        if (writer !== pid || !scanner.read(bytes)) return;
        this.close(id);
        this.#listener(id, run);
      };
      return [channel.onBytes(take)];
    });
    if (unsubscribers.length === 0)
      this.#report(
        'warn',
        `cannot look for ready_log in the output of '${proc.name}': the supervisor does not read it`,
      );
    this.#watches.set(id, () => unsubscribers.forEach((unsubscribe) => unsubscribe()));
  }

  /** Ends the watch of a run. */
  close(id: string): void {
    this.#watches.get(id)?.();
    this.#watches.delete(id);
  }

  closeAll(): void {
    for (const id of this.#watches.keys()) this.close(id);
  }

  /** The standard output of an event listener is a protocol, with READY in its lines. */
  #streamsOf({ type }: ProcessConfig): readonly StreamName[] {
    return type === 'eventlistener' ? ['stderr'] : STREAM_NAMES;
  }
}
