/**
 * The connections of one server: how many there are, which are idle, which request is answered next. Knows sockets, no
 * HTTP.
 *
 * Invariants: the requests of a connection are taken one after the other; a connection with a request is never closed
 * to make room; one that has not completed its first request in time is given up.
 */
import type { Socket } from 'node:net';
import type { ServerLimits } from './limits.ts';

interface ClientConnection {
  /** Requests received and not yet answered. */
  pending: number;
  /** Settles when the latest of them is answered. */
  latest: Promise<void>;
  /** Runs until the first request is there. */
  readonly timer: NodeJS.Timeout;
}

/** Keeps the connections of one server. */
export class ClientConnections {
  readonly #limits: ServerLimits;
  /** In the order in which they became idle, or came. */
  readonly #connections = new Map<Socket, ClientConnection>();
  #isClosing = false;

  constructor(limits: ServerLimits) {
    this.#limits = limits;
  }

  /**
   * Takes in a new connection, or closes it where there is no room. `giveUp` is called when its first request takes too
   * long.
   */
  add(socket: Socket, giveUp: (socket: Socket) => void): void {
    if (this.#isClosing || (this.#connections.size >= this.#limits.connections && !this.#evict())) {
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => giveUp(socket), this.#limits.headerMs);
    const connection: ClientConnection = { pending: 0, latest: Promise.resolve(), timer };
    this.#connections.set(socket, connection);
    socket.once('close', () => {
      clearTimeout(connection.timer);
      this.#connections.delete(socket);
    });
  }

  /**
   * Runs `answer`, whose promise never rejects, when the requests before it on this connection are answered; not at all
   * when the connection is gone by then.
   */
  enqueue(socket: Socket, answer: () => Promise<void>): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    clearTimeout(connection.timer);
    if (connection.pending >= this.#limits.pipelined) {
      socket.destroy();
      return;
    }
    connection.pending += 1;
    connection.latest = connection.latest
      .then(() => (socket.destroyed ? undefined : answer()))
      .then(() => this.#answered(socket, connection));
  }

  /** Whether a request of this connection is being answered. */
  isBusy(socket: Socket): boolean {
    return (this.#connections.get(socket)?.pending ?? 0) > 0;
  }

  /** Takes no more connections, and closes each as soon as it is idle. */
  drain(): void {
    this.#isClosing = true;
    for (const [socket, { pending }] of this.#connections) if (pending === 0) socket.destroy();
  }

  /** Closes all. */
  destroy(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  #answered(socket: Socket, connection: ClientConnection): void {
    connection.pending -= 1;
    if (connection.pending > 0 || !this.#connections.delete(socket)) return;
    this.#connections.set(socket, connection);
    if (this.#isClosing) socket.destroySoon();
  }

  /** Closes the longest idle connection; false when all are busy. */
  #evict(): boolean {
    for (const [socket, { pending }] of this.#connections) {
      if (pending > 0) continue;
      this.#connections.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }
}
