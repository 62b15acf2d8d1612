/**
 * The health of one run, from the results of its checks: input → next record and orders. Pure: no clock, no socket. The
 * time comes in with each input.
 *
 * The rules are Docker's (HEALTHCHECK). The health is `starting` until a check passes. One check that passes makes it
 * healthy (here: `passesNeeded` in a row), and `retries` failures in a row make it unhealthy. In the start period
 * failures do not count, and a check that passes ends that period. The interval is from the end of one check to the
 * begin of the next.
 *
 * Docker waits for a whole interval before the first check. We check at once, again when the program is RUNNING, and
 * then every `startInterval`, so that dependents start sooner. The additional checks can only make the health better:
 * a failure counts only if Docker would have made that check. So a program becomes unhealthy when Docker would say so.
 *
 * Invariants:
 *   1. Either a check is under way (`checkingMs`) or one is due (`dueMs`), never both and never neither.
 *   2. The record is replaced, never changed.
 */
import type { Health } from './process-record.ts';

/** The options `healthcheck_*`. Durations in milliseconds. */
export interface HealthPolicy {
  readonly intervalMs: number;
  /** Failures in a row that make a program unhealthy. */
  readonly retries: number;
  /** Checks that must pass in a row to make a program healthy; 1 in Docker. */
  readonly passesNeeded: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
}

/** The health of one run. Times are milliseconds of the monotonic clock. */
export interface HealthRecord {
  readonly health: Health;
  /** Counted failures in a row. */
  readonly failures: number;
  /** Checks that have passed in a row. */
  readonly passes: number;
  /** Begin of the run. */
  readonly startedMs: number;
  /** When the next check is due; null while one is under way. */
  readonly dueMs: number | null;
  /** When the check under way began; null while there is none. */
  readonly checkingMs: number | null;
  /** When the latest check ended; null before the first has. */
  readonly checkedMs: number | null;
  /** Time of the latest failure that counted; null without one. */
  readonly countedMs: number | null;
}

/** Input of the health machine. */
export type HealthInput =
  /** The deadline of the record may have come. */
  | { readonly type: 'elapsed'; readonly atMs: number }
  /** The program is RUNNING. If its health is starting, a check is due. */
  | { readonly type: 'cameUp'; readonly atMs: number }
  | { readonly type: 'passed'; readonly atMs: number }
  | { readonly type: 'failed'; readonly atMs: number }
  /** The policy has changed. */
  | { readonly type: 'configured'; readonly atMs: number }
  /** The target has changed: a check is due, and a check under way is abandoned. */
  | { readonly type: 'retargeted'; readonly atMs: number };

/** Outcome of one input. `check`: begin a check now. `from`: the health before, if the health has changed. */
export interface HealthStep {
  readonly record: HealthRecord;
  readonly check: boolean;
  readonly from: Health | null;
}

/** Returns the record of a new run. A check is due at once. */
export function beginHealth(atMs: number): HealthRecord {
  return {
    health: 'starting',
    failures: 0,
    passes: 0,
    startedMs: atMs,
    dueMs: atMs,
    checkingMs: null,
    checkedMs: null,
    countedMs: null,
  };
}

/** Applies one input. Drops results if no check is under way. */
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
      return record.checkingMs === null ? keep(record) : pass(record, atMs, policy);
    case 'failed':
      return record.checkingMs === null ? keep(record) : fail(record, record.checkingMs, atMs, policy);
  }
}

function keep(record: HealthRecord): HealthStep {
  return { record, check: false, from: null };
}

function pass(record: HealthRecord, atMs: number, policy: HealthPolicy): HealthStep {
  const passes = record.passes + 1;
  const health = passes >= policy.passesNeeded ? 'healthy' : record.health;
  return applyPolicy(record, { health, failures: 0, passes, checkedMs: atMs }, policy);
}

function fail(record: HealthRecord, beganMs: number, atMs: number, policy: HealthPolicy): HealthStep {
  if (record.health === 'starting' && beganMs < countFromMs(record, policy))
    return applyPolicy(record, { passes: 0, checkedMs: atMs }, policy);
  const failures = record.failures + 1;
  return applyPolicy(
    record,
    {
      health: failures >= policy.retries ? 'unhealthy' : record.health,
      failures,
      passes: 0,
      checkedMs: atMs,
      countedMs: atMs,
    },
    policy,
  );
}

/** Ends a check and sets the time of the next one. */
function applyPolicy(record: HealthRecord, change: Partial<HealthRecord>, policy: HealthPolicy): HealthStep {
  const next = { ...record, ...change, checkingMs: null };
  return {
    record: { ...next, dueMs: nextCheckMs(next, policy) },
    check: false,
    from: next.health === record.health ? null : record.health,
  };
}

/** Returns the time of the next check. */
function nextCheckMs(record: HealthRecord, policy: HealthPolicy): number {
  const fromMs = record.checkedMs ?? record.startedMs;
  if (record.health !== 'starting') return fromMs + policy.intervalMs;
  // Skip an additional check that would delay a check that counts.
  return Math.max(
    fromMs,
    Math.min(fromMs + Math.min(policy.intervalMs, policy.startIntervalMs), countFromMs(record, policy)),
  );
}

/**
 * Returns the time from which failures count while starting: the time of Docker's next check. Docker's first check is
 * an interval after the begin. With a start period Docker checks every start interval, and the first check after the
 * period counts.
 */
function countFromMs(
  { startedMs, countedMs }: HealthRecord,
  { intervalMs, startPeriodMs, startIntervalMs }: HealthPolicy,
): number {
  if (countedMs !== null) return countedMs + intervalMs;
  return startedMs + (startPeriodMs > 0 ? Math.ceil(startPeriodMs / startIntervalMs) * startIntervalMs : intervalMs);
}
