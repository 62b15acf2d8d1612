/**
 * Reads the master of a pseudo terminal (`tty`). Node's own stream for terminals is of no use here: on the hang-up of
 * the last writer it ends after one read, and one read brings at most 4 KiB of what the terminal holds.
 */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { LogNatives } from './ports.ts';

/**
 * Most bytes that a terminal holds: 4 KiB in its line discipline, and 8 KiB (plus the last buffer) in front of that
 * (`pty_common_install` and N_TTY_BUF_SIZE in Linux), rounded up.
 */
export const TERMINAL_BYTES = 64 * 1024;

const NO_BYTES_YET = -constants.errno.EAGAIN;

/**
 * True for a result of `readNow` that means the end: end of file, or an error. A read of a master fails with EIO when
 * no process has the slave any more (pty(7)).
 */
export function isEnd(count: number): boolean {
  return count <= 0 && count !== NO_BYTES_YET;
}

/** Receiver of the bytes of a terminal. */
export interface TerminalListener {
  /** Takes bytes at the start of the buffer. Returns false if reading must pause. */
  take(count: number): boolean;
  /** Tells that no process can write any more. */
  ended(): void;
}

/** The reading of one master, with the parts of a socket that an intake uses. */
export class TerminalReader {
  readonly #fd: number;
  readonly #buffer: Buffer;
  readonly #natives: LogNatives;
  readonly #listener: TerminalListener;
  #isReading = false;
  #isDestroyed = false;

  /** `fd` must not block, and belongs to the reader. `buffer`: shared memory for the bytes of a read. */
  constructor(fd: number, buffer: Buffer, natives: LogNatives, listener: TerminalListener) {
    this.#fd = fd;
    this.#buffer = buffer;
    this.#natives = natives;
    this.#listener = listener;
  }

  get destroyed(): boolean {
    return this.#isDestroyed;
  }

  resume(): void {
    if (this.#isReading || this.#isDestroyed) return;
    this.#isReading = true;
    this.#natives.watchReadable(this.#fd, () => this.#read());
  }

  pause(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#natives.unwatchReadable(this.#fd);
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.pause();
    this.#isDestroyed = true;
    closeSync(this.#fd);
  }

  /** Fills the buffer, because each read brings little, and passes the bytes on as one block. */
  #read(): void {
    let filled = 0;
    let count = 1;
    while (count > 0 && filled < this.#buffer.length) {
      count = this.#natives.readNow(this.#fd, this.#buffer.subarray(filled));
      if (count > 0) filled += count;
    }
    if (filled > 0 && !this.#listener.take(filled)) return this.pause();
    // A paused reader meets the end again when it continues.
    if (isEnd(count)) this.#listener.ended();
  }
}
