/**
 * Outlets for our own standard output and standard error.
 * Other processes share their open file descriptions, so nothing here changes flags or position of a description.
 */
import { constants, fstatSync, openSync, readlinkSync, statSync } from 'node:fs';
import { isatty } from 'node:tty';
import { errnoOf } from '../core/error-text.ts';
import { PathlessOutlet, PipeOutlet, ThreadOutlet } from './outlets.ts';
import type { Done, Outlet, PipeGrowth, Written } from './outlets.ts';
import type { ColorChoice, LogClock } from './ports.ts';

/** Errors after which a stream never takes a byte again: the reader has gone, or the descriptor is unusable. */
const GONE = ['EPIPE', 'EBADF', 'ECONNRESET', 'ENOTCONN', 'ERR_STREAM_DESTROYED'] as const;

/** Retry time for a fifo without a reader. Output in the meantime is dropped. */
const READER_RETRY_MS = 100;

/**
 * Returns the codes of errors after which one of our streams is never written again. EIO is among them for a terminal,
 * because it means a hang-up. From a disk, EIO may be temporary.
 */
export function goneErrorsOf(fd: number): ReadonlySet<string> {
  if (isNamedFifo(fd)) return new Set(['EBADF']);
  return new Set(isatty(fd) ? [...GONE, 'EIO'] : GONE);
}

/** Returns the outlet for one of our descriptors. */
export function openContainerStream(fd: number, growth: PipeGrowth, clock: LogClock): Outlet {
  if (isNamedFifo(fd)) return new FifoOutlet(fd, growth, clock);
  return fstatSync(fd).isFIFO() ? openPipe(fd, growth, clock) : new ThreadOutlet(fd, clock, false);
}

/**
 * Opens a pipe again. The result is a new description, which only we use and which can be non-blocking. The kernel may
 * refuse that: EACCES for a pipe of root and another user, ENXIO for a socket, ENOENT without /proc. Threads then write
 * to the shared description, as they do for anything but a pipe. A file must keep the shared position, or we would
 * overwrite the output of others.
 */
function openPipe(fd: number, growth: PipeGrowth, clock: LogClock): Outlet {
  try {
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return new PipeOutlet(own, growth);
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    // If the pipe has no reader, the first write to the shared description fails.
    return new ThreadOutlet(fd, clock, false);
  }
}

/** Returns true for a pipe with a name that others can open, so that a reader may come back. */
function isNamedFifo(fd: number): boolean {
  if (!fstatSync(fd).isFIFO()) return false;
  try {
    // No file has the name `pipe:[4711]` or `/tmp/x (deleted)`.
    const { dev, ino } = statSync(readlinkSync(`/proc/self/fd/${fd}`));
    return identityOf(fd) === `${dev}:${ino}`;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}

/** A named fifo that we write to. After its reader has gone, the fifo is opened again for another reader. */
class FifoOutlet extends PathlessOutlet {
  readonly #fd: number;
  readonly #growth: PipeGrowth;
  readonly #clock: LogClock;
  #outlet: Outlet | null = null;
  /** The error of a write without a reader, and its time. */
  #failure: { readonly error: NodeJS.ErrnoException; readonly atMs: number } | null = null;

  constructor(fd: number, growth: PipeGrowth, clock: LogClock) {
    super();
    this.#fd = fd;
    this.#growth = growth;
    this.#clock = clock;
  }

  write(bytes: Buffer, start: number, end: number, written: Written): void {
    const failure = this.#failure;
    if (failure !== null && this.#clock.nowMs() - failure.atMs < READER_RETRY_MS) {
      queueMicrotask(() => written(failure.error, 0));
      return;
    }
    this.#failure = null;
    const outlet = (this.#outlet ??= openPipe(this.#fd, this.#growth, this.#clock));
    outlet.write(bytes, start, end, (error, count) => {
      if (error === null) {
        written(null, count);
        return;
      }
      this.#failure = { error, atMs: this.#clock.nowMs() };
      this.#outlet = null;
      outlet.close(() => written(error, count));
    });
  }

  close(done: Done): void {
    const outlet = this.#outlet;
    this.#outlet = null;
    if (outlet === null) queueMicrotask(() => done(null));
    else outlet.close(done);
  }
}

/** Looks of a destination, for the form of its lines. */
export interface Looks {
  readonly isTerminal: boolean;
  /** True if prefixes are coloured. */
  readonly isColored: boolean;
}

/** Returns the looks of a stream. Only a terminal has colours, unless `--color` or NO_COLOR say otherwise. */
export function looksOf(fd: number, color: ColorChoice, noColor: boolean): Looks {
  const isTerminal = isatty(fd);
  return { isTerminal, isColored: color === 'auto' ? isTerminal && !noColor : color === 'always' };
}

/**
 * Returns a text that is equal for two descriptors of one place, as after `2>&1` or for a terminal. Such a place has
 * one sink, or lines would mix.
 */
export function identityOf(fd: number): string {
  const { dev, ino } = fstatSync(fd);
  return `${dev}:${ino}`;
}
