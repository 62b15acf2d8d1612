/**
 * What the engine needs from outside: a way to start and signal processes, a clock, a log. Tests replace them all.
 * Types only.
 */
import type { ProcessConfig } from '../config/model.ts';
import type { Level } from '../core/log-level.ts';

/** Outcome of a spawn: it was executed, or why not. */
export type SpawnOutcome =
  | { readonly ok: true; readonly pid: number }
  /** `exitCode`: what a container ends with because of it (127 not found, 126 not executable, else 1). */
  | { readonly ok: false; readonly reason: string; readonly exitCode: number };

/** The kernel, as far as the engine uses it. No call waits for anything outside. */
export interface Processes {
  spawn(process: ProcessConfig, run: number): SpawnOutcome;
  /** Sends a signal to a process or to its group; returns null, or the name of the errno. */
  signal(pid: number, signal: number, group: boolean): string | null;
}

/** A monotonic clock with alarms. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  nowMs(): number;
  /** Calls `wake` once, at `atMs` or soon after; the function returned calls it off. */
  alarm(atMs: number, wake: () => void): () => void;
}

/** Writes a line to the supervisor's own log. Never throws, never waits. */
export type Report = (level: Level, text: string) => void;
