/**
 * The part of a log that clients read: the latest bytes in memory, and listeners that get every byte. This file writes
 * to no destination; the sinks do that.
 */
import type { BytesListener, TailSlice } from './ports.ts';
import { Tail } from './tail.ts';

/** A log with a tail and listeners. */
export abstract class ReadableLog {
  #tail: Tail;
  #tailBytes: number;
  readonly #listeners = new Set<BytesListener>();

  /** @param tailBytes size of the tail */
  constructor(tailBytes: number) {
    this.#tail = new Tail(tailBytes);
    this.#tailBytes = tailBytes;
  }

  tail(offset: number, length: number): TailSlice {
    return this.#tail.tail(offset, length);
  }

  readLog(offset: number, length: number): Buffer | null {
    return this.#tail.read(offset, length);
  }

  onBytes(listener: BytesListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps bytes in the tail and gives them to the listeners; `pid` is the process that wrote them. */
  protected keep(bytes: Buffer, pid: number): void {
    this.#tail.push(bytes, 0, bytes.length);
    for (const listener of this.#listeners) listener(bytes, pid);
  }

  /** Gives the tail another size in bytes. The latest bytes stay. */
  protected resizeTail(tailBytes: number): void {
    if (tailBytes === this.#tailBytes) return;
    this.#tail = this.#tail.resized(tailBytes);
    this.#tailBytes = tailBytes;
  }

  protected clearTail(): void {
    this.#tail.clear();
  }
}
