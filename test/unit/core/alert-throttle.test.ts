/** The throttle of a [notify:x]: what passes at once, what waits, and the summary. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Alert } from '../../../src/core/alert.ts';
import { AlertThrottle, BURST } from '../../../src/core/alert-throttle.ts';
import { alertAbout } from './alerts.ts';

const PERIOD = 60_000;
const shown = (alerts: readonly Alert[]): string[] =>
  alerts.map(({ event, name, left_out: leftOut }) => `${event} ${name ?? '-'} ${leftOut}`);

test('the first passes, the next wait, and the latest passes with their number', () => {
  const throttle = new AlertThrottle(PERIOD);
  assert.equal(throttle.nextMs(), null);
  assert.deepEqual(shown(throttle.take(alertAbout('web'), 0)), ['fatal web 0']);
  assert.equal(throttle.nextMs(), PERIOD);
  for (const at of [1, 2]) assert.deepEqual(throttle.take(alertAbout('web'), at), []);
  const last = { ...alertAbout('web'), message: 'the latest' };
  assert.deepEqual(throttle.take(last, 3), []);
  // Another process, and another event of the same one, have periods of their own.
  assert.deepEqual(shown(throttle.take(alertAbout('api'), 4)), ['fatal api 0']);
  assert.deepEqual(shown(throttle.take(alertAbout('web', 'flapping'), 5)), ['flapping web 0']);
  assert.deepEqual(throttle.release(PERIOD - 1), []);
  const released = throttle.release(PERIOD);
  assert.deepEqual(shown(released), ['fatal web 2']);
  assert.equal(released[0]?.message, 'the latest');
  // That began a new period.
  assert.deepEqual(throttle.take(alertAbout('web'), PERIOD + 1), []);
  assert.equal(throttle.nextMs(), PERIOD + 4);
  assert.deepEqual(throttle.release(PERIOD + 5), []);
  assert.deepEqual(shown(throttle.release(2 * PERIOD)), ['fatal web 0']);
  assert.deepEqual(throttle.release(3 * PERIOD), []);
  assert.equal(throttle.nextMs(), null);
});

test('an alert after the end of its period passes, although the period was not released', () => {
  const throttle = new AlertThrottle(PERIOD);
  throttle.take(alertAbout('web'), 0);
  assert.deepEqual(shown(throttle.take(alertAbout('web'), PERIOD)), ['fatal web 0']);
  assert.equal(throttle.nextMs(), 2 * PERIOD);
});

test('without a period everything passes', () => {
  const throttle = new AlertThrottle(PERIOD);
  throttle.configure(0);
  for (let count = 0; count < 3 * BURST; count++) assert.equal(throttle.take(alertAbout('web'), 0).length, 1);
  assert.equal(throttle.nextMs(), null);
  assert.deepEqual(throttle.flush(), []);
});

test('many processes at once: some pass, the others are in one summary', () => {
  const throttle = new AlertThrottle(PERIOD);
  const passed = Array.from({ length: 30 }, (_, index) => throttle.take(alertAbout(`p${index}`), index)).flat();
  assert.equal(passed.length, BURST);
  assert.deepEqual(throttle.take(alertAbout('p29', 'flapping'), 30), []);
  // One that has passed goes on within its own period.
  assert.deepEqual(throttle.take(alertAbout('p0'), 31), []);
  assert.equal(throttle.nextMs(), PERIOD);
  const [summary, ...others] = throttle.release(PERIOD);
  assert.equal(
    summary?.message,
    '21 further events: 20 × fatal, 1 × flapping (p10, p11, p12, p13, p14, p15, p16, p17, p18, p19 and others)',
  );
  assert.deepEqual([summary.event, summary.left_out, summary.name, summary.reason], ['summary', 21, null, null]);
  assert.deepEqual(shown(others), ['fatal p0 0']);
});

test('what waits goes into the summary too, if too many pass', () => {
  const throttle = new AlertThrottle(PERIOD);
  for (let index = 0; index < BURST; index++) throttle.take(alertAbout(`p${index}`), 0);
  for (let index = 0; index < BURST; index++) throttle.take(alertAbout(`p${index}`), 1);
  for (let index = 0; index < BURST; index++) assert.equal(throttle.take(alertAbout(`q${index}`), PERIOD).length, 1);
  // All of p are due, and nothing more may pass.
  assert.deepEqual(throttle.release(PERIOD), []);
  assert.equal(throttle.nextMs(), 2 * PERIOD);
  const [summary] = throttle.release(2 * PERIOD);
  assert.equal(summary?.message, '10 further events: 10 × fatal (p0, p1, p2, p3, p4, p5, p6, p7, p8, p9)');
});

test('at the end one summary has everything that waits', () => {
  const throttle = new AlertThrottle(PERIOD);
  throttle.take(alertAbout('web'), 0);
  assert.deepEqual(throttle.flush(), []);
  throttle.take(alertAbout('web'), 1);
  throttle.take(alertAbout('web'), 2);
  throttle.take({ ...alertAbout('g', 'PROCESS_GROUP_ADDED'), name: null }, 3);
  throttle.take({ ...alertAbout('g', 'PROCESS_GROUP_ADDED'), name: null }, 4);
  throttle.take({ ...alertAbout('g', 'PROCESS_GROUP_REMOVED'), name: null, group_name: null }, 5);
  throttle.take({ ...alertAbout('g', 'PROCESS_GROUP_REMOVED'), name: null, group_name: null }, 6);
  assert.deepEqual(
    throttle.flush().map(({ message }) => message),
    ['3 further events: 1 × fatal, 1 × PROCESS_GROUP_ADDED, 1 × PROCESS_GROUP_REMOVED (web, g, PROCESS_GROUP_REMOVED)'],
  );
  throttle.take(alertAbout('web'), 7);
  throttle.take(alertAbout('web'), 8);
  assert.match(throttle.flush()[0]?.message ?? '', /^1 further event: 1 × fatal \(web\)$/);
});

test('every event passes or is counted, and few pass in a period', () => {
  const steps = fc.array(
    fc.record({ waitMs: fc.integer({ min: 0, max: 20_000 }), name: fc.integer({ min: 0, max: 30 }) }),
    { maxLength: 300 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const throttle = new AlertThrottle(PERIOD);
      const out: Array<{ readonly alert: Alert; readonly atMs: number }> = [];
      let nowMs = 0;
      const note = (alerts: readonly Alert[]): void =>
        void out.push(...alerts.map((alert) => ({ alert, atMs: nowMs })));
      for (const { waitMs, name } of all) {
        nowMs += waitMs;
        for (let due = throttle.nextMs(); due !== null && due <= nowMs; due = throttle.nextMs())
          note(throttle.release(nowMs));
        note(throttle.take(alertAbout(`p${name}`), nowMs));
      }
      note(throttle.flush());
      const total = out.reduce((sum, { alert }) => sum + alert.left_out + (alert.event === 'summary' ? 0 : 1), 0);
      assert.equal(total, all.length);
      for (const { atMs } of out)
        assert.ok(
          out.filter((other) => other.atMs >= atMs && other.atMs < atMs + PERIOD).length <= 2 * (BURST + 1) + 1,
        );
    }),
  );
});
