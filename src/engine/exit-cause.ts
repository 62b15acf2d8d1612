/**
 * Collects the facts about all processes that core/exit-policy.ts needs to decide if the exit of a program shuts down
 * the supervisor. Pure.
 */
import {
  type ExitCause,
  type ExitRule,
  exitRule,
  hasFailed,
  type ProgramCause,
  describeExit,
  programExitCode,
  rootExitCode,
} from '../core/exit-policy.ts';
import { isEndedForGood } from '../core/process-machine.ts';
import type { ProcessNote } from '../core/process-record.ts';
import type { ProcessView } from './process-table.ts';

/** The settings of the supervisor that the exit rules depend on. */
export interface ExitSettings {
  readonly exitWhenIdle: boolean;
  /** Namespec of the program after `--`, if there is one. */
  readonly mainProgram: string | null;
}

/** All processes, and which of the stopped ones will be started without a request. */
interface Others {
  /** True if some process passes a test. Stops at the first: with thousands of programs, a look at all is slow. */
  readonly some: (isFound: (other: ProcessView) => boolean) => boolean;
  readonly all: () => readonly ProcessView[];
  readonly isAwaited: (other: ProcessView) => boolean;
}

/**
 * Returns the cause that a process which has just stopped gives for a shutdown; null for none. `expected`: the exit
 * code is one of exitcodes.
 */
export function exitCauseOf(
  { id, config, record }: ProcessView,
  expected: boolean,
  { exitWhenIdle, mainProgram }: ExitSettings,
  { some, all, isAwaited }: Others,
): ExitCause | null {
  const { exit_on_failure: exitOnFailure, exit_on_end: exitOnEnd } = config.options;
  const isIdle =
    exitWhenIdle &&
    isEndedForGood(record) &&
    !some(
      (other) =>
        (!isEndedForGood(other.record) && (other.record.state !== 'STOPPED' || other.record.deadlineMs !== null)) ||
        isAwaited(other),
    );
  const rule = exitRule(
    record,
    expected,
    { exitOnFailure, exitOnEnd, isMain: id === mainProgram, isScheduled: config.options.cron !== null },
    isIdle,
  );
  if (rule === null) return null;
  const last: ProcessView = { id, config, record };
  return causeBy(rule === 'exit_when_idle' ? firstFailureOf(last, all) : last, rule);
}

/** Returns the process whose last run was the first to fail; the process that ended last, if none failed. */
function firstFailureOf(last: ProcessView, all: Others['all']): ProcessView {
  const now = all().map((other) => (other.id === last.id ? last : other));
  const failed = now.filter(({ config, record }) =>
    hasFailed(record, config.options.exitcodes, config.options.stopsignal),
  );
  return failed.toSorted((a, b) => (a.record.endedMs ?? 0) - (b.record.endedMs ?? 0))[0] ?? last;
}

/**
 * Returns the cause that a process gives if it can never be started because of `root`. The exit rules of the blocked
 * process apply. The exit code and the reason are those of the root.
 */
export function blockedCauseOf(blocked: ProcessView, root: ProcessView, mainProgram: string | null): ExitCause | null {
  const { exit_on_failure: exitOnFailure, exit_on_end: exitOnEnd, cron } = blocked.config.options;
  const options = { exitOnFailure, exitOnEnd, isMain: blocked.id === mainProgram, isScheduled: cron !== null };
  const rule = exitRule({ ...blocked.record, state: 'FATAL' }, false, options, false);
  if (rule === null) return null;
  const code = rootExitCode(root.record, root.config.options.success_exit_codes);
  return { ...causeBy(root, rule), code, isRoot: true };
}

/** Returns the exit of a process as the cause of a shutdown. */
export function causeBy({ config, record }: Pick<ProcessView, 'config' | 'record'>, rule: ExitRule): ProgramCause {
  const code = programExitCode(record, config.options.success_exit_codes);
  return { kind: 'program', id: config.name, rule, code, how: describeExit(record), wasExecuted: record.exit !== null };
}

/**
 * Marks an exit of the main program as expected in the log. Any exit code is a result that the user wants to see, and
 * an exit by a forwarded signal was requested. `forwarded`: the forwarded signals.
 */
export function judgeMain(note: ProcessNote, forwarded: ReadonlySet<number>): ProcessNote {
  if (note.note !== 'exited') return note;
  return { ...note, expected: note.status.kind === 'exited' || forwarded.has(note.status.signal) };
}
