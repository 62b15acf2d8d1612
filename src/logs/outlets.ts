/**
 * Two outlets that write to a descriptor and never block the loop, whatever the descriptor is.
 * An outlet has one write under way at a time. The sink does queues, lines and back pressure.
 */
import { close, write } from 'node:fs';
import { Socket } from 'node:net';
import type { LogClock, LogNatives, LogProblem } from './ports.ts';

/** Takes the result of a write: the bytes that were written, or the error. Called after the call of write returned. */
export type Written = (error: NodeJS.ErrnoException | null, count: number) => void;

/** Takes the result of an operation other than a write. */
export type Done = (error: NodeJS.ErrnoException | null) => void;

/**
 * Bytes of one write to a full pipe. The pipe takes this many bytes as a whole or not at all (PIPE_BUF, pipe(7)). So
 * the end of a write shows exactly how many bytes the reader can get, and that a slow reader still reads.
 */
const WAITING_BYTES = 4096;

/** Functions of a sink for its outlet. */
export interface OutletHost {
  report(problem: LogProblem): void;
  /** Asks for a call of {@link Outlet.open} when nothing else is under way. */
  open(): void;
}

/** A destination of bytes. */
export interface Outlet {
  /** Writes bytes[start, end), or only the first of them. */
  write(bytes: Buffer, start: number, end: number, written: Written): void;
  /** Opens the path unless it is open. Does nothing for a destination without a path. */
  open(done: Done): void;
  /** Reopens the path. Does nothing for a destination without a path. */
  reopen(done: Done): void;
  /** Empties the file. Does nothing for a destination that is no file. */
  clear(done: Done): void;
  /** Rotates the file, at the end of a line. Does nothing for a destination that is no file. */
  rotate(done: Done): void;
  close(done: Done): void;
  /** True for an open path that is no file: there is nothing to empty and nothing to rotate. */
  readonly hasNoFile?: boolean;
  /**
   * Bytes that were taken and not sent yet. Only an outlet with a queue of its own has this and the following fields.
   */
  readonly keptBytes?: number;
  /** Lines among the kept bytes. */
  readonly keptLines?: number;
  /** Number of kept lines that were ever dropped. */
  readonly droppedLines?: number;
  /** Time at which kept bytes were last sent. */
  readonly movedAtMs?: number;
  /** Reports kept bytes that were dropped. Returns false if there are none. */
  tellDropped?(): boolean;
  /** Resolves when the kept bytes are sent, or cannot be sent for now. */
  drained?(): Promise<void>;
  /** Ends an idle connection at the exit of the supervisor. Resolves when the other side has the end. */
  hangUp?(): Promise<void>;
}

/** An outlet without a path: there is nothing to open and nothing to empty. */
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

  rotate(done: Done): void {
    queueMicrotask(() => done(null));
  }
}

/** Size of a flooded pipe. A larger size needs CAP_SYS_RESOURCE. */
export const FLOOD_PIPE_BYTES = 1024 * 1024;

/** This many bytes within {@link FLOOD_MS} are a flood. */
const FLOOD_BYTES = 1024 * 1024;
const FLOOD_MS = 100;

/**
 * Maximum number of pipes that are grown at the same time. Without CAP_SYS_RESOURCE all pipes of a user share 64 MiB.
 * Beyond that, new pipes get one or two pages only, which would slow programs that have nothing to do with logs.
 */
const GROWN_PIPES = 16;

/** Grows the pipes that are flooded. */
export class PipeGrowth {
  readonly natives: LogNatives;
  readonly #clock: LogClock;
  #grown = 0;

  constructor(natives: LogNatives, clock: LogClock) {
    this.natives = natives;
    this.#clock = clock;
  }

  /** Makes the gauge of one pipe. */
  gauge(fd: number): FloodGauge {
    return new FloodGauge(fd, this.#clock, this);
  }

  /** Counts a grown pipe out after it was closed. */
  release(gauge: FloodGauge): void {
    if (gauge.isGrown) this.#grown--;
  }

  /** Grows a flooded pipe. Returns false if too many pipes are grown already. */
  grow(fd: number): boolean {
    if (this.#grown >= GROWN_PIPES) return false;
    this.#grown++;
    // The kernel may refuse (pipe-user-pages-soft, pipe-max-size). The pipe then keeps its size.
    if (this.natives.pipeSize(fd) < FLOOD_PIPE_BYTES) this.natives.growPipe(fd, FLOOD_PIPE_BYTES);
    return true;
  }
}

/** Detects a flood in one pipe, and has the pipe grown once. */
export class FloodGauge {
  readonly #fd: number;
  readonly #clock: LogClock;
  readonly #growth: PipeGrowth;
  #sinceMs = 0;
  #bytes = 0;
  #isGrown = false;

  constructor(fd: number, clock: LogClock, growth: PipeGrowth) {
    this.#fd = fd;
    this.#clock = clock;
    this.#growth = growth;
  }

  get isGrown(): boolean {
    return this.#isGrown;
  }

  /** Counts bytes that went through the pipe. */
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
    this.#isGrown = this.#growth.grow(this.#fd);
  }
}

/** The write end of a pipe with an open file description of our own: non-blocking, and polled by the loop. */
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
    // Each write gets its own error. Without a listener, the error event would end our process.
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
   * Writes without the cost of a stream, and returns the number of bytes. After an error it is not positive: the caller
   * then uses the stream, which waits for room or meets the same error.
   */
  #writeNow(bytes: Buffer, start: number, end: number): number {
    // After an error Node has closed the descriptor, and the number may belong to another file.
    return this.#socket.destroyed ? 0 : this.#growth.natives.writeNow(this.#fd, bytes, start, end);
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

/** Retry times after EAGAIN from a descriptor that another process made non-blocking. We must not change its flags. */
const FIRST_RETRY_MS = 5;
const MAX_RETRY_MS = 200;

/**
 * Any descriptor, shared or not. A thread of the pool does one write at a time, so a write that stalls stops no other.
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
    this.#attempt(bytes.subarray(start, end), FIRST_RETRY_MS, written);
  }

  #attempt(bytes: Buffer, retryMs: number, written: Written): void {
    write(this.#fd, bytes, 0, bytes.length, null, (error, count) => {
      if (error?.code === 'EAGAIN') {
        this.#clock.alarm(this.#clock.nowMs() + retryMs, () => {
          this.#attempt(bytes, Math.min(retryMs * 2, MAX_RETRY_MS), written);
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
