/**
 * The part of a log that clients read: the latest bytes in memory, and listeners that get every byte. This file writes
 * to no destination; the sinks do that.
 */
import type { Sequence } from '../core/sequence.ts';
import type { LineReader } from './line-reader.ts';
import type { BytesListener, LogClock, TailSlice } from './ports.ts';
import { Tail } from './tail.ts';

/** Parts for the time and the number of output, shared by all logs of a supervisor. */
export interface StampParts {
  readonly sequence: Sequence;
  readonly clock: Pick<LogClock, 'wallMs'>;
  readonly lineReader: Pick<LineReader, 'announce' | 'isFollowed' | 'touch'>;
}

/** Shared by the many logs without a listener. */
const NO_LISTENERS: readonly BytesListener[] = [];

/** A log with a tail and listeners. */
export abstract class ReadableLog {
  readonly #stamps: StampParts;
  /** Null until the first bytes, or the first reader. */
  #tail: Tail | null = null;
  #tailBytes: number;
  #listeners: readonly BytesListener[] = NO_LISTENERS;

  /** @param tailBytes size of the tail */
  constructor(tailBytes: number, stamps: StampParts) {
    this.#stamps = stamps;
    this.#tailBytes = tailBytes;
  }

  get memory(): Tail {
    this.#tail ??= new Tail(this.#tailBytes);
    return this.#tail;
  }

  tail(offset: number, length: number): TailSlice {
    return this.memory.tail(offset, length);
  }

  readLog(offset: number, length: number): Buffer | null {
    return this.memory.read(offset, length);
  }

  onBytes(listener: BytesListener): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  /** Stamps bytes, keeps them in the tail and gives them to the listeners; `pid` is the process that wrote them. */
  protected keep(bytes: Buffer, pid: number): void {
    const { sequence, clock, lineReader } = this.#stamps;
    const { memory } = this;
    // A client that follows reads each part before the next one overwrites it.
    const step = lineReader.isFollowed(memory) ? Math.max(1, memory.limit) : bytes.length;
    for (let at = 0; at < bytes.length; at += step) {
      const part = bytes.subarray(at, at + step);
      lineReader.announce(memory, part.length);
      memory.push(part, { seq: sequence.take(part.length), wallMs: clock.wallMs(), pid });
    }
    lineReader.touch();
    for (const listener of this.#listeners) listener(bytes, pid);
  }

  /** Gives the tail another size in bytes. The latest bytes stay. */
  protected resizeTail(tailBytes: number): void {
    if (tailBytes === this.#tailBytes) return;
    if (this.#tail !== null) this.#tail = this.#tail.resized(tailBytes);
    this.#tailBytes = tailBytes;
  }

  protected clearTail(): void {
    this.#tail?.clear();
  }
}
