/**
 * The contract of the log path: what a channel is asked for, what it offers, and what the hub needs from outside.
 * Types only. The parts are made by hub.ts (`new LogHub(deps)`) and are known elsewhere by these interfaces alone.
 */
import type { ContainerStream } from '../core/container-stream.ts';
import type { Level } from '../core/log-level.ts';
import type { LogServer } from '../core/log-server.ts';
import type { RotationInterval } from './rotation-time.ts';

/** How a line looks where it is written (`log_format`). */
export type LogFormat = 'raw' | 'prefix' | 'json' | 'logfmt';

/** The streams of a process that are logged. */
export type StreamName = 'stdout' | 'stderr';

/**
 * One place that the output of a channel goes to. A channel without targets is read all the same, and kept in memory.
 */
export type LogTarget =
  | { readonly kind: 'container'; readonly stream: ContainerStream; readonly format: LogFormat }
  /** A path. Anything but a regular file is never rotated nor sought, whatever these say. */
  | ({ readonly kind: 'file'; readonly path: string; readonly format: LogFormat } & FileLimits)
  /** The log daemon of this machine (/dev/log): each line, with the name of the process, as a datagram. */
  | { readonly kind: 'syslog'; readonly format: LogFormat }
  /** A log server: each line as a message of RFC 5424. */
  | ({ readonly kind: 'remote'; readonly format: LogFormat } & LogServer);

/**
 * When a log file is rotated, and what becomes of it then (`stdout_logfile_maxbytes`, `stdout_logfile_backups`,
 * `rotate_interval`, `compress`).
 */
export interface FileLimits {
  /** 0: it is not rotated by size. */
  readonly maxBytes: number;
  readonly backups: number;
  /** Null: it is not rotated by time. */
  readonly interval: RotationInterval | null;
  readonly compress: boolean;
}

/** What a line is dressed with in the formats other than raw. */
export interface LineStyle {
  /** Template of the prefix (`log_prefix`); null: the process name, padded to the longest one, and ` | `. */
  readonly prefix: string | null;
  /**
   * `iso8601` puts the time before each line of the prefix format, unless the template has it already
   * (`log_timestamp`).
   */
  readonly timestamp: 'iso8601' | 'none';
  /**
   * Treatment, in the json format, of a line that is a JSON object itself: an object as `data` or as `message`, the
   * line unchanged, a string (`log_json_lines`).
   */
  readonly jsonLines: 'nest' | 'message' | 'pass' | 'string';
  /**
   * Longest time that a partial line waits for its end, in milliseconds; 0: it is written at once
   * (`log_partial_after`).
   */
  readonly partialAfterMs: number;
}

/** One stream of one process, for as long as the process is configured. */
export interface ChannelSpec {
  readonly group: string;
  /** The x of `[program:x]`. */
  readonly program: string;
  /** Name of the process within its group. */
  readonly process: string;
  readonly stream: StreamName;
  readonly targets: readonly LogTarget[];
  readonly style: LineStyle;
  /** Take ANSI escape sequences out before anything else sees the bytes (`strip_ansi`). */
  readonly stripAnsi: boolean;
  /**
   * Most bytes kept of what stands between the tokens of a process communication event; 0: tokens mean nothing
   * (`stdout_capture_maxbytes`).
   */
  readonly captureMaxBytes: number;
  /** Bytes of output kept in memory for tails. */
  readonly tailBytes: number;
}

/** Gets bytes as they come; they are valid during the call only. */
export type BytesListener = (bytes: Buffer, pid: number) => void;

/**
 * What a tail returns, as `supervisor.tailProcessStdoutLog` has it: the bytes, the size of the log, whether some were
 * skipped.
 */
export interface TailSlice {
  readonly bytes: Buffer;
  readonly offset: number;
  readonly overflow: boolean;
}

/** One pipe of one run. */
export interface Intake {
  readonly pid: number;
  /** Resolves at end of file, also when the channel is closed. */
  readonly ended: Promise<void>;
  /**
   * Resolves when all that the pipe holds now has been taken, or at end of file: to be called once the process was
   * reaped. Takes as long as a stalled target takes; who cannot wait that long sets a limit.
   */
  drained(): Promise<void>;
  /**
   * Takes what the pipe holds now before it returns, at most as much as a pipe can hold, and no more than the targets
   * have room for.
   * At end of file the pipe is closed at once.
   */
  takeRest(): void;
  /** Stops reading for good and closes the pipe; what was taken is written. */
  close(): void;
}

/** The way of one stream of one process from its pipes to its targets. */
export interface LogChannel {
  readonly spec: ChannelSpec;
  /**
   * Reads the pipe of a new run until end of file; the descriptor belongs to the channel from now on.
   * Several may be open at once, since a grandchild can keep an old one; each has its own partial line.
   */
  read(fd: number, pid: number): Intake;
  /** Resolves when every open pipe is drained, in the meaning of {@link Intake.drained}. */
  drained(): Promise<void>;
  /** The in-memory tail, with the offsets of `supervisor.tailProcessStdoutLog`. */
  tail(offset: number, length: number): TailSlice;
  /**
   * The in-memory tail, with the offsets of `supervisor.readProcessStdoutLog`; null for arguments that do not fit
   * together (BAD_ARGUMENTS).
   */
  readLog(offset: number, length: number): Buffer | null;
  /** Hears every byte of output, after `stripAnsi`, without captured sections. Returns the function that ends it. */
  onBytes(listener: BytesListener): () => void;
  /** Hears each captured section at its end, at most `captureMaxBytes` of it. Returns the function that ends it. */
  onCapture(listener: BytesListener): () => void;
  /** Replaces targets and style while pipes stay open; process and stream must be the same. */
  configure(spec: ChannelSpec): void;
  /**
   * Empties the tail and its log files; they exist again afterwards. Rejects with the errno of the first that could
   * not.
   */
  clear(): Promise<void>;
  /** Closes the log files and opens their paths anew. Rejects with the errno of the first that could not. */
  reopen(): Promise<void>;
  /** Ends reading and lets go of the targets; what was taken is written. */
  close(): void;
}

/** The functions of the addon that the log path uses. */
export interface LogNatives {
  frame(
    source: Uint8Array,
    start: number,
    end: number,
    prefix: Uint8Array,
    target: Uint8Array,
    at: number,
    out: Uint32Array,
  ): void;
  pipeSize(fd: number): number;
  growPipe(fd: number, bytes: number): number;
  readNow(fd: number, target: Uint8Array): number;
  connectDatagram(path: string): number;
  sendDatagram(fd: number, bytes: Uint8Array, start: number, end: number): number;
}

/** Monotonic time with alarms, and the time of day. */
export interface LogClock {
  nowMs(): number;
  /** Calls `wake` once, at `atMs` or soon after; the function returned calls it off. */
  alarm(atMs: number, wake: () => void): () => void;
  /** Milliseconds since 1970. */
  wallMs(): number;
}

/**
 * Something that went wrong with a target, to be said in the supervisor's own log. Said once an episode, never once a
 * line.
 */
export interface LogProblem {
  readonly level: 'warn' | 'error';
  readonly text: string;
}

/** How the lines of the prefix format get their colour: on a terminal unless NO_COLOR is set, or as `--color` says. */
export type ColorChoice = 'auto' | 'always' | 'never';

/** What a hub is made from. */
export interface LogDeps {
  readonly natives: LogNatives;
  readonly clock: LogClock;
  readonly color: ColorChoice;
  /** Whether the environment has a non-empty NO_COLOR. */
  readonly noColor: boolean;
  /** The descriptors that stand for our stdout and stderr; 1 and 2, save in tests. */
  readonly streams: { readonly 1: number; readonly 2: number };
  /** Socket of the log daemon; /dev/log, save in tests. */
  readonly syslogPath?: string;
}

/** Where the supervisor's own log goes. */
export interface MainLogSpec {
  readonly level: Level;
  /** Files, container streams, syslog, log servers; a format of a container stream is that of all own lines on it. */
  readonly targets: readonly LogTarget[];
  /** The console of `nodaemon`, unless `silent`; null: none. */
  readonly console: LogTarget | null;
  /** Name by which the json and logfmt formats call us in `program`. */
  readonly name: string;
  /** Bytes kept in memory for `readLog`. */
  readonly tailBytes: number;
}

/** The supervisor's own log. Nothing in it throws or waits. */
export interface MainLog {
  write(level: Level, text: string): void;
  /** Whether lines of a level are written at all: spares making a text for nothing. */
  isEnabled(level: Level): boolean;
  setLevel(level: Level): void;
  configure(spec: MainLogSpec): void;
  tail(offset: number, length: number): TailSlice;
  readLog(offset: number, length: number): Buffer | null;
  onBytes(listener: BytesListener): () => void;
  clear(): Promise<void>;
  reopen(): Promise<void>;
}

/** Limits of a flush to slow readers. */
export interface FlushLimit {
  /** When it is to be given up, on the monotonic clock, if bytes last moved at `movedMs`. */
  giveUpAtMs(movedMs: number): number;
  /** Why it was given up, in words about the reader: `it took nothing for 30 s`. */
  reason(): string;
  /** Calls `listener` when the time has become shorter. Returns the function that ends this. */
  onChange(listener: () => void): () => void;
}

/** Output that could not be written any more. */
export interface LostOutput {
  readonly lines: number;
  readonly bytes: number;
}

/** What remains unwritten when {@link Hub.flush} gave up; 0 when all was written. */
export interface FlushOutcome {
  readonly unwrittenBytes: number;
}

/** A log file that is open now. It may have another name by now, or none. */
export interface OpenFile {
  readonly fd: number;
  readonly dev: number;
  readonly ino: number;
  /** Bytes of the file that are not queued any more. */
  readonly size: number;
}

/** State of a path that logs are written to. */
export interface FileState {
  /** `other`: a fifo, a terminal or a device. Null: nothing is open. */
  readonly file: OpenFile | 'other' | null;
  /** The last bytes that are still to be written to the file. */
  readonly queued: Buffer;
}

/** All logs of one supervisor. */
export interface Hub {
  readonly mainLog: MainLog;
  openChannel(spec: ChannelSpec): LogChannel;
  /** State of a path that logs are written to, with at most `queuedBytes` of the queue; null: no log writes to it. */
  fileState(path: string, queuedBytes: number): FileState | null;
  /** Closes all log files and opens their paths anew (USR2). What cannot be opened is reported. */
  reopen(): Promise<void>;
  /**
   * Writes out partial lines and waits until every target has taken what it was given, as long as the limit says; a
   * number is milliseconds.
   */
  flush(limit: number | FlushLimit): Promise<FlushOutcome>;
  /**
   * The last flush. What no target has taken then is lost; its lines are counted, and said in the supervisor's own log
   * and on our stderr.
   */
  finish(limit: FlushLimit): Promise<void>;
  /**
   * Closes all channels and files, and lets go of the container's streams, whose descriptors stay open.
   * Waits for targets that stall: a reload keeps the hub and closes channels instead.
   */
  close(): Promise<void>;
}
