/**
 * The connections of one server: their number, the idle ones, and the queue of requests of each. Knows sockets, no
 * HTTP.
 *
 * Invariants: the requests of a connection are answered one after the other. A connection with a whole request is never
 * closed for a new connection. A connection that has not sent its first request in time is closed.
 */
import type { Socket } from 'node:net';
import type { ServerLimits } from './limits.ts';

interface ClientConnection {
  /** Number of requests that are not answered yet. */
  pending: number;
  /** True while the body of a request is awaited. */
  isReading: boolean;
  /** Resolves when the latest of these requests is answered. */
  latest: Promise<void>;
  /** Limits the time until the first request. */
  readonly timer: NodeJS.Timeout;
}

/** The connections of one server. */
export class ClientConnections {
  readonly #limits: ServerLimits;
  /** In the order in which they were opened or became idle. */
  readonly #connections = new Map<Socket, ClientConnection>();
  #isClosing = false;

  constructor(limits: ServerLimits) {
    this.#limits = limits;
  }

  /**
   * Adds a new connection, or closes it if the limit is reached and all connections wait for answers. `giveUp` is
   * called when the first request takes too long.
   */
  add(socket: Socket, giveUp: (socket: Socket) => void): void {
    if (this.#isClosing || (this.#connections.size >= this.#limits.connections && !this.#evict())) {
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => giveUp(socket), this.#limits.headerMs);
    const connection: ClientConnection = { pending: 0, isReading: false, latest: Promise.resolve(), timer };
    this.#connections.set(socket, connection);
    socket.once('close', () => {
      clearTimeout(connection.timer);
      this.#connections.delete(socket);
    });
  }

  /**
   * Runs `answer` after the earlier requests of this connection, unless the connection is closed by then. The promise
   * of `answer` must never reject.
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

  /** Reads the body of a request. A client that sends it slowly must not keep others away. */
  async whileReading<T>(socket: Socket, read: () => Promise<T>): Promise<T> {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return read();
    connection.isReading = true;
    try {
      return await read();
    } finally {
      connection.isReading = false;
    }
  }

  /** True if a request of this connection is being answered. */
  isBusy(socket: Socket): boolean {
    return (this.#connections.get(socket)?.pending ?? 0) > 0;
  }

  /** Accepts no more connections, and closes each when it becomes idle. */
  drain(): void {
    this.#isClosing = true;
    for (const [socket, { pending }] of this.#connections) if (pending === 0) socket.destroy();
  }

  /** Closes all connections. */
  destroy(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  #answered(socket: Socket, connection: ClientConnection): void {
    connection.pending -= 1;
    if (connection.pending > 0 || !this.#connections.delete(socket)) return;
    this.#connections.set(socket, connection);
    if (this.#isClosing) socket.destroySoon();
  }

  /**
   * Closes the connection that has been without a whole request for the longest time. Returns false if all are busy. An
   * idle one is not closed before others: that may be a client whose first bytes are about to be read.
   */
  #evict(): boolean {
    for (const [socket, { pending, isReading }] of this.#connections) {
      if (pending > 0 && !isReading) continue;
      this.#connections.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }
}
