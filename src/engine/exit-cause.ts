/**
 * Whether the end of one process, seen among all others, ends the supervisor: the facts that core/exit-policy.ts
 * decides upon, gathered. Pure.
 */
import {
  type ExitCause,
  type ExitRule,
  exitRule,
  hasFailed,
  type ProgramCause,
  programEnd,
  programExitCode,
  rootExitCode,
} from '../core/exit-policy.ts';
import { isEndedForGood } from '../core/process-machine.ts';
import type { ProcessNote } from '../core/process-record.ts';
import type { ProcessView } from './process-table.ts';

/** The options of the supervisor that bear on it. */
export interface ExitSettings {
  readonly exitWhenIdle: boolean;
  /** Namespec of the program after `--`, if there is one. */
  readonly mainProgram: string | null;
}

/**
 * The cause that a process which has just come to rest gives for an end of the supervisor; null for none. `expected` as
 * of its exitcodes. `isAwaited`: a process that is at rest will still be started by itself.
 */
export function exitCauseOf(
  { id, config, record }: ProcessView,
  expected: boolean,
  all: readonly ProcessView[],
  { exitWhenIdle, mainProgram }: ExitSettings,
  isAwaited: (other: ProcessView) => boolean,
): ExitCause | null {
  const { exit_on_failure: exitOnFailure, exit_on_end: exitOnEnd } = config.options;
  const isIdle =
    exitWhenIdle &&
    all.every(
      (other) =>
        (isEndedForGood(other.record) || (other.record.state === 'STOPPED' && other.record.deadlineMs === null)) &&
        !isAwaited(other),
    );
  const rule = exitRule(
    record,
    expected,
    { exitOnFailure, exitOnEnd, isMain: id === mainProgram, isScheduled: config.options.cron !== null },
    exitWhenIdle,
    isIdle,
  );
  if (rule === null) return null;
  const last: ProcessView = { id, config, record };
  return causeBy(rule === 'exit_when_idle' ? firstFailureOf(last, all) : last, rule);
}

/** Of the last runs of all processes, the first one that failed; the one that ended last, where none has. */
function firstFailureOf(last: ProcessView, all: readonly ProcessView[]): ProcessView {
  const now = all.map((other) => (other.id === last.id ? last : other));
  const failed = now.filter(({ config, record }) =>
    hasFailed(record, config.options.exitcodes, config.options.stopsignal),
  );
  return failed.toSorted((a, b) => (a.record.endedMs ?? 0) - (b.record.endedMs ?? 0))[0] ?? last;
}

/**
 * The cause that a process gives which can never be started, because of `root`: it has failed, for the options that are
 * set for it. The exit code, and what is said, are those of the root.
 */
export function blockedCauseOf(blocked: ProcessView, root: ProcessView, mainProgram: string | null): ExitCause | null {
  const { exit_on_failure: exitOnFailure, exit_on_end: exitOnEnd, cron } = blocked.config.options;
  const options = { exitOnFailure, exitOnEnd, isMain: blocked.id === mainProgram, isScheduled: cron !== null };
  const rule = exitRule({ ...blocked.record, state: 'FATAL' }, false, options, false, false);
  if (rule === null) return null;
  const code = rootExitCode(root.record, root.config.options.success_exit_codes);
  return { ...causeBy(root, rule), code, isRoot: true };
}

/** The end of a process that has ended, as the cause of ours. */
export function causeBy({ config, record }: Pick<ProcessView, 'config' | 'record'>, rule: ExitRule): ProgramCause {
  const code = programExitCode(record, config.options.success_exit_codes);
  return { kind: 'program', id: config.name, rule, code, how: programEnd(record), wasExecuted: record.exit !== null };
}

/**
 * What the log says of the end of the main program: whatever exit code it chooses is the answer that the container was
 * started for, and who sends it a signal expects what that does. `passedOn`: the signals that were sent on to it.
 */
export function judgeMain(note: ProcessNote, passedOn: ReadonlySet<number>): ProcessNote {
  if (note.note !== 'exited') return note;
  return { ...note, expected: note.status.kind === 'exited' || passedOn.has(note.status.signal) };
}
