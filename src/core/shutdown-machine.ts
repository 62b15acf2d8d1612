/**
 * The state machine for a shutdown, or a restart, of the supervisor. It stops ranks of processes one after the other,
 * and handles the time limit and the second signal. Pure, like process-machine.ts.
 *
 * Invariants:
 *   1. The first cause is kept. Exception: the exit of the main program in init mode replaces it.
 *   2. The goal `exit` replaces `restart`, never the reverse.
 *   3. The next rank is stopped when all processes of the rank before have ended.
 *   4. `finished` is ordered once.
 *   5. A shutdown finishes even if a process survives SIGKILL. A restart does not: no program may run twice.
 *   6. During a delay (`shutdown_delay`) no program is stopped. The delay ends once, and its end begins nothing itself:
 *      the next request without a delay does. In init mode, that request may come much later.
 */
import type { ExitCause } from './exit-policy.ts';
import { type ShutdownLimits, killWaitMs } from './stop-budget.ts';

/** The next step once all processes have ended. */
export type Goal = 'exit' | 'restart';

/** A process that got the stop signal itself (init mode). The shutdown waits for it and sends it no stop. */
export interface Forwarded {
  readonly id: string;
  /** True if SIGKILL at the time limit includes this process. */
  readonly mayKill: boolean;
}

/** The state of a shutdown. */
export interface ShutdownRecord {
  readonly phase: 'running' | 'delayed' | 'stopping' | 'finished';
  readonly goal: Goal;
  readonly cause: ExitCause | null;
  /** Namespecs of the processes that have not ended, by rank. The first rank is being stopped. */
  readonly ranks: readonly (readonly string[])[];
  readonly forwarded: Forwarded | null;
  readonly limits: ShutdownLimits | null;
  /** True once SIGKILL was sent to all processes that were left. */
  readonly isKilled: boolean;
  /** End of the delay; time limit for the programs, or for the wait after SIGKILL; null for none. */
  readonly deadlineMs: number | null;
}

/** A request to shut down or to restart. */
export interface ShutdownRequest {
  readonly type: 'requested';
  readonly goal: Goal;
  readonly cause: ExitCause;
  readonly ranks: readonly (readonly string[])[];
  readonly forwarded: Forwarded | null;
  readonly limits: ShutdownLimits | null;
  /** End of a delay before programs are stopped; null for none. */
  readonly delayedUntilMs: number | null;
}

/** Input of the shutdown machine. */
export type ShutdownInput =
  | ShutdownRequest
  /** A second request to shut down: end the delay now, or send SIGKILL now. */
  | { readonly type: 'hurried'; readonly atMs: number }
  /** The forwarded program has exited, and its exit gives the exit code. */
  | { readonly type: 'caused'; readonly cause: ExitCause }
  /** The process has ended, and its cleanup is over. */
  | { readonly type: 'ended'; readonly id: string }
  | { readonly type: 'elapsed'; readonly atMs: number };

/** Order of the shutdown machine. */
export type ShutdownEffect =
  | { readonly type: 'stop'; readonly ids: readonly string[] }
  | { readonly type: 'kill'; readonly ids: readonly string[] }
  /** These processes have survived SIGKILL. The shutdown no longer waits for them. */
  | { readonly type: 'leave'; readonly ids: readonly string[] }
  /** The delay is over: stop the programs. */
  | { readonly type: 'delayOver'; readonly goal: Goal; readonly cause: ExitCause }
  | { readonly type: 'finished'; readonly goal: Goal; readonly cause: ExitCause };

/** Outcome of one input. */
export interface ShutdownStep {
  readonly record: ShutdownRecord;
  readonly effects: readonly ShutdownEffect[];
}

/** The record without a shutdown. */
export const initialShutdown: ShutdownRecord = {
  phase: 'running',
  goal: 'exit',
  cause: null,
  ranks: [],
  forwarded: null,
  limits: null,
  isKilled: false,
  deadlineMs: null,
};

const unchanged = (record: ShutdownRecord): ShutdownStep => ({ record, effects: [] });

const withoutEmpty = (ranks: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  ranks.filter((rank) => rank.length > 0);

/** Sends SIGKILL to all processes that are left. Ranks no longer wait for each other. */
function killAll(record: ShutdownRecord, atMs: number): ShutdownStep {
  const { forwarded, goal, limits } = record;
  const all = record.ranks.flat();
  const ids = all.filter((id) => id !== forwarded?.id || forwarded.mayKill);
  // A restart waits for every process, so that no program runs twice.
  const deadlineMs = goal === 'restart' || ids.length === 0 ? null : atMs + killWaitMs(limits);
  return {
    record: { ...record, ranks: [all], isKilled: true, deadlineMs },
    effects: ids.length === 0 ? [] : [{ type: 'kill', ids }],
  };
}

/** Finishes if no process is left; otherwise stops the first rank. */
function advance(record: ShutdownRecord, cause: ExitCause): ShutdownStep {
  const [first] = record.ranks;
  if (first === undefined) return finish(record, cause);
  const ids = first.filter((id) => id !== record.forwarded?.id);
  return { record, effects: ids.length === 0 || record.isKilled ? [] : [{ type: 'stop', ids }] };
}

function finish(record: ShutdownRecord, cause: ExitCause): ShutdownStep {
  return {
    record: { ...record, phase: 'finished', deadlineMs: null },
    effects: [{ type: 'finished', goal: record.goal, cause }],
  };
}

/** Gives up processes that have survived SIGKILL. A program that must not be killed is still waited for. */
function leave(record: ShutdownRecord, cause: ExitCause): ShutdownStep {
  const { forwarded } = record;
  const isKept = (id: string): boolean => id === forwarded?.id && !forwarded.mayKill;
  const all = record.ranks.flat();
  const ids = all.filter((id) => !isKept(id));
  const left = { ...record, ranks: withoutEmpty([all.filter(isKept)]), deadlineMs: null };
  const next = left.ranks.length === 0 ? finish(left, cause) : unchanged(left);
  return { record: next.record, effects: [{ type: 'leave', ids }, ...next.effects] };
}

/** Applies a request during a shutdown. */
function requestAgain(record: ShutdownRecord, { goal, cause, limits }: ShutdownRequest): ShutdownRecord {
  // compat: a request to shut down turns a restart into a shutdown. A request to restart during a shutdown is ignored
  // (Supervisor, SIGHUP).
  if (goal === 'restart') return record;
  const turned = record.goal === 'restart' ? { ...record, goal, cause } : record;
  if (limits === null || record.isKilled) return turned;
  // A stop signal during a shutdown without a limit: the time counts from now on.
  const isSooner = record.deadlineMs === null || limits.killAtMs < record.deadlineMs;
  return { ...turned, limits: record.limits ?? limits, deadlineMs: isSooner ? limits.killAtMs : record.deadlineMs };
}

/** Applies the first request. */
function begin({ goal, cause, ranks, forwarded, limits }: ShutdownRequest): ShutdownStep {
  const others = ranks.map((rank) => rank.filter((id) => id !== forwarded?.id));
  const last = forwarded === null ? [] : [forwarded.id];
  const deadlineMs = limits?.killAtMs ?? null;
  const record = {
    ...initialShutdown,
    phase: 'stopping' as const,
    goal,
    cause,
    ranks: withoutEmpty([...others, last]),
    forwarded,
    limits,
    deadlineMs,
  };
  return advance(record, cause);
}

/** Begins a delay. The programs run on, so the ranks are not known yet. */
function delay({ goal, cause, limits }: ShutdownRequest, untilMs: number): ShutdownStep {
  return unchanged({ ...initialShutdown, phase: 'delayed', goal, cause, limits, deadlineMs: untilMs });
}

/** Ends a delay, unless it is over already. */
function endDelay(record: ShutdownRecord, cause: ExitCause): ShutdownStep {
  if (record.deadlineMs === null) return unchanged(record);
  return { record: { ...record, deadlineMs: null }, effects: [{ type: 'delayOver', goal: record.goal, cause }] };
}

/** Applies a request during a delay. Only a request without a delay begins the stop of the programs. */
function requestInDelay(record: ShutdownRecord, first: ExitCause, request: ShutdownRequest): ShutdownStep {
  if (request.goal === 'restart') return unchanged(record);
  const limits = record.limits ?? request.limits;
  if (request.delayedUntilMs !== null) return unchanged({ ...record, limits });
  // The exit of the main program is the exit of the container, as without a delay.
  const isMain = request.cause.kind === 'program' && request.cause.rule === 'main program';
  return begin({ ...request, cause: isMain ? request.cause : first, limits });
}

/** Applies an input during a delay. */
function stepDelayed(record: ShutdownRecord, cause: ExitCause, input: ShutdownInput): ShutdownStep {
  switch (input.type) {
    case 'requested':
      return requestInDelay(record, cause, input);
    case 'hurried':
      return endDelay(record, cause);
    case 'elapsed':
      return record.deadlineMs !== null && input.atMs >= record.deadlineMs
        ? endDelay(record, cause)
        : unchanged(record);
    case 'caused':
    case 'ended':
      return unchanged(record);
  }
}

/** Applies one input. */
export function stepShutdown(record: ShutdownRecord, input: ShutdownInput): ShutdownStep {
  if (record.phase === 'delayed' && record.cause !== null) return stepDelayed(record, record.cause, input);
  if (input.type === 'requested') {
    const { delayedUntilMs } = input;
    if (record.phase === 'running') return delayedUntilMs === null ? begin(input) : delay(input, delayedUntilMs);
    return unchanged(record.phase === 'stopping' ? requestAgain(record, input) : record);
  }
  if (record.phase !== 'stopping' || record.cause === null) return unchanged(record);
  switch (input.type) {
    case 'hurried':
      return killAll({ ...record, forwarded: null }, input.atMs);
    case 'caused':
      return unchanged({ ...record, cause: input.cause });
    case 'ended': {
      const [first = []] = record.ranks;
      const next = { ...record, ranks: withoutEmpty(record.ranks.map((rank) => rank.filter((id) => id !== input.id))) };
      // Other processes of the first rank have not ended yet: no order.
      const isWaiting = first.some((id) => id !== input.id) && next.ranks.length > 0;
      return isWaiting ? unchanged(next) : advance(next, record.cause);
    }
    case 'elapsed':
      if (record.deadlineMs === null || input.atMs < record.deadlineMs) return unchanged(record);
      return record.isKilled ? leave(record, record.cause) : killAll(record, input.atMs);
  }
}
