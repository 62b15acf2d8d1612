/**
 * How the supervisor itself ends or restarts: the ranks that are stopped one after the other, the cap on the whole, the second signal.
 * Pure, like process-machine.ts: inputs in, the next record and orders out.
 *
 * Invariants: the first cause decides and is kept; a goal of `exit` replaces one of `restart`, never the reverse; the next rank is ordered to stop
 * only when all of the rank before are gone; `finished` is ordered once.
 */
import type { ExitCause } from './exit-policy.ts';

/** What the supervisor is about to do once nothing runs. */
export type Goal = 'exit' | 'restart';

/** Phase, goal and what is still to be stopped. */
export interface ShutdownRecord {
  readonly phase: 'running' | 'stopping' | 'finished';
  readonly goal: Goal;
  readonly cause: ExitCause | null;
  /** Namespecs still up, by rank; the first rank is being stopped. */
  readonly ranks: readonly (readonly string[])[];
  /** When `shutdown_timeout` runs out; null for never. */
  readonly deadlineMs: number | null;
}

/** What can happen to it. */
export type ShutdownInput =
  | { readonly type: 'requested'; readonly atMs: number; readonly goal: Goal; readonly cause: ExitCause; readonly ranks: readonly (readonly string[])[]; readonly timeoutMs: number | null }
  /** A second request to end: no more patience. */
  | { readonly type: 'hurried' }
  | { readonly type: 'gone'; readonly id: string }
  | { readonly type: 'elapsed'; readonly atMs: number };

/** Its orders. */
export type ShutdownEffect =
  | { readonly type: 'stop'; readonly ids: readonly string[] }
  | { readonly type: 'kill'; readonly ids: readonly string[] }
  | { readonly type: 'finished'; readonly goal: Goal; readonly cause: ExitCause };

/** Outcome of one input. */
export interface ShutdownStep {
  readonly record: ShutdownRecord;
  readonly effects: readonly ShutdownEffect[];
}

/** The supervisor at work. */
export const initialShutdown: ShutdownRecord = { phase: 'running', goal: 'exit', cause: null, ranks: [], deadlineMs: null };

const unchanged = (record: ShutdownRecord): ShutdownStep => ({ record, effects: [] });

/** SIGKILL to all that is left, and no rank waits for another any more. */
function killAll(record: ShutdownRecord): ShutdownStep {
  const ids = record.ranks.flat();
  return { record: { ...record, ranks: [ids], deadlineMs: null }, effects: [{ type: 'kill', ids }] };
}

/** Ends when nothing is left, else stops the rank that is first now. */
function advance(record: ShutdownRecord, cause: ExitCause): ShutdownStep {
  const [first] = record.ranks;
  if (first !== undefined) return { record, effects: [{ type: 'stop', ids: first }] };
  return { record: { ...record, phase: 'finished', deadlineMs: null }, effects: [{ type: 'finished', goal: record.goal, cause }] };
}

/** Applies one input. */
export function stepShutdown(record: ShutdownRecord, input: ShutdownInput): ShutdownStep {
  switch (input.type) {
    case 'requested': {
      if (record.phase === 'finished') return unchanged(record);
      // compat: a request to end during a restart turns it into an end; a request to restart during an end is ignored (Supervisor, SIGHUP).
      if (record.phase === 'stopping') return unchanged(input.goal === 'exit' && record.goal === 'restart' ? { ...record, goal: 'exit', cause: input.cause } : record);
      const ranks = input.ranks.filter((rank) => rank.length > 0);
      const deadlineMs = input.timeoutMs === null ? null : input.atMs + input.timeoutMs;
      return advance({ phase: 'stopping', goal: input.goal, cause: input.cause, ranks, deadlineMs }, input.cause);
    }
    case 'hurried':
      return record.phase === 'stopping' ? killAll(record) : unchanged(record);
    case 'gone': {
      if (record.phase !== 'stopping' || record.cause === null) return unchanged(record);
      const [first = []] = record.ranks;
      const ranks = record.ranks.map((rank) => rank.filter((id) => id !== input.id)).filter((rank) => rank.length > 0);
      const next = { ...record, ranks };
      // The rank that is being stopped is not done yet: nothing to order.
      const isWaiting = first.some((id) => id !== input.id) && ranks.length > 0;
      return isWaiting ? unchanged(next) : advance(next, record.cause);
    }
    case 'elapsed':
      return record.phase === 'stopping' && record.deadlineMs !== null && input.atMs >= record.deadlineMs ? killAll(record) : unchanged(record);
  }
}
