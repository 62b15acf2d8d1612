/**
 * The state machine of one process: a table of state and input, with the next record and the effects. Pure: no clock,
 * no kernel, no log. Facts from outside come in as inputs.
 *
 * The states (Supervisor, "Subprocesses: Process States"):
 *   STOPPED   never started, or stopped by request.        STARTING  spawned, and not yet up for startsecs.
 *   RUNNING   up for startsecs.                            BACKOFF   a start failed; the next try has a deadline.
 *   STOPPING  stop requested, not yet reaped.              EXITED    ended by itself after RUNNING; may restart.
 *   FATAL     too many failed starts or restarts.          UNKNOWN   a signal could not be sent to the process.
 *
 * Invariants:
 *   1. The record is the only state. It is replaced, never changed.
 *   2. Only STARTING, RUNNING, STOPPING and UNKNOWN have a pid.
 *   3. A record has at most one deadline. The state gives its meaning: the end of startsecs in STARTING, the next try
 *      in BACKOFF, the end of stopwaitsecs in STOPPING, the next restart in EXITED and STOPPED.
 *   4. `step` drops facts of another run, and deadlines that are not due. No rule has to check for them.
 */
import type { Cause } from './cause.ts';
import { isExpectedExit } from './exit-status.ts';
import type {
  Circumstances,
  ProcessInput,
  ProcessPolicy,
  ProcessRecord,
  ProcessStep,
  RunFailure,
} from './process-record.ts';
import { backoffDelayMs, isRestartedTooOften, recentRestarts, restartDelayMs } from './restart-policy.ts';
import { signalNumbers } from './signals.ts';
import { isSameHold } from './start-hold.ts';
import { type ProcessStateName, processStateNames } from './states.ts';
import { type InputOf, Transition } from './transition.ts';

/** Fields of the record that a start sets in a way of its own. */
type StartFields = Pick<ProcessRecord, 'failedStarts' | 'restartsMs' | 'startCause'>;

/** Begins the next run: STARTING, and an order to spawn. */
function launch(now: Transition, change: StartFields): void {
  const { wasUp, exit, lastExit, restarts, run } = now.record;
  now.become('STARTING', {
    run: run + 1,
    restarts: restarts + (wasUp ? 1 : 0),
    pid: null,
    signalsSent: 0,
    startedMs: null,
    endedMs: null,
    exit: null,
    lastExit: exit ?? lastExit,
    failure: null,
    spawnExitCode: null,
    hold: null,
    isStartPending: false,
    stopCause: null,
    heldCause: null,
    sentSignal: null,
    ...change,
  });
  now.order({ type: 'spawn', run: run + 1 });
}

/** Returns the cause of a start without a request: the cause of the restart, or the rule of the program. */
function restartCause({ state, stopCause, failedStarts }: ProcessRecord): Cause {
  if (state === 'STOPPED' && stopCause !== null) return stopCause;
  return { kind: 'policy', rule: failedStarts > 0 ? 'retry' : 'autorestart' };
}

/** Begins a run without a request. The run counts for max_restarts. */
function relaunch(now: Transition): void {
  const { failedStarts, restartsMs } = now.record;
  launch(now, {
    failedStarts,
    restartsMs: [...recentRestarts(restartsMs, now.atMs, now.policy.restarts), now.atMs],
    startCause: restartCause(now.record),
  });
}

/** Becomes FATAL, and returns true, if one more restart would exceed max_restarts. */
function giveUpRestarts(now: Transition): boolean {
  const { maxRestarts, windowMs } = now.policy.restarts;
  if (!isRestartedTooOften(now.record.restartsMs, now.atMs, now.policy.restarts)) return false;
  const failure: RunFailure = { kind: 'restartedTooOften', maxRestarts, windowMs };
  now.note({ note: 'restartedTooOften', failure });
  now.become('FATAL', { failedStarts: 0, restartsMs: [], failure }, false);
  return true;
}

/** Becomes FATAL because startretries is exceeded. */
function giveUpRetries(now: Transition): void {
  now.note({ note: 'gaveUp' });
  now.become('FATAL', { failedStarts: 0 }, false);
}

/**
 * Counts a failed start: BACKOFF, then FATAL at once if there are no more tries. compat: Supervisor emits the BACKOFF
 * event before FATAL, too.
 */
function backOff(now: Transition, why: Partial<ProcessRecord>): void {
  const failedStarts = now.record.failedStarts + 1;
  const deadlineMs = now.atMs + backoffDelayMs(failedStarts, now.policy.restarts, now.circumstances.chance);
  now.become('BACKOFF', { ...why, pid: null, failedStarts, endedMs: now.atMs, deadlineMs });
  if (failedStarts > now.policy.startRetries) giveUpRetries(now);
  else giveUpRestarts(now);
}

/** True if autorestart, or the failure of a oneshot, asks for another run. A schedule starts its program itself. */
function isRestartWanted(expected: boolean, { purpose, autorestart }: ProcessPolicy): boolean {
  if (purpose !== 'service') return purpose === 'oneshot' && !expected;
  return autorestart === 'true' || (autorestart === 'unexpected' && !expected);
}

/** Becomes EXITED from RUNNING, and restarts if the policy asks for it. */
function endRunning(now: Transition, { status }: InputOf<'exited'>): void {
  const { atMs, policy, circumstances } = now;
  const expected = isExpectedExit(status, policy.exitCodes);
  const failedStarts = policy.purpose === 'oneshot' && !expected ? now.record.failedStarts + 1 : 0;
  const isFinal = failedStarts > policy.startRetries;
  const willRestart = circumstances.mayRestart && !isFinal && isRestartWanted(expected, policy);
  const delayMs =
    failedStarts > 0
      ? backoffDelayMs(failedStarts, policy.restarts, circumstances.chance)
      : restartDelayMs(atMs - (now.record.startedMs ?? atMs), policy.restarts);
  const failure: RunFailure | null = expected ? null : { kind: 'badExit', status };
  const deadlineMs = willRestart ? atMs + delayMs : null;
  now.note({ note: 'exited', status, expected });
  now.become('EXITED', { pid: null, endedMs: atMs, exit: status, failure, failedStarts, deadlineMs }, expected);
  if (isFinal) giveUpRetries(now);
  else if (willRestart && !giveUpRestarts(now) && delayMs === 0) relaunch(now);
}

/**
 * Sends the next signal of a stop. The signals of `stopsignal` come in turn, then SIGKILL, which is repeated each time
 * the wait runs out. `stop_command` takes the place of the first signal. If the command fails, or the program survives
 * its time, all signals follow.
 */
function signalStop(now: Transition): void {
  const { policy, atMs } = now;
  const { pid, signalsSent } = now.record;
  if (pid === null) return;
  const turn = policy.hasStopCommand && signalsSent > 0 ? signalsSent - 1 : signalsSent;
  const signal = policy.stopSignals[turn] ?? signalNumbers.SIGKILL;
  const isFirst = signalsSent === 0;
  const isEscalation = !isFirst && signal === signalNumbers.SIGKILL;
  now.note(isEscalation ? { note: 'killing', pid } : { note: 'signalling', pid, signal });
  now.set({ signalsSent: signalsSent + 1, deadlineMs: atMs + (isFirst ? policy.firstWaitMs : policy.stopWaitMs) });
  // compat: stopasgroup is for the first signal, killasgroup for the SIGKILL that follows
  // (supervisor.process.Subprocess.kill).
  const group = isEscalation ? policy.killAsGroup : policy.stopAsGroup;
  now.order({ type: 'signal', pid, signal, group, isFirst });
}

/** One cell of the table. */
type Rule<T extends ProcessInput['type']> = (now: Transition, input: InputOf<T>) => void;

/** Nothing changes. `step` returns the same record. */
const ignore = (): void => undefined;

/**
 * A requested start. `heldCause`: the cause that a start with unmet dependencies keeps while it waits. `startCause`:
 * the cause of a start that happens now.
 */
function startOrHold(now: Transition, heldCause: Cause, startCause: Cause): void {
  const { hold } = now.circumstances;
  if (hold === null) return launch(now, { failedStarts: 0, restartsMs: [], startCause });
  if (isSameHold(now.record.hold, hold)) return;
  now.setFact('held', { hold, heldCause });
  now.note({ note: 'held', hold });
}

/** A requested start. With unmet dependencies the state stays, and the record says what the start waits for. */
const start: Rule<'start'> = (now, { cause }) => startOrHold(now, cause, cause);

/** Looks again at a start that waits for dependencies. */
const resume = (now: Transition): void => {
  const { hold, heldCause } = now.record;
  if (hold === null || heldCause === null) return;
  const waitedFor = hold.kind === 'waiting' ? hold.dependencies : hold.roots;
  const names = waitedFor.map(({ name }) => name);
  startOrHold(now, heldCause, { kind: 'dependency', names, request: heldCause });
};

/** Begins an orderly stop. */
const stop: Rule<'stop'> = (now, { cause }) => {
  now.become('STOPPING', { signalsSent: 0, stopCause: cause });
  signalStop(now);
};

/** Begins an orderly stop with a start after it. */
const restart: Rule<'restart'> = (now, { cause }) => {
  now.become('STOPPING', { signalsSent: 0, isStartPending: true, stopCause: cause });
  signalStop(now);
};

/** Sends SIGKILL in place of the signals of an orderly stop. The cause of a stop under way stays. */
const kill: Rule<'kill'> = (now, { cause }) => {
  if (now.record.state !== 'STOPPING') now.become('STOPPING', { stopCause: cause });
  now.set({ signalsSent: now.policy.stopSignals.length + 1, isStartPending: false });
  signalStop(now);
};

/** Cancels a restart that is due, and a start that waits for dependencies. No process runs in these states. */
const cancel = (now: Transition): void => {
  now.set({ deadlineMs: null, isStartPending: false });
  if (now.record.hold !== null) now.setFact('held', { hold: null, heldCause: null });
};

/** compat: a stop in BACKOFF goes straight to STOPPED, without a signal. */
const cancelRetry = (now: Transition, { cause }: InputOf<'stop' | 'kill'>): void =>
  now.become('STOPPED', { failedStarts: 0, stopCause: cause });

/** A requested stop outweighs the restart that the stop under way is part of. */
const stayDown: Rule<'stop'> = (now, { cause }) => {
  if (now.record.isStartPending) now.set({ isStartPending: false, stopCause: cause });
};

/** The program was executed. */
const executed: Rule<'spawned'> = (now, { pid }) => {
  now.note({ note: 'spawned', pid });
  now.set({ pid, startedMs: now.atMs, deadlineMs: now.atMs + now.policy.startMs });
  // compat: with startsecs=0 a program is RUNNING as soon as it is executed, even if it ends at once.
  if (now.policy.startMs === 0) succeed(now);
};

/** The program was executed after the stop was requested. */
const stopLate: Rule<'spawned'> = (now, { pid }) => {
  now.note({ note: 'spawned', pid });
  now.set({ pid, startedMs: now.atMs });
  signalStop(now);
};

/** The program was not executed. */
const failStart: Rule<'spawnFailed'> = (now, { reason, exitCode }) => {
  now.note({ note: 'spawnError', reason });
  backOff(now, { failure: { kind: 'notExecuted', reason }, spawnExitCode: exitCode });
};

/** The program was not executed, and a stop was requested: no retry. */
const stopUnrun: Rule<'spawnFailed'> = (now, { reason, exitCode }) =>
  now.become('STOPPED', {
    endedMs: now.atMs,
    failure: { kind: 'notExecuted', reason },
    spawnExitCode: exitCode,
  });

/**
 * Becomes RUNNING after startsecs. This is a success for a service only: a oneshot succeeds when it ends as expected.
 */
const succeed = (now: Transition): void => {
  now.become('RUNNING', now.policy.purpose === 'service' ? { failedStarts: 0 } : {});
  now.note({ note: 'success', startMs: now.policy.startMs });
};

/** Handles an exit in STARTING. The start has failed, unless startsecs has passed or does not apply. */
const exitEarly: Rule<'exited'> = (now, input) => {
  const { record, policy } = now;
  // The exit may be reaped before the deadline of startsecs is checked. So compare the times, not the order of arrival.
  const isUp = record.deadlineMs !== null && input.atMs >= record.deadlineMs;
  // startsecs is for services. A oneshot is expected to end soon, and a scheduled program has its next scheduled time.
  const isDone =
    policy.purpose === 'scheduled' || (policy.purpose === 'oneshot' && isExpectedExit(input.status, policy.exitCodes));
  if (isUp) succeed(now);
  else if (isDone) now.become('RUNNING');
  if (isUp || isDone) return endRunning(now, input);
  now.note({ note: 'exited', status: input.status, expected: false });
  backOff(now, { exit: input.status, failure: { kind: 'exitedTooQuickly' } });
};

/** Handles the exit after a stop. If a start is pending, it is delayed like any automatic restart. */
const stopped: Rule<'exited'> = (now, { status }) => {
  const { atMs, record, policy, circumstances } = now;
  const isStartPending = record.isStartPending && circumstances.mayRestart;
  const delayMs = restartDelayMs(atMs - (record.startedMs ?? atMs), policy.restarts);
  const deadlineMs = isStartPending ? atMs + delayMs : null;
  now.note({ note: 'stopped', status });
  now.become('STOPPED', { pid: null, endedMs: atMs, exit: status, isStartPending, deadlineMs });
  if (!isStartPending || giveUpRestarts(now)) now.set({ isStartPending: false });
  else if (delayMs === 0) relaunch(now);
};

/** Runs the restart, or the next try of a start, when it is due. */
const retry = (now: Transition): void => relaunch(now);

/** Continues a stop when the process has survived the wait after the last signal. */
const nextSignal = (now: Transition): void => signalStop(now);

/** Handles a `stop_command` that failed. If SIGKILL was requested since, nothing is left to do. */
const signalNow = (now: Transition): void => {
  if (now.record.signalsSent === 1) signalStop(now);
};

/**
 * compat: ESRCH means that the process has ended and will be reaped. After any other error the state is UNKNOWN
 * (supervisor.process.Subprocess.kill).
 */
const loseTrack: Rule<'signalFailed'> = (now, { code }) => {
  const { pid } = now.record;
  if (code === 'ESRCH' || pid === null) return;
  now.note({ note: 'unsignallable', pid, code });
  now.become('UNKNOWN');
};

const noteReady = (now: Transition): void => {
  if (now.record.isReady) return;
  now.setFact('ready', { isReady: true });
  now.note({ note: 'ready' });
};

/** Keeps the latest signal that a client or a rule has sent. It may explain the exit that follows. */
const noteSignal: Rule<'signalled'> = (now, { signal, cause, atMs }) =>
  now.set({ sentSignal: { signal, atMs, cause } });

const noteHealth: Rule<'health'> = (now, { health }) => {
  if (now.record.health !== health) now.setFact('health', { health });
};

/** A row of the table: the rule of one input in each state, in the order of `processStateNames`. */
type Row<T extends ProcessInput['type']> = readonly [
  STOPPED: Rule<T>,
  STARTING: Rule<T>,
  RUNNING: Rule<T>,
  BACKOFF: Rule<T>,
  STOPPING: Rule<T>,
  EXITED: Rule<T>,
  FATAL: Rule<T>,
  UNKNOWN: Rule<T>,
];

/** The table, with every cell. A missing cell is a compile error. */
// prettier-ignore
const rules: { readonly [T in ProcessInput['type']]: Row<T> } = {
  //                    STOPPED STARTING    RUNNING     BACKOFF      STOPPING    EXITED  FATAL   UNKNOWN
  // Requests.
  start:               [start,  ignore,     ignore,     ignore,      ignore,     start,  start,  ignore],
  stop:                [cancel, stop,       stop,       cancelRetry, stayDown,   cancel, cancel, ignore],
  kill:                [cancel, kill,       kill,       cancelRetry, kill,       cancel, cancel, ignore],
  restart:             [ignore, restart,    restart,    ignore,      ignore,     ignore, ignore, ignore],
  // Facts.
  dependenciesChanged: [resume, ignore,     ignore,     ignore,      ignore,     resume, resume, ignore],
  spawned:             [ignore, executed,   ignore,     ignore,      stopLate,   ignore, ignore, ignore],
  spawnFailed:         [ignore, failStart,  ignore,     ignore,      stopUnrun,  ignore, ignore, ignore],
  exited:              [ignore, exitEarly,  endRunning, ignore,      stopped,    ignore, ignore, stopped],
  elapsed:             [retry,  succeed,    ignore,     retry,       nextSignal, retry,  ignore, ignore],
  ready:               [ignore, noteReady,  noteReady,  ignore,      ignore,     ignore, ignore, ignore],
  health:              [ignore, noteHealth, noteHealth, ignore,      ignore,     ignore, ignore, ignore],
  stopCommandFailed:   [ignore, ignore,     ignore,     ignore,      signalNow,  ignore, ignore, ignore],
  signalled:           [ignore, noteSignal, noteSignal, ignore,      noteSignal,  ignore, ignore, noteSignal],
  signalFailed:        [ignore, ignore,     ignore,     ignore,      loseTrack,  ignore, ignore, ignore],
};

/**
 * Returns the rule of a cell. The cast is needed because TypeScript cannot know that cell and input are of the same
 * row.
 */
function ruleOf(state: ProcessStateName, type: ProcessInput['type']): Rule<ProcessInput['type']> {
  return rules[type][processStateNames.indexOf(state)] as Rule<ProcessInput['type']>;
}

/**
 * Applies one input to a record. A fact of an earlier run, and a deadline that is not due, change nothing: the result
 * has the same record and no effect.
 */
export function step(
  record: ProcessRecord,
  input: ProcessInput,
  policy: ProcessPolicy,
  circumstances: Circumstances,
): ProcessStep {
  if ('run' in input && input.run !== record.run) return { record, effects: [] };
  if (input.type === 'elapsed' && (record.deadlineMs === null || input.atMs < record.deadlineMs))
    return { record, effects: [] };
  const rule = ruleOf(record.state, input.type);
  if (rule === ignore) return { record, effects: [] };
  const now = new Transition(record, input.atMs, policy, circumstances);
  rule(now, input);
  return { record: now.record, effects: now.effects };
}

/** True if a process ended by itself and nothing will start it again. */
export function isEndedForGood(record: ProcessRecord): boolean {
  return record.state === 'FATAL' || (record.state === 'EXITED' && record.deadlineMs === null);
}
