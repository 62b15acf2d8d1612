/**
 * What the engine needs from outside: a way to start and signal processes, a clock, a log. Tests replace them all.
 * Types only.
 */
import type { ProcessConfig } from '../config/model.ts';
import type { ExitStatus } from '../core/exit-status.ts';
import type { Level } from '../core/log-level.ts';
import type { Goal } from '../core/shutdown-machine.ts';
import type { EndLimits } from '../core/stop-budget.ts';

/** Outcome of a spawn: it was executed, or why not. */
export type SpawnOutcome =
  | { readonly ok: true; readonly pid: number }
  /** `exitCode`: what a container ends with because of it (127 not found, 126 not executable, else 1). */
  | { readonly ok: false; readonly reason: string; readonly exitCode: number };

/** The kernel, as far as the engine uses it. No call waits for anything outside. */
export interface Processes {
  spawn(proc: ProcessConfig, run: number): SpawnOutcome;
  /** Sends a signal to a process or to its group; returns null, or the name of the errno. */
  signal(pid: number, signal: number, group: boolean): string | null;
  /**
   * A process was reaped. Called before anything follows from its end, so that its last output comes before the line
   * about that end.
   */
  ended(pid: number): void;
}

/** A monotonic clock with alarms. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  nowMs(): number;
  /** Calls `wake` once, at `atMs` or soon after; the function returned calls it off. */
  alarm(atMs: number, wake: () => void): () => void;
}

/** Limits how long starts may keep one turn of the event loop busy (turn-budget.ts). */
export interface StartBudget {
  /** Runs a task that starts a process, now or in a later turn, in the order of the calls. The task must not throw. */
  run(task: () => void): void;
}

/** Writes a line to the supervisor's own log. Never throws, never waits. */
export type Report = (level: Level, text: string) => void;

/**
 * A command beside a program: a hook or a check. It has the user, directory, environment and limits of its program, and
 * a process group of its own.
 */
export interface Job {
  /** The option that it comes from, as `pre_start_command`. */
  readonly name: string;
  readonly command: string;
  readonly timeoutMs: number;
  /** Variables that are added last. */
  readonly environment: ReadonlyMap<string, string>;
  /**
   * `log`: its lines are those of the program's own streams. `keep`: the end of what it says comes back in the outcome.
   */
  readonly output: 'log' | 'keep';
}

/** What became of a job. `failed`: it could not be executed. */
export type JobOutcome =
  | { readonly kind: 'ended'; readonly status: ExitStatus; readonly output: string }
  | { readonly kind: 'timeout'; readonly output: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'cancelled' };

/** Runs jobs. Nothing of one is left when it is done. */
export interface Jobs {
  /**
   * Starts a job; never throws. `done` is called once, never from within this call.
   * The function returned cancels: SIGKILL to its group, and `done` follows as soon as it is reaped.
   */
  run(proc: ProcessConfig, job: Job, done: (outcome: JobOutcome) => void): () => void;
}

/** The time that an end may take. */
export interface EndBudget {
  /** The limits of an end or a restart that is asked for now; null where it may take as long as it takes. */
  limitsOf(goal: Goal): EndLimits | null;
  /** A second request has ended all patience, also with what comes after the programs. */
  hurry(): void;
}
