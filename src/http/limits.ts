/** Limits of one server: sizes, times and numbers. Tests use small values. */
import type { BodyLimits } from './body.ts';

/** All limits of a server. */
export interface ServerLimits extends BodyLimits {
  readonly headerBytes: number;
  /** From the connection to the end of the first request's headers. */
  readonly headerMs: number;
  /** Bytes of all answers of all servers that clients have not read yet (rpc/answer-budget.ts). */
  readonly answerBytes: number;
  /** Size up to which an answer is always given. */
  readonly freeAnswerBytes: number;
  /**
   * Number of connections at a time. A further connection replaces the one that has been without a whole request for
   * the longest time.
   * There is no other limit for idle connections: an interactive client may wait for its user for days.
   */
  readonly connections: number;
  /** Number of requests that one connection may send before their answers. */
  readonly pipelined: number;
  /** Time for which the client may leave a complete answer unread. */
  readonly stallMs: number;
  /** Time for which a closing server waits for unfinished answers. */
  readonly closeMs: number;
}

const MiB = 1024 * 1024;

/** Limits in production. */
export const defaultLimits: ServerLimits = {
  headerBytes: 16 * 1024,
  headerMs: 10_000,
  // Parsing a body blocks the event loop.
  bodyBytes: MiB,
  bodyMs: 30_000,
  totalBytes: 16 * MiB,
  answerBytes: 64 * MiB,
  freeAnswerBytes: MiB / 16,
  connections: 256,
  pipelined: 64,
  stallMs: 30_000,
  closeMs: 500,
};
