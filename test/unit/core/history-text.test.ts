/** Texts of events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistoryEvent } from '../../../src/core/history.ts';
import { describeEvent } from '../../../src/core/history-text.ts';
import type { ProcessStateName } from '../../../src/core/states.ts';

type Body<E> = E extends HistoryEvent ? Omit<E, 'seq' | 'atMs'> : never;

const describe = (event: Body<HistoryEvent>): string => describeEvent({ seq: 1, atMs: 2, ...event });

function change(from: ProcessStateName, to: ProcessStateName, more: object = {}): string {
  const event = { kind: 'state', id: 'a:a', from, to, run: 1, pid: null, cause: null, end: null, ...more } as const;
  return describe(event);
}

test('every kind of event has a text', () => {
  const client = { door: 'unix', user: null, peer: 'uid 0, pid 7' } as const;
  const request = { kind: 'request', method: 'supervisor.stopProcess', client } as const;
  assert.equal(describe({ kind: 'supervisor', change: 'started', cause: null }), 'the supervisor has started');
  const cause = { kind: 'request', request } as never;
  assert.match(describe({ kind: 'supervisor', change: 'stopping', cause }), /^the supervisor is stopping: /);
  assert.match(describe({ kind: 'request', request, target: 'a' }), /^supervisor\.stopProcess: requested by a client/);
  assert.equal(describe({ kind: 'group', group: 'g', change: 'added' }), 'group g was added');
  assert.equal(describe({ kind: 'ready', id: 'a:a' }), 'ready');
  assert.equal(describe({ kind: 'health', id: 'a:a', health: 'healthy', reason: null }), 'healthy');
  assert.equal(describe({ kind: 'health', id: 'a:a', health: 'unhealthy', reason: 'no' }), 'unhealthy: no');
  assert.equal(describe({ kind: 'health', id: 'a:a', health: null, reason: null }), 'health is not known');
  assert.equal(describe({ kind: 'held', id: 'a:a', hold: null }), 'no longer waits');
  const hold = { kind: 'waiting', dependencies: [{ name: 'db', conditions: ['started'] }] } as const;
  assert.equal(describe({ kind: 'held', id: 'a:a', hold }), 'waits for db to be started');
});

test('changes of states: starts, stops and ends, with their causes', () => {
  assert.equal(change('STOPPED', 'STARTING', { cause: { kind: 'boot' } }), 'starting: autostart');
  assert.equal(change('STOPPED', 'STARTING'), 'starting');
  assert.equal(change('STARTING', 'RUNNING', { pid: 5 }), 'running: pid 5');
  assert.equal(change('UNKNOWN', 'RUNNING'), 'running');
  assert.equal(change('RUNNING', 'STOPPING'), 'stopping');
  assert.equal(change('RUNNING', 'UNKNOWN'), 'is UNKNOWN');
  assert.equal(change('BACKOFF', 'FATAL'), 'is FATAL: all tries have failed');
  assert.equal(change('STOPPED', 'FATAL'), 'is FATAL');
  const exited = { outcome: { kind: 'exited', code: 3, isExpected: false }, cause: null, sentSignal: null };
  assert.equal(change('RUNNING', 'EXITED', { end: exited }), 'ended: exit status 3');
  assert.equal(change('STARTING', 'BACKOFF', { end: exited }), 'ended: exit status 3 (BACKOFF)');
  const missing = { ...exited, outcome: { kind: 'notExecuted', reason: 'no such file' } };
  assert.equal(change('STARTING', 'FATAL', { end: missing }), 'not started: no such file (FATAL)');
});
