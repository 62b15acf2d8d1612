/**
 * What a process is and what can happen to it: the record, the policy, the inputs, and the effects of the machine in
 * process-machine.ts. Types and the first record; no rule.
 */
import type { ExitStatus } from './exit-status.ts';
import type { RestartPolicy } from './restart-policy.ts';
import type { ProcessStateName } from './states.ts';

/** What a health check says, as Docker has it; it stands beside the state. */
export type Health = 'starting' | 'healthy' | 'unhealthy';

/**
 * Why a start that is wanted does not happen (`depends_on`): `waiting`, what it waits for is on its way; `stuck`, it
 * can no longer come, unless somebody mends it. The reason is for people.
 */
export type Hold =
  | { readonly kind: 'waiting'; readonly reason: string }
  /**
   * `roots`: the root causes, a sentence each: what is wrong with the processes at the ends of the chains of
   * dependencies.
   */
  | { readonly kind: 'stuck'; readonly reason: string; readonly roots: readonly string[] };

/**
 * What a program is for. `service`: to stay up. `oneshot`: to come to an end as expected, and tried again where it does
 * not (`oneshot`). `scheduled`: the same, and the next try is by its schedule (`cron`).
 */
export type Purpose = 'service' | 'oneshot' | 'scheduled';

/** What one process is, whole. Times are of the monotonic clock, in milliseconds. */
export interface ProcessRecord {
  readonly state: ProcessStateName;
  /** Number of the latest spawn, 0 before the first. */
  readonly run: number;
  readonly pid: number | null;
  /** Starts that failed in a row; Supervisor's `backoff`. */
  readonly failedStarts: number;
  /** How many signals of `stopsignal` were sent in this stop. */
  readonly signalsSent: number;
  /** When it was started automatically, as far back as `max_restarts_window` reaches. */
  readonly restartsMs: readonly number[];
  readonly deadlineMs: number | null;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  /** How the latest run ended; null while it goes on or when it never began. */
  readonly exit: ExitStatus | null;
  /** End of the run before the latest one; null if there was none, or if it never began. */
  readonly lastExit: ExitStatus | null;
  /** It was RUNNING once. */
  readonly wasUp: boolean;
  /** Starts after it was RUNNING once. Starts that failed before that are none. */
  readonly restarts: number;
  /** Why the latest start failed, in words for people (`spawnerr`). */
  readonly spawnError: string | null;
  /**
   * The exit code that a container gives for a start that failed to execute (127, 126); null where there was an exit.
   */
  readonly spawnExitCode: number | null;
  /** It said so in this run (`notification_fd`, `notify`). */
  readonly isReady: boolean;
  /** Of this run; null where nothing checks it. */
  readonly health: Health | null;
  /** A start that is wanted and does not happen yet; null where none is. */
  readonly hold: Hold | null;
  /** This stop is for the sake of a start that follows it. */
  readonly thenStart: boolean;
}

/** What the configuration says about one process, in the machine's terms. Durations in milliseconds. */
export interface ProcessPolicy {
  /** `startsecs`. */
  readonly startMs: number;
  /** `startretries`; Infinity for -1. */
  readonly startRetries: number;
  readonly autorestart: 'true' | 'false' | 'unexpected';
  /** `exitcodes`. */
  readonly exitCodes: readonly number[];
  /** `stopsignal`: sent one after the other, `stopwaitsecs` apart; SIGKILL follows. */
  readonly stopSignals: readonly number[];
  /** `stopwaitsecs`. */
  readonly stopWaitMs: number;
  readonly stopAsGroup: boolean;
  readonly killAsGroup: boolean;
  readonly restart: RestartPolicy;
  readonly purpose: Purpose;
  /** How long the first signal of a stop has: `stopwaitsecs`, or as long as `stop_command` may take. */
  readonly firstWaitMs: number;
  /** The first order of a stop is carried out by `stop_command`. */
  readonly hasStopCommand: boolean;
  /** What keeps it from being started now; null for nothing. */
  readonly gate: Hold | null;
  /** A number in [0, 1) that is another one each time, for what is left to chance. */
  readonly chance: number;
  /** False while the supervisor shuts down: nothing is started again. */
  readonly mayRestart: boolean;
}

/** What can happen to a process: requests, and facts in the past tense. `atMs` is the monotonic clock. */
export type ProcessInput =
  | { readonly type: 'start'; readonly atMs: number }
  /** Orderly stop; a second one changes nothing. */
  | { readonly type: 'stop'; readonly atMs: number }
  /** SIGKILL now, whatever stopsignal says. */
  | { readonly type: 'kill'; readonly atMs: number }
  | { readonly type: 'spawned'; readonly atMs: number; readonly run: number; readonly pid: number }
  | {
      readonly type: 'spawnFailed';
      readonly atMs: number;
      readonly run: number;
      readonly reason: string;
      readonly exitCode: number;
    }
  | { readonly type: 'exited'; readonly atMs: number; readonly run: number; readonly status: ExitStatus }
  | { readonly type: 'elapsed'; readonly atMs: number }
  /** Orderly stop and start again, by decision of the supervisor: it counts for max_restarts. */
  | { readonly type: 'restart'; readonly atMs: number }
  /** What it depends on has changed. */
  | { readonly type: 'gate'; readonly atMs: number }
  | { readonly type: 'ready'; readonly atMs: number; readonly run: number }
  | { readonly type: 'health'; readonly atMs: number; readonly run: number; readonly health: Health | null }
  /** `stop_command` has failed: it stops nothing. */
  | { readonly type: 'stopCommandFailed'; readonly atMs: number; readonly run: number }
  | { readonly type: 'signalFailed'; readonly atMs: number; readonly run: number; readonly code: string };

/** What is to be said in the log; messages.ts has the words. */
export type ProcessNote =
  | { readonly note: 'spawned'; readonly pid: number }
  | { readonly note: 'spawnError'; readonly reason: string }
  | { readonly note: 'success'; readonly startMs: number }
  | { readonly note: 'exited'; readonly status: ExitStatus; readonly expected: boolean }
  | { readonly note: 'stopped'; readonly status: ExitStatus | null }
  | { readonly note: 'gaveUp' }
  | { readonly note: 'held'; readonly hold: Hold }
  | { readonly note: 'ready' }
  | { readonly note: 'restartedTooOften'; readonly reason: string }
  | { readonly note: 'signalling'; readonly pid: number; readonly signal: number }
  | { readonly note: 'killing'; readonly pid: number }
  | { readonly note: 'unsignallable'; readonly pid: number; readonly code: string };

/** An order of the machine; carried out after the record was replaced, in this order. */
export type ProcessEffect =
  | { readonly type: 'spawn'; readonly run: number }
  /** `isFirst`: it begins an orderly stop, which `stop_command` does instead. */
  | {
      readonly type: 'signal';
      readonly pid: number;
      readonly signal: number;
      readonly group: boolean;
      readonly isFirst: boolean;
    }
  | {
      readonly type: 'changed';
      readonly from: ProcessStateName;
      readonly to: ProcessStateName;
      readonly record: ProcessRecord;
      readonly expected: boolean;
    }
  /** Something that stands beside the state has changed; `from` is the record before. */
  | {
      readonly type: 'told';
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
  spawnError: null,
  spawnExitCode: null,
  isReady: false,
  health: null,
  hold: null,
  thenStart: false,
};
