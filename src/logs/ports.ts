/**
 * The interfaces of logs/: settings of logs, their operations, and the functions that the hub needs from outside.
 * Types only. hub.ts makes the objects (`new LogHub(deps)`). Other folders know them by these interfaces only.
 */
import type { ContainerStream } from '../core/container-stream.ts';
import type { LogFields } from '../core/log-fields.ts';
import type { Level } from '../core/log-level.ts';
import type { Sequence } from '../core/sequence.ts';
import type { LogServer } from '../core/log-server.ts';
import type { StreamName } from '../core/stream-name.ts';
import type { LineReader } from './line-reader.ts';
import type { RotationInterval } from './rotation-time.ts';
import type { Tail } from './tail.ts';
import type { FileQueue } from './written.ts';

/** Form of a line (`log_format`). */
export type LogFormat = 'raw' | 'prefix' | 'json' | 'logfmt';

/** A destination of the output of a channel. A channel without targets is still read, and keeps a tail in memory. */
export type LogTarget =
  | { readonly kind: 'container'; readonly stream: ContainerStream; readonly format: LogFormat }
  /** A path. The limits and rules apply to a regular file only. Without rules, the file is made as open(2) does. */
  | ({
      readonly kind: 'file';
      readonly path: string;
      readonly format: LogFormat;
      readonly rules?: FileRules;
    } & FileLimits)
  /** The log daemon of this machine (/dev/log). Each line is a datagram with the name of the process. */
  | { readonly kind: 'syslog'; readonly format: LogFormat }
  /** A log server. Each line is a message of RFC 5424. */
  | ({ readonly kind: 'remote'; readonly format: LogFormat } & LogServer);

/**
 * Rules of the rotation of a log file (`stdout_logfile_maxbytes`, `stdout_logfile_backups`, `rotate_interval`,
 * `compress`).
 */
export interface FileLimits {
  /** 0: no rotation by size. */
  readonly maxBytes: number;
  readonly backups: number;
  /** Null: no rotation by time. */
  readonly interval: RotationInterval | null;
  readonly compress: boolean;
}

/** Mode and owner of a log file (`stdout_logfile_mode`, `stdout_logfile_owner`). */
export interface FileAccess {
  /** Null: the umask decides. */
  readonly mode: number | null;
  /** Null: our own user. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

/** Rules of how a log file is made. */
export interface FileRules {
  readonly access: FileAccess;
  /** True: missing directories of its path are made (`logfile_mkdir`). */
  readonly makesDirectories: boolean;
}

/** Settings of the formats other than raw. */
export interface LineStyle {
  /** Template of the prefix (`log_prefix`). Null: the process name, padded to the longest name, and ` | `. */
  readonly prefix: string | null;
  /** Most characters of a name in the default prefix. 0: no limit (`log_prefix_width`). */
  readonly prefixWidth: number;
  /**
   * `iso8601` puts the time before each line of the prefix format, unless the template has a time (`log_timestamp`).
   */
  readonly timestamp: 'iso8601' | 'none';
  /**
   * Treatment of a line that is a JSON object, in the json format: an object as `data` or as `message`, the line
   * unchanged, or a string (`log_json_lines`).
   */
  readonly jsonLines: 'nest' | 'message' | 'pass' | 'string';
  /** Longest time that a partial line waits for its end, in milliseconds. 0: no wait (`log_partial_after`). */
  readonly partialAfterMs: number;
  /** Pattern of the first line of a record, for records and messages. Null: each line is a record (`log_multiline`). */
  readonly multiline: string | null;
}

/** Settings of one output stream of one process. */
export interface ChannelSpec {
  readonly group: string;
  /** The x of `[program:x]`. */
  readonly program: string;
  /** Name of the process within its group. */
  readonly process: string;
  readonly stream: StreamName;
  readonly targets: readonly LogTarget[];
  readonly style: LineStyle;
  /** True: ANSI escape sequences are removed before anything else sees the bytes (`strip_ansi`). */
  readonly stripAnsi: boolean;
  /**
   * Maximum number of bytes between the tokens of a process communication event. 0: the tokens are ordinary output
   * (`stdout_capture_maxbytes`).
   */
  readonly captureMaxBytes: number;
  /** Bytes of output kept in memory for tails. */
  readonly tailBytes: number;
}

/** Receiver of output. The bytes are valid during the call only. */
export type BytesListener = (bytes: Buffer, pid: number) => void;

/** Answer of `supervisor.tailProcessStdoutLog`. */
export interface TailSlice {
  readonly bytes: Buffer;
  /** Size of the log. */
  readonly offset: number;
  /** True if bytes were skipped. */
  readonly overflow: boolean;
}

/** The reading end of one pipe of one run. */
export interface Intake {
  readonly pid: number;
  /** Resolves at end of file, or when the channel is closed. */
  readonly ended: Promise<void>;
  /**
   * Resolves when the current content of the pipe is read, or at end of file. Call this after the process was reaped.
   * A stalled target delays the result without limit.
   */
  drained(): Promise<void>;
  /**
   * Reads the current content of the pipe before the call returns, at most the capacity of the pipe, and no more than
   * the targets have room for. At end of file the pipe is closed at once.
   */
  readRemaining(): void;
  /** Stops reading for good and closes the pipe. Bytes that were read are still written. */
  close(): void;
}

/** Output of a channel since it was opened. */
export interface ChannelCounts {
  readonly lines: number;
  readonly bytes: number;
  /** Lines that its targets have dropped, with those of other channels of the same target. */
  readonly droppedLines: number;
}

/** One output stream of one process, from its pipes to its log targets. */
export interface LogChannel {
  readonly spec: ChannelSpec;
  /**
   * Reads the pipe of a new run until end of file. The descriptor belongs to the channel from now on.
   * Several pipes may be open at once, because a grandchild can keep an old pipe. Each has its own partial line. The
   * number of old pipes is limited (old-pipes.ts).
   */
  read(fd: number, pid: number): Intake;
  /** Resolves when every open pipe is drained; see {@link Intake.drained}. */
  drained(): Promise<void>;
  /** The last bytes in memory, with their times and numbers. Another object after the size has changed. */
  readonly memory: Tail;
  readonly counts: ChannelCounts;
  /** The queues of the log files. */
  readonly fileQueues: readonly FileQueue[];
  /** Reads the tail in memory, with the offsets of `supervisor.tailProcessStdoutLog`. */
  tail(offset: number, length: number): TailSlice;
  /**
   * Reads the tail in memory, with the offsets of `supervisor.readProcessStdoutLog`. Null for arguments that contradict
   * each other (BAD_ARGUMENTS).
   */
  readLog(offset: number, length: number): Buffer | null;
  /** Passes all output on, after `stripAnsi`, without captured sections. Returns the function that ends this. */
  onBytes(listener: BytesListener): () => void;
  /** Passes each captured section on, at most `captureMaxBytes` of it. Returns the function that ends this. */
  onCapture(listener: BytesListener): () => void;
  /** Closes the pipes of earlier runs, except the last one, because the program is stopped on request. */
  closeOldPipes(): void;
  /** Replaces targets and style while pipes stay open. Process and stream must be the same. */
  configure(spec: ChannelSpec): void;
  /** Empties the tail and the log files, which exist again afterwards. Rejects with the errno of the first failure. */
  clear(): Promise<void>;
  /** Reopens the log files. Rejects with the errno of the first failure. */
  reopen(): Promise<void>;
  /**
   * Rotates the log files. A file whose last line has not ended is rotated at the end of that line. Rejects with the
   * first failure, also if the files have no backups: their lines would be lost.
   */
  rotate(): Promise<void>;
  /** Stops reading and releases the targets. Bytes that were read are still written. */
  close(): void;
}

/** The functions of the addon that logs/ uses. */
export interface LogNatives {
  frame(lines: Uint8Array, prefix: Uint8Array, target: Uint8Array, out: Uint32Array): void;
  record(
    source: Uint8Array,
    head: Uint8Array,
    tail: Uint8Array,
    unit: number,
    target: Uint8Array,
    out: Uint32Array,
  ): void;
  countNewlines(bytes: Uint8Array): number;
  pipeSize(fd: number): number;
  growPipe(fd: number, bytes: number): number;
  readNow(fd: number, target: Uint8Array): number;
  getLimit(resource: string): { readonly soft: number };
  writeNow(fd: number, bytes: Uint8Array, start: number, end: number): number;
  watchReadable(fd: number, ready: (errno: number, fd: number) => void): void;
  unwatchReadable(fd: number): void;
  connectDatagram(path: string): number;
  sendDatagram(fd: number, bytes: Uint8Array, start: number, end: number): number;
}

/** Monotonic time with alarms, and the time of day. */
export interface LogClock {
  nowMs(): number;
  /** Calls `wake` once, at `atMs` or soon after. The returned function cancels the alarm. */
  alarm(atMs: number, wake: () => void): () => void;
  /** Milliseconds since 1970. */
  wallMs(): number;
}

/** A report about a log target for the supervisor's own log. There is one report for an episode, not for each line. */
export interface LogProblem {
  readonly level: 'warn' | 'error';
  readonly text: string;
}

/** Value of `--color`. `auto`: prefixes are coloured on a terminal, unless NO_COLOR is set. */
export type ColorChoice = 'auto' | 'always' | 'never';

/** Parts of a hub. */
export interface LogDeps {
  readonly natives: LogNatives;
  readonly clock: LogClock;
  /** The sequence of the supervisor. Each byte of output takes a number. */
  readonly sequence: Sequence;
  readonly color: ColorChoice;
  /** True if the environment has a non-empty NO_COLOR. */
  readonly noColor: boolean;
  /** The descriptors of our stdout and stderr: 1 and 2, except in tests. */
  readonly streams: { readonly 1: number; readonly 2: number };
  /** Socket of the log daemon: /dev/log, except in tests. */
  readonly syslogPath?: string;
}

/** Settings of the supervisor's own log. */
export interface MainLogSpec {
  readonly level: Level;
  /** Destinations of the log. The format of a container stream is the format of all own lines there. */
  readonly targets: readonly LogTarget[];
  /** The console of `nodaemon`, unless `silent` is set. Null: none. */
  readonly console: LogTarget | null;
  /** Name of the supervisor in the field `program` of the json and logfmt formats. */
  readonly name: string;
  /** Bytes kept in memory for `readLog`. */
  readonly tailBytes: number;
}

/** The supervisor's own log. Nothing in it throws or waits. */
export interface MainLog {
  /** `fields` are for the formats json and logfmt. */
  write(level: Level, text: string, fields?: LogFields): void;
  /** Returns true if lines of a level are written. A caller can save the work of making the text. */
  isEnabled(level: Level): boolean;
  setLevel(level: Level): void;
  configure(spec: MainLogSpec): void;
  /** The last bytes in memory, with their times and numbers. Another object after the size has changed. */
  readonly memory: Tail;
  /** The queues of the log files. */
  readonly fileQueues: readonly FileQueue[];
  tail(offset: number, length: number): TailSlice;
  readLog(offset: number, length: number): Buffer | null;
  onBytes(listener: BytesListener): () => void;
  clear(): Promise<void>;
  reopen(): Promise<void>;
}

/** Limits of a flush to slow readers. */
export interface FlushLimit {
  /** Returns the time to give up, on the monotonic clock, if bytes last moved at `movedMs`. */
  giveUpAtMs(movedMs: number): number;
  /** Returns the reason of giving up, in words about the reader: `it took nothing for 30 s`. */
  reason(): string;
  /** Calls `listener` when the limit became shorter. Returns the function that ends this. */
  onChange(listener: () => void): () => void;
}

/** Output that could not be written before the exit. */
export interface LostOutput {
  readonly lines: number;
  readonly bytes: number;
}

/** Result of {@link Hub.flush}. 0: all output was written. */
export interface FlushOutcome {
  readonly unwrittenBytes: number;
  /** True if the limit of the wait has passed. */
  readonly isLate: boolean;
}

/** An open log file. It may have been renamed or removed in the meantime. */
export interface OpenFile {
  readonly fd: number;
  readonly dev: number;
  readonly ino: number;
  /** Bytes in the file that are no longer queued. */
  readonly size: number;
}

/** State of the path of a log. */
export interface FileState {
  /** `other`: a fifo, a terminal or a device. Null: nothing is open. */
  readonly file: OpenFile | 'other' | null;
  /** The last bytes of the queue for the file. */
  readonly queued: Buffer;
}

/** All logs of one supervisor. */
export interface Hub {
  readonly mainLog: MainLog;
  /** Reads and merges the lines in the memory of logs. */
  readonly lineReader: LineReader;
  openChannel(spec: ChannelSpec): LogChannel;
  /** Returns the state of the path of a log, with at most `queuedBytes` of its queue. Null: no log has the path. */
  fileState(path: string, queuedBytes: number): FileState | null;
  /** Closes the pipes of ended runs of all programs, to have free descriptors. Returns false if there are none. */
  closeOldPipes(): boolean;
  /** Reopens all log files (USR2). Reports the paths that cannot be opened. */
  reopen(): Promise<void>;
  /** Writes partial lines and waits until every target has taken its output. A number as `limit` is milliseconds. */
  flush(limit: number | FlushLimit): Promise<FlushOutcome>;
  /**
   * Flushes for the last time. Output that no target takes in time is lost. The lost lines are counted and reported in
   * the supervisor's own log and on our stderr.
   */
  finish(limit: FlushLimit): Promise<void>;
  /**
   * Closes all channels and files, and releases the container's streams, whose descriptors stay open.
   * Waits for stalled targets. A reload therefore keeps the hub and closes only channels.
   */
  close(): Promise<void>;
}
