/** What depends_on asks of another process in each of its states: met, on its way, or lost, with the words for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Condition, type Dependable, judgeGate } from '../../../src/core/dependency-gate.ts';
import { parseWaitStatus } from '../../../src/core/exit-status.ts';
import { initialRecord, type ProcessRecord } from '../../../src/core/process-record.ts';

const WELL = parseWaitStatus(0);
const BADLY = parseWaitStatus(3 << 8);

const rows: ReadonlyArray<
  readonly [
    condition: Condition,
    record: Partial<ProcessRecord> | null,
    more: Partial<Dependable>,
    judged: string | null,
  ]
> = [
  ['started', { state: 'RUNNING' }, {}, null],
  ['started', { state: 'STARTING' }, {}, 'waits for db to be started'],
  ['started', { state: 'BACKOFF' }, {}, 'waits for db to be started'],
  ['started', { state: 'STOPPED' }, {}, 'cannot start: db must be started and is STOPPED'],
  ['started', { state: 'STOPPED' }, { isScheduled: true }, 'waits for db to be started'],
  ['started', { state: 'STOPPED' }, { hold: { kind: 'waiting', reason: 'waits for x' } }, 'waits for db to be started'],
  [
    'started',
    { state: 'STOPPED' },
    { hold: { kind: 'stuck', reason: 'cannot start: x', roots: ['x'] } },
    'cannot start: x (db depends on it)',
  ],
  ['started', { state: 'STOPPING' }, {}, 'cannot start: db must be started and is STOPPING'],
  ['started', { state: 'STOPPING', thenStart: true }, {}, 'waits for db to be started'],
  ['started', { state: 'FATAL' }, {}, 'cannot start: db must be started and is FATAL'],
  ['started', { state: 'UNKNOWN' }, {}, 'cannot start: db must be started and is UNKNOWN'],
  ['started', { state: 'EXITED', exit: WELL }, {}, 'cannot start: db must be started and is EXITED (exit status 0)'],
  ['started', { state: 'EXITED', exit: WELL }, { isOneshot: true }, null],
  ['started', { state: 'EXITED', exit: BADLY, deadlineMs: 5 }, {}, 'waits for db to be started'],
  ['started', { state: 'EXITED', exit: parseWaitStatus(9) }, {}, 'cannot start: db must be started and is EXITED'],
  ['started', null, {}, 'cannot start: db must be started and is not there any more'],
  ['ready', { state: 'RUNNING' }, {}, null],
  ['ready', { state: 'RUNNING' }, { tellsReadiness: true }, 'waits for db to be ready'],
  ['ready', { state: 'RUNNING', isReady: true }, { tellsReadiness: true }, null],
  ['ready', { state: 'EXITED', exit: WELL }, { isOneshot: true, tellsReadiness: true }, null],
  ['healthy', { state: 'RUNNING', health: 'starting' }, {}, 'waits for db to be healthy'],
  ['healthy', { state: 'RUNNING', health: 'unhealthy' }, {}, 'cannot start: db must be healthy and is unhealthy'],
  ['started', { state: 'RUNNING', health: 'unhealthy' }, {}, null],
  ['healthy', { state: 'RUNNING', health: 'healthy' }, {}, null],
  ['completed', { state: 'RUNNING' }, {}, 'waits for db to be completed'],
  ['completed', { state: 'EXITED', exit: WELL }, {}, null],
  ['completed', { state: 'EXITED', exit: WELL, deadlineMs: 5 }, {}, 'waits for db to be completed'],
  [
    'completed',
    { state: 'EXITED', exit: BADLY },
    {},
    'cannot start: db must be completed and is EXITED (exit status 3)',
  ],
  ['completed', { state: 'EXITED', exit: BADLY }, { exitCodes: [3] }, null],
  ['exited', { state: 'RUNNING' }, {}, 'waits for db to be exited'],
  ['exited', { state: 'EXITED', exit: WELL }, {}, null],
  ['exited', { state: 'EXITED', exit: BADLY }, {}, null],
  ['exited', { state: 'FATAL', exit: BADLY }, {}, 'cannot start: db must be exited and is FATAL'],
  ['exited', { state: 'FATAL', exit: BADLY }, { isOneshot: true }, null],
  ['exited', { state: 'FATAL' }, { isOneshot: true }, 'cannot start: db must be exited and is FATAL'],
  ['fatal', { state: 'BACKOFF' }, {}, 'waits for db to be FATAL'],
  ['fatal', { state: 'FATAL' }, {}, null],
  ['backoff', { state: 'BACKOFF' }, {}, null],
  ['backoff', { state: 'STARTING' }, {}, 'waits for db to be in BACKOFF'],
  ['stopped', { state: 'STOPPED', run: 1 }, {}, null],
  ['stopped', { state: 'STOPPED', run: 0 }, {}, 'cannot start: db must be stopped and is STOPPED'],
];

const dependable = (
  condition: Condition,
  record: Partial<ProcessRecord> | null,
  more: Partial<Dependable> = {},
): Dependable => ({
  name: 'db',
  conditions: [condition],
  record: record === null ? null : { ...initialRecord, ...record },
  exitCodes: [0],
  isOneshot: false,
  tellsReadiness: false,
  isScheduled: false,
  hold: null,
  ...more,
});

for (const [condition, record, more, judged] of rows) {
  test(`${condition}: ${JSON.stringify(record)} ${JSON.stringify(more)}`, () => {
    assert.equal(judgeGate([dependable(condition, record, more)])?.reason ?? null, judged);
    assert.equal(
      judgeGate([dependable(condition, record, more)])?.kind ?? null,
      judged === null ? null : judged.startsWith('waits') ? 'waiting' : 'stuck',
    );
  });
}

test('of several, all that are missing are named; one that is lost outweighs those on their way', () => {
  assert.equal(judgeGate([]), null);
  const waiting = [
    dependable('started', { state: 'STARTING' }),
    dependable('started', { state: 'RUNNING' }),
    dependable('healthy', { state: 'RUNNING' }, { name: 'cache' }),
  ];
  assert.equal(judgeGate(waiting)?.reason, 'waits for db to be started, cache to be healthy');
  assert.deepEqual(judgeGate([...waiting, dependable('completed', { state: 'FATAL' }, { name: 'job' })]), {
    kind: 'stuck',
    reason: 'cannot start: job must be completed and is FATAL',
    roots: ['job must be completed and is FATAL'],
  });
});

test('one of several conditions is enough', () => {
  const either = (record: Partial<ProcessRecord>): Dependable => ({
    ...dependable('started', record),
    conditions: ['started', 'fatal'],
  });
  assert.equal(judgeGate([either({ state: 'RUNNING' })]), null);
  assert.equal(judgeGate([either({ state: 'FATAL' })]), null);
  assert.equal(judgeGate([either({ state: 'BACKOFF' })])?.reason, 'waits for db to be started or FATAL');
});

test('a chain that is blocked names its root cause once, however long it is, and however many ways lead to it', () => {
  const after = (name: string, ...before: Dependable[]): Dependable =>
    dependable('started', { state: 'STOPPED' }, { name, hold: judgeGate(before) });
  const root = dependable('completed', { state: 'FATAL' }, { name: 'job' });
  const [left, right] = [after('left', root), after('right', root)];
  const chain = after('d', after('c', after('b', left, right)));
  assert.equal(judgeGate([chain])?.reason, 'cannot start: job must be completed and is FATAL (d depends on it)');
  assert.equal(
    judgeGate([left, right])?.reason,
    'cannot start: job must be completed and is FATAL (left, right depend on it)',
  );
});
