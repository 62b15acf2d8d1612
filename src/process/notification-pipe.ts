/**
 * The pipe of `notification_fd`: a program writes a line to it when it is ready, as with s6. Owns our end of it, and
 * reads without waiting.
 */
import { Socket } from 'node:net';

/** What became of it. Each comes at most once, and `closed` and `flooded` only without `ready`. */
export type PipeNotice =
  | { readonly kind: 'ready' }
  /** The program has closed it without a line. */
  | { readonly kind: 'closed' }
  /** It has written more than any line has, and no newline. */
  | { readonly kind: 'flooded' };

const READ_BYTES = 512;
/**
 * So much is read and thrown away, before a line and after it: s6 closes at the first newline, which ends a program by
 * SIGPIPE that writes a second one by chance. Who takes it for a log gets EPIPE in the end.
 */
const MOST_BYTES = 65_536;
const NEWLINE = 10;

/** Our end of the pipe of one run. */
export class NotificationPipe {
  readonly #socket: Socket;
  readonly #tell: (notice: PipeNotice) => void;
  #isTold = false;
  #bytes = 0;

  /** The descriptor belongs to it. `tell` is called from the loop. */
  constructor(readEnd: number, tell: (notice: PipeNotice) => void) {
    this.#tell = tell;
    this.#socket = new Socket({
      fd: readEnd,
      readable: true,
      writable: false,
      onread: { buffer: Buffer.alloc(READ_BYTES), callback: (count, buffer) => this.#take(buffer.subarray(0, count)) },
    });
    // A read that fails is an end too.
    this.#socket.on('error', () => this.#say({ kind: 'closed' }));
    this.#socket.on('end', () => this.#say({ kind: 'closed' }));
    this.#socket.resume();
  }

  /** Lets go of it; nothing is told any more. */
  close(): void {
    this.#isTold = true;
    this.#socket.destroy();
  }

  /** Returns whether to read on. */
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
