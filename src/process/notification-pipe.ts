/**
 * The pipe of `notification_fd`: a program writes a line to it when it is ready, as with s6. Owns our end, and reads
 * without waiting.
 */
import { Socket } from 'node:net';

/** Notice of a pipe. Each kind comes at most once; `closed` and `flooded` only without `ready`. */
export type PipeNotice =
  | { readonly kind: 'ready' }
  /** The program has closed the pipe without a line. */
  | { readonly kind: 'closed' }
  /** The program has written {@link MOST_BYTES} without a newline. */
  | { readonly kind: 'flooded' };

const READ_BYTES = 512;
/**
 * Number of bytes that are read and dropped. s6 closes the pipe at the first newline, and a program that then writes
 * another line by chance gets SIGPIPE. A program that uses the pipe as a log gets EPIPE here after this many bytes.
 */
const MOST_BYTES = 65_536;
const NEWLINE = 10;

/** Our end of the pipe of one run. */
export class NotificationPipe {
  readonly #socket: Socket;
  readonly #tell: (notice: PipeNotice) => void;
  #isTold = false;
  #bytes = 0;

  /** Takes ownership of the descriptor. Calls `tell` from the loop. */
  constructor(readEnd: number, tell: (notice: PipeNotice) => void) {
    this.#tell = tell;
    this.#socket = new Socket({
      fd: readEnd,
      readable: true,
      writable: false,
      onread: { buffer: Buffer.alloc(READ_BYTES), callback: (count, buffer) => this.#take(buffer.subarray(0, count)) },
    });
    // A failed read counts as the end.
    this.#socket.on('error', () => this.#say({ kind: 'closed' }));
    this.#socket.on('end', () => this.#say({ kind: 'closed' }));
    this.#socket.resume();
  }

  /** Closes the pipe. No notice comes afterwards. */
  close(): void {
    this.#isTold = true;
    this.#socket.destroy();
  }

  /** Takes bytes. Returns true to read on. */
  #take(bytes: Uint8Array): boolean {
    this.#bytes += bytes.length;
    if (bytes.includes(NEWLINE)) this.#say({ kind: 'ready' });
    if (this.#bytes < MOST_BYTES) return !this.#socket.destroyed;
    this.#say({ kind: 'flooded' });
    this.close();
    return false;
  }

  #say(notice: PipeNotice): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#tell(notice);
  }
}
