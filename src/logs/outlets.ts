/**
 * The two ways to write to a descriptor without ever blocking the loop, whatever is at its other end.
 * An outlet has one write under way at a time; queues, lines and back pressure are the sink's.
 */
import { close, write, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { LogClock, LogNatives } from './ports.ts';

/**
 * How a write ended: the bytes that went out, and what stopped it. Never called before the call that began it returned.
 */
export type Written = (error: NodeJS.ErrnoException | null, count: number) => void;

/** An end of an operation other than a write. */
export type Done = (error: NodeJS.ErrnoException | null) => void;

/**
 * Bytes that wait for room in a pipe that is full; what follows is tried at once when they have gone out. So many are
 * written as a whole or not at all (PIPE_BUF, pipe(7)): at any time it is known what the reader was given, and that a
 * slow one goes on.
 */
const WAITING_BYTES = 4096;

/** Something that takes bytes. */
export interface Outlet {
  /** Writes bytes[start, end), or a part from its beginning. */
  write(bytes: Buffer, start: number, end: number, written: Written): void;
  /** Opens the path unless it is open; nothing for what has no path. */
  open(done: Done): void;
  /** Opens the path anew; nothing for what has no path. */
  reopen(done: Done): void;
  /** Empties the file; nothing for what is none. */
  clear(done: Done): void;
  close(done: Done): void;
  /** Bytes that were taken and have not gone out; those of an outlet that keeps some. */
  readonly keptBytes?: number;
  /** Lines among them. */
  readonly keptLines?: number;
  /** When some of them last went out. */
  readonly movedAtMs?: number;
  /** Says what of them was dropped so far. Returns false if there is nothing to say. */
  tellDropped?(): boolean;
  /** Resolves when they have gone out, or cannot for now. */
  drained?(): Promise<void>;
}

/** An outlet without a path of its own: there is nothing to open and nothing to empty. */
export abstract class PathlessOutlet implements Outlet {
  abstract write(bytes: Buffer, start: number, end: number, written: Written): void;
  abstract close(done: Done): void;

  open(done: Done): void {
    queueMicrotask(() => done(null));
  }

  reopen(done: Done): void {
    queueMicrotask(() => done(null));
  }

  clear(done: Done): void {
    queueMicrotask(() => done(null));
  }
}

/** A pipe grows to this size when it is flooded; more needs CAP_SYS_RESOURCE. */
export const FLOOD_PIPE_BYTES = 1024 * 1024;

/** So much within so short a time is a flood. */
const FLOOD_BYTES = 1024 * 1024;
const FLOOD_MS = 100;

/**
 * Pipes that may be grown at the same time. Without CAP_SYS_RESOURCE all pipes of a user share 64 MiB, and past that
 * new ones get a single page or two, which would hurt programs that have nothing to do with logs.
 */
const GROWN_PIPES = 16;

/** Lends large pipes to those that need them. */
export class PipeGrowth {
  readonly #natives: LogNatives;
  readonly #clock: LogClock;
  #grown = 0;

  constructor(natives: LogNatives, clock: LogClock) {
    this.#natives = natives;
    this.#clock = clock;
  }

  /** Watches what goes through one pipe. */
  gauge(fd: number): FloodGauge {
    return new FloodGauge(fd, this.#clock, (pipe) => this.#grow(pipe));
  }

  /** Gives back what a gauge's pipe was lent, once it is closed. */
  release(gauge: FloodGauge): void {
    if (gauge.isGrown) this.#grown--;
  }

  #grow(fd: number): boolean {
    if (this.#grown >= GROWN_PIPES) return false;
    this.#grown++;
    // The kernel may refuse (pipe-user-pages-soft, pipe-max-size): the pipe keeps its size and works on.
    if (this.#natives.pipeSize(fd) < FLOOD_PIPE_BYTES) this.#natives.growPipe(fd, FLOOD_PIPE_BYTES);
    return true;
  }
}

/** Tells a flood from the usual trickle, and has the pipe grown, once. */
export class FloodGauge {
  readonly #fd: number;
  readonly #clock: LogClock;
  readonly #grow: (fd: number) => boolean;
  #sinceMs = 0;
  #bytes = 0;
  #isGrown = false;

  constructor(fd: number, clock: LogClock, grow: (fd: number) => boolean) {
    this.#fd = fd;
    this.#clock = clock;
    this.#grow = grow;
  }

  get isGrown(): boolean {
    return this.#isGrown;
  }

  /** Counts what went through. */
  count(bytes: number): void {
    if (this.#isGrown) return;
    const now = this.#clock.nowMs();
    if (now - this.#sinceMs > FLOOD_MS) {
      this.#sinceMs = now;
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    if (this.#bytes < FLOOD_BYTES) return;
    this.#bytes = 0;
    this.#isGrown = this.#grow(this.#fd);
  }
}

/**
 * The write end of a pipe whose open file description is our own: it is made non-blocking, and the loop is told when
 * there is room.
 */
export class PipeOutlet extends PathlessOutlet {
  readonly #socket: Socket;
  readonly #fd: number;
  readonly #growth: PipeGrowth;
  readonly #gauge: FloodGauge;

  /** The descriptor belongs to the outlet. */
  constructor(fd: number, growth: PipeGrowth) {
    super();
    this.#fd = fd;
    this.#growth = growth;
    this.#gauge = growth.gauge(fd);
    this.#socket = new Socket({ fd, readable: false, writable: true });
    // Each write is told its own error; without a listener the same error would end the process.
    this.#socket.on('error', () => undefined);
  }

  write(bytes: Buffer, start: number, end: number, written: Written): void {
    const now = this.#writeNow(bytes, start, end);
    if (now > 0) {
      this.#gauge.count(now);
      queueMicrotask(() => written(null, now));
      return;
    }
    const until = Math.min(end, start + WAITING_BYTES);
    this.#socket.write(bytes.subarray(start, until), (error) => {
      if (error) written(error, 0);
      else written(null, until - start);
    });
  }

  /**
   * What the pipe takes at once, without the machinery of a stream. A refusal is nothing taken: the stream waits for
   * room, or meets the error itself.
   */
  #writeNow(bytes: Buffer, start: number, end: number): number {
    // After an error Node has closed the descriptor, and its number may be another file's.
    if (this.#socket.destroyed) return 0;
    try {
      return writeSync(this.#fd, bytes, start, end - start);
    } catch {
      return 0;
    }
  }

  close(done: Done): void {
    this.#growth.release(this.#gauge);
    if (this.#socket.closed) {
      queueMicrotask(() => done(null));
      return;
    }
    this.#socket.once('close', () => done(null));
    this.#socket.destroy();
  }
}

/** Delays after EAGAIN from a descriptor that others made non-blocking; it cannot be waited for without changing it. */
const FIRST_RETRY_MS = 5;
const LONGEST_RETRY_MS = 200;

/**
 * Any descriptor, shared or not: it is written by a thread of the pool, one write at a time. A stalled one holds up
 * that thread only.
 */
export class ThreadOutlet extends PathlessOutlet {
  readonly #fd: number;
  readonly #clock: LogClock;
  readonly #isOwned: boolean;

  /** `isOwned`: {@link close} closes the descriptor. */
  constructor(fd: number, clock: LogClock, isOwned: boolean) {
    super();
    this.#fd = fd;
    this.#clock = clock;
    this.#isOwned = isOwned;
  }

  write(bytes: Buffer, start: number, end: number, written: Written): void {
    this.#attempt(bytes, start, end, FIRST_RETRY_MS, written);
  }

  #attempt(bytes: Buffer, start: number, end: number, retryMs: number, written: Written): void {
    write(this.#fd, bytes, start, end - start, null, (error, count) => {
      if (error?.code === 'EAGAIN') {
        this.#clock.alarm(this.#clock.nowMs() + retryMs, () => {
          this.#attempt(bytes, start, end, Math.min(retryMs * 2, LONGEST_RETRY_MS), written);
        });
      } else {
        written(error, error ? 0 : count);
      }
    });
  }

  close(done: Done): void {
    if (this.#isOwned) close(this.#fd, done);
    else queueMicrotask(() => done(null));
  }
}
