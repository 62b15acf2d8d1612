/**
 * The sockets of `[fcgi-program:x]`: one for each program, used by all its processes as standard input. A socket is
 * open from the first start until no process of the program runs or is due to start. Starts no process.
 */
import type { ProcessConfig } from '../config/model.ts';
import type { Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { Addon } from '../native/addon.ts';
import { lookUpOwner } from '../process/credentials.ts';
import {
  type ListenAddress,
  type ListeningSocket,
  ListeningSocketError,
  openListeningSocket,
} from '../process/listening-socket.ts';
import { SpawnError } from '../process/spawn-error.ts';

/** compat: mode and backlog if `socket_mode` and `socket_backlog` are not set. The kernel limits the backlog, too. */
const DEFAULT_MODE = 0o700;
const DEFAULT_BACKLOG = 4096;

interface OpenSocket {
  readonly url: string;
  readonly socket: ListeningSocket;
}

/** The open sockets of all FastCGI programs. */
export class FastCgiSockets {
  readonly #addon: Addon;
  readonly #report: Report;
  readonly #open = new Map<string, OpenSocket>();

  constructor(addon: Addon, report: Report) {
    this.#addon = addon;
    this.#report = report;
  }

  /**
   * Returns the socket for a process that is about to start; null for a program of another kind. Throws
   * {@link SpawnError}.
   */
  socketOf(proc: ProcessConfig): number | null {
    const { socket: address } = proc.options;
    if (proc.type !== 'fcgi-program' || address === undefined) return null;
    const key = keyOf(proc);
    const known = this.#open.get(key);
    if (known !== undefined) return known.socket.fd;
    const url = formatUrl(address);
    // compat: these two lines are Supervisor's (socket_manager.py).
    this.#report('info', `Creating socket ${url}`);
    const socket = this.#create(proc, address, url);
    this.#open.set(key, { url, socket });
    return socket.fd;
  }

  /**
   * Closes the sockets that no process needs. Unlike in Supervisor, a restart of the only process keeps the socket:
   * connections wait in its queue and are not refused.
   */
  closeUnused(processes: () => readonly ProcessView[]): void {
    if (this.#open.size === 0) return;
    const needed = new Set(
      processes()
        .filter(isUpOrDue)
        .map(({ config }) => keyOf(config)),
    );
    for (const [key, { url, socket }] of this.#open) {
      if (needed.has(key)) continue;
      this.#report('info', `Closing socket ${url}`);
      socket.close();
      this.#open.delete(key);
    }
  }

  #create({ options }: ProcessConfig, address: ListenAddress, url: string): ListeningSocket {
    try {
      return openListeningSocket(
        this.#addon,
        {
          address,
          backlog: options.socket_backlog ?? DEFAULT_BACKLOG,
          mode: options.socket_mode ?? DEFAULT_MODE,
          owner: address.kind === 'unix' ? this.#ownerOf(options) : null,
        },
        (text) => this.#report('warn', text),
      );
    } catch (error) {
      if (!(error instanceof ListeningSocketError)) throw error;
      // compat: the text is that of supervisor.process.FastCGIProcessGroup.
      throw new SpawnError('stdio', error.code, `Could not create FastCGI socket ${url}: ${error.message}`);
    }
  }

  /** compat: without `socket_owner` the socket belongs to the user of the program. Only root can change the owner. */
  #ownerOf({
    socket_owner: named,
    user,
  }: ProcessConfig['options']): { readonly uid: number; readonly gid: number } | null {
    const owner = named ?? (process.getuid?.() === 0 ? user : null);
    if (owner === null || owner === undefined) return null;
    return lookUpOwner(this.#addon, owner);
  }
}

function keyOf({ group, program }: ProcessConfig): string {
  return `${group}:${program}`;
}

function isUpOrDue({ record }: ProcessView): boolean {
  return record.pid !== null || record.deadlineMs !== null || record.state === 'STARTING';
}

function formatUrl(address: ListenAddress): string {
  return address.kind === 'unix' ? `unix://${address.path}` : `tcp://${address.host}:${address.port}`;
}
