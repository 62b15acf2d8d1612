/**
 * Reads a pipe, or the master of a pseudo terminal (`tty`), in the event loop. Node's own streams take 2.5 kB of memory
 * for each pipe. For a terminal they are of no use: on the hang-up of the last writer they end after one read, and one
 * read brings at most 4 KiB of what the terminal holds.
 */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { LogNatives } from './ports.ts';

/**
 * Most bytes that a terminal holds: 4 KiB in its line discipline, and 8 KiB (plus the last buffer) in front of that
 * (`pty_common_install` and N_TTY_BUF_SIZE in Linux), rounded up.
 */
export const TERMINAL_BYTES = 64 * 1024;

/** Number of full buffers that are read from one pipe in a turn of the loop. Other pipes must have their turn. */
const READS_PER_TURN = 8;

const NO_BYTES_YET = -constants.errno.EAGAIN;

/**
 * True for a result of `readNow` that means the end: end of file, or an error. A read of a master fails with EIO when
 * no process has the slave any more (pty(7)).
 */
export function isEnd(count: number): boolean {
  return count <= 0 && count !== NO_BYTES_YET;
}

/** Receiver of the bytes. */
export interface ReaderListener {
  /** Memory for the bytes of a read. */
  readonly buffer: Buffer;
  /** Takes the bytes at the start of the buffer. Returns false if reading must pause. */
  takeRead(count: number): boolean;
  /** Reports that no process can write any more. */
  reachedEnd(): void;
  /** Reports that the kernel refuses to watch the descriptor. The reader is paused then. */
  watchFailed(error: unknown): void;
}

/** The readers that read, by descriptor. One function serves all watches: a function for each takes 200 bytes. */
const readers: Array<DescriptorReader | undefined> = [];
const readReady = (_errno: number, fd: number): void => readers[fd]?.readReady();

/** The reading of one descriptor. */
export class DescriptorReader {
  readonly #fd: number;
  readonly #natives: LogNatives;
  readonly #listener: ReaderListener;
  /** True for a terminal. Its reads are collected in the buffer, because each of them brings little. */
  readonly #isTerminal: boolean;
  #isReading = false;
  #isDestroyed = false;

  /** `fd` belongs to the reader. */
  constructor(fd: number, isTerminal: boolean, natives: LogNatives, listener: ReaderListener) {
    this.#fd = fd;
    this.#isTerminal = isTerminal;
    this.#natives = natives;
    this.#listener = listener;
  }

  /** True after the descriptor was closed. */
  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  /** Reads whenever there are bytes, from now on. */
  resume(): void {
    if (this.#isReading || this.#isDestroyed) return;
    try {
      this.#natives.watchReadable(this.#fd, readReady);
    } catch (error) {
      return this.#listener.watchFailed(error);
    }
    this.#isReading = true;
    readers[this.#fd] = this;
  }

  pause(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    readers[this.#fd] = undefined;
    this.#natives.unwatchReadable(this.#fd);
  }

  /** Reads the bytes that are there. Called by the watch. */
  readReady(): void {
    if (this.#isTerminal) this.#readTerminal();
    else this.#readPipe();
  }

  /** Closes the descriptor. */
  destroy(): void {
    if (this.#isDestroyed) return;
    this.pause();
    this.#isDestroyed = true;
    closeSync(this.#fd);
  }

  /** A read that does not fill the buffer has emptied the pipe. */
  #readPipe(): void {
    const { buffer } = this.#listener;
    for (let reads = 0; reads < READS_PER_TURN && this.#isReading; reads++) {
      const count = this.#natives.readNow(this.#fd, buffer);
      if (isEnd(count)) return this.#listener.reachedEnd();
      if (count > 0 && !this.#listener.takeRead(count)) return this.pause();
      if (count < buffer.length) return;
    }
  }

  /** Fills the buffer, and passes the bytes on as one block. */
  #readTerminal(): void {
    const { buffer } = this.#listener;
    let filled = 0;
    let count = 1;
    while (count > 0 && filled < buffer.length) {
      count = this.#natives.readNow(this.#fd, buffer.subarray(filled));
      if (count > 0) filled += count;
    }
    if (filled > 0 && !this.#listener.takeRead(filled)) return this.pause();
    // A paused reader meets the end again when it continues.
    if (isEnd(count)) this.#listener.reachedEnd();
  }
}
