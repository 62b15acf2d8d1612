/**
 * Whether the end of a program ends the container, and the code it ends with. Pure; it stops nothing. The rules are
 * those of the options exit_on_failure, exit_on_end, exit_when_idle and success_exit_codes.
 */
import { formatExit, isExpectedExit, shellExitCode } from './exit-status.ts';
import { formatSignal } from './signals.ts';
import { isEndedForGood } from './process-machine.ts';
import type { ProcessRecord } from './process-record.ts';
import { formatFailure } from './run-failure.ts';

/** Why the supervisor ends. */
export type ExitCause =
  { readonly kind: 'signal'; readonly signal: number } | { readonly kind: 'request' } | ProgramCause;

/** The end of a program. */
export interface ProgramCause {
  readonly kind: 'program';
  readonly id: string;
  readonly rule: ExitRule;
  readonly code: number;
  readonly how: string;
  /** False where the command itself could not be run. */
  readonly wasExecuted: boolean;
  /** The rule is that of another program, which can never be started because of this one. */
  readonly isRoot?: boolean;
}

/** The option that made a program's end ours. */
export type ExitRule = 'exit_on_failure' | 'exit_on_end' | 'exit_when_idle' | 'healthcheck_action' | 'main program';

/** The options of one program that bear on it. */
export interface ExitOptions {
  readonly exitOnFailure: boolean;
  readonly exitOnEnd: boolean;
  /** The program after `--`: when it ends, the container ends. */
  readonly isMain: boolean;
  /** A schedule starts it again: no end is its last one. */
  readonly isScheduled: boolean;
}

/**
 * The rule by which a process that ended by itself, and for good, ends the container; null where none does.
 * `expected`: it EXITED with one of its exitcodes. `isIdle`: nothing else runs or is due to.
 */
export function exitRule(
  record: ProcessRecord,
  expected: boolean,
  options: ExitOptions,
  exitWhenIdle: boolean,
  isIdle: boolean,
): ExitRule | null {
  if (!isEndedForGood(record)) return null;
  if (options.isMain) return 'main program';
  if (options.exitOnFailure && (record.state === 'FATAL' || !expected)) return 'exit_on_failure';
  if (options.exitOnEnd && !options.isScheduled) return 'exit_on_end';
  if (exitWhenIdle && isIdle) return 'exit_when_idle';
  return null;
}

/**
 * The exit code that an ended process stands for: its own, 128 + signal, 127 or 126 where it could not be executed.
 * A program that became FATAL although each try ended with 0 (sooner than startsecs) failed all the same: 1.
 * What the program's `success_exit_codes` names counts as 0.
 */
export function programExitCode(record: ProcessRecord, successExitCodes: readonly number[]): number {
  if (record.exit === null) return record.spawnExitCode ?? 1;
  const code = shellExitCode(record.exit);
  if (successExitCodes.includes(code)) return 0;
  return code === 0 && record.state === 'FATAL' ? 1 : code;
}

/**
 * True if the last run of a process at rest was a failure: it is FATAL, or ended otherwise than expected. To end by a
 * stop signal of ours is expected.
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

/**
 * The exit code of a program that keeps another one from ever being started: that other one has failed, whatever the
 * code.
 */
export function rootExitCode(record: ProcessRecord, successExitCodes: readonly number[]): number {
  return programExitCode(record, successExitCodes) || 1;
}

/** How it ended, in words for the last line. */
export function programEnd(record: ProcessRecord): string {
  if (record.exit !== null) return formatExit(record.exit);
  return record.failure === null ? 'it could not be started' : formatFailure(record.failure);
}

/**
 * The exit code of the supervisor: 0 for signals and requests, else that of the program, mapped by `success_exit_codes`
 * of [supervisord].
 */
export function containerExitCode(cause: ExitCause, successExitCodes: readonly number[]): number {
  switch (cause.kind) {
    case 'signal':
    case 'request':
      return 0;
    case 'program':
      return successExitCodes.includes(cause.code) ? 0 : cause.code;
  }
}

/** One line that says why the container ends: `program web ended (exit status 3): exit_on_failure`. */
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

function formatDependent(rule: ExitRule): string {
  return rule === 'main program' ? 'the main program' : `a program with ${rule}`;
}
