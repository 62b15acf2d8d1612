/** The ports of the engine: processes, jobs, clock, log, budgets. Types only. Tests replace all of them. */
import type { ProcessConfig } from '../config/model.ts';
import type { ExitCause } from '../core/exit-policy.ts';
import type { ExitStatus } from '../core/exit-status.ts';
import type { LogFields } from '../core/log-fields.ts';
import type { Level } from '../core/log-level.ts';
import type { Goal } from '../core/shutdown-machine.ts';
import type { ShutdownLimits } from '../core/stop-budget.ts';

/** Outcome of a spawn. */
export type SpawnOutcome =
  | { readonly ok: true; readonly pid: number }
  /** `exitCode` is for the container: 127 not found, 126 not executable, 1 for other failures. */
  | { readonly ok: false; readonly reason: string; readonly exitCode: number };

/** The kernel as the engine uses it. No call blocks. */
export interface Processes {
  /**
   * Looks whether the files of a start can be reached. Calls `done` once, with the reason why they cannot, or null;
   * before it returns if no file system may hang. The returned function cancels: it calls `done` with a reason.
   */
  reach?(proc: ProcessConfig, done: (reason: string | null) => void): () => void;
  spawn(proc: ProcessConfig, run: number): SpawnOutcome;
  /** Sends a signal to a process or to its group. Returns null, or the name of the errno. */
  signal(pid: number, signal: number, group: boolean): string | null;
  /** Reads the remaining output of a reaped process, so that its last lines come before the line about its exit. */
  readRemaining(pid: number): void;
}

/** A monotonic clock with alarms. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  nowMs(): number;
  /** Calls `wake` once, at `atMs` or soon after. The returned function cancels. */
  alarm(atMs: number, wake: () => void): () => void;
}

/** Limits how long starts may keep one turn of the event loop busy (turn-budget.ts). */
export interface StartBudget {
  /** Runs a task that starts a process, now or in a later turn. Keeps the order of calls. The task must not throw. */
  run(task: () => void): void;
}

/**
 * Writes a line to the supervisor's own log. `fields` are for the formats json and logfmt. Never throws, never blocks.
 */
export type Report = (level: Level, text: string, fields?: LogFields) => void;

/** A hook or a check. The command has the user, directory, environment and limits of its program, and its own group. */
export interface Job {
  /** Option of the command, such as `pre_start_command`. */
  readonly name: string;
  readonly command: string;
  readonly timeoutMs: number;
  /** Additional variables, which override all others. */
  readonly environment: ReadonlyMap<string, string>;
  /** Text for its standard input; without one, that is /dev/null. */
  readonly input?: string;
  /** `log`: output goes to the logs of the program. `keep`: the end of the output is part of the outcome. */
  readonly output: 'log' | 'keep';
}

/** Outcome of a job. `failed`: the command could not be executed. */
export type JobOutcome =
  | { readonly kind: 'ended'; readonly status: ExitStatus; readonly output: string }
  | { readonly kind: 'timeout'; readonly output: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'cancelled' };

/** Runs jobs. A finished job leaves no process behind. */
export interface Jobs {
  /**
   * Starts a job. Never throws. Calls `done` once, after this call has returned. The returned function cancels: it
   * sends SIGKILL to the group, and `done` follows once the command was reaped.
   */
  run(proc: ProcessConfig, job: Job, done: (outcome: JobOutcome) => void): () => void;
}

/** The time limits of a shutdown. */
export interface ShutdownBudget {
  /** Returns the limits of a shutdown that begins now; null for no limit. */
  limitsOf(goal: Goal): ShutdownLimits | null;
  /** Shortens the limits after a second request, also those of the steps after the programs. */
  hurry(): void;
}

/** The ports of an engine. */
export interface EnginePorts {
  readonly processes: Processes;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly report: Report;
  /** Returns a random number in [0, 1). */
  readonly chance: () => number;
  readonly budget: StartBudget;
  readonly shutdownBudget: ShutdownBudget;
  /** Called before a rank of a shutdown is stopped. Must call `proceed`, at once or soon. SIGKILL does not wait. */
  readonly beforeStop?: (ids: readonly string[], proceed: () => void) => void;
  /** Called once, when no process of this engine is left. */
  readonly finished: (goal: Goal, cause: ExitCause) => void;
}
