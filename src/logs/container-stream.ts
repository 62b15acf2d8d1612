/**
 * Our own standard output and error: how they are written, and which of them a path means.
 * Their open file description is shared with others, so nothing here changes its flags or its position.
 */
import { constants, fstatSync, openSync, readlinkSync, statSync } from 'node:fs';
import { isatty } from 'node:tty';
import { errnoOf } from '../core/error-text.ts';
import { PathlessOutlet, PipeOutlet, ThreadOutlet } from './outlets.ts';
import type { Done, Outlet, PipeGrowth, Written } from './outlets.ts';
import type { ColorChoice, ContainerStream, LogClock, LogTarget } from './ports.ts';

/** Errors after which a stream will never take a byte again: its reader or the descriptor itself is gone. */
const GONE = ['EPIPE', 'EBADF', 'ECONNRESET', 'ENOTCONN', 'ERR_STREAM_DESTROYED'] as const;

/** Time after which a fifo without a reader is looked at again; what comes meanwhile is dropped. */
const READER_RETRY_MS = 100;

/**
 * Errors after which a stream of ours is given up for good. A terminal that was hung up says EIO; a disk says that too,
 * and may recover.
 */
export function goneErrorsOf(fd: number): ReadonlySet<string> {
  if (isNamedFifo(fd)) return new Set(['EBADF']);
  return new Set(isatty(fd) ? [...GONE, 'EIO'] : GONE);
}

/** Returns the way to write to a descriptor of ours. */
export function openContainerStream(fd: number, growth: PipeGrowth, clock: LogClock): Outlet {
  if (isNamedFifo(fd)) return new FifoOutlet(fd, growth, clock);
  return fstatSync(fd).isFIFO() ? openPipe(fd, growth, clock) : new ThreadOutlet(fd, clock, false);
}

/**
 * A pipe is opened again, which gives a description of our own that can be non-blocking; where the kernel refuses that
 * (a pipe of root for another user: EACCES; a socket: ENXIO; no /proc: ENOENT), and for anything but a pipe, threads
 * write to the shared description. A file must keep the shared position, or we would overwrite what others wrote.
 */
function openPipe(fd: number, growth: PipeGrowth, clock: LogClock): Outlet {
  try {
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return new PipeOutlet(own, growth);
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    // Refused: use the shared description. Its first write fails if the pipe has no reader.
    return new ThreadOutlet(fd, clock, false);
  }
}

/** True for a pipe with a name that others can open: a reader that went away may come back. */
function isNamedFifo(fd: number): boolean {
  if (!fstatSync(fd).isFIFO()) return false;
  try {
    // `pipe:[4711]`, and `/tmp/x (deleted)`, are names of nothing.
    const { dev, ino } = statSync(readlinkSync(`/proc/self/fd/${fd}`));
    return identityOf(fd) === `${dev}:${ino}`;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}

/** A named fifo on which we write: opened again after its reader went away, when there may be another one. */
class FifoOutlet extends PathlessOutlet {
  readonly #fd: number;
  readonly #growth: PipeGrowth;
  readonly #clock: LogClock;
  #outlet: Outlet | null = null;
  /** The error that showed that there is no reader, and its time. */
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

/** Kind of a stream, for the form of its lines. */
export interface Looks {
  readonly isTerminal: boolean;
  /** True if lines are coloured there. */
  readonly isColored: boolean;
}

/** Colours only a terminal, unless asked otherwise (`--color`, NO_COLOR). */
export function looksOf(fd: number, color: ColorChoice, noColor: boolean): Looks {
  const isTerminal = isatty(fd);
  return { isTerminal, isColored: color === 'auto' ? isTerminal && !noColor : color === 'always' };
}

/**
 * Equal for two descriptors that lead to the same place: `2>&1`, or a terminal. Such a place has one sink, or lines
 * would mix.
 */
export function identityOf(fd: number): string {
  const { dev, ino } = fstatSync(fd);
  return `${dev}:${ino}`;
}

/** Which stream of ours a path in a configuration means, as `stdout_logfile=/dev/stdout`; null: a file. */
export function containerStreamOf(path: string, pid: number): ContainerStream | null {
  if (path === '/dev/stdout') return 1;
  if (path === '/dev/stderr') return 2;
  const match = /^(?:\/dev\/fd|\/proc\/(self|\d+)\/fd)\/([12])$/.exec(path);
  if (match === null) return null;
  const owner = match[1];
  if (owner !== undefined && owner !== 'self' && owner !== String(pid)) return null;
  return match[2] === '1' ? 1 : 2;
}

/** Resolves a target: a path may mean one of our own streams. */
export function resolveTarget(target: LogTarget): LogTarget {
  const stream = target.kind === 'file' ? containerStreamOf(target.path, process.pid) : null;
  return stream === null ? target : { kind: 'container', stream, format: target.format };
}
