/**
 * The health of one run of a program, from the results of its checks: input → next record and orders. Pure: no clock,
 * no socket; the time comes in with each input.
 *
 * The rules are Docker's (HEALTHCHECK): it is `starting` until a check passes; one that passes makes it healthy;
 * `retries` failures in a row make it unhealthy; in the start period failures do not count, and a check that passes
 * ends that period. Checks are `interval` apart, from the end of one to the begin of the next.
 *
 * Where Docker waits a whole interval before it looks for the first time, we look at once, again when the program has
 * come up, and then every `startInterval`, so that who waits for it does not wait for nothing. Those further checks can
 * only make it healthy: a failure counts when it is of a check that Docker would have made, so that it becomes
 * unhealthy when Docker would say so.
 *
 * Invariants:
 *   1. Either a check is under way (`checkingMs`) or one is due (`dueMs`), never both and never neither.
 *   2. The record is replaced, never changed.
 */
import type { Health } from './process-record.ts';

/** The options `healthcheck_*`. Durations in milliseconds. */
export interface HealthPolicy {
  readonly intervalMs: number;
  /** Failures in a row that make it unhealthy. */
  readonly retries: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
}

/** What is known of the health of one run. Times are of the monotonic clock, in milliseconds. */
export interface HealthRecord {
  readonly health: Health;
  /** Failures in a row that counted. */
  readonly failures: number;
  /** Begin of the run. */
  readonly startedMs: number;
  /** When the next check is due; null while one is under way. */
  readonly dueMs: number | null;
  /** When the check under way began; null while there is none. */
  readonly checkingMs: number | null;
  /** When the latest check ended; null before the first has. */
  readonly checkedMs: number | null;
  /** When the latest failure was found that counted; null while there was none. */
  readonly countedMs: number | null;
}

/** What can happen. */
export type HealthInput =
  /** The deadline of the record may have come. */
  | { readonly type: 'elapsed'; readonly atMs: number }
  /** The program has come up: while starting, a check is due. */
  | { readonly type: 'cameUp'; readonly atMs: number }
  | { readonly type: 'passed'; readonly atMs: number }
  | { readonly type: 'failed'; readonly atMs: number }
  /** The policy is another one from now on. */
  | { readonly type: 'configured'; readonly atMs: number }
  /** What is checked is something else from now on: a check is due, and one under way is given up. */
  | { readonly type: 'retargeted'; readonly atMs: number };

/** Outcome of one input: whether a check is to be made now, and the health before where it is another one. */
export interface HealthStep {
  readonly record: HealthRecord;
  readonly check: boolean;
  readonly from: Health | null;
}

/** The record of a run that has just begun: a check is due at once. */
export function beginHealth(atMs: number): HealthRecord {
  return {
    health: 'starting',
    failures: 0,
    startedMs: atMs,
    dueMs: atMs,
    checkingMs: null,
    checkedMs: null,
    countedMs: null,
  };
}

/** Takes one input. Results that come when no check is under way are dropped. */
export function stepHealth(record: HealthRecord, input: HealthInput, policy: HealthPolicy): HealthStep {
  const { atMs } = input;
  switch (input.type) {
    case 'elapsed':
      return record.dueMs !== null && atMs >= record.dueMs
        ? { record: { ...record, dueMs: null, checkingMs: atMs }, check: true, from: null }
        : keep(record);
    case 'cameUp':
      return keep(
        record.health === 'starting' && record.dueMs !== null
          ? { ...record, dueMs: Math.min(record.dueMs, atMs) }
          : record,
      );
    case 'retargeted':
      return keep({ ...record, dueMs: atMs, checkingMs: null });
    case 'configured':
      return keep(
        record.checkingMs === null ? { ...record, dueMs: Math.max(atMs, nextCheckMs(record, policy)) } : record,
      );
    case 'passed':
      return record.checkingMs === null
        ? keep(record)
        : applyPolicy(record, { health: 'healthy', failures: 0, checkedMs: atMs }, policy);
    case 'failed':
      return record.checkingMs === null ? keep(record) : fail(record, record.checkingMs, atMs, policy);
  }
}

function keep(record: HealthRecord): HealthStep {
  return { record, check: false, from: null };
}

function fail(record: HealthRecord, beganMs: number, atMs: number, policy: HealthPolicy): HealthStep {
  if (record.health === 'starting' && beganMs < countFromMs(record, policy))
    return applyPolicy(record, { checkedMs: atMs }, policy);
  const failures = record.failures + 1;
  return applyPolicy(
    record,
    { health: failures >= policy.retries ? 'unhealthy' : record.health, failures, checkedMs: atMs, countedMs: atMs },
    policy,
  );
}

/** A check has ended: the next one is due. */
function applyPolicy(record: HealthRecord, change: Partial<HealthRecord>, policy: HealthPolicy): HealthStep {
  const next = { ...record, ...change, checkingMs: null };
  return {
    record: { ...next, dueMs: nextCheckMs(next, policy) },
    check: false,
    from: next.health === record.health ? null : record.health,
  };
}

/** When the next check is due, going by the latest one. */
function nextCheckMs(record: HealthRecord, policy: HealthPolicy): number {
  const fromMs = record.checkedMs ?? record.startedMs;
  if (record.health !== 'starting') return fromMs + policy.intervalMs;
  // A look that would come before a check that counts, and keep that one waiting, is left out.
  return Math.max(
    fromMs,
    Math.min(fromMs + Math.min(policy.intervalMs, policy.startIntervalMs), countFromMs(record, policy)),
  );
}

/**
 * From when on a check that fails counts, while starting: from Docker's next check. Its first one is an interval after
 * the begin; with a start period it looks every start interval, and the first that is not within the period counts.
 */
function countFromMs(
  { startedMs, countedMs }: HealthRecord,
  { intervalMs, startPeriodMs, startIntervalMs }: HealthPolicy,
): number {
  if (countedMs !== null) return countedMs + intervalMs;
  return startedMs + (startPeriodMs > 0 ? Math.ceil(startPeriodMs / startIntervalMs) * startIntervalMs : intervalMs);
}
