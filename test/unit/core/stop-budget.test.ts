/** The arithmetic of the time for a shutdown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertDeadlineMs, shutdownLimits, outputDeadlineMs, sweepGrace } from '../../../src/core/stop-budget.ts';

test('without shutdown_timeout and stop_budget there is no limit', () => {
  assert.equal(shutdownLimits(0, { timeoutMs: null, budgetMs: null }), null);
  assert.deepEqual(sweepGrace(0, null, 8000), { termMs: 8000, killMs: 800 });
});

test('the last part of a budget is reserved for the steps after the programs', () => {
  assert.deepEqual(shutdownLimits(100, { timeoutMs: null, budgetMs: 9500 }), {
    killAtMs: 8800,
    endAtMs: 9600,
    reserveMs: 800,
    option: 'stop_budget',
  });
  assert.deepEqual(shutdownLimits(0, { timeoutMs: null, budgetMs: 1000 }), {
    killAtMs: 900,
    endAtMs: 1000,
    reserveMs: 100,
    option: 'stop_budget',
  });
});

test('shutdown_timeout kills when it has passed; with a budget, the earlier of both applies', () => {
  assert.deepEqual(shutdownLimits(0, { timeoutMs: 3000, budgetMs: null }), {
    killAtMs: 3000,
    endAtMs: 3000,
    reserveMs: 300,
    option: 'shutdown_timeout',
  });
  assert.deepEqual(shutdownLimits(0, { timeoutMs: 3000, budgetMs: 30_000 }), {
    killAtMs: 3000,
    endAtMs: 30_000,
    reserveMs: 800,
    option: 'shutdown_timeout',
  });
  assert.deepEqual(shutdownLimits(0, { timeoutMs: 60_000, budgetMs: 30_000 }), {
    killAtMs: 29_200,
    endAtMs: 30_000,
    reserveMs: 800,
    option: 'stop_budget',
  });
});

test('the sweep gets the remaining time, and a minimum if nothing remains; so does the output', () => {
  const limits = shutdownLimits(0, { timeoutMs: null, budgetMs: 9500 });
  assert.ok(limits !== null);
  assert.deepEqual(sweepGrace(2000, limits, 8000), { termMs: 6700, killMs: 400 });
  assert.deepEqual(sweepGrace(9400, limits, 8000), { termMs: 200, killMs: 400 });
  assert.equal(outputDeadlineMs(2000, limits), 9100);
  assert.equal(outputDeadlineMs(9400, limits), 9600);
});

test('notifications get the remaining time, and none if nothing remains', () => {
  const limits = shutdownLimits(0, { timeoutMs: null, budgetMs: 9500 });
  assert.equal(alertDeadlineMs(2000, limits, 5000), 8700);
  assert.equal(alertDeadlineMs(9000, limits, 5000), 9000);
  assert.equal(alertDeadlineMs(2000, null, 5000), 7000);
});
