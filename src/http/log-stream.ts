/**
 * Following a log over HTTP: the last bytes, then what comes, for as long as the client reads. A client that reads too
 * slowly misses bytes and is told how many; one that does not read at all is cut off. Nothing is kept for it beyond a
 * fixed size.
 */
import type { ServerResponse } from 'node:http';
import type { Log } from '../rpc/supervisor-api.ts';

/** compat: how much of what is already there a follower gets first. */
const FIRST_BYTES = 1024;

/** Bytes that may wait for one client. */
const BACKLOG_BYTES = 256 * 1024;

/** How long a client may take to read the backlog before it is cut off. */
const STALL_MS = 30_000;

/** Limits of a stream; tests make them small. */
export interface StreamLimits {
  /** Above the high-water mark of a socket (64 KiB): at that one Node begins to tell when its buffer is empty again. */
  readonly backlogBytes: number;
  readonly stallMs: number;
}

/** The limits in use. */
export const defaultStreamLimits: StreamLimits = { backlogBytes: BACKLOG_BYTES, stallMs: STALL_MS };

/** Streams a log until the client goes, stalls, or `signal` is aborted. Returns at once. */
export function streamLog(log: Log, response: ServerResponse, signal: AbortSignal, limits: StreamLimits): void {
  let skipped = 0;
  let stallTimer: NodeJS.Timeout | null = null;
  let unfollow: (() => void) | null = null;
  let isOver = false;

  const stop = (): void => {
    isOver = true;
    if (stallTimer !== null) clearTimeout(stallTimer);
    unfollow?.();
    signal.removeEventListener('abort', abort);
    response.off('drain', resume);
  };
  const abort = (): void => {
    stop();
    response.end();
  };
  const resume = (): void => {
    if (stallTimer !== null) clearTimeout(stallTimer);
    stallTimer = null;
    if (skipped === 0) return;
    const count = skipped;
    skipped = 0;
    write(Buffer.from(`\n==> ${count} bytes skipped <==\n`));
  };
  const write = (bytes: Uint8Array): void => {
    if (isOver) return;
    if (response.writableLength >= limits.backlogBytes) {
      skipped += bytes.length;
      return;
    }
    // The bytes are ours during the call only, and the response keeps what it cannot write yet. An empty chunk would
    // end the stream.
    if (bytes.length > 0 && !response.write(Buffer.from(bytes))) stallTimer ??= setTimeout(cut, limits.stallMs);
  };
  const cut = (): void => {
    stop();
    response.destroy();
  };

  // X-Accel-Buffering keeps nginx from collecting the stream before it passes it on.
  response.writeHead(200, {
    'Content-Type': 'text/plain;charset=utf-8',
    'X-Accel-Buffering': 'no',
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  });
  response.flushHeaders();
  // A request for the headers alone: nothing that came would be written, and the answer would never end.
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  response.on('close', stop);
  response.on('drain', resume);
  signal.addEventListener('abort', abort);
  unfollow = log.follow(FIRST_BYTES, write);
  if (signal.aborted) abort();
  else if (isOver) unfollow();
}
