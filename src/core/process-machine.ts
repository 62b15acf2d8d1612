/**
 * The state machine of one process: a table of state and input, with the next record and the effects. Pure: no clock,
 * no kernel, no log. Facts from outside come in as inputs.
 *
 * The states (Supervisor, "Subprocesses: Process States"):
 *   STOPPED   never started, or stopped by request.        STARTING  spawned, and not yet up for startsecs (or ready).
 *   RUNNING   up for startsecs.                            BACKOFF   a start failed; the next try has a deadline.
 *   STOPPING  stop requested, not yet reaped.              EXITED    ended by itself after RUNNING; may restart.
 *   FATAL     too many failed starts or restarts.          UNKNOWN   a signal could not be sent to the process.
 *
 * Invariants:
 *   1. The record is the only state. It is replaced, never changed.
 *   2. Only STARTING, RUNNING, STOPPING and UNKNOWN have a pid.
 *   3. A record has at most one deadline. The state gives its meaning: the end of startsecs or of ready_timeout in
 *      STARTING, the next try in BACKOFF, the end of stopwaitsecs in STOPPING, the next restart in EXITED and STOPPED.
 *   4. `step` drops facts of another run, and deadlines that are not due. No rule has to check for them.
 */
import type { Cause } from './cause.ts';
import { isExpectedExit } from './exit-status.ts';
import type {
  Circumstances,
  Hold,
  ProcessInput,
  ProcessPolicy,
  ProcessRecord,
  ProcessStep,
  RunFailure,
} from './process-record.ts';
import { backOff, giveUpRestarts, giveUpRetries, launch, relaunch } from './process-start.ts';
import { backoffDelayMs, isPlannedRestart, restartDelayMs } from './restart-policy.ts';
import { signalNumbers } from './signals.ts';
import { isSameHold } from './start-hold.ts';
import { type ProcessStateName, processStateNames } from './states.ts';
import { type InputOf, Transition } from './transition.ts';

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

/** Begins a stop with a forwarded signal. The usual steps follow after a wait, without a repetition of that signal. */
function forwardStop(now: Transition, signal: number): void {
  const { pid } = now.record;
  if (pid === null) return;
  const { policy, atMs } = now;
  const isUsual = !policy.hasStopCommand && policy.stopSignals[0] === signal;
  now.note({ note: 'signalling', pid, signal });
  now.set({ signalsSent: isUsual ? 1 : 0, deadlineMs: atMs + policy.stopWaitMs });
  now.order({ type: 'signal', pid, signal, group: policy.stopAsGroup, isFirst: false });
}
/** Longest delay of a deadline in a container that was not paused. */
const PAUSE_MS = 1000;

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

/** Waits for the first connection. A start that waits for dependencies already, or is due, is not put off. */
const awaitConnection: Rule<'awaitConnection'> = (now, { addresses, cause }) => {
  const hold: Hold = { kind: 'connection', addresses };
  const { hold: before, deadlineMs } = now.record;
  if ((before !== null && before.kind !== 'connection') || deadlineMs !== null || isSameHold(before, hold)) return;
  now.setFact('held', { hold, heldCause: cause });
  now.note({ note: 'held', hold });
};

/** A requested start. With unmet dependencies the state stays, and the record says what the start waits for. */
const start: Rule<'start'> = (now, { cause }) => startOrHold(now, cause, cause);

/** Looks again at a start that waits for dependencies. */
const resume = (now: Transition): void => {
  const { hold, heldCause } = now.record;
  if (hold === null || heldCause === null || hold.kind === 'connection') return;
  const waitedFor = hold.kind === 'waiting' ? hold.dependencies : hold.roots;
  const names = waitedFor.map(({ name }) => name);
  startOrHold(now, heldCause, { kind: 'dependency', names, request: heldCause });
};

/** Begins an orderly stop. */
const stop: Rule<'stop'> = (now, { cause, signal }) => {
  now.become('STOPPING', { signalsSent: 0, stopCause: cause });
  if (signal === undefined) signalStop(now);
  else forwardStop(now, signal);
};

/** Begins an orderly stop with a start after it. A program that is not executed yet goes on. */
const restart: Rule<'restart'> = (now, { cause }) => {
  if (now.record.pid === null) return;
  now.become('STOPPING', { signalsSent: 0, isStartPending: true, stopCause: cause });
  signalStop(now);
};

/** Sends SIGKILL in place of the signals of an orderly stop. The cause of a stop under way stays. */
const kill: Rule<'kill'> = (now, { cause }) => {
  if (now.record.state !== 'STOPPING') now.become('STOPPING', { stopCause: cause });
  // The failed start that the stop under way is for does not count any more.
  if (now.record.hasStartFailed) now.set({ stopCause: cause });
  now.set({ signalsSent: now.policy.stopSignals.length + 1, isStartPending: false, hasStartFailed: false });
  signalStop(now);
};

/** Cancels a restart that is due, and a start that waits for dependencies. No process runs in these states. */
const cancel = (now: Transition, { cause }: InputOf<'stop' | 'kill'>): void => {
  if (now.record.deadlineMs !== null) now.set({ stopCause: cause });
  now.set({ deadlineMs: null, isStartPending: false });
  if (now.record.hold !== null) now.setFact('held', { hold: null, heldCause: null });
};

/** compat: a stop in BACKOFF goes straight to STOPPED, without a signal. */
const cancelRetry = (now: Transition, { cause }: InputOf<'stop' | 'kill'>): void =>
  now.become('STOPPED', { failedStarts: 0, stopCause: cause });

/** A requested stop outweighs the restart, or the next try, that the stop under way is part of. */
const stayDown: Rule<'stop'> = (now, { cause }) => {
  const { isStartPending, hasStartFailed } = now.record;
  if (isStartPending || hasStartFailed) now.set({ isStartPending: false, hasStartFailed: false, stopCause: cause });
};

/** Takes note of the runs of the dependencies that the process follows. */
function noteKnownStarts(now: Transition): void {
  if (now.circumstances.knownStartsMs !== null) now.set({ knownStartsMs: now.circumstances.knownStartsMs });
}

/** Restarts a process whose dependencies have new runs. A program that is not executed yet will see them. */
const follow = (now: Transition): void => {
  const { newRuns } = now.circumstances;
  if (newRuns.length === 0 || now.record.pid === null) return;
  const cause: Cause = { kind: 'dependency', names: newRuns, request: null };
  now.note({ note: 'following', cause });
  now.become('STOPPING', { signalsSent: 0, isStartPending: true, stopCause: cause });
  signalStop(now);
};

/** The program was executed. */
const executed: Rule<'spawned'> = (now, { pid }) => {
  now.note({ note: 'spawned', pid });
  now.set({ pid, startedMs: now.atMs });
  noteKnownStarts(now);
  // compat: with startsecs=0 a program is RUNNING as soon as it is executed, even if it ends at once.
  judgeStart(now);
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

/**
 * Decides about a start under way: it succeeds after startsecs. With ready_timeout, it succeeds when the program is
 * ready, too, and fails if the program is not ready in time.
 */
function judgeStart(now: Transition): void {
  const { record, policy, atMs } = now;
  if (record.startedMs === null) return;
  const upMs = record.startedMs + policy.startMs;
  if (policy.readyMs === null || record.isReady) {
    if (atMs < upMs) now.set({ deadlineMs: upMs });
    else succeed(now);
    return;
  }
  const lateMs = record.startedMs + policy.readyMs;
  // After a pause of the container or a sleep of the machine, the program gets its whole time again, once.
  if (record.deadlineMs === lateMs && atMs > lateMs + PAUSE_MS) now.set({ deadlineMs: atMs + policy.readyMs });
  else if (atMs < (record.deadlineMs ?? lateMs)) now.set({ deadlineMs: record.deadlineMs ?? lateMs });
  else failUnready(now, policy.readyMs);
}

/** Decides about a start again, because startsecs or ready_timeout has changed. */
const rejudgeStart = (now: Transition): void => {
  noteKnownStarts(now);
  now.set({ deadlineMs: null });
  judgeStart(now);
};

/** Stops a program that is not ready in time. Its start has failed. */
function failUnready(now: Transition, limitMs: number): void {
  const failure = { kind: 'notReady', limitMs } as const;
  now.note({ note: 'notReady', failure });
  now.become('STOPPING', { signalsSent: 0, hasStartFailed: true, failure, stopCause: failure });
  signalStop(now);
}

/** Handles an exit in STARTING. The start has failed, unless startsecs has passed or does not apply. */
const exitEarly: Rule<'exited'> = (now, input) => {
  const { record, policy } = now;
  // The exit may be reaped before the deadline of startsecs is checked. So compare the times, not the order of arrival.
  const isOver = record.deadlineMs !== null && input.atMs >= record.deadlineMs;
  const isUp = isOver && (policy.readyMs === null || record.isReady);
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
  if (record.hasStartFailed && circumstances.mayRestart) {
    now.note({ note: 'stopped', status });
    return backOff(now, { exit: status, hasStartFailed: false });
  }
  const isStartPending = record.isStartPending && circumstances.mayRestart;
  const delayMs = restartDelayMs(atMs - (record.startedMs ?? atMs), policy.restarts);
  const deadlineMs = isStartPending ? atMs + delayMs : null;
  now.note({ note: 'stopped', status });
  now.become('STOPPED', { pid: null, endedMs: atMs, exit: status, isStartPending, hasStartFailed: false, deadlineMs });
  const isCounted = !isPlannedRestart(record.stopCause);
  if (!isStartPending || (isCounted && giveUpRestarts(now))) now.set({ isStartPending: false });
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
  if (now.record.state === 'STARTING') judgeStart(now);
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
  awaitConnection:     [awaitConnection, ignore, ignore, ignore,     ignore,     awaitConnection, ignore, ignore],
  // Facts.
  dependenciesChanged: [resume, follow,     follow,     ignore,      ignore,     resume, resume, ignore],
  spawned:             [ignore, executed,   ignore,     ignore,      stopLate,   ignore, ignore, ignore],
  spawnFailed:         [ignore, failStart,  ignore,     ignore,      stopUnrun,  ignore, ignore, ignore],
  exited:              [ignore, exitEarly,  endRunning, ignore,      stopped,    ignore, ignore, stopped],
  configured:          [ignore, rejudgeStart, noteKnownStarts, ignore, ignore,     ignore, ignore, ignore],
  elapsed:             [retry,  judgeStart, ignore,     retry,       nextSignal, retry,  ignore, ignore],
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
