/**
 * Counts the output of one channel for the metrics. The cost is one call of the addon for each block, about 0.1 ns for
 * a byte, whether the lines are long or short.
 */
import { countLines } from './count-lines.ts';
import type { ChannelCounts, LogNatives } from './ports.ts';
import type { Sink } from './sink.ts';

const NEWLINE_BYTE = 0x0a;
/** Blocks of this size or less are counted here: a call of the addon takes longer. */
const SMALL_BYTES = 128;

/** Counts lines, bytes, and dropped lines. */
export class OutputCounter {
  readonly #natives: Pick<LogNatives, 'countNewlines'>;
  #lines = 0;
  #bytes = 0;
  /** Pipes whose last line has not ended. Null: there was none yet. */
  #open: Set<object> | null = null;
  #sinks: readonly Sink[];
  /** Lines that the former sinks dropped, less those that the present ones had dropped before. */
  #droppedOffset: number;

  /** `droppedBefore`: lines that the sinks had dropped before the channel used them. */
  constructor(natives: Pick<LogNatives, 'countNewlines'>, sinks: readonly Sink[], droppedBefore: number) {
    this.#natives = natives;
    this.#sinks = sinks;
    this.#droppedOffset = 0 - droppedBefore;
  }

  get counts(): ChannelCounts {
    return { lines: this.#lines, bytes: this.#bytes, droppedLines: this.#droppedOffset + droppedBy(this.#sinks) };
  }

  /** Counts a block of one pipe, which is not empty. A line counts when it ends. */
  count(bytes: Buffer, pipe: object): void {
    this.#bytes += bytes.length;
    this.#lines += bytes.length <= SMALL_BYTES ? countLines(bytes, false) : this.#natives.countNewlines(bytes);
    if (bytes[bytes.length - 1] !== NEWLINE_BYTE) (this.#open ??= new Set()).add(pipe);
    else this.#open?.delete(pipe);
  }

  /** Counts the last line of a pipe that has ended, if it had no newline. */
  end(pipe: object): void {
    if (this.#open?.delete(pipe) === true) this.#lines++;
  }

  /** Counts the drops of other sinks from now on. */
  use(sinks: readonly Sink[]): void {
    this.#droppedOffset += droppedBy(this.#sinks) - droppedBy(sinks);
    this.#sinks = sinks;
  }
}

/** Returns the number of lines that the sinks have dropped. */
export function droppedBy(sinks: readonly Sink[]): number {
  return sinks.reduce((sum, sink) => sum + sink.droppedLines, 0);
}
