/**
 * Keeps the end of a command's output. The pipe is read to its end, and the last bytes are kept. The caller knows when
 * the command has ended. It then asks for the output, and the pipe is closed even if another process still has it open.
 */
import { readSync } from 'node:fs';
import { Socket } from 'node:net';

/** Number of bytes that are kept. Docker keeps the same number for a health check. */
export const KEPT_BYTES = 4096;
/**
 * Limit for the output that an ended command has left in the pipe. Without privileges, a pipe cannot be larger
 * (/proc/sys/fs/pipe-max-size).
 */
const MAX_REMAINING_BYTES = 1024 * 1024;

/** Shared buffer for all pipes. The bytes are processed before the next read. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Our end of the output pipe of one command. */
export class JobOutput {
  readonly #fd: number;
  readonly #socket: Socket;
  #kept: Buffer = Buffer.alloc(0);
  #isOpen = true;

  /** Takes ownership of the descriptor. */
  constructor(fd: number) {
    this.#fd = fd;
    const ended = (): void => {
      this.#isOpen = false;
    };
    this.#socket = new Socket({
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer: readBuffer,
        callback: (count, buffer) => {
          this.#keep((buffer as Buffer).subarray(0, count));
          return true;
        },
      },
    });
    // A failed read counts as the end. The output before it is kept.
    this.#socket.on('error', ended);
    this.#socket.on('end', ended);
    this.#socket.on('close', ended);
    this.#socket.resume();
  }

  /** Reads the pipe without waiting, closes it, and returns the end of the output. Invalid UTF-8 is replaced. */
  finish(): string {
    if (this.#isOpen) this.#readRemaining();
    this.#isOpen = false;
    this.#socket.destroy();
    return this.#kept.toString('utf8');
  }

  #readRemaining(): void {
    for (let remaining = MAX_REMAINING_BYTES; remaining > 0;) {
      let count: number;
      try {
        count = readSync(this.#fd, readBuffer);
      } catch {
        // EAGAIN: the pipe is empty, and another process has it open. After any other error no more output can be read.
        return;
      }
      if (count === 0) return;
      this.#keep(readBuffer.subarray(0, count));
      remaining -= count;
    }
  }

  #keep(bytes: Buffer): void {
    // Copy the bytes, since the shared buffer is reused.
    this.#kept = lastBytes(Buffer.concat([this.#kept, lastBytes(bytes)]));
  }
}

function lastBytes(bytes: Buffer): Buffer {
  return bytes.subarray(Math.max(0, bytes.length - KEPT_BYTES));
}
