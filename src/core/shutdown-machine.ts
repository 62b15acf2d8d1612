/**
 * How the supervisor itself ends or restarts: the ranks that are stopped one after the other, the cap on the whole, the
 * second signal. Pure, like process-machine.ts: inputs in, the next record and orders out.
 *
 * Invariants: the first cause decides and is kept, unless the main program of init mode is waited for and ends with a
 * code of its own;
 * a goal of `exit` replaces one of `restart`, never the reverse; the next rank is ordered to stop only when all of the
 * rank before are gone;
 * `finished` is ordered once; an end with limits comes to its end even if a process survives SIGKILL, a restart never
 * does.
 */
import type { ExitCause } from './exit-policy.ts';
import { type EndLimits, killWaitMs } from './stop-budget.ts';

/** What the supervisor is about to do once nothing runs. */
export type Goal = 'exit' | 'restart';

/** A process that got the stop signal itself (init mode): it is waited for, and not told to stop. */
export interface Forwarded {
  readonly id: string;
  /** SIGKILL at the end of the time is for it too. */
  readonly mayKill: boolean;
}

/** Phase, goal and what is still to be stopped. */
export interface ShutdownRecord {
  readonly phase: 'running' | 'stopping' | 'finished';
  readonly goal: Goal;
  readonly cause: ExitCause | null;
  /** Namespecs still up, by rank; the first rank is being stopped. */
  readonly ranks: readonly (readonly string[])[];
  readonly forwarded: Forwarded | null;
  readonly limits: EndLimits | null;
  /** SIGKILL was sent to all that was left. */
  readonly isKilled: boolean;
  /**
   * When the time for the programs runs out, or the time that the kernel has to end what was killed; null for never.
   */
  readonly deadlineMs: number | null;
}

/** A request to end or to restart. */
export interface ShutdownRequest {
  readonly type: 'requested';
  readonly goal: Goal;
  readonly cause: ExitCause;
  readonly ranks: readonly (readonly string[])[];
  readonly forwarded: Forwarded | null;
  readonly limits: EndLimits | null;
}

/** What can happen to it. */
export type ShutdownInput =
  | ShutdownRequest
  /** A second request to end: no more patience. */
  | { readonly type: 'hurried'; readonly atMs: number }
  /** The program that was waited for has ended, and its end gives the exit code. */
  | { readonly type: 'caused'; readonly cause: ExitCause }
  | { readonly type: 'gone'; readonly id: string }
  | { readonly type: 'elapsed'; readonly atMs: number };

/** Its orders. */
export type ShutdownEffect =
  | { readonly type: 'stop'; readonly ids: readonly string[] }
  | { readonly type: 'kill'; readonly ids: readonly string[] }
  /** They have survived SIGKILL: nothing waits for them any more. */
  | { readonly type: 'leave'; readonly ids: readonly string[] }
  | { readonly type: 'finished'; readonly goal: Goal; readonly cause: ExitCause };

/** Outcome of one input. */
export interface ShutdownStep {
  readonly record: ShutdownRecord;
  readonly effects: readonly ShutdownEffect[];
}

/** The supervisor at work. */
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

/** SIGKILL to all that is left, and no rank waits for another any more. */
function killAll(record: ShutdownRecord, atMs: number): ShutdownStep {
  const { forwarded, goal, limits } = record;
  const all = record.ranks.flat();
  const ids = all.filter((id) => id !== forwarded?.id || forwarded.mayKill);
  // A process that is still there must not run twice: a restart waits for it.
  const deadlineMs = goal === 'restart' || ids.length === 0 ? null : atMs + killWaitMs(limits);
  return {
    record: { ...record, ranks: [all], isKilled: true, deadlineMs },
    effects: ids.length === 0 ? [] : [{ type: 'kill', ids }],
  };
}

/** Ends when nothing is left, else stops the rank that is first now. */
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

/** A process that has survived SIGKILL is left behind; a program that must not be killed is waited for. */
function leave(record: ShutdownRecord, cause: ExitCause): ShutdownStep {
  const { forwarded } = record;
  const isKept = (id: string): boolean => id === forwarded?.id && !forwarded.mayKill;
  const all = record.ranks.flat();
  const ids = all.filter((id) => !isKept(id));
  const left = { ...record, ranks: withoutEmpty([all.filter(isKept)]), deadlineMs: null };
  const next = left.ranks.length === 0 ? finish(left, cause) : unchanged(left);
  return { record: next.record, effects: [{ type: 'leave', ids }, ...next.effects] };
}

/** A request while another one is carried out. */
function requestAgain(record: ShutdownRecord, { goal, cause, limits }: ShutdownRequest): ShutdownRecord {
  // compat: a request to end during a restart turns it into an end; a request to restart during an end is ignored
  // (Supervisor, SIGHUP).
  if (goal === 'restart') return record;
  const turned = record.goal === 'restart' ? { ...record, goal, cause } : record;
  if (limits === null || record.isKilled) return turned;
  // A stop signal during an end that had all the time: from now on the time is counted.
  const isSooner = record.deadlineMs === null || limits.killAtMs < record.deadlineMs;
  return { ...turned, limits: record.limits ?? limits, deadlineMs: isSooner ? limits.killAtMs : record.deadlineMs };
}

/** A request while nothing is being ended. */
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

/** Applies one input. */
export function stepShutdown(record: ShutdownRecord, input: ShutdownInput): ShutdownStep {
  if (input.type === 'requested') {
    if (record.phase === 'running') return begin(input);
    return unchanged(record.phase === 'stopping' ? requestAgain(record, input) : record);
  }
  if (record.phase !== 'stopping' || record.cause === null) return unchanged(record);
  switch (input.type) {
    case 'hurried':
      return killAll({ ...record, forwarded: null }, input.atMs);
    case 'caused':
      return unchanged({ ...record, cause: input.cause });
    case 'gone': {
      const [first = []] = record.ranks;
      const next = { ...record, ranks: withoutEmpty(record.ranks.map((rank) => rank.filter((id) => id !== input.id))) };
      // The rank that is being stopped is not done yet: nothing to order.
      const isWaiting = first.some((id) => id !== input.id) && next.ranks.length > 0;
      return isWaiting ? unchanged(next) : advance(next, record.cause);
    }
    case 'elapsed':
      if (record.deadlineMs === null || input.atMs < record.deadlineMs) return unchanged(record);
      return record.isKilled ? leave(record, record.cause) : killAll(record, input.atMs);
  }
}
