/**
 * What bounds one server: sizes, times and numbers. Tests make them small.
 */
import type { BodyLimits } from './body.ts';

/** All limits of a server. */
export interface ServerLimits extends BodyLimits {
  readonly headerBytes: number;
  /** From the connection to the end of the first request's headers. */
  readonly headerMs: number;
  /**
   * Bytes of all answers, over all servers, that clients have not taken yet; and of one answer that is given although
   * these are exceeded.
   */
  readonly answerBytes: number;
  readonly freeAnswerBytes: number;
  /**
   * Connections at a time. For one more the longest idle one is closed; a shell that waits for its user may idle for
   * days otherwise.
   */
  readonly connections: number;
  /** Requests that one connection may send ahead of their answers. */
  readonly pipelined: number;
  /** How long the other side may take nothing of an answer that is complete. */
  readonly stallMs: number;
  /** How long a closing server waits for answers under way. */
  readonly closeMs: number;
}

const MiB = 1024 * 1024;

/** The limits in use. */
export const defaultLimits: ServerLimits = {
  headerBytes: 16 * 1024,
  headerMs: 10_000,
  // Reading it holds up everything else.
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
