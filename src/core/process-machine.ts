/**
 * The life of one process as a table: state × input → next record and effects. Pure: no clock, no kernel, no log; what happens elsewhere comes in as an input.
 *
 * The states (Supervisor, "Subprocesses: Process States"):
 *   STOPPED   never started, or stopped by request.        STARTING  spawned, not yet up for startsecs.
 *   RUNNING   up for startsecs.                            BACKOFF   a start failed or ended too quickly; another one is due.
 *   STOPPING  told to stop, not yet gone.                  EXITED    ended by itself after RUNNING; a restart may be due.
 *   FATAL     gave up after startretries.                  UNKNOWN   it could not be signalled; we no longer vouch for it.
 *
 * Invariants:
 *   1. The record is the only state. It is replaced, never changed.
 *   2. A pid stands only in STARTING, RUNNING, STOPPING and UNKNOWN.
 *   3. One deadline at most, and the state says what it means: STARTING startsecs, BACKOFF the next try, STOPPING stopwaitsecs, EXITED a restart that is due.
 *   4. Facts of another run, and a deadline that is not due, are dropped in one place: `step`.
 */
import { type ExitStatus, isExpectedExit, supervisorExitStatus } from './exit-status.ts';
import type { ProcessStateName } from './states.ts';
import { signalNumbers } from './signals.ts';
import { backoffDelayMs, isRestartedTooOften, recentRestarts, restartDelayMs, type RestartPolicy } from './restart-policy.ts';

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
  /** Why the latest start failed, in words for people (`spawnerr`). */
  readonly spawnError: string | null;
  /** The exit code that a container gives for a start that failed to execute (127, 126); null where there was an exit. */
  readonly spawnExitCode: number | null;
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
  | { readonly type: 'spawnFailed'; readonly atMs: number; readonly run: number; readonly reason: string; readonly exitCode: number }
  | { readonly type: 'exited'; readonly atMs: number; readonly run: number; readonly status: ExitStatus }
  | { readonly type: 'elapsed'; readonly atMs: number }
  | { readonly type: 'signalFailed'; readonly atMs: number; readonly run: number; readonly code: string };

/** What is to be said in the log; messages.ts has the words. */
export type ProcessNote =
  | { readonly note: 'spawned'; readonly pid: number }
  | { readonly note: 'spawnError'; readonly reason: string }
  | { readonly note: 'success'; readonly startMs: number }
  | { readonly note: 'exited'; readonly status: ExitStatus; readonly expected: boolean }
  | { readonly note: 'stopped'; readonly status: ExitStatus | null }
  | { readonly note: 'gaveUp' }
  | { readonly note: 'restartedTooOften'; readonly restarts: number; readonly windowMs: number }
  | { readonly note: 'signalling'; readonly pid: number; readonly signal: number }
  | { readonly note: 'killing'; readonly pid: number }
  | { readonly note: 'unsignallable'; readonly pid: number; readonly code: string };

/** An order of the machine; carried out after the record was replaced, in this order. */
export type ProcessEffect =
  | { readonly type: 'spawn'; readonly run: number }
  | { readonly type: 'signal'; readonly pid: number; readonly signal: number; readonly group: boolean }
  | { readonly type: 'changed'; readonly from: ProcessStateName; readonly to: ProcessStateName; readonly record: ProcessRecord; readonly expected: boolean }
  | { readonly type: 'note'; readonly note: ProcessNote };

/** Outcome of one input. */
export interface ProcessStep {
  readonly record: ProcessRecord;
  readonly effects: readonly ProcessEffect[];
}

type InputOf<T extends ProcessInput['type']> = Extract<ProcessInput, { readonly type: T }>;
type Rule<T extends ProcessInput['type']> = (record: ProcessRecord, input: InputOf<T>, policy: ProcessPolicy) => ProcessStep;
type Row = { readonly [T in ProcessInput['type']]: Rule<T> };

/** The record of a process that was never started. */
export const initialRecord: ProcessRecord = {
  state: 'STOPPED', run: 0, pid: null, failedStarts: 0, signalsSent: 0, restartsMs: [], deadlineMs: null,
  startedMs: null, endedMs: null, exit: null, spawnError: null, spawnExitCode: null,
};

/** Collects the steps that one input causes: each `become` is a change of state with its event. */
class Steps {
  record: ProcessRecord;
  readonly effects: ProcessEffect[] = [];

  constructor(record: ProcessRecord) {
    this.record = record;
  }

  become(to: ProcessStateName, change: Partial<ProcessRecord>, expected = true): this {
    const from = this.record.state;
    this.record = { ...this.record, deadlineMs: null, ...change, state: to };
    this.effects.push({ type: 'changed', from, to, record: this.record, expected });
    return this;
  }

  keep(change: Partial<ProcessRecord>): this {
    this.record = { ...this.record, ...change };
    return this;
  }

  note(note: ProcessNote): this {
    this.effects.push({ type: 'note', note });
    return this;
  }

  order(effect: ProcessEffect): this {
    this.effects.push(effect);
    return this;
  }
}

const ignore = (record: ProcessRecord): ProcessStep => ({ record, effects: [] });

/** → STARTING, with the next run's number. */
function launch(steps: Steps, change: Pick<ProcessRecord, 'failedStarts' | 'restartsMs'>): Steps {
  const run = steps.record.run + 1;
  return steps
    .become('STARTING', { run, pid: null, signalsSent: 0, startedMs: null, endedMs: null, exit: null, spawnError: null, spawnExitCode: null, ...change })
    .order({ type: 'spawn', run });
}

/** A start that nobody asked for: it counts for max_restarts. */
function relaunch(steps: Steps, atMs: number, policy: ProcessPolicy): Steps {
  const { failedStarts, restartsMs } = steps.record;
  return launch(steps, { failedStarts, restartsMs: [...recentRestarts(restartsMs, atMs, policy.restart), atMs] });
}

/** → FATAL where one more start would be one too many (max_restarts); true then. */
function giveUpRestarts(steps: Steps, atMs: number, { restart }: ProcessPolicy): boolean {
  if (!isRestartedTooOften(steps.record.restartsMs, atMs, restart)) return false;
  steps.note({ note: 'restartedTooOften', restarts: restart.maxRestarts, windowMs: restart.windowMs }).become('FATAL', { failedStarts: 0, restartsMs: [] }, false);
  return true;
}

/** A start that failed: BACKOFF, and FATAL at once when it was the last try. compat: the BACKOFF event comes before FATAL (Supervisor emits both). */
function backOff(steps: Steps, atMs: number, policy: ProcessPolicy, why: Partial<ProcessRecord>): Steps {
  const failedStarts = steps.record.failedStarts + 1;
  const deadlineMs = atMs + backoffDelayMs(failedStarts, policy.restart, policy.chance);
  steps.become('BACKOFF', { ...why, pid: null, failedStarts, endedMs: atMs, deadlineMs });
  if (failedStarts > policy.startRetries) return steps.note({ note: 'gaveUp' }).become('FATAL', { failedStarts: 0 }, false);
  giveUpRestarts(steps, atMs, policy);
  return steps;
}

/** Up for startsecs: RUNNING. */
function succeed(steps: Steps, policy: ProcessPolicy): Steps {
  return steps.become('RUNNING', { failedStarts: 0 }).note({ note: 'success', startMs: policy.startMs });
}

/** The end of a process that was RUNNING: EXITED, and a restart where autorestart wants one. */
function endRunning(steps: Steps, { atMs, status }: InputOf<'exited'>, policy: ProcessPolicy): Steps {
  const expected = isExpectedExit(status, policy.exitCodes);
  const restart = policy.mayRestart && (policy.autorestart === 'true' || (policy.autorestart === 'unexpected' && !expected));
  const delayMs = restart ? restartDelayMs(atMs - (steps.record.startedMs ?? atMs), policy.restart) : 0;
  const spawnError = expected ? null : `Bad exit code ${supervisorExitStatus(status)}`;
  steps
    .note({ note: 'exited', status, expected })
    .become('EXITED', { pid: null, endedMs: atMs, exit: status, spawnError, deadlineMs: restart ? atMs + delayMs : null }, expected);
  if (!restart || giveUpRestarts(steps, atMs, policy)) return steps;
  return delayMs === 0 ? relaunch(steps, atMs, policy) : steps;
}

/** The next signal of a stop: those of `stopsignal` in turn, then SIGKILL, again each time the wait runs out. */
function signalStop(steps: Steps, atMs: number, policy: ProcessPolicy): Steps {
  const { pid, signalsSent } = steps.record;
  if (pid === null) return steps;
  const signal = policy.stopSignals[signalsSent] ?? signalNumbers.SIGKILL;
  const isEscalation = signalsSent > 0 && signal === signalNumbers.SIGKILL;
  // compat: the first signal goes to the group by stopasgroup, the SIGKILL that follows by killasgroup (supervisor.process.Subprocess.kill).
  return steps
    .note(isEscalation ? { note: 'killing', pid } : { note: 'signalling', pid, signal })
    .keep({ signalsSent: signalsSent + 1, deadlineMs: atMs + policy.stopWaitMs })
    .order({ type: 'signal', pid, signal, group: isEscalation ? policy.killAsGroup : policy.stopAsGroup });
}

const begin: Rule<'start'> = (record) => launch(new Steps(record), { failedStarts: 0, restartsMs: [] });
const stop: Rule<'stop'> = (record, input, policy) => signalStop(new Steps(record).become('STOPPING', { signalsSent: 0 }), input.atMs, policy);
const kill: Rule<'kill'> = (record, input, policy) => {
  const steps = record.state === 'STOPPING' ? new Steps(record) : new Steps(record).become('STOPPING', {});
  return signalStop(steps.keep({ signalsSent: policy.stopSignals.length }), input.atMs, policy);
};
/** Nothing runs; what was due to run is called off. */
const callOff = (record: ProcessRecord): ProcessStep => new Steps(record).keep({ deadlineMs: null });
/** compat: a stop in BACKOFF goes straight to STOPPED, without a signal. */
const stopWaiting = (record: ProcessRecord): ProcessStep => new Steps(record).become('STOPPED', { failedStarts: 0 });
const gone: Rule<'exited'> = (record, input) =>
  new Steps(record).note({ note: 'stopped', status: input.status }).become('STOPPED', { pid: null, endedMs: input.atMs, exit: input.status });
const retry: Rule<'elapsed'> = (record, input, policy) => relaunch(new Steps(record), input.atMs, policy);

const idle: Omit<Row, 'start'> = {
  stop: callOff, kill: callOff, spawned: ignore, spawnFailed: ignore, exited: ignore, elapsed: ignore, signalFailed: ignore,
};

/** The table. A missing cell is a compile error. */
export const rules: Readonly<Record<ProcessStateName, Row>> = {
  STOPPED: { ...idle, start: begin },
  FATAL: { ...idle, start: begin },
  EXITED: { ...idle, start: begin, elapsed: retry },
  BACKOFF: { ...idle, start: ignore, stop: stopWaiting, kill: stopWaiting, elapsed: retry },

  STARTING: {
    start: ignore,
    stop,
    kill,
    spawned: (record, input, policy) => {
      const steps = new Steps(record).note({ note: 'spawned', pid: input.pid }).keep({ pid: input.pid, startedMs: input.atMs, deadlineMs: input.atMs + policy.startMs });
      // compat: startsecs=0 means up as soon as it is executed, however soon it ends.
      return policy.startMs === 0 ? succeed(steps, policy) : steps;
    },
    spawnFailed: (record, input, policy) =>
      backOff(new Steps(record).note({ note: 'spawnError', reason: input.reason }), input.atMs, policy, { spawnError: input.reason, spawnExitCode: input.exitCode }),
    exited: (record, input, policy) => {
      const steps = new Steps(record);
      // The exit may be reaped before the deadline of startsecs is looked at: the times decide, not the order of arrival.
      if (record.deadlineMs !== null && input.atMs >= record.deadlineMs) return endRunning(succeed(steps, policy), input, policy);
      steps.note({ note: 'exited', status: input.status, expected: false });
      return backOff(steps, input.atMs, policy, { exit: input.status, spawnError: 'Exited too quickly (process log may have details)' });
    },
    elapsed: (record, _input, policy) => succeed(new Steps(record), policy),
    signalFailed: ignore,
  },

  RUNNING: {
    start: ignore,
    stop,
    kill,
    spawned: ignore,
    spawnFailed: ignore,
    exited: (record, input, policy) => endRunning(new Steps(record), input, policy),
    elapsed: ignore,
    signalFailed: ignore,
  },

  STOPPING: {
    start: ignore,
    stop: ignore,
    kill,
    spawned: (record, input, policy) =>
      signalStop(new Steps(record).note({ note: 'spawned', pid: input.pid }).keep({ pid: input.pid, startedMs: input.atMs }), input.atMs, policy),
    spawnFailed: (record, input) => new Steps(record).become('STOPPED', { endedMs: input.atMs, spawnError: input.reason, spawnExitCode: input.exitCode }),
    exited: gone,
    elapsed: (record, input, policy) => signalStop(new Steps(record), input.atMs, policy),
    // compat: ESRCH means that it is gone and will be reaped; anything else, and we no longer know (supervisor.process.Subprocess.kill).
    signalFailed: (record, input) => {
      if (input.code === 'ESRCH' || record.pid === null) return ignore(record);
      return new Steps(record).note({ note: 'unsignallable', pid: record.pid, code: input.code }).become('UNKNOWN', {});
    },
  },

  UNKNOWN: { ...idle, start: ignore, stop: ignore, kill: ignore, exited: gone },
};

/** Applies one input to a record. Facts of an earlier run and deadlines that are not due come back as they were, with no effect. */
export function step(record: ProcessRecord, input: ProcessInput, policy: ProcessPolicy): ProcessStep {
  if ('run' in input && input.run !== record.run) return ignore(record);
  if (input.type === 'elapsed' && (record.deadlineMs === null || input.atMs < record.deadlineMs)) return ignore(record);
  const rule = rules[record.state][input.type] as Rule<ProcessInput['type']>;
  const { record: next, effects } = rule(record, input, policy);
  return { record: next, effects };
}

/** Whether this process ended by itself and nothing will start it again. */
export function isEndedForGood(record: ProcessRecord): boolean {
  return record.state === 'FATAL' || (record.state === 'EXITED' && record.deadlineMs === null);
}
