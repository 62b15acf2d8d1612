/** Conditions of depends_on in each state of the dependency: met, waiting, or stuck, with the texts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DependencyFacts, findHold, formatHold } from '../../../src/core/start-hold.ts';
import { parseWaitStatus } from '../../../src/core/exit-status.ts';
import { type Condition, initialRecord, type ProcessRecord } from '../../../src/core/process-record.ts';

const WELL = parseWaitStatus(0);
const BADLY = parseWaitStatus(3 << 8);
const FATAL_ROOT = {
  name: 'x',
  conditions: ['started'],
  state: 'FATAL',
  isUnhealthy: false,
  exit: null,
  blocks: [],
} as const;

const rows: ReadonlyArray<
  readonly [
    condition: Condition,
    record: Partial<ProcessRecord> | null,
    more: Partial<DependencyFacts>,
    judged: string | null,
  ]
> = [
  ['started', { state: 'RUNNING' }, {}, null],
  ['started', { state: 'STARTING' }, {}, 'waits for db to be started'],
  ['started', { state: 'BACKOFF' }, {}, 'waits for db to be started'],
  ['started', { state: 'STOPPED' }, {}, 'cannot start: db must be started and is STOPPED'],
  ['started', { state: 'STOPPED' }, { isScheduled: true }, 'waits for db to be started'],
  ['started', { state: 'STOPPED' }, { hold: { kind: 'waiting', dependencies: [] } }, 'waits for db to be started'],
  [
    'started',
    { state: 'STOPPED' },
    { hold: { kind: 'stuck', roots: [FATAL_ROOT] } },
    'cannot start: x must be started and is FATAL (db depends on it)',
  ],
  ['started', { state: 'STOPPING' }, {}, 'cannot start: db must be started and is STOPPING'],
  ['started', { state: 'STOPPING', isStartPending: true }, {}, 'waits for db to be started'],
  ['started', { state: 'FATAL' }, {}, 'cannot start: db must be started and is FATAL'],
  ['started', { state: 'UNKNOWN' }, {}, 'cannot start: db must be started and is UNKNOWN'],
  ['started', { state: 'EXITED', exit: WELL }, {}, 'cannot start: db must be started and is EXITED (exit status 0)'],
  ['started', { state: 'EXITED', exit: WELL }, { isOneshot: true }, null],
  ['started', { state: 'EXITED', exit: BADLY, deadlineMs: 5 }, {}, 'waits for db to be started'],
  [
    'started',
    { state: 'EXITED', exit: parseWaitStatus(9) },
    {},
    'cannot start: db must be started and is EXITED (terminated by SIGKILL)',
  ],
  ['started', null, {}, 'cannot start: db must be started and is not configured any more'],
  ['ready', { state: 'RUNNING' }, {}, null],
  ['ready', { state: 'RUNNING' }, { reportsReadiness: true }, 'waits for db to be ready'],
  ['ready', { state: 'RUNNING', isReady: true }, { reportsReadiness: true }, null],
  ['ready', { state: 'EXITED', exit: WELL }, { isOneshot: true, reportsReadiness: true }, null],
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
  ['stopped', { state: 'STOPPED', run: 0 }, {}, 'cannot start: db must be stopped and was not started yet'],
];

const dependable = (
  condition: Condition,
  record: Partial<ProcessRecord> | null,
  more: Partial<DependencyFacts> = {},
): DependencyFacts => ({
  name: 'db',
  conditions: [condition],
  record: record === null ? null : { ...initialRecord, ...record },
  exitCodes: [0],
  isOneshot: false,
  reportsReadiness: false,
  isScheduled: false,
  hold: null,
  ...more,
});

/** Formats the hold. */
function words(dependencies: readonly DependencyFacts[]): string | null {
  const hold = findHold(dependencies);
  return hold === null ? null : formatHold(hold);
}

for (const [condition, record, more, judged] of rows) {
  test(`${condition}: ${JSON.stringify(record)} ${JSON.stringify(more)}`, () => {
    assert.equal(words([dependable(condition, record, more)]), judged);
    assert.equal(
      findHold([dependable(condition, record, more)])?.kind ?? null,
      judged && (judged.startsWith('waits') ? 'waiting' : 'stuck'),
    );
  });
}

test('all unmet dependencies are named; a stuck one outweighs waiting ones', () => {
  assert.equal(findHold([]), null);
  const waiting = [
    dependable('started', { state: 'STARTING' }),
    dependable('started', { state: 'RUNNING' }),
    dependable('healthy', { state: 'RUNNING' }, { name: 'cache' }),
  ];
  assert.equal(words(waiting), 'waits for db to be started, cache to be healthy');
  assert.deepEqual(findHold([...waiting, dependable('completed', { state: 'FATAL' }, { name: 'job' })]), {
    kind: 'stuck',
    roots: [{ ...FATAL_ROOT, name: 'job', conditions: ['completed'] }],
  });
});

test('one of several conditions is enough', () => {
  const either = (record: Partial<ProcessRecord>): DependencyFacts => ({
    ...dependable('started', record),
    conditions: ['started', 'fatal'],
  });
  assert.equal(findHold([either({ state: 'RUNNING' })]), null);
  assert.equal(findHold([either({ state: 'FATAL' })]), null);
  assert.equal(words([either({ state: 'BACKOFF' })]), 'waits for db to be started or FATAL');
});

test('a blocked chain names its root cause once, whatever its length and the number of paths', () => {
  const after = (name: string, ...before: DependencyFacts[]): DependencyFacts =>
    dependable('started', { state: 'STOPPED' }, { name, hold: findHold(before) });
  const root = dependable('completed', { state: 'FATAL' }, { name: 'job' });
  const [left, right] = [after('left', root), after('right', root)];
  const chain = after('d', after('c', after('b', left, right)));
  assert.equal(words([chain]), 'cannot start: job must be completed and is FATAL (d depends on it)');
  assert.equal(words([left, right]), 'cannot start: job must be completed and is FATAL (left, right depend on it)');
});

test('a wait for a connection', () => {
  assert.equal(
    formatHold({ kind: 'connection', addresses: ['tcp://[::]:80', 'unix:///a'] }),
    'waits for a connection to tcp://[::]:80 or unix:///a',
  );
});
