/**
 * The rules by which the exit of a program ends the container, and the exit codes. Pure. The options are
 * exit_on_failure, exit_on_end, exit_when_idle and success_exit_codes.
 */
import type { ClientRequest, SignalCause } from './cause.ts';
import { formatExit, isExpectedExit, shellExitCode } from './exit-status.ts';
import { formatSignal } from './signals.ts';
import type { Level } from './log-level.ts';
import { isEndedForGood } from './process-machine.ts';
import type { ProcessRecord } from './process-record.ts';
import { formatFailure } from './run-failure.ts';

/** Cause of the supervisor's own exit. */
export type ExitCause = SignalCause | ClientRequest | ProgramCause;

/** The exit of a program as the cause. */
export interface ProgramCause {
  readonly kind: 'program';
  readonly id: string;
  readonly rule: ExitRule;
  readonly code: number;
  readonly how: string;
  /** False if the command could not be executed. */
  readonly wasExecuted: boolean;
  /** True if the rule belongs to another program, which can never be started because of this one. */
  readonly isRoot?: boolean;
}

/** The rule that applied: an option, or the main program of init mode. */
export type ExitRule = 'exit_on_failure' | 'exit_on_end' | 'exit_when_idle' | 'healthcheck_action' | 'main program';

/** The options of one program that the rules depend on. */
export interface ExitOptions {
  readonly exitOnFailure: boolean;
  readonly exitOnEnd: boolean;
  /** True for the program after `--`. The container ends with that program. */
  readonly isMain: boolean;
  /** True if a schedule starts the program again. No exit is the last one. */
  readonly isScheduled: boolean;
}

/**
 * Returns the rule by which a process that has ended for good ends the container; null for none. `expected`: the exit
 * code is one of exitcodes. `isIdle`: exit_when_idle is set, and no process runs or is due to start.
 */
export function exitRule(
  record: ProcessRecord,
  expected: boolean,
  options: ExitOptions,
  isIdle: boolean,
): ExitRule | null {
  if (!isEndedForGood(record)) return null;
  if (options.isMain) return 'main program';
  if (options.exitOnFailure && (record.state === 'FATAL' || !expected)) return 'exit_on_failure';
  if (options.exitOnEnd && !options.isScheduled) return 'exit_on_end';
  if (isIdle) return 'exit_when_idle';
  return null;
}

/**
 * Returns the exit code for the container: that of the program, 128 + signal, or 127 or 126 if it was not executed. A
 * program that became FATAL although each try exited with 0 within startsecs, or because it was not ready in time, has
 * failed: 1. A code in `success_exit_codes` counts as 0.
 */
export function programExitCode(record: ProcessRecord, successExitCodes: readonly number[]): number {
  if (record.exit === null) return record.spawnExitCode ?? 1;
  // The exit is the effect of our own stop signal.
  if (record.failure?.kind === 'notReady') return 1;
  const code = shellExitCode(record.exit);
  if (successExitCodes.includes(code)) return 0;
  return code === 0 && record.state === 'FATAL' ? 1 : code;
}

/**
 * True if the last run of a stopped process failed: FATAL, or an unexpected exit. An exit by a stop signal is expected.
 */
export function hasFailed(
  { state, exit }: ProcessRecord,
  exitCodes: readonly number[],
  stopSignals: readonly number[],
): boolean {
  if (state === 'FATAL') return true;
  if (exit === null || isExpectedExit(exit, exitCodes)) return false;
  return state === 'EXITED' || exit.kind === 'exited' || !stopSignals.includes(exit.signal);
}

/** Returns the exit code of a program that blocks another one for good. The blocked program has failed, so never 0. */
export function rootExitCode(record: ProcessRecord, successExitCodes: readonly number[]): number {
  return programExitCode(record, successExitCodes) || 1;
}

/** Formats the exit of a program for the last log line. */
export function describeExit(record: ProcessRecord): string {
  if (record.exit !== null && record.failure?.kind !== 'notReady') return formatExit(record.exit);
  return record.failure === null ? 'it could not be started' : formatFailure(record.failure);
}

/** Returns the exit code of the supervisor: 0 for signals, requests and `success_exit_codes`, else the program's. */
export function containerExitCode(cause: ExitCause, successExitCodes: readonly number[]): number {
  switch (cause.kind) {
    case 'signal':
    case 'request':
      return 0;
    case 'program':
      return successExitCodes.includes(cause.code) ? 0 : cause.code;
  }
}

/** Formats the cause as one line: `program web ended (exit status 3): exit_on_failure`. */
export function formatCause(cause: ExitCause): string {
  switch (cause.kind) {
    case 'signal':
      return `received ${formatSignal(cause.signal)}`;
    case 'request':
      return 'shutdown was requested';
    case 'program':
      if (cause.isRoot === true)
        return `program ${cause.id} ended (${cause.how}): ${formatDependent(cause.rule)} depends on it`;
      return cause.rule === 'healthcheck_action'
        ? `program ${cause.id} is ${cause.how}: ${cause.rule}`
        : `program ${cause.id} ended (${cause.how}): ${cause.rule}`;
  }
}

/** Returns the level of that line: an exit that is no success must be logged with `loglevel=warn` too. */
export function levelOfCause(cause: ProgramCause, successExitCodes: readonly number[]): Level {
  if (!cause.wasExecuted) return 'error';
  // The exit of the command after `--` was expected, with any exit code.
  if (cause.rule === 'main program' && cause.isRoot !== true) return 'info';
  return containerExitCode(cause, successExitCodes) === 0 ? 'info' : 'warn';
}

function formatDependent(rule: ExitRule): string {
  return rule === 'main program' ? 'the main program' : `a program with ${rule}`;
}
