/**
 * The interface of the supervisor for the XML-RPC methods and for the routes that stream logs. Types only;
 * supervisor/api-adapter.ts implements it. Each member documents when it returns or resolves. Members neither throw nor
 * reject unless documented.
 */
import type { CheckResult } from '../core/probe.ts';
import type { ProcessRemark } from '../core/process-remark.ts';
import type { SettingsDiff } from '../config/diff.ts';
import type { ReloadResult } from '../core/program-reload.ts';
import type { EffectiveSection } from '../config/effective-sections.ts';
import type { GroupConfig, ProcessConfig } from '../config/model.ts';
import type { ProgramCapabilities } from '../core/capabilities.ts';
import type { ClientRequest } from '../core/cause.ts';
import type { HistoryReader } from '../core/history.ts';
import type { Level } from '../core/log-level.ts';
import type { SupervisorStateName } from '../core/states.ts';
import type { StreamName } from '../core/stream-name.ts';
import type { Listener } from '../engine/events.ts';
import type { WantedRun } from '../logs/last-line.ts';
import type { OnOutput } from '../logs/line-reader.ts';
import type { Reserve } from './answer-budget.ts';
import type { LineFollow, LineQuery, LineSelection, LogLines, WaitForLines } from './lines.ts';
import type { Log } from './log-api.ts';
import type { ProcessLists } from './process-lists.ts';
import type { MeasuresReader } from './measures.ts';

/**
 * Result of a reread: the differences to the active groups, or the reason why the configuration is invalid. An invalid
 * configuration changes nothing.
 */
export type Reread =
  | {
      readonly kind: 'changes';
      readonly added: readonly string[];
      readonly changed: readonly string[];
      readonly removed: readonly string[];
    }
  | { readonly kind: 'invalid'; readonly reason: string };

/** Names of sections `[notify:x]`. Each is in one list at most. */
export interface NotificationChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** The sections `[notify:x]`. */
export interface NotificationsApi {
  /** Names of the sections in use that tell about a process. */
  namesFor(proc: ProcessConfig): readonly string[];
  /** Compares the sections of the latest configuration with those in use. Changes nothing. */
  plan(): NotificationChanges;
  /** Puts the sections of the latest configuration into use. */
  update(): NotificationChanges;
  /**
   * Sends a test message by a section. Resolves with the reason of a failure, or with null for success. Returns null if
   * there is no such section.
   */
  test(name: string): Promise<string | null> | null;
}

/** Outcome of a change of a group that cannot open a socket of its programs. Nothing has changed. */
export interface Refused {
  /** Names file, line and option. */
  readonly refused: string;
}

/** Plan of `updateGroup`: names of processes. Each is in one list at most. */
export interface GroupPlan {
  /** Running processes that are no longer configured. */
  readonly stopped: readonly string[];
  /** Running processes that must be executed again. */
  readonly restarted: readonly string[];
  /** New processes with autostart. */
  readonly started: readonly string[];
  /** Processes whose configuration changes without a restart, running or not. */
  readonly changed: readonly string[];
}

/** Result of scaling a program. `started` and `stopped` are names of processes. `refused`: nothing has changed. */
export type ScaleOutcome =
  | {
      readonly kind: 'scaled';
      /** Number of processes before. */
      readonly from: number;
      readonly started: readonly string[];
      readonly stopped: readonly string[];
    }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused'; readonly reason: string };

/** A reload of a program that was tried, or the reason why it was not. */
export type ReloadAnswer =
  { readonly kind: 'tried'; readonly result: ReloadResult } | { readonly kind: 'refused'; readonly reason: string };

/** The settings that a program starts with. */
export interface ProgramSettings {
  /** The whole environment, as `NAME=value`. */
  readonly env: readonly string[];
  readonly directory: string;
  readonly umask: number;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** Limits by the names of setrlimit(2) in lower case; Infinity for no limit. */
  readonly limits: ReadonlyArray<{ readonly resource: string; readonly soft: number; readonly hard: number }>;
  /** Null: as it is. */
  readonly nice: number | null;
  /** Null: as it is. */
  readonly oomScoreAdj: number | null;
  /** Capabilities by their numbers (core/capabilities.ts). Null: as they are. */
  readonly capabilities: ProgramCapabilities | null;
  readonly noNewPrivileges: boolean;
  /** Identifies our mount namespace; empty without /proc. */
  readonly mountNamespace: string;
}

/** One process of a program. */
export interface MeasuredProcess {
  readonly pid: number;
  readonly parent: number;
  /** Short name (`/proc/PID/comm`). */
  readonly name: string;
  readonly residentBytes: number;
  readonly cpuMs: number;
}

/** Resources that the processes of a program use together. */
export interface ProgramUsage {
  readonly residentBytes: number;
  /** Processor time in milliseconds, with that of reaped children. */
  readonly cpuMs: number;
  /** Share of one processor, about the last second; null for a program that was just started. */
  readonly cpuPercent: number | null;
  /** The program itself comes first. */
  readonly processes: readonly MeasuredProcess[];
}

/** The effective configuration. */
export interface EffectiveConfig {
  /** Null if only the environment and the command line configure the supervisor. */
  readonly file: string | null;
  readonly included: readonly string[];
  readonly sections: readonly EffectiveSection[];
}

/** The supervisor as its remote clients see it. Requests must not be made from within an engine event. */
export interface SupervisorApi extends ProcessLists {
  /** `[supervisord] identifier`. */
  readonly identification: string;
  /** Our own pid. */
  readonly pid: number;
  /** RUNNING; RESTARTING or SHUTDOWN as soon as a restart or a shutdown was requested, by anyone. */
  state(): SupervisorStateName;
  /** Milliseconds of the monotonic clock, as in the records. */
  nowMs(): number;
  /** Milliseconds since 1970. */
  wallMs(): number;

  /** Facts about a process that are not in its record. */
  remarks(id: string): readonly ProcessRemark[];
  /** The latest health check of the current run; null for none. */
  lastCheck(id: string): CheckResult | null;
  /** Number of times that the kernel has killed a process because memory ran out. */
  oomKills(id: string): number;
  /** The events, and the latest runs of each process. */
  readonly history: HistoryReader;
  readonly notifications: NotificationsApi;
  /**
   * Resolves soon after an event with a number above `after`, when the time is over, or when the signal is aborted.
   * Resolves at once with false if too many clients wait.
   */
  waitForEvents(wait: {
    readonly after: number;
    readonly waitMs: number;
    readonly signal: AbortSignal;
  }): Promise<boolean>;
  /** Number of unexpected restarts within a period of time from which a process counts as flapping. */
  flappingRule(): { readonly restarts: number; readonly windowMs: number };
  /** Measures all programs that are up, by namespec. May take half a second. Rejects if /proc cannot be read. */
  usage(): Promise<ReadonlyMap<string, ProgramUsage>>;
  /** The same for some programs. Costs nothing for the others. */
  usageOf(ids: readonly string[]): Promise<ReadonlyMap<string, ProgramUsage>>;
  /** Numbers that only the metrics show. */
  readonly measures: MeasuresReader;
  /** Finds the addresses on which processes accept connections: `tcp 0.0.0.0:80`, `unix /run/app.sock`. */
  listeningSockets(pids: readonly number[]): Promise<readonly string[]>;
  /** True if a group of that name is active. */
  hasGroup(name: string): boolean;
  /** Calls the listener after every change of a process or a group. Returns a function that unsubscribes. */
  subscribe(listener: Listener): () => void;

  /**
   * Returns the reason why the command cannot be executed, without starting it; null if it can. The command is looked
   * up as for a start. `NO_FILE`: "can't find command '/x'". `NOT_EXECUTABLE`: "command at '/x' is not executable",
   * "can't parse command 'x': No closing quotation".
   */
  checkCommand(config: ProcessConfig): { readonly fault: 'NO_FILE' | 'NOT_EXECUTABLE'; readonly reason: string } | null;
  /**
   * Requests a start. On return the record has the result: STARTING, RUNNING, or BACKOFF or FATAL if the process could
   * not be spawned. Ignored in STOPPING.
   */
  start(id: string, cause: ClientRequest): void;
  /**
   * Requests an orderly stop. On return the record is STOPPING, STOPPED, or UNKNOWN if the signal could not be sent.
   */
  stop(id: string, cause: ClientRequest): void;
  /** Sends SIGKILL, also to a process that is stopping. On return the record is as for `stop`. */
  kill(id: string, cause: ClientRequest): void;
  /** Sends a signal; 0 only checks the permission. Returns null if it was sent, otherwise the name of the errno. */
  signal(id: string, signal: number, cause: ClientRequest): string | null;
  /**
   * Asks a program to read its own configuration again (`reload_signal`, `reload_command`). Resolves when the signal
   * was sent, or when the command has ended. `refused`: nothing was done.
   */
  reloadProcess(id: string, cause: ClientRequest): Promise<ReloadAnswer>;
  /**
   * Writes to the standard input of a process, all bytes or none, and returns at once. `closed`: no process reads it
   * any more (EPIPE). `full`: too many bytes are unread already.
   */
  writeStdin(id: string, bytes: Uint8Array): 'written' | 'closed' | 'full';
  /** Emits a REMOTE_COMMUNICATION event. */
  emitRemoteCommunication(type: string, data: string): void;

  /** The log of a stream; null if the process has no such log (stderr with redirect_stderr). */
  processLog(id: string, stream: StreamName): Log | null;
  /**
   * Reopens or rotates the log files of a process (logs/ports.ts, LogChannel). Does nothing for logs without a file.
   * Resolves with null, or with the reason of the first failure.
   */
  tendLogs(id: string, action: 'reopen' | 'rotate'): Promise<string | null>;
  /** The supervisor's own log; null if there is none. */
  mainLog(): Log | null;
  /** Changes with each start of a supervisor. Numbers of another epoch mean nothing. */
  readonly epoch: string;
  /** Returns the first name of a selection that selects no active process; null if there is none. */
  findUnknownName(names: readonly string[]): string | null;
  /**
   * Reads lines that are in memory: the oldest after `query.after`, or the latest if that is null. Throws the error
   * that `reserve` throws.
   */
  readLines(selection: LineSelection, query: LineQuery, reserve: Reserve): LogLines;
  /**
   * Resolves when there are lines after a number, when `isOtherwiseReady` returns true after an event of the history,
   * when the time is over, or when the signal is aborted. Resolves at once with false if too many clients wait.
   */
  waitForLines(selection: LineSelection, wait: WaitForLines): Promise<boolean>;
  /**
   * Resolves when the log files of a selection have all output that was received before, when the time in milliseconds
   * is over, or when the signal is aborted.
   */
  waitForFiles(selection: LineSelection, limitMs: number, signal: AbortSignal): Promise<void>;
  /** Follows the lines of a selection until `close`. */
  followLines(selection: LineSelection, onOutput: OnOutput): LineFollow;
  /** The latest number of the sequence that events and output share. */
  readonly latestSeq: number;
  /** Makes a test for the processes, active or not, that names of a selection mean. The test takes a namespec. */
  nameFilter(names: readonly string[]): (id: string) => boolean;
  /**
   * Path of the log file of a stream, including a file created for AUTO. A device is returned by its name. Null for no
   * log and for syslog. Also for a process that is not active.
   */
  logPath(config: ProcessConfig, stream: StreamName): string | null;
  /**
   * Returns the settings that a program would start with, for another command; a text is the reason why there are none.
   */
  launchSettings(id: string): Promise<ProgramSettings | string>;
  /** Targets of a stream as the configuration names them: `AUTO`, `/var/log/web.log, syslog`; null for none. */
  logTargets(config: ProcessConfig, stream: StreamName): string | null;
  /**
   * Returns the last line of a run that is not blank and is still in memory, of stderr or else of stdout; null if there
   * is none. Without control sequences of a terminal, and not cut. Costs the same for any amount of output.
   */
  lastLine(id: string, run: WantedRun): { readonly stream: StreamName; readonly text: string } | null;
  /** The user and the directory of the supervisor, which programs have that set none. */
  self(): { readonly uid: number; readonly directory: string };
  /** Numeric id of the `user` of a program; null if no user is set. */
  uid(config: ProcessConfig): number | null;

  /** Sections of the effective configuration, with secrets hidden, and the files that it was read from. */
  effectiveConfig(): EffectiveConfig;
  /** Groups of the latest configuration: the active ones, and those that `addGroup` accepts. */
  configuredGroups(): readonly GroupConfig[];
  /** Reads the configuration again and activates nothing. Resolves when it was read. */
  reread(): Promise<Reread>;
  /** Calls a function while the files are the latest configuration, for plans and comparisons. Changes nothing. */
  previewUpdate<T>(look: (changes: Reread) => T): Promise<T>;
  /** Activates a group of the latest configuration, and starts its processes with autostart. */
  addGroup(name: string, cause: ClientRequest): 'added' | 'unknown' | 'active' | Refused;
  /** Removes a group without running processes. */
  removeGroup(name: string): 'removed' | 'unknown' | 'running';
  /** Returns the plan of `updateGroup`, or null if `updateGroup` would resolve with null. Changes nothing. */
  planUpdate(name: string): GroupPlan | null;
  /**
   * Compares the settings of the latest configuration, besides its groups, with the current ones. `isApplied`: applies
   * those that can change while programs run.
   */
  updateSettings(isApplied: boolean): SettingsDiff;
  /**
   * Updates an active group to the latest configuration. Stops and starts only processes that must be executed again,
   * and changes the others while they run. Resolves with the names of the stopped processes once they have stopped.
   * Null for a group that is not active, or that can only be replaced as a whole.
   */
  updateGroup(name: string, cause: ClientRequest): Promise<readonly string[] | null | Refused>;
  /**
   * Gives an active program another number of processes, until its `numprocs` changes in the configuration. Resolves
   * when the processes that are too many have stopped.
   */
  scale(program: string, count: number, cause: ClientRequest): Promise<ScaleOutcome>;
  /**
   * Stops all processes and starts again with a configuration that is read again. Returns at once: null, or the problem
   * of the configuration. With a problem nothing changes.
   */
  restartSupervisor(cause: ClientRequest): Promise<string | null>;
  /** Stops all processes and exits. Returns at once. */
  shutdown(cause: ClientRequest): void;
  /**
   * Repeats a request to shut down, during the shutdown. The second such request kills the remaining processes. Returns
   * false if nothing is killed.
   */
  shutdownAgain(): boolean;
  /** Stops the programs now, during the delay of a shutdown (`shutdown_delay`). False if there is no delay. */
  endDelay(cause: ClientRequest): boolean;
  /** True during that delay: the programs run, and clients may ask for their state. */
  isDelayed(): boolean;
  /** Logs a call that changes something, and keeps it in the history. `target`: its first parameter; null for none. */
  noteRequest(request: ClientRequest, target: string | null): void;
  /** Writes a line to the supervisor's own log. */
  report(level: Level, text: string): void;
}
