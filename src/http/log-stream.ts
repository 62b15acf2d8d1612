/**
 * Following a log over HTTP: sends the last bytes, then all new bytes. A client that reads too slowly misses bytes, and
 * a line in the stream says how many. A client that does not read at all is disconnected. The memory for a client is
 * limited.
 */
import type { ServerResponse } from 'node:http';
import type { Log } from '../rpc/log-api.ts';

/** compat: number of existing bytes that are sent first. */
const FIRST_BYTES = 1024;

/** Maximum number of bytes that wait for one client. */
const BACKLOG_BYTES = 256 * 1024;

/** Time after which a client that does not read is disconnected. */
const STALL_MS = 30_000;

/**
 * Number of streams at a time. A server has 256 connections, and the live streams of the JSON API take 64, so that some
 * are left for status and probes.
 */
const STREAMS = 128;

/** Limits of all streams. Tests use small values. */
export interface StreamLimits {
  readonly streams: number;
  /** Must exceed the high-water mark of a socket (64 KiB): Node emits `drain` only after that mark was reached. */
  readonly backlogBytes: number;
  readonly stallMs: number;
}

/** Limits in production. */
export const defaultStreamLimits: StreamLimits = {
  streams: STREAMS,
  backlogBytes: BACKLOG_BYTES,
  stallMs: STALL_MS,
};

/** Streams a log until the client disconnects or stalls, or `signal` is aborted. Returns at once. */
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
    // The bytes are valid during this call only, and the response may keep them, so they are copied. An empty chunk
    // would end the stream.
    if (bytes.length > 0 && !response.write(Buffer.from(bytes))) stallTimer ??= setTimeout(cut, limits.stallMs);
  };
  const cut = (): void => {
    stop();
    response.destroy();
  };

  // X-Accel-Buffering: nginx must not buffer the stream.
  response.writeHead(200, {
    'Content-Type': 'text/plain;charset=utf-8',
    'X-Accel-Buffering': 'no',
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  });
  response.flushHeaders();
  // HEAD: Node would write none of the bytes, and the answer would never end.
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
