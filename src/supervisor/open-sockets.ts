/**
 * The listening sockets that are open for programs, by key. Knows no program: program-sockets.ts decides which sockets
 * are needed.
 */
import type { Report } from '../engine/ports.ts';
import type { Addon } from '../native/addon.ts';
import { formatSocketAddress } from '../core/socket-address.ts';
import {
  type ListenRequest,
  type ListeningSocket,
  ListeningSocketError,
  openListeningSocket,
  type SocketPermissions,
} from '../process/listening-socket.ts';

/** An open socket, and the request that it was opened for. */
interface OpenSocket {
  readonly request: ListenRequest;
  readonly socket: ListeningSocket;
  /** The latest permissions. */
  permissions: SocketPermissions;
}

/** Open sockets by key. */
export class OpenSockets {
  readonly #addon: Addon;
  readonly #report: Report;
  readonly #open = new Map<string, OpenSocket>();
  /** Sockets that are closed here, and whose paths are still to be removed. */
  readonly #released: ListeningSocket[] = [];

  constructor(addon: Addon, report: Report) {
    this.#addon = addon;
    this.#report = report;
  }

  /** Returns an open socket; null if the socket is not open. */
  find(key: string): Pick<ListeningSocket, 'fd'> | null {
    return this.#open.get(key)?.socket ?? null;
  }

  /** True if no socket is open. */
  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** The requests of all open sockets, by key. */
  get requests(): ReadonlyMap<string, ListenRequest> {
    return new Map([...this.#open].map(([key, { request }]) => [key, request]));
  }

  /** Returns the descriptor of a socket, and opens the socket if necessary. Throws {@link ListeningSocketError}. */
  open(key: string, request: ListenRequest): number {
    const known = this.#open.get(key)?.socket ?? null;
    if (known !== null && !known.isUnlinked()) return known.fd;
    known?.close();
    if (known !== null)
      this.#report('warn', `a program has removed ${formatSocketAddress(request.address)}; it is created again`);
    // compat: this line, and that of a closed socket, are Supervisor's (socket_manager.py).
    this.#report('info', `Creating socket ${formatSocketAddress(request.address)}`);
    const socket = openListeningSocket(this.#addon, request, (text) => this.#report('warn', text));
    this.#open.set(key, { request, socket, permissions: request });
    return socket.fd;
  }

  /** Changes mode and owner of an open socket. Returns a function that changes them back. Throws as above. */
  permit(key: string, permissions: SocketPermissions): () => void {
    const found = this.#open.get(key);
    if (found === undefined || isSame(found.permissions, permissions)) return () => undefined;
    const before = found.permissions;
    found.socket.permit(permissions);
    found.permissions = permissions;
    return () => this.#permitAgain(found, before);
  }

  /** Closes all sockets that are not needed. */
  closeExcept(isNeeded: (key: string) => boolean): void {
    for (const key of this.#open.keys()) if (!isNeeded(key)) this.close(key);
  }

  /** Closes an open socket. */
  close(key: string): void {
    const found = this.#open.get(key);
    if (found === undefined) return;
    this.#report('info', `Closing socket ${formatSocketAddress(found.request.address)}`);
    found.socket.close();
    this.#open.delete(key);
  }

  /** Closes our descriptors of sockets, which then are open only as long as a program has them. Their paths stay. */
  release(isReleased: (key: string) => boolean): void {
    for (const [key, { socket }] of this.#open) {
      if (!isReleased(key)) continue;
      socket.release();
      this.#open.delete(key);
      this.#released.push(socket);
    }
  }

  /** Closes everything, and removes the paths of all sockets. */
  closeAll(): void {
    this.closeExcept(() => false);
    for (const socket of this.#released.splice(0)) socket.close();
  }

  #permitAgain(open: OpenSocket, permissions: SocketPermissions): void {
    try {
      open.socket.permit(permissions);
      open.permissions = permissions;
    } catch (error) {
      if (!(error instanceof ListeningSocketError)) throw error;
      this.#report('warn', `cannot restore ${formatSocketAddress(open.request.address)}: ${error.message}`);
    }
  }
}

function isSame(one: SocketPermissions, other: SocketPermissions): boolean {
  return one.mode === other.mode && one.owner?.uid === other.owner?.uid && one.owner?.gid === other.owner?.gid;
}
