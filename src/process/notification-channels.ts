/**
 * The ways on which programs tell how they are (`notification_fd`, `notify`): opened for each run, given to its spawn,
 * closed when it is over. It passes on what is said, and knows neither states nor what follows.
 */
import { closeSync, fchownSync } from 'node:fs';
import type { ProcessConfig } from '../config/model.ts';
import { errnoOf } from '../core/error-text.ts';
import type { Clock } from '../engine/ports.ts';
import type { Addon, SpawnRequest } from '../native/addon.ts';
import type { Identity } from './credentials.ts';
import { resolveCredentials } from './credentials.ts';
import { NotificationPipe, type PipeNotice } from './notification-pipe.ts';
import { NotificationSocket, type SocketNotice } from './notification-socket.ts';
import { SpawnError } from './spawn-error.ts';

/** What a program has told, or why it was not heard. */
export type Notice = SocketNotice | PipeNotice;

/** Takes notices, in their order, from the loop; of a run that is over there are none. */
export type NoticeListener = (id: string, run: number, notice: Notice) => void;

/** What a spawn gets, and what it is followed by: exactly one of the two calls. */
export interface Opening {
  readonly environment: ReadonlyMap<string, string>;
  readonly descriptors: SpawnRequest['descriptors'];
  started(pid: number): void;
  failed(): void;
}

export interface ChannelParts {
  readonly addon: Addon;
  readonly clock: Clock;
  readonly self: () => Identity;
}

/** The part of a {@link ProcessConfig} that is needed. */
export interface ChannelTarget {
  readonly name: string;
  readonly options: Pick<
    ProcessConfig['options'],
    'user' | 'strict_user' | 'notification_fd' | 'notify' | 'watchdog_sec'
  >;
}

/** A way that is open. */
interface NotificationChannel {
  readonly pipe: NotificationPipe | null;
  readonly socket: NotificationSocket | null;
}

const NOTHING: Opening = { environment: new Map(), descriptors: [], started: () => undefined, failed: () => undefined };
const MICROSECONDS = 1_000_000;

/** The open channels of all programs. */
export class NotificationChannels {
  readonly #parts: ChannelParts;
  readonly #open = new Map<string, NotificationChannel>();
  #listener: NoticeListener = () => undefined;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  /** Who is told, one after the other: a later listener takes the place of an earlier one. */
  listen(listener: NoticeListener): void {
    this.#listener = listener;
  }

  /**
   * Opens what the options of a process ask for, for one run; `id` is its namespec. Throws {@link SpawnError}, and
   * nothing is left open.
   */
  open(id: string, proc: ChannelTarget, run: number): Opening {
    this.close(id);
    const { notification_fd: number, notify } = proc.options;
    if (number === null && notify === null) return NOTHING;
    const tell = (notice: Notice): void => this.#listener(id, run, notice);
    return number === null ? this.#openSocket(id, proc, tell) : this.#openPipe(id, proc, number, tell);
  }

  /** Takes at once what a program has said already. */
  readNow(id: string): void {
    this.#open.get(id)?.socket?.readNow();
  }

  /** A run is over. */
  close(id: string): void {
    const channel = this.#open.get(id);
    this.#open.delete(id);
    channel?.pipe?.close();
    channel?.socket?.close();
  }

  closeAll(): void {
    for (const id of this.#open.keys()) this.close(id);
  }

  #openPipe(id: string, proc: ChannelTarget, number: number, tell: (notice: Notice) => void): Opening {
    const { uid, gid } = this.#credentialsOf(proc);
    const { readEnd, writeEnd } = attempt(proc.name, 'notification_fd', () => this.#parts.addon.openPipe());
    giveTo(writeEnd, uid, gid);
    this.#open.set(id, { pipe: new NotificationPipe(readEnd, tell), socket: null });
    return {
      environment: new Map(),
      descriptors: [{ from: writeEnd, to: number }],
      started: () => closeSync(writeEnd),
      failed: () => {
        closeSync(writeEnd);
        this.close(id);
      },
    };
  }

  #openSocket(id: string, proc: ChannelTarget, tell: (notice: Notice) => void): Opening {
    const { uid } = this.#credentialsOf(proc);
    const { addon, clock, self } = this.#parts;
    const users = new Set([0, self().uid, ...(uid === null ? [] : [uid])]);
    const socket = attempt(proc.name, 'notify', () => new NotificationSocket(addon, clock, users, tell));
    this.#open.set(id, { pipe: null, socket });
    const limit = proc.options.watchdog_sec;
    // WATCHDOG_PID cannot be known before the spawn; without it the limit is for whoever reads it
    // (sd_watchdog_enabled(3)).
    const watchdog: Array<[string, string]> =
      limit === null || limit === 0 ? [] : [['WATCHDOG_USEC', String(Math.round(limit * MICROSECONDS))]];
    return {
      environment: new Map([['NOTIFY_SOCKET', socket.address], ...watchdog]),
      descriptors: [],
      started: (pid) => socket.setMainPid(pid),
      failed: () => this.close(id),
    };
  }

  /** As whom it will run, as the launcher finds it too. */
  #credentialsOf({ options }: ChannelTarget): { readonly uid: number | null; readonly gid: number | null } {
    if (options.user === null) return { uid: null, gid: null };
    return resolveCredentials(this.#parts.addon, this.#parts.self(), options.user, options.strict_user);
  }
}

/**
 * A program that opens /dev/fd/N instead of using N is checked against the owner of the pipe. Without CAP_CHOWN that
 * stays denied to it; most never do so.
 */
function giveTo(fd: number, uid: number | null, gid: number | null): void {
  if (uid === null && gid === null) return;
  try {
    fchownSync(fd, uid ?? -1, gid ?? -1);
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error;
  }
}

function attempt<T>(name: string, option: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw error;
    throw new SpawnError('pipe', code, `cannot open what ${option} of '${name}' needs: ${code}`);
  }
}
