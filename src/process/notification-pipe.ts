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
  /** The program has written {@link MAX_DROPPED_BYTES} without a newline. */
  | { readonly kind: 'flooded' };

const READ_BYTES = 512;
/**
 * Number of bytes that are read and dropped. s6 closes the pipe at the first newline, and a program that then writes
 * another line by chance gets SIGPIPE. A program that uses the pipe as a log gets EPIPE here after this many bytes.
 */
const MAX_DROPPED_BYTES = 65_536;
const NEWLINE = 10;

/** Our end of the pipe of one run. */
export class NotificationPipe {
  readonly #socket: Socket;
  readonly #notify: (notice: PipeNotice) => void;
  #isReported = false;
  #bytes = 0;

  /** Takes ownership of the descriptor. Calls `tell` from the loop. */
  constructor(readEnd: number, tell: (notice: PipeNotice) => void) {
    this.#notify = tell;
    this.#socket = new Socket({
      fd: readEnd,
      readable: true,
      writable: false,
      onread: { buffer: Buffer.alloc(READ_BYTES), callback: (count, buffer) => this.#take(buffer.subarray(0, count)) },
    });
    // A failed read counts as the end.
    this.#socket.on('error', () => this.#report({ kind: 'closed' }));
    this.#socket.on('end', () => this.#report({ kind: 'closed' }));
    this.#socket.resume();
  }

  /** Closes the pipe. No notice comes afterwards. */
  close(): void {
    this.#isReported = true;
    this.#socket.destroy();
  }

  /** Takes bytes. Returns true to read on. */
  #take(bytes: Uint8Array): boolean {
    this.#bytes += bytes.length;
    if (bytes.includes(NEWLINE)) this.#report({ kind: 'ready' });
    if (this.#bytes < MAX_DROPPED_BYTES) return !this.#socket.destroyed;
    this.#report({ kind: 'flooded' });
    this.close();
    return false;
  }

  #report(notice: PipeNotice): void {
    if (this.#isReported) return;
    this.#isReported = true;
    this.#notify(notice);
  }
}
