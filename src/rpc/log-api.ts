/** The logs that clients read: that of the supervisor, and those of the streams of processes. Types only. */
import type { Reserve } from './answer-budget.ts';

/** Maximum number of bytes of a log in one answer. */
export const MAX_READ_BYTES = 8 * 1024 * 1024;

/** Result of reading a log. */
export type LogReading =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** `offset` and `length` contradict each other (logs/log-offsets.ts, `readRange`). */
  | { readonly kind: 'badArguments' }
  /** There is no such log. `path`: the missing file; null if no file is configured. */
  | { readonly kind: 'noFile'; readonly path: string | null }
  /** The log cannot be read, or the range is longer than {@link MAX_READ_BYTES}. `reason` is for people. */
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * The end of a log. `offset`: size of the log. `overflow`: more than the requested bytes were added since the old
 * offset.
 */
export interface LogTail {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly overflow: boolean;
}

/**
 * The log of the supervisor, or of a stream of a process: its file, or the last bytes in memory if it has none.
 * `reserve` counts the bytes before they are read. Reading rejects with the error that `reserve` throws.
 */
export interface Log {
  /**
   * Reads bytes by the rules of `supervisor.readLog`: a negative offset counts from the end and requires length 0.
   * Length 0 means up to the end.
   */
  read(offset: number, length: number, reserve: Reserve): Promise<LogReading>;
  /**
   * Reads the end by the rules of `supervisor.tailProcessStdoutLog` (logs/log-offsets.ts, `tailRange`), at most
   * {@link MAX_READ_BYTES}. The end of a missing log is empty and has size 0.
   */
  tail(offset: number, length: number, reserve: Reserve): Promise<LogTail>;
  /** Empties the log, in memory and on disk. `noFile`: the file is missing. Resolves when done. */
  clear(): Promise<
    { readonly kind: 'cleared' } | { readonly kind: 'noFile' } | { readonly kind: 'failed'; readonly reason: string }
  >;
  /**
   * Calls `listener` with the last `lastBytes` of the log and then with everything that is written, in order, without
   * gaps or repetitions. The bytes are valid only during the call. The first call may come before this function
   * returns. Returns a function that stops following; it may be called more than once.
   */
  follow(lastBytes: number, listener: (bytes: Uint8Array) => void): () => void;
}
