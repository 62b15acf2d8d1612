/**
 * The life of one process as a table: state × input → next record and effects. Pure: no clock, no kernel, no log; what
 * happens elsewhere comes in as an input.
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
 *   3. One deadline at most, and the state says what it means: STARTING startsecs, BACKOFF the next try, STOPPING stopwaitsecs, EXITED and STOPPED a restart that is due.
 *   4. Facts of another run, and a deadline that is not due, are dropped in one place: `step`.
 */
import { isExpectedExit, supervisorExitStatus } from './exit-status.ts';
import type {
  Hold,
  ProcessEffect,
  ProcessInput,
  ProcessNote,
  ProcessPolicy,
  ProcessRecord,
  ProcessStep,
} from './process-record.ts';
import type { ProcessStateName } from './states.ts';
import { signalNumbers } from './signals.ts';
import { backoffDelayMs, isRestartedTooOften, recentRestarts, restartDelayMs } from './restart-policy.ts';

type InputOf<T extends ProcessInput['type']> = Extract<ProcessInput, { readonly type: T }>;
type Rule<T extends ProcessInput['type']> = (
  record: ProcessRecord,
  input: InputOf<T>,
  policy: ProcessPolicy,
) => ProcessStep;
type Row = { readonly [T in ProcessInput['type']]: Rule<T> };

/** What is true of one run only, and of none that is over. */
const noFacts = { isReady: false, health: null } as const;

/** Collects the steps that one input causes: each `become` is a change of state with its event. */
class Steps {
  record: ProcessRecord;
  readonly effects: ProcessEffect[] = [];

  constructor(record: ProcessRecord) {
    this.record = record;
  }

  become(to: ProcessStateName, change: Partial<ProcessRecord>, expected = true): this {
    const from = this.record.state;
    const facts = to === 'RUNNING' || to === 'STOPPING' || to === 'UNKNOWN' ? {} : noFacts;
    this.record = {
      ...this.record,
      ...facts,
      deadlineMs: null,
      ...change,
      state: to,
      wasUp: this.record.wasUp || to === 'RUNNING',
    };
    this.effects.push({ type: 'changed', from, to, record: this.record, expected });
    return this;
  }

  keep(change: Partial<ProcessRecord>): this {
    this.record = { ...this.record, ...change };
    return this;
  }

  tell(fact: 'ready' | 'health' | 'held', change: Partial<ProcessRecord>): this {
    const from = this.record;
    this.record = { ...from, ...change };
    this.effects.push({ type: 'told', fact, from, record: this.record });
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
  const { wasUp, exit, lastExit } = steps.record;
  const run = steps.record.run + 1;
  const restarts = steps.record.restarts + (wasUp ? 1 : 0);
  return steps
    .become('STARTING', {
      run,
      restarts,
      pid: null,
      signalsSent: 0,
      startedMs: null,
      endedMs: null,
      exit: null,
      lastExit: exit ?? lastExit,
      spawnError: null,
      spawnExitCode: null,
      hold: null,
      thenStart: false,
      ...change,
    })
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
  const spawnError = `more than ${restart.maxRestarts} restarts within ${restart.windowMs / 1000} seconds (max_restarts)`;
  steps
    .note({ note: 'restartedTooOften', reason: spawnError })
    .become('FATAL', { failedStarts: 0, restartsMs: [], spawnError }, false);
  return true;
}

/**
 * A start that failed: BACKOFF, and FATAL at once when it was the last try. compat: the BACKOFF event comes before
 * FATAL (Supervisor emits both).
 */
function backOff(steps: Steps, atMs: number, policy: ProcessPolicy, why: Partial<ProcessRecord>): Steps {
  const failedStarts = steps.record.failedStarts + 1;
  const deadlineMs = atMs + backoffDelayMs(failedStarts, policy.restart, policy.chance);
  steps.become('BACKOFF', { ...why, pid: null, failedStarts, endedMs: atMs, deadlineMs });
  if (failedStarts > policy.startRetries)
    return steps.note({ note: 'gaveUp' }).become('FATAL', { failedStarts: 0 }, false);
  giveUpRestarts(steps, atMs, policy);
  return steps;
}

/** Up for startsecs: RUNNING. What is to come to an end has not succeeded yet. */
function succeed(steps: Steps, policy: ProcessPolicy): Steps {
  return steps
    .become('RUNNING', policy.purpose === 'service' ? { failedStarts: 0 } : {})
    .note({ note: 'success', startMs: policy.startMs });
}

/**
 * The end of a process that was RUNNING: EXITED, and a restart where autorestart wants one, or where a oneshot has
 * failed.
 */
function endRunning(steps: Steps, { atMs, status }: InputOf<'exited'>, policy: ProcessPolicy): Steps {
  const expected = isExpectedExit(status, policy.exitCodes);
  const failedStarts = policy.purpose === 'oneshot' && !expected ? steps.record.failedStarts + 1 : 0;
  const isFinal = failedStarts > policy.startRetries;
  const restart = policy.mayRestart && !isFinal && isRestartWanted(expected, policy);
  const pauseMs =
    failedStarts > 0
      ? backoffDelayMs(failedStarts, policy.restart, policy.chance)
      : restartDelayMs(atMs - (steps.record.startedMs ?? atMs), policy.restart);
  const delayMs = restart ? pauseMs : 0;
  const spawnError = expected ? null : `Bad exit code ${supervisorExitStatus(status)}`;
  steps
    .note({ note: 'exited', status, expected })
    .become(
      'EXITED',
      { pid: null, endedMs: atMs, exit: status, spawnError, failedStarts, deadlineMs: restart ? atMs + delayMs : null },
      expected,
    );
  if (isFinal) return steps.note({ note: 'gaveUp' }).become('FATAL', { failedStarts: 0 }, false);
  if (!restart || giveUpRestarts(steps, atMs, policy)) return steps;
  return delayMs === 0 ? relaunch(steps, atMs, policy) : steps;
}

/** What has come to an end as it should, or starts by a schedule, is done, whatever autorestart says. */
function isRestartWanted(expected: boolean, { purpose, autorestart }: ProcessPolicy): boolean {
  if (purpose !== 'service') return purpose === 'oneshot' && !expected;
  return autorestart === 'true' || (autorestart === 'unexpected' && !expected);
}

/** A start that is wanted waits for what it depends on; the state stays. */
function hold(record: ProcessRecord, gate: Hold): ProcessStep {
  if (record.hold?.kind === gate.kind && record.hold.reason === gate.reason) return ignore(record);
  return new Steps(record).tell('held', { hold: gate }).note({ note: 'held', hold: gate });
}

/**
 * The next signal of a stop: those of `stopsignal` in turn, then SIGKILL, again each time the wait runs out. With
 * `stop_command` its first order is carried out by the command; where that fails, or the program is still there when
 * its time is over, all signals follow.
 */
function signalStop(steps: Steps, atMs: number, policy: ProcessPolicy): Steps {
  const { pid, signalsSent } = steps.record;
  if (pid === null) return steps;
  const turn = policy.hasStopCommand && signalsSent > 0 ? signalsSent - 1 : signalsSent;
  const signal = policy.stopSignals[turn] ?? signalNumbers.SIGKILL;
  const isEscalation = signalsSent > 0 && signal === signalNumbers.SIGKILL;
  // compat: the first signal goes to the group by stopasgroup, the SIGKILL that follows by killasgroup
  // (supervisor.process.Subprocess.kill).
  return steps
    .note(isEscalation ? { note: 'killing', pid } : { note: 'signalling', pid, signal })
    .keep({
      signalsSent: signalsSent + 1,
      deadlineMs: atMs + (signalsSent === 0 ? policy.firstWaitMs : policy.stopWaitMs),
    })
    .order({
      type: 'signal',
      pid,
      signal,
      group: isEscalation ? policy.killAsGroup : policy.stopAsGroup,
      isFirst: signalsSent === 0,
    });
}

const begin: Rule<'start'> = (record, _input, { gate }) =>
  gate === null ? launch(new Steps(record), { failedStarts: 0, restartsMs: [] }) : hold(record, gate);
/** Only a start that is held can go on. */
const reconsider: Rule<'gate'> = (record, input, policy) =>
  record.hold === null ? ignore(record) : begin(record, { ...input, type: 'start' }, policy);
const stop: Rule<'stop'> = (record, input, policy) =>
  signalStop(new Steps(record).become('STOPPING', { signalsSent: 0 }), input.atMs, policy);
const restart: Rule<'restart'> = (record, input, policy) =>
  signalStop(new Steps(record).become('STOPPING', { signalsSent: 0, thenStart: true }), input.atMs, policy);
const kill: Rule<'kill'> = (record, input, policy) => {
  const steps = record.state === 'STOPPING' ? new Steps(record) : new Steps(record).become('STOPPING', {});
  return signalStop(steps.keep({ signalsSent: policy.stopSignals.length + 1, thenStart: false }), input.atMs, policy);
};
/** Nothing runs; what was due to run, or is held, is called off. */
const callOff = (record: ProcessRecord): ProcessStep => {
  const steps = new Steps(record).keep({ deadlineMs: null, thenStart: false });
  return record.hold === null ? steps : steps.tell('held', { hold: null });
};
/** compat: a stop in BACKOFF goes straight to STOPPED, without a signal. */
const stopWaiting = (record: ProcessRecord): ProcessStep => new Steps(record).become('STOPPED', { failedStarts: 0 });
/** The end of a process that was told to stop, which may be half of a restart; that has the pause of any other. */
const gone: Rule<'exited'> = (record, { atMs, status }, policy) => {
  const thenStart = record.thenStart && policy.mayRestart;
  const delayMs = restartDelayMs(atMs - (record.startedMs ?? atMs), policy.restart);
  const steps = new Steps(record).note({ note: 'stopped', status }).become('STOPPED', {
    pid: null,
    endedMs: atMs,
    exit: status,
    thenStart,
    deadlineMs: thenStart ? atMs + delayMs : null,
  });
  if (!thenStart || giveUpRestarts(steps, atMs, policy)) return steps.keep({ thenStart: false });
  return delayMs === 0 ? relaunch(steps, atMs, policy) : steps;
};
const retry: Rule<'elapsed'> = (record, input, policy) => relaunch(new Steps(record), input.atMs, policy);
const noteReady: Rule<'ready'> = (record) =>
  record.isReady ? ignore(record) : new Steps(record).tell('ready', { isReady: true }).note({ note: 'ready' });
const noteHealth: Rule<'health'> = (record, { health }) =>
  record.health === health ? ignore(record) : new Steps(record).tell('health', { health });

const deaf = { restart: ignore, gate: ignore, ready: ignore, health: ignore, stopCommandFailed: ignore } as const;

const idle: Omit<Row, 'start'> = {
  ...deaf,
  gate: reconsider,
  stop: callOff,
  kill: callOff,
  spawned: ignore,
  spawnFailed: ignore,
  exited: ignore,
  elapsed: ignore,
  signalFailed: ignore,
};

/** It runs, and can say how it is. */
const up = { restart, gate: ignore, ready: noteReady, health: noteHealth, stopCommandFailed: ignore } as const;

/** The table. A missing cell is a compile error. */
export const rules: Readonly<Record<ProcessStateName, Row>> = {
  STOPPED: { ...idle, start: begin, elapsed: retry },
  FATAL: { ...idle, start: begin },
  EXITED: { ...idle, start: begin, elapsed: retry },
  BACKOFF: { ...idle, start: ignore, stop: stopWaiting, kill: stopWaiting, elapsed: retry },

  STARTING: {
    ...up,
    start: ignore,
    stop,
    kill,
    spawned: (record, input, policy) => {
      const steps = new Steps(record)
        .note({ note: 'spawned', pid: input.pid })
        .keep({ pid: input.pid, startedMs: input.atMs, deadlineMs: input.atMs + policy.startMs });
      // compat: startsecs=0 means up as soon as it is executed, however soon it ends.
      return policy.startMs === 0 ? succeed(steps, policy) : steps;
    },
    spawnFailed: (record, input, policy) =>
      backOff(new Steps(record).note({ note: 'spawnError', reason: input.reason }), input.atMs, policy, {
        spawnError: input.reason,
        spawnExitCode: input.exitCode,
      }),
    exited: (record, input, policy) => {
      const steps = new Steps(record);
      // The exit may be reaped before the deadline of startsecs is looked at: the times decide, not the order of
      // arrival.
      const isUp = record.deadlineMs !== null && input.atMs >= record.deadlineMs;
      // startsecs is for what is to stay up: to come to an end soon is what a oneshot is for, and a schedule knows its
      // own next try.
      const isDone =
        policy.purpose === 'scheduled' ||
        (policy.purpose === 'oneshot' && isExpectedExit(input.status, policy.exitCodes));
      if (isUp) return endRunning(succeed(steps, policy), input, policy);
      if (isDone) return endRunning(steps.become('RUNNING', {}), input, policy);
      steps.note({ note: 'exited', status: input.status, expected: false });
      return backOff(steps, input.atMs, policy, {
        exit: input.status,
        spawnError: 'Exited too quickly (process log may have details)',
      });
    },
    elapsed: (record, _input, policy) => succeed(new Steps(record), policy),
    signalFailed: ignore,
  },

  RUNNING: {
    ...up,
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
    ...deaf,
    start: ignore,
    // A stop that somebody asks for outweighs the restart that this one was part of.
    stop: (record) => new Steps(record).keep({ thenStart: false }),
    kill,
    spawned: (record, input, policy) =>
      signalStop(
        new Steps(record).note({ note: 'spawned', pid: input.pid }).keep({ pid: input.pid, startedMs: input.atMs }),
        input.atMs,
        policy,
      ),
    spawnFailed: (record, input) =>
      new Steps(record).become('STOPPED', {
        endedMs: input.atMs,
        spawnError: input.reason,
        spawnExitCode: input.exitCode,
      }),
    exited: gone,
    elapsed: (record, input, policy) => signalStop(new Steps(record), input.atMs, policy),
    // A signal may have been sent meanwhile, as SIGKILL by request.
    stopCommandFailed: (record, input, policy) =>
      record.signalsSent === 1 ? signalStop(new Steps(record), input.atMs, policy) : ignore(record),
    // compat: ESRCH means that it is gone and will be reaped; anything else, and we no longer know
    // (supervisor.process.Subprocess.kill).
    signalFailed: (record, input) => {
      if (input.code === 'ESRCH' || record.pid === null) return ignore(record);
      return new Steps(record).note({ note: 'unsignallable', pid: record.pid, code: input.code }).become('UNKNOWN', {});
    },
  },

  UNKNOWN: { ...idle, start: ignore, stop: ignore, kill: ignore, exited: gone },
};

/**
 * Applies one input to a record. Facts of an earlier run and deadlines that are not due come back as they were, with no
 * effect.
 */
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
