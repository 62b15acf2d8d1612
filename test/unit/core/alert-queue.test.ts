/** The queue of a [notify:x]: order, retries, limits, and the lines of the log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AlertFailure, AlertQueue, MOST_WAITING } from '../../../src/core/alert-queue.ts';
import { alertAbout } from './alerts.ts';

const refused: AlertFailure = { reason: 'connection refused', isFinal: false, pauseMs: null };

function nameOfNext(queue: AlertQueue, nowMs: number): string | number | null {
  const step = queue.next(nowMs);
  if (step === null) return null;
  return step.kind === 'wait' ? step.untilMs : step.alert.message;
}

test('one alert at a time, in order', () => {
  const queue = new AlertQueue('ops', 5);
  assert.ok(queue.isIdle);
  assert.equal(queue.next(0), null);
  assert.deepEqual(queue.push(alertAbout('a'), 0), []);
  queue.push(alertAbout('b'), 0);
  assert.equal(nameOfNext(queue, 0), 'a fatal');
  assert.equal(queue.next(0), null);
  assert.deepEqual(queue.succeeded(), []);
  assert.equal(nameOfNext(queue, 0), 'b fatal');
  assert.ok(!queue.isIdle);
  queue.succeeded();
  assert.ok(queue.isIdle);
});

test('pauses before retries are doubled up to a minute, and the receiver may ask for longer ones', () => {
  const queue = new AlertQueue('ops', 20);
  queue.push(alertAbout('a'), 0);
  const pauses: number[] = [];
  let nowMs = 0;
  for (let attempt = 0; attempt < 9; attempt++) {
    queue.next(nowMs);
    queue.failed(refused, nowMs);
    const step = queue.next(nowMs);
    assert.ok(step?.kind === 'wait');
    pauses.push(step.untilMs - nowMs);
    nowMs = step.untilMs;
  }
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  queue.next(nowMs);
  queue.succeeded();
  queue.push(alertAbout('b'), nowMs);
  queue.next(nowMs);
  queue.failed({ ...refused, pauseMs: 30_000 }, nowMs);
  assert.equal(nameOfNext(queue, nowMs), nowMs + 30_000);
  queue.hurry();
  assert.equal(nameOfNext(queue, nowMs), 'b fatal');
  queue.failed({ ...refused, pauseMs: 1e9 }, nowMs);
  assert.equal(nameOfNext(queue, nowMs), nowMs + 60_000);
});

test('lines: one a minute, with everything that is lost', () => {
  const queue = new AlertQueue('ops', 1);
  for (const name of ['a', 'b', 'c', 'd']) queue.push(alertAbout(name), 0);
  queue.next(0);
  assert.deepEqual(queue.failed(refused, 0), [
    ['warn', 'cannot notify by notify:ops: connection refused; it is tried again'],
  ]);
  queue.next(1000);
  assert.deepEqual(queue.failed(refused, 1000), []);
  // The next one is not sent before its own first attempt.
  assert.equal(nameOfNext(queue, 1000), 'b fatal (1 more left out before this)');
  assert.deepEqual(queue.failed({ ...refused, isFinal: true, reason: 'HTTP 404 Not Found' }, 2000), []);
  queue.next(2000);
  assert.deepEqual(queue.failed({ ...refused, isFinal: true, reason: 'HTTP 404 Not Found' }, 60_000), [
    ['warn', 'cannot notify by notify:ops: HTTP 404 Not Found; 3 notifications are lost'],
  ]);
  assert.equal(nameOfNext(queue, 60_000), 'd fatal (3 more left out before this)');
  assert.deepEqual(queue.succeeded(), [['info', 'notify:ops works again; 3 notifications are lost']]);
  queue.push(alertAbout('e'), 60_000);
  assert.equal(nameOfNext(queue, 60_000), 'e fatal');
  queue.configure(0);
  assert.deepEqual(queue.failed(refused, 60_000), [
    ['warn', 'cannot notify by notify:ops: connection refused; 1 notification is lost'],
  ]);
});

test('a retry that succeeds', () => {
  const queue = new AlertQueue('ops', 1);
  queue.push(alertAbout('a'), 0);
  queue.next(0);
  queue.failed(refused, 0);
  queue.next(1000);
  assert.deepEqual(queue.succeeded(), [['info', 'notify:ops works again']]);
});

test('the queue is bounded', () => {
  const queue = new AlertQueue('ops', 1);
  for (let count = 0; count < MOST_WAITING; count++) assert.deepEqual(queue.push(alertAbout('a'), 0), []);
  assert.deepEqual(queue.push(alertAbout('b'), 0), [
    ['warn', 'cannot notify by notify:ops: 100 notifications wait for delivery; 1 notification is lost'],
  ]);
  for (let count = 0; count < 1000; count++) assert.deepEqual(queue.push(alertAbout('b'), 59_999), []);
  assert.deepEqual(queue.push(alertAbout('b'), 60_000), [
    ['warn', 'cannot notify by notify:ops: 100 notifications wait for delivery; 1001 notifications are lost'],
  ]);
  queue.next(60_000);
  assert.deepEqual(queue.giveUp('no time was left', 60_001), [
    ['warn', 'cannot notify by notify:ops: no time was left; 100 notifications are lost'],
  ]);
  assert.ok(queue.isIdle);
  assert.deepEqual(queue.giveUp('no time was left', 60_002), []);
});

test('what was not said before is said at the end', () => {
  const queue = new AlertQueue('ops', 0);
  for (const name of ['a', 'b']) {
    queue.push(alertAbout(name), 0);
    queue.next(0);
    queue.failed(refused, 0);
  }
  assert.deepEqual(queue.giveUp('no time was left', 1), [
    ['warn', 'cannot notify by notify:ops: no time was left; 1 notification is lost'],
  ]);
});
