/**
 * Whether the end of one process, seen among all others, ends the supervisor: the facts that core/exit-policy.ts decides upon, gathered. Pure.
 */
import { type ExitCause, type ExitRule, exitRule, programEnd, programExitCode } from '../core/exit-policy.ts';
import { isEndedForGood } from '../core/process-machine.ts';
import type { ProcessNote } from '../core/process-record.ts';
import type { ProcessView } from './registry.ts';

/** The options of the supervisor that bear on it. */
export interface ExitSettings {
  readonly exitWhenIdle: boolean;
  /** Namespec of the program after `--`, if there is one. */
  readonly mainProgram: string | null;
}

/**
 * The cause that a process which has just come to rest gives for an end of the supervisor; null for none. `expected` as of its exitcodes.
 * `isAwaited`: a process that is at rest will still be started by itself.
 */
export function exitCauseOf(
  { id, config, record }: ProcessView, expected: boolean, all: readonly ProcessView[], { exitWhenIdle, mainProgram }: ExitSettings, isAwaited: (other: ProcessView) => boolean,
): ExitCause | null {
  const { exit_on_failure: exitOnFailure, exit_on_end: exitOnEnd } = config.options;
  const isIdle = exitWhenIdle && all.every((other) => (isEndedForGood(other.record) || (other.record.state === 'STOPPED' && other.record.deadlineMs === null)) && !isAwaited(other));
  const rule = exitRule(record, expected, { exitOnFailure, exitOnEnd, isMain: id === mainProgram, isScheduled: config.options.cron !== null }, exitWhenIdle, isIdle);
  return rule === null ? null : causeBy({ config, record }, rule);
}

/** The end of a process that has ended, as the cause of ours. */
export function causeBy({ config, record }: Pick<ProcessView, 'config' | 'record'>, rule: ExitRule): ExitCause {
  const code = programExitCode(record, config.options.success_exit_codes);
  return { kind: 'program', id: config.name, rule, code, how: programEnd(record), wasExecuted: record.exit !== null };
}

/**
 * What the log says of the end of the main program: whatever exit code it chooses is the answer that the container was started for, and who sends it a
 * signal expects what that does. `passedOn`: the signals that were sent on to it.
 */
export function judgeMain(note: ProcessNote, passedOn: ReadonlySet<number>): ProcessNote {
  if (note.note !== 'exited') return note;
  return { ...note, expected: note.status.kind === 'exited' || passedOn.has(note.status.signal) };
}
