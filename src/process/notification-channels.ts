/**
 * Opens the channels for notifications of programs (`notification_fd`, `notify`) for each run, passes them to its
 * spawn, and closes them after the run. Forwards notices without interpreting them.
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

/** A notification of a program, or the reason why none can be received. */
export type Notice = SocketNotice | PipeNotice;

/** Receives notices, in order, from the loop. There are none after the end of a run. */
export type NoticeListener = (id: string, run: number, notice: Notice) => void;

/** Parts of a spawn for its channel. After the spawn, exactly one of the two functions must be called. */
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

/** The part of a {@link ProcessConfig} that this file needs. */
export interface ChannelTarget {
  readonly name: string;
  readonly options: Pick<
    ProcessConfig['options'],
    'user' | 'strict_user' | 'notification_fd' | 'notify' | 'watchdog_sec'
  >;
}

/** An open channel. */
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

  /** Sets the receiver of all notices. Replaces the previous one. */
  listen(listener: NoticeListener): void {
    this.#listener = listener;
  }

  /**
   * Opens the channel that the options of a process ask for, for one run. `id` is its namespec. Throws
   * {@link SpawnError} after cleaning up.
   */
  open(id: string, proc: ChannelTarget, run: number): Opening {
    this.close(id);
    const { notification_fd: number, notify } = proc.options;
    if (number === null && notify === null) return NOTHING;
    const tell = (notice: Notice): void => this.#listener(id, run, notice);
    return number === null ? this.#openSocket(id, proc, tell) : this.#openPipe(id, proc, number, tell);
  }

  /** Reads at once the messages that a program has sent already. */
  readNow(id: string): void {
    this.#open.get(id)?.socket?.readNow();
  }

  /** Closes the channel of a run that has ended. */
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
    setOwner(writeEnd, uid, gid);
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
    // WATCHDOG_PID is unknown before the spawn. Without it, the limit is for any process that reads it
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

  /** Returns the credentials that the launcher will use too. */
  #credentialsOf({ options }: ChannelTarget): { readonly uid: number | null; readonly gid: number | null } {
    if (options.user === null) return { uid: null, gid: null };
    return resolveCredentials(this.#parts.addon, this.#parts.self(), options.user, options.strict_user);
  }
}

/**
 * Gives the pipe to the user of the program, because opening /dev/fd/N, unlike using N, checks the owner. Without
 * CAP_CHOWN, a program cannot open it that way; few programs do.
 */
function setOwner(fd: number, uid: number | null, gid: number | null): void {
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
    throw new SpawnError('pipe', code, `cannot set up ${option} of '${name}': ${code}`);
  }
}
