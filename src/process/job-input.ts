/** Writes a text to the standard input of a command, and closes it. A command that does not read is no error. */
import { Socket } from 'node:net';

/** Our end of the input pipe of one command. */
export class JobInput {
  readonly #socket: Socket;

  /** Takes ownership of the descriptor. */
  constructor(fd: number, text: string) {
    this.#socket = new Socket({ fd, readable: false, writable: true });
    // EPIPE: the command has ended, or has closed its input. Its exit status tells whether that was right.
    this.#socket.on('error', () => undefined);
    this.#socket.end(text);
  }

  /** Closes the pipe, whatever is still unread. */
  close(): void {
    this.#socket.destroy();
  }
}
