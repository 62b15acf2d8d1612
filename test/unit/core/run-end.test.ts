import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { initialRecord, type ProcessRecord } from '../../../src/core/process-record.ts';
import { endOf, endReasons, formatEnd, isPlannedEnd, reasonOfEnd } from '../../../src/core/run-end.ts';
import { REQUEST, SIGTERM, UNHEALTHY } from '../../causes.ts';

const exited = (code: number): ProcessRecord => ({
  ...initialRecord,
  exit: { kind: 'exited', code },
  endedMs: 20_000,
});
const killed = (signal: number): ProcessRecord => ({
  ...initialRecord,
  exit: { kind: 'signaled', signal, core: false },
  endedMs: 20_000,
});
const sent = (signal: number, atMs: number): Partial<ProcessRecord> => ({
  sentSignal: { signal, atMs, cause: REQUEST },
});
const AFTER_SIGNAL = 'after a signal: test.method of a client (uid 0, pid 77)';

interface Row {
  readonly record: ProcessRecord;
  readonly text: string;
  readonly reason: (typeof endReasons)[number];
  readonly isOutOfMemory?: boolean;
}

const rows: readonly Row[] = [
  { record: exited(0), text: 'exit status 0', reason: 'expected' },
  { record: exited(3), text: 'exit status 3', reason: 'exit' },
  { record: killed(11), text: 'terminated by SIGSEGV', reason: 'signal' },
  { record: killed(9), text: 'out of memory (killed by the kernel)', reason: 'oom', isOutOfMemory: true },
  {
    record: { ...killed(15), stopCause: REQUEST },
    text: 'terminated by SIGTERM, stopped: test.method of a client (uid 0, pid 77)',
    reason: 'stopped',
  },
  {
    record: { ...killed(15), stopCause: { kind: 'shutdown', goal: 'exit', cause: SIGTERM } },
    text: 'terminated by SIGTERM, stopped: shutdown of the supervisor: received SIGTERM',
    reason: 'stopped',
  },
  {
    record: { ...exited(1), stopCause: UNHEALTHY },
    text: 'exit status 1, stopped: unhealthy: no answer',
    reason: 'health',
  },
  {
    record: { ...exited(0), stopCause: { kind: 'memory', bytes: 2, limitBytes: 1 } },
    text: 'exit status 0, stopped: uses 0.1 MB, more than max_memory (0.1 MB)',
    reason: 'memory',
  },
  {
    record: { ...exited(0), stopCause: { kind: 'watchdog', limitMs: null } },
    text: 'exit status 0, stopped: it sent WATCHDOG=trigger',
    reason: 'watchdog',
  },
  {
    record: { ...killed(9), sentSignal: { signal: 9, atMs: 0, cause: { kind: 'protocol' } } },
    text: 'terminated by SIGKILL, after a signal: it broke the protocol of event listeners',
    reason: 'protocol',
  },
  {
    record: { ...killed(15), stopCause: { kind: 'dependency', names: ['db'], request: null } },
    text: 'terminated by SIGTERM, stopped: db has a new run (depends_on)',
    reason: 'dependency',
  },
  {
    record: { ...killed(15), stopCause: { kind: 'notReady', limitMs: 2000 } },
    text: 'terminated by SIGTERM, stopped: not ready within 2 seconds (ready_timeout)',
    reason: 'not_ready',
  },
  {
    record: { ...initialRecord, failure: { kind: 'notExecuted', reason: "can't find command 'x'" } },
    text: "not started: can't find command 'x'",
    reason: 'not_started',
  },
  { record: initialRecord, text: 'not started: it was stopped before', reason: 'not_started' },
];

describe('an end has an outcome, a cause and a reason', () => {
  for (const { record, text, reason, isOutOfMemory } of rows)
    test(text, () => {
      const end = endOf(record, [0], isOutOfMemory ?? false);
      assert.deepEqual([formatEnd(end), reasonOfEnd(end)], [text, reason]);
      assert.equal(isPlannedEnd(end), ['expected', 'stopped', 'dependency'].includes(reason));
    });

  test('every reason has a row', () => {
    assert.deepEqual([...new Set(rows.map(({ reason }) => reason))].toSorted(), endReasons.toSorted());
  });
});

describe('a signal of a client explains an exit', () => {
  const explained: ReadonlyArray<readonly [title: string, record: ProcessRecord, isExplained: boolean]> = [
    ['by that signal, however late', { ...killed(10), ...sent(10, 0) }, true],
    ['by another signal', { ...killed(11), ...sent(15, 19_000) }, false],
    ['with a code soon after SIGTERM', { ...exited(0), ...sent(15, 19_000) }, true],
    ['with a code long after SIGTERM', { ...exited(0), ...sent(15, 9_000) }, false],
    ['with a code after SIGHUP, which reloads', { ...exited(0), ...sent(1, 19_900) }, false],
    ['of a program that was stopped', { ...killed(15), ...sent(15, 19_000), stopCause: UNHEALTHY }, false],
  ];
  for (const [title, record, isExplained] of explained)
    test(title, () => assert.equal(formatEnd(endOf(record, [0], false)).includes(AFTER_SIGNAL), isExplained));
});
