/**
 * The types of the process machine (process-machine.ts): record, policy, circumstances, inputs, and effects. Types, and
 * the initial record.
 */
import type { Cause } from './cause.ts';
import type { ExitStatus } from './exit-status.ts';
import type { RestartPolicy } from './restart-policy.ts';
import type { ProcessStateName } from './states.ts';

/** Result of the health checks, with Docker's words. The state of the process does not depend on it. */
export type Health = 'starting' | 'healthy' | 'unhealthy';

/**
 * Purpose of a program. `service`: stays up. `oneshot`: ends as expected, and is tried again if it does not.
 * `scheduled`: ends as well, and its next try is the next time of its schedule (`cron`).
 */
export type Purpose = 'service' | 'oneshot' | 'scheduled';

/**
 * Condition on a dependency. `completed`: ended as expected. `exited`: ended by itself, with any exit code.
 * `fatal`, `backoff` and `stopped` are states of Supervisor, with the names of supervisord-dependent-startup.
 */
export type Condition = 'started' | 'ready' | 'healthy' | 'completed' | 'exited' | 'fatal' | 'backoff' | 'stopped';

/** Dependency that does not fulfil its conditions yet. One of the conditions is enough. */
export interface UnmetDependency {
  readonly name: string;
  readonly conditions: readonly Condition[];
}

/** Dependency that can no longer fulfil its conditions by itself. */
export interface BlockingDependency extends UnmetDependency {
  /** Null if the process is no longer configured. */
  readonly state: ProcessStateName | null;
  readonly isUnhealthy: boolean;
  /** The last exit in EXITED; null without one. */
  readonly exit: ExitStatus | null;
  /** Names of the direct dependencies that this one blocks; empty if this one is a direct dependency itself. */
  readonly blocks: readonly string[];
}

/**
 * Reason why a start does not happen yet. `waiting`: the dependencies (`depends_on`) can still be met without help.
 * `stuck`: at least one cannot be met until a person acts. The roots are the ends of the chains of dependencies.
 * `connection`: the first connection to one of these sockets starts the program (`listen_lazy`).
 */
export type Hold =
  | { readonly kind: 'connection'; readonly addresses: readonly string[] }
  | { readonly kind: 'waiting'; readonly dependencies: readonly UnmetDependency[] }
  | { readonly kind: 'stuck'; readonly roots: readonly BlockingDependency[] };

/**
 * Reason why the latest run, or its start, failed. run-failure.ts has the texts (`spawnerr`). `notExecuted`: the
 * program was never executed, and `reason` is a sentence from the layer that tried.
 */
export type RunFailure =
  | { readonly kind: 'notExecuted'; readonly reason: string }
  /** Ended within startsecs. */
  | { readonly kind: 'exitedTooQuickly' }
  /** Ended with an exit code that is not in `exitcodes`. */
  | { readonly kind: 'badExit'; readonly status: ExitStatus }
  /** Not ready within ready_timeout. */
  | { readonly kind: 'notReady'; readonly limitMs: number }
  /** Given up because of max_restarts. */
  | { readonly kind: 'restartedTooOften'; readonly maxRestarts: number; readonly windowMs: number };

/** A signal that was sent to a run without a stop: by a client, passed on, or for a broken protocol. */
export interface SentSignal {
  readonly signal: number;
  readonly atMs: number;
  readonly cause: Cause;
}

/** The whole state of one process. Times are milliseconds of the monotonic clock. */
export interface ProcessRecord {
  readonly state: ProcessStateName;
  /** Number of the latest run, 0 before the first. */
  readonly run: number;
  readonly pid: number | null;
  /** Failed starts in a row; Supervisor's `backoff`. */
  readonly failedStarts: number;
  /** Number of signals sent in this stop. */
  readonly signalsSent: number;
  /** Times of the automatic starts within `max_restarts_window`. */
  readonly restartsMs: readonly number[];
  readonly deadlineMs: number | null;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  /** Exit of the latest run; null during the run, and if the program was never executed. */
  readonly exit: ExitStatus | null;
  /** Exit of the latest run before this one that was executed; null if there was none. */
  readonly lastExit: ExitStatus | null;
  /** True if any run was RUNNING. */
  readonly wasUp: boolean;
  /** Starts since the first RUNNING. Failed starts before that do not count. */
  readonly restarts: number;
  readonly failure: RunFailure | null;
  /** Exit code in place of an exit, for a program that was never executed (127, 126, 1); null if there is an exit. */
  readonly spawnExitCode: number | null;
  /** True if this run has reported that it is ready (`ready_log`, `notification_fd`, `notify`). */
  readonly isReady: boolean;
  /** Health of this run; null without a health check. */
  readonly health: Health | null;
  /** Dependencies that a requested start waits for; null if no start waits. */
  readonly hold: Hold | null;
  /** True if a start follows the stop under way, or the stop that has just ended. */
  readonly isStartPending: boolean;
  /** True if the stop under way ends a failed start: the program was not ready in time. */
  readonly hasStartFailed: boolean;
  /** Cause of the latest run; null before the first. */
  readonly startCause: Cause | null;
  /** Cause of the stop of the latest run, or of the last cancelled start; null if nothing asked for a stop. */
  readonly stopCause: Cause | null;
  /** Cause of the start that waits for dependencies; null if no start waits. */
  readonly heldCause: Cause | null;
  /** For each dependency that the process follows, by namespec: the start of the latest run that this run has seen. */
  readonly knownStartsMs: ReadonlyMap<string, number>;
  /** Latest signal that was sent to the latest run; null for none. */
  readonly sentSignal: SentSignal | null;
}

/** Options of one process in the machine's terms, fixed by the configuration. Durations are milliseconds. */
export interface ProcessPolicy {
  /** `startsecs`. */
  readonly startMs: number;
  /** `ready_timeout`: a start succeeds only if the program is ready within this time; null for no such rule. */
  readonly readyMs: number | null;
  /** `startretries`; Infinity for -1. */
  readonly startRetries: number;
  readonly autorestart: 'true' | 'false' | 'unexpected';
  /** `exitcodes`. */
  readonly exitCodes: readonly number[];
  /** `stopsignal`: sent in this order, `stopwaitsecs` apart. SIGKILL follows. */
  readonly stopSignals: readonly number[];
  /** `stopwaitsecs`. */
  readonly stopWaitMs: number;
  readonly stopAsGroup: boolean;
  readonly killAsGroup: boolean;
  readonly restarts: RestartPolicy;
  readonly purpose: Purpose;
  /** Wait after the first signal of a stop: `stopwaitsecs`, or the time of `stop_command` if that is longer. */
  readonly firstWaitMs: number;
  /** True if `stop_command` takes the place of the first signal of a stop. */
  readonly hasStopCommand: boolean;
}

/** Facts about the rest of the supervisor that one step depends on. They may differ at the next step. */
export interface Circumstances {
  /** Unmet dependencies that hold back a start now; null for none. */
  readonly hold: Hold | null;
  /** The starts of the dependencies that the process follows, for its record. Null: the record keeps its own. */
  readonly knownStartsMs: ReadonlyMap<string, number> | null;
  /** Names of the dependencies whose new runs ask for a restart now. */
  readonly newRuns: readonly string[];
  /** Random number in [0, 1), for the jitter of delays. */
  readonly chance: number;
  /** False while the supervisor shuts down: no automatic restarts. */
  readonly mayRestart: boolean;
}

/** Input of the machine: a request, or a fact in the past tense. `atMs` is the monotonic clock. */
export type ProcessInput =
  | { readonly type: 'start'; readonly atMs: number; readonly cause: Cause }
  /** Wait for a connection to one of these sockets (`listen_lazy`); a start follows as a request of its own. */
  | {
      readonly type: 'awaitConnection';
      readonly atMs: number;
      readonly cause: Cause;
      readonly addresses: readonly string[];
    }
  /** Orderly stop. A second request changes nothing. `signal`: sent before all others (`forward_signals`). */
  | { readonly type: 'stop'; readonly atMs: number; readonly cause: Cause; readonly signal?: number }
  /** SIGKILL now, whatever stopsignal says. */
  | { readonly type: 'kill'; readonly atMs: number; readonly cause: Cause }
  | { readonly type: 'spawned'; readonly atMs: number; readonly run: number; readonly pid: number }
  | {
      readonly type: 'spawnFailed';
      readonly atMs: number;
      readonly run: number;
      readonly reason: string;
      readonly exitCode: number;
    }
  | { readonly type: 'exited'; readonly atMs: number; readonly run: number; readonly status: ExitStatus }
  /** The deadline of the record may be due. */
  | { readonly type: 'elapsed'; readonly atMs: number }
  /** Orderly stop and a new start, by decision of the supervisor. Counts for max_restarts. */
  | { readonly type: 'restart'; readonly atMs: number; readonly cause: Cause }
  /** A process that this one depends on has changed. */
  | { readonly type: 'dependenciesChanged'; readonly atMs: number }
  | { readonly type: 'ready'; readonly atMs: number; readonly run: number }
  /** The policy has changed while the program runs. */
  | { readonly type: 'configured'; readonly atMs: number }
  | { readonly type: 'health'; readonly atMs: number; readonly run: number; readonly health: Health | null }
  | { readonly type: 'stopCommandFailed'; readonly atMs: number; readonly run: number }
  /** A signal was sent to the run. */
  | {
      readonly type: 'signalled';
      readonly atMs: number;
      readonly run: number;
      readonly signal: number;
      readonly cause: Cause;
    }
  /** A signal could not be sent. `code`: the name of the errno. */
  | { readonly type: 'signalFailed'; readonly atMs: number; readonly run: number; readonly code: string };

/** Line for the log. engine/messages.ts has the words. */
export type ProcessNote =
  | { readonly note: 'spawned'; readonly pid: number }
  | { readonly note: 'spawnError'; readonly reason: string }
  | { readonly note: 'success'; readonly startMs: number }
  | { readonly note: 'exited'; readonly status: ExitStatus; readonly expected: boolean }
  | { readonly note: 'stopped'; readonly status: ExitStatus | null }
  | { readonly note: 'gaveUp' }
  | { readonly note: 'held'; readonly hold: Hold }
  | { readonly note: 'ready' }
  | { readonly note: 'following'; readonly cause: Cause }
  | { readonly note: 'notReady'; readonly failure: RunFailure }
  | { readonly note: 'restartedTooOften'; readonly failure: RunFailure }
  | { readonly note: 'signalling'; readonly pid: number; readonly signal: number }
  | { readonly note: 'killing'; readonly pid: number }
  | { readonly note: 'unsignallable'; readonly pid: number; readonly code: string };

/** Order of the machine. The engine carries out the effects of a step in their order, after it replaced the record. */
export type ProcessEffect =
  | { readonly type: 'spawn'; readonly run: number }
  /** `isFirst`: first signal of an orderly stop, which `stop_command` replaces. */
  | {
      readonly type: 'signal';
      readonly pid: number;
      readonly signal: number;
      readonly group: boolean;
      readonly isFirst: boolean;
    }
  | {
      readonly type: 'stateChanged';
      readonly from: ProcessStateName;
      readonly to: ProcessStateName;
      readonly record: ProcessRecord;
      readonly expected: boolean;
    }
  /** A fact that is independent of the state has changed. `from` is the record before. */
  | {
      readonly type: 'factChanged';
      readonly fact: 'ready' | 'health' | 'held';
      readonly from: ProcessRecord;
      readonly record: ProcessRecord;
    }
  | { readonly type: 'note'; readonly note: ProcessNote };

/** Outcome of one input. */
export interface ProcessStep {
  readonly record: ProcessRecord;
  readonly effects: readonly ProcessEffect[];
}

/** The record of a process that was never started. */
export const initialRecord: ProcessRecord = {
  state: 'STOPPED',
  run: 0,
  pid: null,
  failedStarts: 0,
  signalsSent: 0,
  restartsMs: [],
  deadlineMs: null,
  startedMs: null,
  endedMs: null,
  exit: null,
  lastExit: null,
  wasUp: false,
  restarts: 0,
  failure: null,
  spawnExitCode: null,
  isReady: false,
  health: null,
  hold: null,
  isStartPending: false,
  hasStartFailed: false,
  startCause: null,
  stopCause: null,
  heldCause: null,
  knownStartsMs: new Map(),
  sentSignal: null,
};
