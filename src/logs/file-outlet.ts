/**
 * A path that is written: opened when needed, appended to, rotated if it is a regular file, opened anew on demand.
 * Every call goes to a thread of the pool, so a disk that hangs holds up nobody but those who write to it.
 * What else the path may be (a fifo, a terminal, a device) is found out when it is open, and is never rotated, sought or removed.
 */
import { close, constants, fstat, ftruncate, open, write } from 'node:fs';
import type { Stats } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describeError } from './describe-error.ts';
import { PipeOutlet, ThreadOutlet } from './outlets.ts';
import type { Done, Outlet, PipeGrowth, Written } from './outlets.ts';
import type { LogClock, LogProblem } from './ports.ts';
import { endOfFill, shiftBackups } from './rotation.ts';

const openFile = promisify(open);
const closeFile = promisify(close);
const truncateFile = promisify(ftruncate);
const statFile: (fd: number) => Promise<Stats> = promisify(fstat);

/** A fifo without a reader must fail (ENXIO) and not wait; Supervisor's permissions: all that the umask leaves. */
const OPEN_FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY;
const OPEN_MODE = 0o666;

/** Options of a log file; `maxBytes` 0: never rotated (`stdout_logfile_maxbytes`, `stdout_logfile_backups`). */
export interface FileLimits {
  readonly maxBytes: number;
  readonly backups: number;
}

/** What an outlet for a path is made from. */
export interface FileOutletParts {
  readonly path: string;
  readonly growth: PipeGrowth;
  readonly clock: LogClock;
  readonly report: (problem: LogProblem) => void;
}

type Opened =
  | { readonly kind: 'regular'; readonly fd: number; size: number }
  | { readonly kind: 'other'; readonly outlet: Outlet };

/** See the head of this file. */
export class FileOutlet implements Outlet {
  /** May be changed at any time; applies from the next write. */
  limits: FileLimits;

  readonly #parts: FileOutletParts;
  #opened: Opened | null = null;
  /** Size below which a rotation that failed is not tried again. */
  #rotateFrom = 0;

  constructor(parts: FileOutletParts, limits: FileLimits) {
    this.#parts = parts;
    this.limits = limits;
  }

  write(bytes: Buffer, start: number, end: number, written: Written): void {
    const opened = this.#opened;
    if (opened === null) {
      this.#open().then(
        () => this.write(bytes, start, end, written),
        (error: unknown) => written(error as NodeJS.ErrnoException, 0),
      );
    } else if (opened.kind === 'regular') {
      this.#writeRegular(opened, bytes, start, end, written);
    } else {
      opened.outlet.write(bytes, start, end, (error, count) => {
        if (!error) {
          written(null, count);
          return;
        }
        // The reader of a fifo may come back: the next write opens the path again.
        this.#opened = null;
        opened.outlet.close(() => written(error, count));
      });
    }
  }

  open(done: Done): void {
    settle(this.#opened === null ? this.#open() : Promise.resolve(), done);
  }

  reopen(done: Done): void {
    settle(this.#reopen(), done);
  }

  /** compat: supervisor.clearProcessLogs removes the file and creates it anew, so it takes a file that was moved away for the log no more. */
  clear(done: Done): void {
    settle(this.#clear(), done);
  }

  close(done: Done): void {
    settle(this.#close(), done);
  }

  #writeRegular(opened: Opened & { kind: 'regular' }, bytes: Buffer, start: number, end: number, written: Written): void {
    const { maxBytes } = this.limits;
    const until = maxBytes > 0 ? endOfFill(bytes, start, end, maxBytes - opened.size) : end;
    write(opened.fd, bytes, start, until - start, null, (error, count) => {
      if (error) {
        written(error, 0);
        return;
      }
      opened.size += count;
      if (maxBytes === 0 || opened.size < maxBytes || opened.size < this.#rotateFrom) {
        written(null, count);
        return;
      }
      this.#rotate(opened).then(
        () => written(null, count),
        (failure: unknown) => {
          // The bytes are written; the file grows on, and the next attempt is made when it has grown by as much again.
          this.#rotateFrom = opened.size + maxBytes;
          const reason = describeError(failure as NodeJS.ErrnoException);
          this.#parts.report({ level: 'error', text: `cannot rotate ${this.#parts.path}: ${reason}; it grows on` });
          written(null, count);
        },
      );
    });
  }

  async #open(): Promise<void> {
    const fd = await openFile(this.#parts.path, OPEN_FLAGS, OPEN_MODE);
    this.#opened = await this.#recognize(fd);
    this.#rotateFrom = 0;
  }

  async #recognize(fd: number): Promise<Opened> {
    const { growth, clock } = this.#parts;
    const status = await statFile(fd);
    if (status.isFile()) return { kind: 'regular', fd, size: status.size };
    if (status.isFIFO()) return { kind: 'other', outlet: new PipeOutlet(fd, growth) };
    return { kind: 'other', outlet: new ThreadOutlet(fd, clock, true) };
  }

  async #rotate(opened: Opened & { kind: 'regular' }): Promise<void> {
    const { path } = this.#parts;
    const { maxBytes, backups } = this.limits;
    const ours = await statFile(opened.fd);
    // Someone may have truncated it (copytruncate), so the kernel is asked for the size.
    opened.size = ours.size;
    if (ours.size < maxBytes) return;
    const named = await statIfThere(path);
    if (named === null || named.dev !== ours.dev || named.ino !== ours.ino) {
      // Deleted or moved away by someone: what has our name now is not ours to rotate.
      await this.#reopen();
      return;
    }
    if (backups === 0) {
      await truncateFile(opened.fd, 0);
      opened.size = 0;
      return;
    }
    await shiftBackups(path, backups);
    // The new file is open before the old one is given up: if it cannot be opened, writing goes on in the old one.
    await this.#reopen();
  }

  async #reopen(): Promise<void> {
    const old = this.#opened;
    await this.#open();
    await closeOpened(old);
  }

  async #clear(): Promise<void> {
    if (this.#opened === null) await this.#open();
    if (this.#opened?.kind !== 'regular') return;
    try {
      await unlink(this.#parts.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await this.#reopen();
  }

  async #close(): Promise<void> {
    const old = this.#opened;
    this.#opened = null;
    await closeOpened(old);
  }
}

async function closeOpened(opened: Opened | null): Promise<void> {
  if (opened === null) return;
  if (opened.kind === 'regular') await closeFile(opened.fd);
  else await new Promise<void>((resolve) => opened.outlet.close(() => resolve()));
}

async function statIfThere(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function settle(operation: Promise<void>, done: Done): void {
  operation.then(
    () => done(null),
    (error: unknown) => done(error as NodeJS.ErrnoException),
  );
}
