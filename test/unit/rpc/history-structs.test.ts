/** Causes, runs and events as structs: every kind once, and nothing that JSON or XML-RPC cannot carry. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Cause } from '../../../src/core/cause.ts';
import type { HistoryEvent } from '../../../src/core/history.ts';
import type { RunEnd } from '../../../src/core/run-end.ts';
import { causeStruct, endStruct, eventStruct, runStruct } from '../../../src/rpc/history-structs.ts';
import { encodeJsonAnswer } from './json-text.ts';
import type { XmlRpcStruct } from '../../../src/rpc/xmlrpc.ts';
import { BOOT, CLIENT, REQUEST, SIGTERM, UNHEALTHY } from '../../causes.ts';

/** Returns a struct without the texts for people, which have their own tests. */
function withoutText(struct: XmlRpcStruct): XmlRpcStruct {
  assert.notEqual(encodeJsonAnswer(struct), null);
  return Object.fromEntries(Object.entries(struct).filter(([name]) => name !== 'text'));
}

const causes: ReadonlyArray<readonly [cause: Cause, struct: object]> = [
  [BOOT, { kind: 'boot' }],
  [REQUEST, { kind: 'request', method: 'test.method', door: 'unix', peer: 'uid 0, pid 77' }],
  [
    { ...REQUEST, client: { ...CLIENT, user: 'admin' } },
    { kind: 'request', method: 'test.method', door: 'unix', peer: 'uid 0, pid 77', user: 'admin' },
  ],
  [SIGTERM, { kind: 'signal', signal: 'SIGTERM' }],
  [
    { ...SIGTERM, sender: 9 },
    { kind: 'signal', signal: 'SIGTERM', sender: 9 },
  ],
  [{ kind: 'schedule' }, { kind: 'schedule' }],
  [
    { kind: 'dependency', names: ['db'], request: null },
    { kind: 'dependency', names: ['db'] },
  ],
  [
    { kind: 'connection', address: 'unix:///a' },
    { kind: 'connection', address: 'unix:///a' },
  ],
  [
    { kind: 'dependency', names: ['db'], request: BOOT },
    { kind: 'dependency', names: ['db'], request: causeStruct(BOOT) },
  ],
  [UNHEALTHY, { kind: 'health', reason: 'no answer' }],
  [
    { kind: 'memory', bytes: 2, limitBytes: 1 },
    { kind: 'memory', bytes: 2, limit: 1 },
  ],
  [{ kind: 'watchdog', limitMs: null }, { kind: 'watchdog' }],
  [
    { kind: 'watchdog', limitMs: 5 },
    { kind: 'watchdog', limit_ms: 5 },
  ],
  [
    { kind: 'policy', rule: 'retry' },
    { kind: 'policy', rule: 'retry' },
  ],
  [{ kind: 'protocol' }, { kind: 'protocol' }],
  [
    { kind: 'shutdown', goal: 'exit', cause: SIGTERM },
    { kind: 'shutdown', goal: 'exit' },
  ],
];

describe('a cause', () => {
  for (const [cause, struct] of causes)
    test(JSON.stringify(cause), () => assert.deepEqual(withoutText(causeStruct(cause)), struct));
});

const plain = { cause: null, sentSignal: null };
const ends: ReadonlyArray<readonly [end: RunEnd, struct: object]> = [
  [
    { ...plain, outcome: { kind: 'exited', code: 3, isExpected: false } },
    { outcome: 'exited', exit_code: 3, expected: false, why: 'exit', planned: false, how: 'exit status 3' },
  ],
  [
    { ...plain, outcome: { kind: 'signaled', signal: 11, core: true } },
    {
      outcome: 'signaled',
      exit_signal: 'SIGSEGV',
      core: true,
      why: 'signal',
      planned: false,
      how: 'terminated by SIGSEGV (core dumped)',
    },
  ],
  [
    { ...plain, outcome: { kind: 'outOfMemory' } },
    { outcome: 'out_of_memory', why: 'oom', planned: false, how: 'out of memory (killed by the kernel)' },
  ],
  [
    { ...plain, outcome: { kind: 'notExecuted', reason: 'no file' } },
    { outcome: 'not_executed', reason: 'no file', why: 'not_started', planned: false, how: 'not started: no file' },
  ],
  [
    { ...plain, cause: REQUEST, outcome: { kind: 'exited', code: 0, isExpected: true } },
    {
      outcome: 'exited',
      exit_code: 0,
      expected: true,
      why: 'stopped',
      planned: true,
      how: 'exit status 0',
      cause: causeStruct(REQUEST),
    },
  ],
  [
    {
      cause: null,
      sentSignal: { signal: 15, cause: REQUEST, beforeMs: 4.6 },
      outcome: { kind: 'exited', code: 0, isExpected: true },
    },
    {
      outcome: 'exited',
      exit_code: 0,
      expected: true,
      why: 'stopped',
      planned: true,
      how: 'exit status 0',
      sent_signal: { signal: 'SIGTERM', before_ms: 5, cause: causeStruct(REQUEST) },
    },
  ],
];

describe('an end', () => {
  for (const [end, struct] of ends)
    test(JSON.stringify(end.outcome), () => assert.deepEqual(withoutText(endStruct(end)), struct));
});

const END = ends[0]?.[0];
assert.ok(END !== undefined);

test('a run, before and after its end', () => {
  const run = { run: 2, pid: null, startSeq: 5, startedMs: 1000.4, startCause: BOOT, ended: null };
  assert.deepEqual(runStruct(run), { run: 2, start_seq: 5, started: 1000, start_cause: causeStruct(BOOT) });
  assert.deepEqual(runStruct({ ...run, pid: 7, ended: { seq: 9, atMs: 2000.4, lastedMs: 999.6, end: END } }), {
    run: 2,
    pid: 7,
    start_seq: 5,
    started: 1000,
    start_cause: causeStruct(BOOT),
    end: { seq: 9, at: 2000, lasted_ms: 1000, ...endStruct(END) },
  });
});

type Kind<T> = T extends HistoryEvent ? Omit<T, 'seq' | 'atMs'> : never;
const events: ReadonlyArray<readonly [event: Kind<HistoryEvent>, struct: object]> = [
  [{ kind: 'supervisor', change: 'started', cause: null }, { change: 'started' }],
  [
    { kind: 'supervisor', change: 'stopping', cause: SIGTERM },
    { change: 'stopping', cause: 'received SIGTERM' },
  ],
  [
    { kind: 'request', request: REQUEST, target: 'web' },
    { method: 'test.method', door: 'unix', peer: 'uid 0, pid 77', target: 'web' },
  ],
  [
    { kind: 'request', request: REQUEST, target: null },
    { method: 'test.method', door: 'unix', peer: 'uid 0, pid 77' },
  ],
  [
    { kind: 'group', group: 'g', change: 'added' },
    { group: 'g', change: 'added' },
  ],
  [
    { kind: 'state', id: 'g:web', from: 'STOPPED', to: 'STARTING', run: 1, pid: null, cause: BOOT, end: null },
    { name: 'g:web', from: 'STOPPED', to: 'STARTING', run: 1, cause: causeStruct(BOOT) },
  ],
  [
    { kind: 'state', id: 'g:web', from: 'RUNNING', to: 'EXITED', run: 1, pid: 7, cause: null, end: END },
    { name: 'g:web', from: 'RUNNING', to: 'EXITED', run: 1, pid: 7, end: endStruct(END) },
  ],
  [{ kind: 'ready', id: 'g:web' }, { name: 'g:web' }],
  [{ kind: 'health', id: 'g:web', health: null, reason: null }, { name: 'g:web' }],
  [
    { kind: 'health', id: 'g:web', health: 'unhealthy', reason: 'no' },
    { name: 'g:web', health: 'unhealthy', reason: 'no' },
  ],
  [{ kind: 'held', id: 'g:web', hold: null }, { name: 'g:web' }],
  [
    {
      kind: 'reload',
      id: 'g:web',
      cause: { kind: 'boot' },
      result: { way: { kind: 'signal', signal: 1 }, failure: null },
    },
    { name: 'g:web', way: 'signal', signal: 'SIGHUP', cause: { kind: 'boot', text: 'autostart' } },
  ],
  [
    {
      kind: 'reload',
      id: 'g:web',
      cause: { kind: 'boot' },
      result: { way: { kind: 'command' }, failure: 'exit status 3' },
    },
    { name: 'g:web', way: 'command', failure: 'exit status 3', cause: { kind: 'boot', text: 'autostart' } },
  ],
  [
    { kind: 'held', id: 'g:web', hold: { kind: 'waiting', dependencies: [] } },
    { name: 'g:web', hold: 'waiting' },
  ],
];

describe('an event', () => {
  for (const [event, struct] of events)
    test(JSON.stringify(event).slice(0, 80), () => {
      const full = { ...event, seq: 3, atMs: 1000.4 } as HistoryEvent;
      assert.deepEqual(withoutText(eventStruct(full)), { seq: 3, at: 1000, kind: event.kind, ...struct });
    });
});
