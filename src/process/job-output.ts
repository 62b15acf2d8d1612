/**
 * The end of what a command writes: its pipe is read to the end, and the last bytes are kept. A flood is read and
 * dropped. It does not know when the command ends; who does asks for what there is, and the pipe is closed then,
 * whoever still has it open.
 */
import { readSync } from 'node:fs';
import { Socket } from 'node:net';

/** How much is kept; as much as Docker keeps of a check. */
export const KEPT_BYTES = 4096;
/**
 * A pipe can be made no larger than this by who may not do more (/proc/sys/fs/pipe-max-size): what an ended command has
 * written is no more.
 */
const MOST_REST_BYTES = 1024 * 1024;

/** All pipes are read into this memory: what is read is dealt with before the next read. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Our end of the output pipe of one command. */
export class JobOutput {
  readonly #fd: number;
  readonly #socket: Socket;
  #kept: Buffer = Buffer.alloc(0);
  #isOpen = true;

  /** The descriptor belongs to this object from now on. */
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
    // A failed read counts as the end: what came before it is kept.
    this.#socket.on('error', ended);
    this.#socket.on('end', ended);
    this.#socket.on('close', ended);
    this.#socket.resume();
  }

  /**
   * Reads what is in the pipe now, without waiting, closes it, and returns the end of it all. What is no UTF-8 is
   * replaced.
   */
  finish(): string {
    if (this.#isOpen) this.#readRest();
    this.#isOpen = false;
    this.#socket.destroy();
    return this.#kept.toString('utf8');
  }

  #readRest(): void {
    for (let rest = MOST_REST_BYTES; rest > 0;) {
      let count: number;
      try {
        count = readSync(this.#fd, readBuffer);
      } catch {
        // EAGAIN: it is empty, and somebody else still has it open. Whatever else keeps us from reading: there is no
        // more to be had.
        return;
      }
      if (count === 0) return;
      this.#keep(readBuffer.subarray(0, count));
      rest -= count;
    }
  }

  #keep(bytes: Buffer): void {
    // What is kept is a copy: the memory that it was read into is used again.
    this.#kept = lastBytes(Buffer.concat([this.#kept, lastBytes(bytes)]));
  }
}

function lastBytes(bytes: Buffer): Buffer {
  return bytes.subarray(Math.max(0, bytes.length - KEPT_BYTES));
}
