/**
 * The outlet for the log daemon of this machine: a datagram for each line. No call blocks. A slow daemon slows the
 * programs that write to it. If a daemon takes nothing for {@link DROP_AFTER_MS}, lines are dropped, and the sink
 * counts and reports them. The next line finds a daemon that was restarted.
 */
import { closeSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { showNewlines } from './inner-newlines.ts';
import type { Done, Outlet, Written } from './outlets.ts';
import type { LogClock, LogNatives } from './ports.ts';
import { syslogHeader } from './syslog-format.ts';

/**
 * Maximum number of bytes of a line in one datagram. A longer line takes several datagrams. The kernel and journald
 * accept more.
 */
export const MAX_DATAGRAM_LINE_BYTES = 64 * 1024;

/** Maximum number of datagrams in a row. Other work of the loop gets its turn then. */
const BATCH = 256;

/**
 * Retry times for a daemon whose queue is full, and the time after which lines are dropped. The queue has room for a
 * few datagrams only (net.unix.max_dgram_qlen, often 10), so every burst fills it. Node cannot poll such a descriptor.
 */
const FIRST_RETRY_MS = 1;
const MAX_RETRY_MS = 50;
const DROP_AFTER_MS = 1000;

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);
/** Errors of a socket whose daemon has gone. Another daemon may have the path now. */
const DISCONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTCONN', 'EDESTADDRREQ', 'EPIPE']);

/** Parts of a syslog outlet. */
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
  /** End of the bytes that are sent. */
  at: number;
  retryMs: number;
  /** Time since which the daemon takes nothing. Null: the daemon takes datagrams. */
  waitedSinceMs: number | null;
  readonly written: Written;
}

/** The outlet for the log daemon of this machine. */
export class SyslogOutlet implements Outlet {
  readonly #parts: SyslogParts;
  readonly #datagram = Buffer.allocUnsafeSlow(MAX_DATAGRAM_LINE_BYTES + 128);
  #fd: number | null = null;
  /** Beginning of a line whose end has not come yet. */
  #carry: Buffer = EMPTY;
  /** True if the daemon has taken nothing since lines were dropped. Further lines are then dropped without a retry. */
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

  rotate(done: Done): void {
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
        this.#onError(job, error);
        return;
      }
      this.#carry = EMPTY;
      job.retryMs = FIRST_RETRY_MS;
      job.waitedSinceMs = null;
      job.at = job.bytes[stop] === NEWLINE ? stop + 1 : stop;
    }
    job.written(null, job.at - job.start);
  }

  /** Returns the end of the next datagram: the end of the line, or the size limit. Null: more bytes must come first. */
  #endOfPiece({ bytes, at, end }: Job): number | null {
    const longest = at + MAX_DATAGRAM_LINE_BYTES - this.#carry.length;
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline !== -1 && newline < end && newline <= longest) return newline;
    return longest < end ? longest : null;
  }

  #onError(job: Job, error: NodeJS.ErrnoException): void {
    const { clock } = this.#parts;
    const nowMs = clock.nowMs();
    const isBehind = error.code === 'EAGAIN' || error.code === 'ENOBUFS';
    job.waitedSinceMs ??= nowMs;
    if (isBehind && !this.#isStalled && nowMs - job.waitedSinceMs < DROP_AFTER_MS) {
      clock.alarm(nowMs + job.retryMs, () => this.#advance(job));
      job.retryMs = Math.min(job.retryMs * 2, MAX_RETRY_MS);
      return;
    }
    this.#isStalled = isBehind;
    if (job.at > job.start) {
      // The sent bytes count as written. The next write meets the same error.
      job.written(null, job.at - job.start);
      return;
    }
    this.#carry = EMPTY;
    job.written(error, 0);
  }

  /** Sends the carry and bytes[start, end). Sends nothing for an empty line, which may be the end of a torn line. */
  #send(bytes: Buffer, start: number, end: number): NodeJS.ErrnoException | null {
    if (this.#carry.length === 0 && start === end) return null;
    const header = syslogHeader(this.#parts.clock.wallMs());
    const before = header.copy(this.#datagram);
    const carried = before + this.#carry.copy(this.#datagram, before);
    const copied = carried + bytes.copy(this.#datagram, carried, start, end);
    const length = showNewlines(this.#datagram, before, copied);
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

/** Makes an error as Node does: with a negative errno and its name. */
function errorOf(errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(code), { code, errno: -errno });
}
