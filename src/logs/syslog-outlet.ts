/**
 * The way to the log daemon of the machine: a datagram for each line. It never waits in a call, and a daemon that reads
 * nothing holds nobody up for longer than a moment: what it does not take then is given up, which the sink counts and
 * says. One that is slow slows those who write to it. A daemon that was restarted is found again with the next line.
 */
import { closeSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import type { Done, Outlet, Written } from './outlets.ts';
import type { LogClock, LogNatives } from './ports.ts';
import { syslogHeader } from './syslog-format.ts';

/**
 * Most bytes of a line in one datagram; the rest comes in further ones. Well below what the kernel takes, and what
 * journald does.
 */
export const LONGEST_DATAGRAM_LINE = 64 * 1024;

/** Datagrams that are sent in one go; others get their turn then. */
const BATCH = 256;

/**
 * The queue of a daemon has room for a few datagrams only (net.unix.max_dgram_qlen, often 10), so a burst is always too
 * much for it, and a descriptor of this kind is one that Node cannot wait for: it is tried again after these delays,
 * and given up when it has taken nothing for so long.
 */
const FIRST_RETRY_MS = 1;
const LONGEST_RETRY_MS = 50;
const PATIENCE_MS = 1000;

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);
/** The other end is gone, and another one may have taken its place. */
const DISCONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTCONN', 'EDESTADDRREQ', 'EPIPE']);

/** What an outlet is made from. */
export interface SyslogParts {
  /** Path of the daemon's socket. */
  readonly path: string;
  readonly natives: Pick<LogNatives, 'connectDatagram' | 'sendDatagram'>;
  readonly clock: LogClock;
}

/** One call of {@link SyslogOutlet.write}. */
interface Job {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Up to where it is done. */
  at: number;
  retryMs: number;
  /** Since when nothing was taken; null while something is. */
  waitedSinceMs: number | null;
  readonly written: Written;
}

/** See the head of this file. */
export class SyslogOutlet implements Outlet {
  readonly #parts: SyslogParts;
  readonly #datagram = Buffer.allocUnsafeSlow(LONGEST_DATAGRAM_LINE + 128);
  #fd: number | null = null;
  /** The beginning of a line whose end has not been given yet. */
  #carry: Buffer = EMPTY;
  /** The daemon has not taken anything since it was given up on: nobody waits for it once more. */
  #isStalled = false;

  constructor(parts: SyslogParts) {
    this.#parts = parts;
  }

  write(bytes: Buffer, start: number, end: number, written: Written): void {
    this.#advance({
      bytes,
      start,
      end,
      at: start,
      retryMs: FIRST_RETRY_MS,
      waitedSinceMs: null,
      written: (error, count) => setImmediate(written, error, count),
    });
  }

  open(done: Done): void {
    const error = this.#connect();
    queueMicrotask(() => done(error));
  }

  reopen(done: Done): void {
    this.#disconnect();
    this.open(done);
  }

  clear(done: Done): void {
    queueMicrotask(() => done(null));
  }

  close(done: Done): void {
    this.#disconnect();
    queueMicrotask(() => done(null));
  }

  #advance(job: Job): void {
    for (let count = 0; count < BATCH && job.at < job.end; count++) {
      const stop = this.#endOfPiece(job);
      if (stop === null) {
        this.#carry = Buffer.concat([this.#carry, job.bytes.subarray(job.at, job.end)]);
        job.at = job.end;
        break;
      }
      const error = this.#send(job.bytes, job.at, stop);
      if (error !== null) {
        this.#settle(job, error);
        return;
      }
      this.#carry = EMPTY;
      job.retryMs = FIRST_RETRY_MS;
      job.waitedSinceMs = null;
      job.at = job.bytes[stop] === NEWLINE ? stop + 1 : stop;
    }
    job.written(null, job.at - job.start);
  }

  /**
   * Where the next datagram ends: at the end of the line, or where it is as long as one may be; null when neither is
   * there.
   */
  #endOfPiece({ bytes, at, end }: Job): number | null {
    const longest = at + LONGEST_DATAGRAM_LINE - this.#carry.length;
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline !== -1 && newline < end && newline <= longest) return newline;
    return longest < end ? longest : null;
  }

  #settle(job: Job, error: NodeJS.ErrnoException): void {
    const { clock } = this.#parts;
    const nowMs = clock.nowMs();
    const isBehind = error.code === 'EAGAIN' || error.code === 'ENOBUFS';
    job.waitedSinceMs ??= nowMs;
    if (isBehind && !this.#isStalled && nowMs - job.waitedSinceMs < PATIENCE_MS) {
      clock.alarm(nowMs + job.retryMs, () => this.#advance(job));
      job.retryMs = Math.min(job.retryMs * 2, LONGEST_RETRY_MS);
      return;
    }
    this.#isStalled = isBehind;
    if (job.at > job.start) {
      // What was taken counts as written; what comes next meets the same error.
      job.written(null, job.at - job.start);
      return;
    }
    this.#carry = EMPTY;
    job.written(error, 0);
  }

  /** Sends the carry and bytes[start, end); nothing for a line that is empty, as the one that ends a torn line is. */
  #send(bytes: Buffer, start: number, end: number): NodeJS.ErrnoException | null {
    if (this.#carry.length === 0 && start === end) return null;
    const header = syslogHeader(this.#parts.clock.wallMs());
    const before = header.copy(this.#datagram);
    const carried = before + this.#carry.copy(this.#datagram, before);
    const length = carried + bytes.copy(this.#datagram, carried, start, end);
    let error = this.#sendDatagram(length);
    if (error !== null && DISCONNECTED.has(error.code ?? '')) {
      this.#disconnect();
      error = this.#sendDatagram(length);
    }
    if (error === null) this.#isStalled = false;
    return error;
  }

  #sendDatagram(length: number): NodeJS.ErrnoException | null {
    const failure = this.#connect();
    if (failure !== null || this.#fd === null) return failure;
    const errno = this.#parts.natives.sendDatagram(this.#fd, this.#datagram, 0, length);
    return errno === 0 ? null : errorOf(errno);
  }

  #connect(): NodeJS.ErrnoException | null {
    if (this.#fd !== null) return null;
    try {
      this.#fd = this.#parts.natives.connectDatagram(this.#parts.path);
      return null;
    } catch (error) {
      return errorOf((error as { readonly errno: number }).errno);
    }
  }

  #disconnect(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

/** An errno as the errors of Node have it: negative, with its name. */
function errorOf(errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(code), { code, errno: -errno });
}
