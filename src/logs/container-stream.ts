/**
 * Our own standard output and error: how they are written, and which of them a path means.
 * Their open file description is shared with others, so nothing here changes its flags or its position.
 */
import { constants, fstatSync, openSync } from 'node:fs';
import { PipeOutlet, ThreadOutlet } from './outlets.ts';
import type { Outlet, PipeGrowth } from './outlets.ts';
import type { ContainerStream, LogClock, LogTarget } from './ports.ts';

/** Errors after which a stream will never take a byte again: its reader, its terminal or the descriptor itself is gone. */
export const STREAM_GONE: ReadonlySet<string> = new Set(['EPIPE', 'EIO', 'EBADF', 'ECONNRESET', 'ENOTCONN', 'ERR_STREAM_DESTROYED']);

/**
 * The way to write to a descriptor of ours. A pipe is opened again, which gives a description of our own that can be non-blocking;
 * where the kernel refuses that (a pipe of root for another user: EACCES; a socket: ENXIO; no /proc: ENOENT), and for anything
 * but a pipe, threads write to the shared description. A file must keep the shared position, or we would overwrite what others wrote.
 */
export function openContainerStream(fd: number, growth: PipeGrowth, clock: LogClock): Outlet {
  if (fstatSync(fd).isFIFO()) {
    try {
      const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      return new PipeOutlet(own, growth);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      // Refused: the shared description serves, and tells in its first write if nobody reads the pipe.
    }
  }
  return new ThreadOutlet(fd, clock, false);
}

/** Equal for two descriptors that lead to the same place: `2>&1`, or a terminal. Such a place has one sink, or lines would mix. */
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

/** What a target really is: a path may mean a stream of ours. */
export function resolveTarget(target: LogTarget): LogTarget {
  const stream = target.kind === 'file' ? containerStreamOf(target.path, process.pid) : null;
  return stream === null ? target : { kind: 'container', stream, format: target.format };
}
