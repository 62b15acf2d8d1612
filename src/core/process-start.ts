/** Starts of the process machine: the next run, a failed start, and the limits that end them in FATAL. Pure. */
import type { Cause } from './cause.ts';
import type { Hold, ProcessRecord, RunFailure } from './process-record.ts';
import { backoffDelayMs, isPlannedRestart, isRestartedTooOften, recentRestarts } from './restart-policy.ts';
import type { Transition } from './transition.ts';

/** Fields of the record that a start sets in a way of its own. */
type StartFields = Pick<ProcessRecord, 'failedStarts' | 'restartsMs' | 'startCause'>;

/** Begins the next run: STARTING, and an order to spawn. */
export function launch(now: Transition, change: StartFields): void {
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
    hasStartFailed: false,
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

/**
 * Begins a run without a request. The run counts for max_restarts, unless it was planned. A process that follows its
 * dependencies waits for them first, as at its first start.
 */
export function relaunch(now: Transition): void {
  const { failedStarts, restartsMs } = now.record;
  const startCause = restartCause(now.record);
  if (now.circumstances.hold !== null) return holdRestart(now, now.circumstances.hold, startCause);
  const recent = recentRestarts(restartsMs, now.atMs, now.policy.restarts);
  launch(now, { failedStarts, restartsMs: isPlannedRestart(startCause) ? recent : [...recent, now.atMs], startCause });
}

function holdRestart(now: Transition, hold: Hold, heldCause: Cause): void {
  now.set({ isStartPending: false, deadlineMs: null });
  now.setFact('held', { hold, heldCause });
  now.note({ note: 'held', hold });
}

/** Becomes FATAL, and returns true, if one more restart would exceed max_restarts. */
export function giveUpRestarts(now: Transition): boolean {
  const { maxRestarts, windowMs } = now.policy.restarts;
  if (!isRestartedTooOften(now.record.restartsMs, now.atMs, now.policy.restarts)) return false;
  const failure: RunFailure = { kind: 'restartedTooOften', maxRestarts, windowMs };
  now.note({ note: 'restartedTooOften', failure });
  now.become('FATAL', { failedStarts: 0, restartsMs: [], failure }, false);
  return true;
}

/** Becomes FATAL because startretries is exceeded. */
export function giveUpRetries(now: Transition): void {
  now.note({ note: 'gaveUp' });
  now.become('FATAL', { failedStarts: 0 }, false);
}

/**
 * Counts a failed start: BACKOFF, then FATAL at once if there are no more tries. compat: Supervisor emits the BACKOFF
 * event before FATAL, too.
 */
export function backOff(now: Transition, why: Partial<ProcessRecord>): void {
  const failedStarts = now.record.failedStarts + 1;
  const deadlineMs = now.atMs + backoffDelayMs(failedStarts, now.policy.restarts, now.circumstances.chance);
  now.become('BACKOFF', { ...why, pid: null, failedStarts, endedMs: now.atMs, deadlineMs });
  if (failedStarts > now.policy.startRetries) giveUpRetries(now);
  else giveUpRestarts(now);
}

/** True if a stopped or stopping process will be started again without a request. */
export function isStartDue({ state, deadlineMs, isStartPending, hasStartFailed }: ProcessRecord): boolean {
  if (state === 'STOPPING') return isStartPending || hasStartFailed;
  return (state === 'STOPPED' || state === 'EXITED') && deadlineMs !== null;
}
