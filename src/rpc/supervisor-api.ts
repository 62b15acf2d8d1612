/**
 * The supervisor as the XML-RPC methods and the routes that stream logs need it: one interface,
 * implemented where the parts are put together. Types only. Each member says when it returns or resolves; none of them
 * may throw or reject unless that is said.
 */
import type { ProcessRemark } from '../core/process-remark.ts';
import type { GroupConfig, ProcessConfig } from '../config/model.ts';
import type { Level } from '../core/log-level.ts';
import type { SupervisorStateName } from '../core/states.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { Listener } from '../engine/events.ts';
import type { Reserve } from './answer-budget.ts';

/** The streams of a process that have a log. */
export type StreamName = 'stdout' | 'stderr';

/** Most bytes of a log in one answer. */
export const MAX_READ_BYTES = 8 * 1024 * 1024;

/** What reading a log gives: bytes, or why not. */
export type LogReading =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** `offset` and `length` contradict each other (logs/log-offsets.ts, `readRange`). */
  | { readonly kind: 'badArguments' }
  /** There is no such log; `path` is where the file should be, null where none is configured. */
  | { readonly kind: 'noFile'; readonly path: string | null }
  /**
   * The log is there and cannot be read, or the range is longer than {@link MAX_READ_BYTES}; the reason is for people.
   */
  | { readonly kind: 'failed'; readonly reason: string };

/** What the end of a log gives: bytes, the size of the log, whether more than was asked for has come since `offset`. */
export interface LogEnd {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly overflow: boolean;
}

/**
 * The log of the supervisor, or of one stream of one process: its file where it has one, else the last bytes in memory.
 * `reserve` counts the bytes before they are read; reading rejects with the error that it throws.
 */
export interface Log {
  /**
   * Bytes by the rules of `supervisor.readLog`: a negative offset counts from the end and wants length 0; length 0
   * means up to the end.
   */
  read(offset: number, length: number, reserve: Reserve): Promise<LogReading>;
  /**
   * The end by the rules of `supervisor.tailProcessStdoutLog` (logs/log-offsets.ts, `tailRange`); nothing, size 0, of a
   * log that is not there. At most {@link MAX_READ_BYTES}.
   */
  tail(offset: number, length: number, reserve: Reserve): Promise<LogEnd>;
  /**
   * Empties the log, in memory and on disk. `noFile`: there was no file where there should be one. Resolves when it is
   * done.
   */
  clear(): Promise<
    { readonly kind: 'cleared' } | { readonly kind: 'noFile' } | { readonly kind: 'failed'; readonly reason: string }
  >;
  /**
   * Gives the last `lastBytes` that are there, and then everything that comes, in order, with neither a gap nor a
   * repetition. The bytes are valid during the call only. The first call may come before this returns. Returns the
   * function that ends it; it may be called more than once.
   */
  follow(lastBytes: number, listener: (bytes: Uint8Array) => void): () => void;
}

/** A reread: what the file has that is not active, or why it cannot be used (and then nothing has changed). */
export type Reread =
  | {
      readonly kind: 'changes';
      readonly added: readonly string[];
      readonly changed: readonly string[];
      readonly removed: readonly string[];
    }
  | { readonly kind: 'invalid'; readonly reason: string };

/** What `updateGroup` would do now, as names of processes; each is in one list at most. */
export interface GroupPlan {
  /** They are up, and configured no more. */
  readonly stopped: readonly string[];
  /** They are up, and must be executed anew. */
  readonly restarted: readonly string[];
  /** They are new, and have autostart. */
  readonly started: readonly string[];
  /** They are configured differently, and go on as they are, running or not. */
  readonly changed: readonly string[];
}

/** The supervisor as its remote clients see it. Requests are never made from within an engine event. */
export interface SupervisorApi {
  /** `[supervisord] identifier`. */
  readonly identification: string;
  /** Our own pid. */
  readonly pid: number;
  /** RUNNING; RESTARTING or SHUTDOWN from the moment that was asked for, by whomever. */
  state(): SupervisorStateName;
  /** Milliseconds of the monotonic clock that records are dated by. */
  nowMs(): number;
  /** Milliseconds since 1970. */
  wallMs(): number;

  /**
   * All active processes: groups by priority and, within, in the order of the configuration; processes of a group
   * likewise.
   */
  processes(): readonly ProcessView[];
  /** One of them by its namespec `group:name`, null when there is none. */
  process(id: string): ProcessView | null;
  /** Facts about a process that its record does not hold. */
  remarks(id: string): readonly ProcessRemark[];
  /** Number of times that the kernel has killed a process because memory ran out. */
  oomKills(id: string): number;
  /** Whether a group of that name is active. */
  hasGroup(name: string): boolean;
  /** Is told of every change of a process and a group, after it. Returns the function that ends this. */
  subscribe(listener: Listener): () => void;

  /**
   * Why the command cannot be executed, without trying: looked up as a start would. `NO_FILE`: "can't find command
   * '/x'"; `NOT_EXECUTABLE`: "command at '/x' is not executable", "can't parse command 'x': No closing quotation". Null
   * where it can.
   */
  checkCommand(config: ProcessConfig): { readonly fault: 'NO_FILE' | 'NOT_EXECUTABLE'; readonly reason: string } | null;
  /**
   * Asks for a start. On return the record says what came of it: STARTING, RUNNING, or BACKOFF or FATAL where it could
   * not be spawned. Ignored in STOPPING.
   */
  start(id: string): void;
  /**
   * Asks for an orderly stop. On return the record is STOPPING, STOPPED, or UNKNOWN where it could not be signalled.
   */
  stop(id: string): void;
  /** SIGKILL, also for a process that is stopping. On return as for `stop`. */
  kill(id: string): void;
  /** Sends a signal (0 only asks whether that would be allowed). Null when it was sent, else the name of an errno. */
  signal(id: string, signal: number): string | null;
  /**
   * Writes to the standard input of a process, whole or not at all, and returns at once. `closed`: no process reads it
   * any more (EPIPE); `full`: too much waits to be read already.
   */
  writeStdin(id: string, bytes: Uint8Array): 'written' | 'closed' | 'full';
  /** Emits a REMOTE_COMMUNICATION event. */
  emitRemoteCommunication(type: string, data: string): void;

  /** The log of a stream; null where the process has none of its own (stderr with redirect_stderr). */
  processLog(id: string, stream: StreamName): Log | null;
  /** The supervisor's own log; null when none is kept. */
  mainLog(): Log | null;
  /**
   * Path of a stream's log file, one made for AUTO included; a device by its name; null for none and for syslog. Also
   * for a process that is not active.
   */
  logPath(config: ProcessConfig, stream: StreamName): string | null;
  /** Numeric id of the `user` of a program, null where none is set. */
  uid(config: ProcessConfig): number | null;

  /** Groups of the configuration as read last: active ones and those that `addGroup` would take. */
  configuredGroups(): readonly GroupConfig[];
  /** Reads the configuration again, activates nothing. Resolves when it was read. */
  reread(): Promise<Reread>;
  /** Activates a group of the configuration as read last and starts what has autostart. */
  addGroup(name: string): 'added' | 'unknown' | 'active';
  /** Forgets a group none of whose processes is up. */
  removeGroup(name: string): 'removed' | 'unknown' | 'running';
  /** What `updateGroup` would do; null where it would answer null. Changes nothing. */
  planUpdate(name: string): GroupPlan | null;
  /**
   * Makes an active group as the configuration read last has it: stops and starts only what must be executed anew,
   * applies the rest while it runs. Resolves with the names of what had to be stopped, once it is stopped; null for a
   * group of which only the whole can be exchanged, or that is not there.
   */
  updateGroup(name: string): Promise<readonly string[] | null>;
  /**
   * Stops everything and starts over with the configuration read anew. Returns at once: null, or what is wrong with the
   * configuration, and then everything goes on as it was.
   */
  restartSupervisor(): string | null;
  /** Stops everything and ends. Returns at once. */
  shutdown(): void;
  /**
   * Asked for while the end is under way: the second such request kills what is left. False where nothing is killed.
   */
  shutdownAgain(): boolean;
  /** Writes a line to the supervisor's own log. */
  report(level: Level, text: string): void;
}
