/** The end of a run: its outcome, and the cause if someone asked for it. Pure. */
import { type Cause, formatCauseOf } from './cause.ts';
import { formatExit, isExpectedExit } from './exit-status.ts';
import type { ProcessRecord } from './process-record.ts';
import { ENDING_SIGNALS } from './signal-meaning.ts';

/** Outcome of a run. */
export type RunOutcome =
  | { readonly kind: 'exited'; readonly code: number; readonly isExpected: boolean }
  | { readonly kind: 'signaled'; readonly signal: number; readonly core: boolean }
  /** The kernel killed it, or a process that it had started, because memory ran out. */
  | { readonly kind: 'outOfMemory' }
  /** It was never executed. */
  | { readonly kind: 'notExecuted'; readonly reason: string };

/** The end of a run. */
export interface RunEnd {
  readonly outcome: RunOutcome;
  /** Cause of a requested end; null if the program ended by itself, or something outside the supervisor ended it. */
  readonly cause: Cause | null;
  /** A signal that may explain an end without a cause: it was sent `beforeMs` earlier. Null for none. */
  readonly sentSignal: { readonly signal: number; readonly cause: Cause; readonly beforeMs: number } | null;
}

/** Reason of an end in one word, for metrics. */
export type EndReason =
  | 'expected'
  | 'exit'
  | 'signal'
  | 'oom'
  | 'stopped'
  | 'health'
  | 'memory'
  | 'watchdog'
  | 'protocol'
  | 'not_ready'
  | 'dependency'
  | 'not_started';

/** All reasons, in the order of the metrics. */
export const endReasons: readonly EndReason[] = [
  'expected',
  'exit',
  'signal',
  'oom',
  'stopped',
  'health',
  'memory',
  'watchdog',
  'protocol',
  'not_ready',
  'dependency',
  'not_started',
];

/** Longest time from a signal that asks a program to end to an exit that it explains, with any code. */
const EXPLAINED_MS = 10_000;

/** Returns the end of the latest run of a process that has just ended. `exitCodes`: the option `exitcodes`. */
export function endOf(record: ProcessRecord, exitCodes: readonly number[], isOutOfMemory: boolean): RunEnd {
  return {
    outcome: outcomeOf(record, exitCodes, isOutOfMemory),
    cause: record.stopCause,
    sentSignal: sentBefore(record),
  };
}

function outcomeOf({ exit, failure }: ProcessRecord, exitCodes: readonly number[], isOutOfMemory: boolean): RunOutcome {
  if (isOutOfMemory) return { kind: 'outOfMemory' };
  if (exit === null)
    return { kind: 'notExecuted', reason: failure?.kind === 'notExecuted' ? failure.reason : 'it was stopped before' };
  return exit.kind === 'exited'
    ? { kind: 'exited', code: exit.code, isExpected: isExpectedExit(exit, exitCodes) }
    : exit;
}

function sentBefore({ exit, endedMs, sentSignal, stopCause }: ProcessRecord): RunEnd['sentSignal'] {
  if (sentSignal === null || exit === null || endedMs === null || stopCause !== null) return null;
  const { signal, cause, atMs } = sentSignal;
  const beforeMs = endedMs - atMs;
  const isThatSignal = exit.kind === 'signaled' && exit.signal === signal;
  const isAnswer = ENDING_SIGNALS.has(signal) && exit.kind === 'exited' && beforeMs <= EXPLAINED_MS;
  return isThatSignal || isAnswer ? { signal, cause, beforeMs } : null;
}

/** Formats an outcome: `exit status 3`, `terminated by SIGSEGV (core dumped)`, `out of memory`. */
export function formatOutcome(outcome: RunOutcome): string {
  switch (outcome.kind) {
    case 'exited':
    case 'signaled':
      return formatExit(outcome);
    case 'outOfMemory':
      return 'out of memory (killed by the kernel)';
    case 'notExecuted':
      return `not started: ${outcome.reason}`;
  }
}

/** Formats the end with its cause: `exit status 0, stopped: supervisor.stopProcess of a client (uid 0, pid 77)`. */
export function formatEnd({ outcome, cause, sentSignal }: RunEnd): string {
  const how = formatOutcome(outcome);
  if (cause !== null) return `${how}, stopped: ${formatCauseOf(cause)}`;
  if (sentSignal !== null) return `${how}, after a signal: ${formatCauseOf(sentSignal.cause)}`;
  return how;
}

/** Returns the reason of an end in one word. */
export function reasonOfEnd({ outcome, cause, sentSignal }: RunEnd): EndReason {
  if (outcome.kind === 'outOfMemory') return 'oom';
  const asked = cause ?? sentSignal?.cause ?? null;
  switch (asked?.kind) {
    case 'health':
    case 'memory':
    case 'watchdog':
    case 'protocol':
    case 'dependency':
      return asked.kind;
    case 'notReady':
      return 'not_ready';
    case undefined:
      break;
    default:
      return 'stopped';
  }
  switch (outcome.kind) {
    case 'exited':
      return outcome.isExpected ? 'expected' : 'exit';
    case 'signaled':
      return 'signal';
    case 'notExecuted':
      return 'not_started';
  }
}

const plannedReasons: ReadonlySet<EndReason> = new Set(['expected', 'stopped', 'dependency']);

/** The reasons of ends that a person should know of. */
export const unplannedReasons: readonly EndReason[] = endReasons.filter((reason) => !plannedReasons.has(reason));

/** True for an end that a person need not know of: it was requested, or its exit code is expected. */
export function isPlannedEnd(end: RunEnd): boolean {
  return plannedReasons.has(reasonOfEnd(end));
}
