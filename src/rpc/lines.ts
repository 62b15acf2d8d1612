/** The lines of outputs, as clients select, read and follow them. */
import { STREAM_NAMES, type StreamName } from '../core/stream-name.ts';

/** An output with lines: a stream of a program, or the log of the supervisor itself. */
export type LineStream = StreamName | 'supervisor';

/** All of them. */
export const LINE_STREAMS: readonly LineStream[] = [...STREAM_NAMES, 'supervisor'];

/** The outputs whose lines a client wants. */
export interface LineSelection {
  /** Names `group:name` or `name`, `group:*`, or patterns with `*` and `?`. Empty: all programs. */
  readonly names: readonly string[];
  /** Empty: all streams of the programs, and the supervisor's log if `names` is empty, too. */
  readonly streams: readonly LineStream[];
}

/** The lines that a client wants. Null: no such limit (logs/tail-lines.ts, `LineBounds`). */
export interface LineQuery {
  readonly after: number | null;
  readonly before: number | null;
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly limits: { readonly lines: number; readonly bytes: number };
  /** The state of a client that reads in several calls, by output: each loss is told once. Belongs to the reader. */
  readonly told?: WeakMap<object, number>;
}

/** A line, with the names that clients see. */
export interface LogLine {
  /** Number of its first byte in the sequence of the supervisor. */
  readonly seq: number;
  /** Time of its receipt, in milliseconds since 1970. */
  readonly at: number;
  readonly name: string;
  readonly stream: LineStream;
  readonly pid: number;
  /** The line without its newline. A byte that is not UTF-8 is a lone surrogate (files/bytes.ts). */
  readonly text: string;
  /** Set if the line has not ended here. Its remainder may follow as `rest`. */
  readonly partial?: true;
  /** Set if this continues a line whose beginning was read before, or is lost. */
  readonly rest?: true;
}

/** A wait for lines after a number. */
export interface WaitForLines {
  readonly after: number;
  readonly waitMs: number;
  /** Asked again after each event of the history. */
  readonly isOtherwiseReady?: () => boolean;
  readonly signal: AbortSignal;
}

/** Lines in the order of their numbers. */
export interface LogLines {
  readonly lines: readonly LogLine[];
  /** The number to continue after, without a gap and without a repetition. */
  readonly next: number;
  /** True if a limit left out lines: later ones with `after`, otherwise earlier ones. */
  readonly hasMore: boolean;
  /** Outputs that lost bytes after `after` before this call, with the number of bytes at most. */
  readonly missed: ReadonlyArray<{ readonly name: string; readonly stream: LineStream; readonly bytes: number }>;
}

/** A client that reads the new lines of a selection for a long time. */
export interface LineFollow {
  /** Reads lines after a number, of the outputs at the last refresh. `told`: losses the client knows, by output. */
  readonly read: (after: number, limits: LineQuery['limits'], told?: WeakMap<object, number>) => LogLines;
  /** Looks up the outputs of the selection again: programs have come or gone. */
  readonly refresh: () => void;
  readonly close: () => void;
}
