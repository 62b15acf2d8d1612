/**
 * The health of a run, compared with Docker's rules: a model of Docker's loop determines when a container becomes
 * unhealthy.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  beginHealth,
  type HealthInput,
  type HealthPolicy,
  type HealthRecord,
  stepHealth,
} from '../../../src/core/health-machine.ts';

const docker: HealthPolicy = {
  intervalMs: 30_000,
  retries: 3,
  passesNeeded: 1,
  startPeriodMs: 0,
  startIntervalMs: 5000,
};

/**
 * Simulates checks from a start at 1000 for `untilMs`. `passes`: for a time since the start, true if a check passes
 * then. Each check takes `tookMs`.
 */
function simulate(
  policy: HealthPolicy,
  passes: (sinceMs: number) => boolean,
  untilMs: number,
  tookMs = 0,
): { checks: number[]; changes: string[]; record: HealthRecord } {
  const startMs = 1000;
  let record = beginHealth(startMs);
  let now = startMs;
  const checks: number[] = [];
  const changes: string[] = [];
  while (record.dueMs !== null && record.dueMs - startMs <= untilMs) {
    now = Math.max(now, record.dueMs);
    let step = stepHealth(record, { type: 'elapsed', atMs: now }, policy);
    assert.ok(step.check);
    checks.push(now - startMs);
    const type = passes(now - startMs) ? 'passed' : 'failed';
    now += tookMs;
    step = stepHealth(step.record, { type, atMs: now }, policy);
    record = step.record;
    if (step.from !== null) changes.push(`${now - startMs} ${step.from} → ${record.health}`);
  }
  return { checks, changes, record };
}

/**
 * Returns the time since the start at which Docker's loop (moby, daemon/health.go: monitor, handleProbeResult) finds a
 * container unhealthy whose checks all fail.
 */
function dockerUnhealthyMs(
  { intervalMs, retries, startPeriodMs, startIntervalMs }: HealthPolicy,
  tookMs: number,
): number {
  for (let now = 0, streak = 0; ;) {
    const beganMs = now + (now >= startPeriodMs ? intervalMs : startIntervalMs);
    now = beganMs + tookMs;
    if (beganMs >= startPeriodMs) streak += 1;
    if (streak >= retries) return now;
  }
}

describe('while starting', () => {
  test('it checks at once, then every start interval, and becomes unhealthy after three intervals', () => {
    const { checks, changes } = simulate(docker, () => false, 100_000);
    assert.deepEqual(checks.slice(0, 8), [0, 5000, 10_000, 15_000, 20_000, 25_000, 30_000, 35_000]);
    assert.deepEqual(changes, ['90000 starting → unhealthy']);
  });

  test('a passed check makes it healthy at once, and the next check is an interval later', () => {
    const { checks, changes } = simulate(docker, (ms) => ms >= 7000, 75_000);
    assert.deepEqual([checks, changes], [[0, 5000, 10_000, 40_000, 70_000], ['10000 starting → healthy']]);
  });

  test('failures in the start period do not count; the first failure after it does', () => {
    const { changes } = simulate({ ...docker, startPeriodMs: 12_000, retries: 2 }, () => false, 100_000);
    assert.deepEqual(changes, ['45000 starting → unhealthy']);
  });

  test('a start interval longer than the interval does not reduce the checks', () => {
    assert.deepEqual(simulate({ ...docker, intervalMs: 2000 }, () => false, 4000).checks, [0, 2000, 4000]);
  });

  test('it becomes unhealthy at the same time as in Docker, with any options', () => {
    const span = fc.integer({ min: 1, max: 200 }).map((units) => units * 100);
    fc.assert(
      fc.property(
        span,
        fc.integer({ min: 1, max: 5 }),
        fc.oneof(fc.constant(0), span),
        span,
        (intervalMs, retries, startPeriodMs, startIntervalMs) => {
          const policy = { intervalMs, retries, passesNeeded: 1, startPeriodMs, startIntervalMs };
          const expected = dockerUnhealthyMs(policy, 0);
          assert.deepEqual(simulate(policy, () => false, expected + 1).changes, [`${expected} starting → unhealthy`]);
        },
      ),
    );
  });

  test('slow checks delay the result at most by their own duration, compared with Docker', () => {
    const span = fc.integer({ min: 1, max: 200 }).map((units) => units * 100);
    fc.assert(
      fc.property(
        fc.record({
          intervalMs: span,
          retries: fc.integer({ min: 1, max: 5 }),
          passesNeeded: fc.constant(1),
          startPeriodMs: fc.oneof(fc.constant(0), span),
          startIntervalMs: span,
        }),
        span,
        (policy, tookMs) => {
          const { retries, startIntervalMs } = policy;
          const latest = dockerUnhealthyMs(policy, tookMs) + (retries + 1) * tookMs + startIntervalMs;
          const { changes } = simulate(policy, () => false, latest, tookMs);
          const at = Number(changes[0]?.split(' ')[0]);
          assert.ok(at <= latest && at > dockerUnhealthyMs(policy, 0), `${at}`);
        },
      ),
    );
  });

  test('when the program comes up, a check is due unless one is running or the health is known', () => {
    const starting = stepHealth(
      stepHealth(beginHealth(0), { type: 'elapsed', atMs: 0 }, docker).record,
      { type: 'failed', atMs: 1 },
      docker,
    ).record;
    const told = stepHealth(starting, { type: 'cameUp', atMs: 1000 }, docker);
    assert.deepEqual([told.check, told.record.dueMs], [false, 1000]);
    const up = stepHealth(told.record, { type: 'elapsed', atMs: 1000 }, docker);
    assert.deepEqual([up.check, up.record.checkingMs], [true, 1000]);
    assert.equal(stepHealth(up.record, { type: 'cameUp', atMs: 1001 }, docker).record, up.record);
    const healthy = stepHealth(up.record, { type: 'passed', atMs: 1002 }, docker).record;
    assert.equal(stepHealth(healthy, { type: 'cameUp', atMs: 1003 }, docker).record, healthy);
    const failed = stepHealth(up.record, { type: 'failed', atMs: 1002 }, docker).record;
    assert.deepEqual([failed.failures, failed.dueMs], [0, 6002]);
  });
});

describe('when it has been healthy', () => {
  test('after the start period, three failures in a row make it unhealthy, and one success healthy', () => {
    const { checks, changes } = simulate(
      { ...docker, startPeriodMs: 1_000_000 },
      (ms) => ms < 1000 || ms > 100_000,
      130_000,
    );
    assert.deepEqual(checks, [0, 30_000, 60_000, 90_000, 120_000]);
    assert.deepEqual(changes, ['0 starting → healthy', '90000 healthy → unhealthy', '120000 unhealthy → healthy']);
  });

  test('failures that are not in a row do not add up', () => {
    assert.deepEqual(simulate(docker, (ms) => ms % 90_000 === 0, 10_000_000).changes, ['0 starting → healthy']);
  });
});

describe('changes while it runs', () => {
  const healthy = stepHealth(
    stepHealth(beginHealth(0), { type: 'elapsed', atMs: 0 }, docker).record,
    { type: 'passed', atMs: 0 },
    docker,
  ).record;

  test('a shorter interval counts from the latest check, and not before now', () => {
    assert.equal(
      stepHealth(healthy, { type: 'configured', atMs: 1000 }, { ...docker, intervalMs: 4000 }).record.dueMs,
      4000,
    );
    assert.equal(
      stepHealth(healthy, { type: 'configured', atMs: 9000 }, { ...docker, intervalMs: 4000 }).record.dueMs,
      9000,
    );
  });

  test('a running check continues', () => {
    const checking = stepHealth(healthy, { type: 'elapsed', atMs: 30_000 }, docker).record;
    assert.deepEqual(
      stepHealth(checking, { type: 'configured', atMs: 30_001 }, { ...docker, intervalMs: 1 }).record,
      checking,
    );
  });

  test('with another target, a check begins at once, and the health stays until its result', () => {
    const checking = stepHealth(healthy, { type: 'elapsed', atMs: 30_000 }, docker).record;
    for (const before of [healthy, checking]) {
      const { record } = stepHealth(before, { type: 'retargeted', atMs: 31_000 }, docker);
      assert.deepEqual([record.health, record.dueMs, record.checkingMs], ['healthy', 31_000, null]);
    }
  });
});

test(
  'whatever comes in whatever order: a check is under way or one is due, no result without a check, failures ' +
    'stay below the retries unless unhealthy',
  () => {
    const input = fc.tuple(
      fc.constantFrom<HealthInput['type']>('elapsed', 'cameUp', 'passed', 'failed', 'configured', 'retargeted'),
      fc.integer({ min: 0, max: 60_000 }),
    );
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (inputs) => {
        let record = beginHealth(0);
        let now = 0;
        for (const [type, afterMs] of inputs) {
          now += afterMs;
          const before = record;
          const step = stepHealth(record, { type, atMs: now }, docker);
          record = step.record;
          assert.equal((record.dueMs === null) !== (record.checkingMs === null), true);
          if (before.checkingMs === null && (type === 'passed' || type === 'failed')) assert.equal(record, before);
          if (step.check) assert.equal(record.checkingMs, now);
          assert.equal(step.from, record.health === before.health ? null : before.health);
          assert.equal(record.failures >= docker.retries, record.health === 'unhealthy');
          if (type === 'elapsed' && !step.check) assert.ok(before.dueMs === null || before.dueMs > now);
        }
      }),
    );
  },
);

test('as many checks as needed must pass in a row', () => {
  const policy = { ...docker, passesNeeded: 3 };
  // Checks every 5 s while starting. The third one fails, so the count begins again.
  assert.deepEqual(simulate(policy, (sinceMs) => sinceMs !== 10_000, 40_000).changes, ['25000 starting → healthy']);
  // Unhealthy after three failures; healthy again after three passes, an interval apart.
  const { changes } = simulate(policy, (sinceMs) => sinceMs < 20_000 || sinceMs > 140_000, 300_000);
  assert.deepEqual(
    changes.map((change) => change.split(' ').slice(1).join(' ')),
    ['starting → healthy', 'healthy → unhealthy', 'unhealthy → healthy'],
  );
});
