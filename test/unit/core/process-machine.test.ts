/**
 * The state machine of a process: every transition by rows, totality, and a seeded random walk that checks the
 * invariants.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isEndedForGood, step } from '../../../src/core/process-machine.ts';
import { sampleProgram } from '../../../build/sample-program.ts';
import {
  type Circumstances,
  initialRecord,
  type ProcessEffect,
  type ProcessInput,
  type ProcessPolicy,
  type ProcessRecord,
} from '../../../src/core/process-record.ts';
import { parseWaitStatus } from '../../../src/core/exit-status.ts';
import { policyOf } from '../../../src/engine/policy.ts';
import { processStateNames, type ProcessStateName, SIGNALLABLE_STATES } from '../../../src/core/states.ts';
import { BOOT } from '../../causes.ts';

const policy = policyOf(sampleProgram());
const circumstances: Circumstances = { hold: null, knownStartsMs: null, newRuns: [], chance: 0, mayRestart: true };
const exited = (code: number) => parseWaitStatus(code << 8);
const KILLED = parseWaitStatus(9);
const NOW = 100_000;

/** Returns a record in the middle of a state. */
function recordIn(state: ProcessStateName, change: Partial<ProcessRecord> = {}): ProcessRecord {
  const isUp = SIGNALLABLE_STATES.has(state) || state === 'UNKNOWN';
  const deadlines: Partial<Record<ProcessStateName, number>> = {
    STARTING: NOW + 500,
    BACKOFF: NOW + 500,
    STOPPING: NOW + 500,
  };
  return {
    ...initialRecord,
    state,
    run: 4,
    pid: isUp ? 77 : null,
    startedMs: isUp ? NOW - 500 : null,
    deadlineMs: deadlines[state] ?? null,
    ...change,
  };
}

/** Summarizes effects: the states and the orders. */
function summarize(effects: readonly ProcessEffect[]): string[] {
  return effects.map((effect) => {
    switch (effect.type) {
      case 'stateChanged':
        return `${effect.from}>${effect.to}`;
      case 'spawn':
        return `spawn ${effect.run}`;
      case 'signal':
        return `signal ${effect.signal}${effect.group ? ' group' : ''}`;
      case 'note':
        return effect.note.note;
      case 'factChanged':
        return `told ${effect.fact}`;
    }
  });
}

interface Row {
  readonly title: string;
  readonly from: ProcessRecord;
  readonly input: ProcessInput;
  readonly policy?: Partial<ProcessPolicy>;
  readonly circumstances?: Partial<Circumstances>;
  readonly to: ProcessStateName;
  readonly effects: readonly string[];
  readonly record?: Partial<ProcessRecord>;
}

const start: ProcessInput = { type: 'start', atMs: NOW, cause: BOOT };
const stop: ProcessInput = { type: 'stop', atMs: NOW, cause: BOOT };
const kill: ProcessInput = { type: 'kill', atMs: NOW, cause: BOOT };
const ADDRESSES = ['tcp://[::]:80', 'unix:///a'];
const awaitConnection: ProcessInput = { type: 'awaitConnection', atMs: NOW, cause: BOOT, addresses: ADDRESSES };
const elapsed = (atMs: number): ProcessInput => ({ type: 'elapsed', atMs });
const spawned: ProcessInput = { type: 'spawned', atMs: NOW, run: 4, pid: 78 };
const spawnFailed: ProcessInput = {
  type: 'spawnFailed',
  atMs: NOW,
  run: 4,
  reason: "can't find command 'x'",
  exitCode: 127,
};
const ended = (status = exited(0), atMs = NOW): ProcessInput => ({ type: 'exited', atMs, run: 4, status });
const unsignalled = (code: string): ProcessInput => ({ type: 'signalFailed', atMs: NOW, run: 4, code });

const LISTENING: Partial<ProcessRecord> = {
  hold: { kind: 'connection', addresses: ADDRESSES },
  heldCause: BOOT,
};

const rows: readonly Row[] = [
  // Waiting for a connection.
  {
    title: 'a process waits for its first connection',
    from: recordIn('STOPPED'),
    input: awaitConnection,
    to: 'STOPPED',
    effects: ['told held', 'held'],
    record: LISTENING,
  },
  {
    title: 'an exited process waits for the next one',
    from: recordIn('EXITED'),
    input: awaitConnection,
    to: 'EXITED',
    effects: ['told held', 'held'],
  },
  {
    title: 'a wait for a connection is told once',
    from: recordIn('STOPPED', LISTENING),
    input: awaitConnection,
    to: 'STOPPED',
    effects: [],
  },
  {
    title: 'a start that waits for dependencies is not put off',
    from: recordIn('STOPPED', { hold: { kind: 'waiting', dependencies: [] }, heldCause: BOOT }),
    input: awaitConnection,
    to: 'STOPPED',
    effects: [],
  },
  {
    title: 'nor is a restart that is due',
    from: recordIn('EXITED', { deadlineMs: NOW + 1 }),
    input: awaitConnection,
    to: 'EXITED',
    effects: [],
  },
  {
    title: 'a process that was given up does not wait',
    from: recordIn('FATAL'),
    input: awaitConnection,
    to: 'FATAL',
    effects: [],
  },
  {
    title: 'a change of dependencies does not end the wait for a connection',
    from: recordIn('STOPPED', LISTENING),
    input: { type: 'dependenciesChanged', atMs: NOW },
    to: 'STOPPED',
    effects: [],
    record: LISTENING,
  },
  {
    title: 'a start ends the wait',
    from: recordIn('STOPPED', LISTENING),
    input: start,
    to: 'STARTING',
    effects: ['STOPPED>STARTING', 'spawn 5'],
    record: { hold: null, heldCause: null },
  },
  {
    title: 'a stop ends the wait',
    from: recordIn('STOPPED', LISTENING),
    input: stop,
    to: 'STOPPED',
    effects: ['told held'],
    record: { hold: null, heldCause: null },
  },
  // Starting.
  {
    title: 'a stopped process starts with a new run',
    from: recordIn('STOPPED'),
    input: start,
    to: 'STARTING',
    effects: ['STOPPED>STARTING', 'spawn 5'],
    record: { run: 5, pid: null },
  },
  {
    title: 'an exited process can be started',
    from: recordIn('EXITED'),
    input: start,
    to: 'STARTING',
    effects: ['EXITED>STARTING', 'spawn 5'],
  },
  {
    title: 'a fatal process can be started',
    from: recordIn('FATAL'),
    input: start,
    to: 'STARTING',
    effects: ['FATAL>STARTING', 'spawn 5'],
  },
  {
    title: 'a start of a running process changes nothing',
    from: recordIn('RUNNING'),
    input: start,
    to: 'RUNNING',
    effects: [],
  },
  { title: 'a start in BACKOFF changes nothing', from: recordIn('BACKOFF'), input: start, to: 'BACKOFF', effects: [] },
  {
    title: 'a start while stopping changes nothing',
    from: recordIn('STOPPING'),
    input: start,
    to: 'STOPPING',
    effects: [],
  },
  {
    title: 'a spawned process waits for startsecs',
    from: recordIn('STARTING', { pid: null, deadlineMs: null }),
    input: spawned,
    to: 'STARTING',
    effects: ['spawned'],
    record: { pid: 78, deadlineMs: NOW + 1000, startedMs: NOW },
  },
  {
    title: 'startsecs=0 is RUNNING at once',
    from: recordIn('STARTING', { pid: null, deadlineMs: null }),
    input: spawned,
    policy: { startMs: 0 },
    to: 'RUNNING',
    effects: ['spawned', 'STARTING>RUNNING', 'success'],
    record: { pid: 78, deadlineMs: null },
  },
  {
    title: 'startsecs over: RUNNING, and the failures are forgotten',
    from: recordIn('STARTING', { failedStarts: 2 }),
    input: elapsed(NOW + 500),
    to: 'RUNNING',
    effects: ['STARTING>RUNNING', 'success'],
    record: { failedStarts: 0, deadlineMs: null },
  },
  {
    title: 'a deadline that is not due is dropped',
    from: recordIn('STARTING'),
    input: elapsed(NOW + 499),
    to: 'STARTING',
    effects: [],
  },
  // Failed starts.
  {
    title: 'exit within startsecs backs off',
    from: recordIn('STARTING'),
    input: ended(exited(1)),
    to: 'BACKOFF',
    effects: ['exited', 'STARTING>BACKOFF'],
    record: {
      pid: null,
      failedStarts: 1,
      deadlineMs: NOW + 1000,
      failure: { kind: 'exitedTooQuickly' },
    },
  },
  {
    title: 'an expected exit code within startsecs backs off too',
    from: recordIn('STARTING'),
    input: ended(exited(0)),
    to: 'BACKOFF',
    effects: ['exited', 'STARTING>BACKOFF'],
  },
  {
    title: 'the delay grows by a second a failure',
    from: recordIn('STARTING', { failedStarts: 2 }),
    input: ended(exited(1)),
    to: 'BACKOFF',
    effects: ['exited', 'STARTING>BACKOFF'],
    record: { failedStarts: 3, deadlineMs: NOW + 3000 },
  },
  {
    title: 'after startretries retries: FATAL, BACKOFF told first',
    from: recordIn('STARTING', { failedStarts: 3 }),
    input: ended(exited(1)),
    to: 'FATAL',
    effects: ['exited', 'STARTING>BACKOFF', 'gaveUp', 'BACKOFF>FATAL'],
    record: { failedStarts: 0, deadlineMs: null },
  },
  {
    title: 'startretries=0 gives up after the first',
    from: recordIn('STARTING'),
    input: ended(exited(1)),
    policy: { startRetries: 0 },
    to: 'FATAL',
    effects: ['exited', 'STARTING>BACKOFF', 'gaveUp', 'BACKOFF>FATAL'],
  },
  {
    title: 'a failed spawn backs off with its reason',
    from: recordIn('STARTING', { pid: null, deadlineMs: null }),
    input: spawnFailed,
    to: 'BACKOFF',
    effects: ['spawnError', 'STARTING>BACKOFF'],
    record: {
      failure: { kind: 'notExecuted', reason: "can't find command 'x'" },
      spawnExitCode: 127,
      deadlineMs: NOW + 1000,
    },
  },
  {
    title: 'a retry that is due spawns and keeps the count',
    from: recordIn('BACKOFF', { failedStarts: 2 }),
    input: elapsed(NOW + 500),
    to: 'STARTING',
    effects: ['BACKOFF>STARTING', 'spawn 5'],
    record: { failedStarts: 2 },
  },
  {
    title: 'an exit reaped after the deadline of startsecs counts as RUNNING',
    from: recordIn('STARTING', { deadlineMs: NOW - 1 }),
    input: ended(exited(0)),
    to: 'EXITED',
    effects: ['STARTING>RUNNING', 'success', 'exited', 'RUNNING>EXITED'],
  },
  // Ends.
  {
    title: 'autorestart=unexpected: an expected exit stays EXITED',
    from: recordIn('RUNNING', { startedMs: 0 }),
    input: ended(exited(0)),
    to: 'EXITED',
    effects: ['exited', 'RUNNING>EXITED'],
    record: { failure: null, deadlineMs: null },
  },
  {
    title: 'autorestart=unexpected: another exit code restarts at once',
    from: recordIn('RUNNING', { startedMs: 0 }),
    input: ended(exited(1)),
    to: 'STARTING',
    effects: ['exited', 'RUNNING>EXITED', 'EXITED>STARTING', 'spawn 5'],
  },
  {
    title: 'autorestart=unexpected: a signal restarts at once',
    from: recordIn('RUNNING', { startedMs: 0 }),
    input: ended(KILLED),
    to: 'STARTING',
    effects: ['exited', 'RUNNING>EXITED', 'EXITED>STARTING', 'spawn 5'],
  },
  {
    title: 'autorestart=true restarts an expected exit',
    from: recordIn('RUNNING', { startedMs: 0 }),
    input: ended(exited(0)),
    policy: { autorestart: 'true' },
    to: 'STARTING',
    effects: ['exited', 'RUNNING>EXITED', 'EXITED>STARTING', 'spawn 5'],
  },
  {
    title: 'autorestart=false never restarts',
    from: recordIn('RUNNING', { startedMs: 0 }),
    input: ended(exited(1)),
    policy: { autorestart: 'false' },
    to: 'EXITED',
    effects: ['exited', 'RUNNING>EXITED'],
    record: { failure: { kind: 'badExit', status: exited(1) } },
  },
  {
    title: 'compat: an end by signal is exit code -1',
    from: recordIn('RUNNING', { startedMs: 0 }),
    input: ended(KILLED),
    policy: { autorestart: 'false' },
    to: 'EXITED',
    effects: ['exited', 'RUNNING>EXITED'],
    record: { failure: { kind: 'badExit', status: KILLED } },
  },
  {
    title: 'no restart while the supervisor shuts down',
    from: recordIn('RUNNING', { startedMs: 0 }),
    input: ended(exited(1)),
    circumstances: { mayRestart: false },
    to: 'EXITED',
    effects: ['exited', 'RUNNING>EXITED'],
    record: { deadlineMs: null },
  },
  {
    title: 'a run shorter than a second starts again one second after it began',
    from: recordIn('RUNNING', { startedMs: NOW - 300 }),
    input: ended(exited(1)),
    policy: { startMs: 0 },
    to: 'EXITED',
    effects: ['exited', 'RUNNING>EXITED'],
    record: { deadlineMs: NOW + 700 },
  },
  {
    title: 'restartpause comes before any restart',
    from: recordIn('RUNNING', { startedMs: 0 }),
    input: ended(exited(1)),
    policy: { restarts: { ...policy.restarts, pauseMs: 5000 } },
    to: 'EXITED',
    effects: ['exited', 'RUNNING>EXITED'],
    record: { deadlineMs: NOW + 5000 },
  },
  {
    title: 'backoff_factor multiplies, and maxbackoff caps',
    from: recordIn('STARTING', { failedStarts: 2 }),
    input: ended(exited(1)),
    policy: { restarts: { ...policy.restarts, backoffFactor: 3, maxBackoffMs: 4000 } },
    to: 'BACKOFF',
    effects: ['exited', 'STARTING>BACKOFF'],
    record: { deadlineMs: NOW + 4000 },
  },
  {
    title: 'an automatic restart is counted',
    from: recordIn('RUNNING', { startedMs: 0, restartsMs: [NOW - 70_000, NOW - 10_000] }),
    input: ended(exited(1)),
    to: 'STARTING',
    effects: ['exited', 'RUNNING>EXITED', 'EXITED>STARTING', 'spawn 5'],
    record: { restartsMs: [NOW - 10_000, NOW] },
  },
  {
    title: 'max_restarts within the window: FATAL',
    from: recordIn('RUNNING', { startedMs: 0, restartsMs: [NOW - 10_000, NOW - 5000] }),
    input: ended(exited(1)),
    policy: { restarts: { ...policy.restarts, maxRestarts: 2 } },
    to: 'FATAL',
    effects: ['exited', 'RUNNING>EXITED', 'restartedTooOften', 'EXITED>FATAL'],
    record: { restartsMs: [], deadlineMs: null },
  },
  {
    title: 'a restart because of a changed file counts for no limit',
    from: recordIn('STOPPING', {
      startedMs: 0,
      isStartPending: true,
      stopCause: { kind: 'file', path: '/a', others: 0 },
      restartsMs: [NOW - 10_000],
    }),
    input: ended(exited(0)),
    policy: { restarts: { ...policy.restarts, maxRestarts: 1 } },
    to: 'STARTING',
    effects: ['stopped', 'STOPPING>STOPPED', 'STOPPED>STARTING', 'spawn 5'],
    record: { restartsMs: [NOW - 10_000], startCause: { kind: 'file', path: '/a', others: 0 } },
  },
  {
    title: 'max_restarts counts failed starts too',
    from: recordIn('STARTING', { restartsMs: [NOW - 5000] }),
    input: ended(exited(1)),
    policy: { startRetries: Infinity, restarts: { ...policy.restarts, maxRestarts: 1 } },
    to: 'FATAL',
    effects: ['exited', 'STARTING>BACKOFF', 'restartedTooOften', 'BACKOFF>FATAL'],
  },
  {
    title: 'a start by request forgets the restarts',
    from: recordIn('FATAL', { restartsMs: [NOW - 5000] }),
    input: start,
    to: 'STARTING',
    effects: ['FATAL>STARTING', 'spawn 5'],
    record: { restartsMs: [] },
  },
  {
    title: 'that restart, when due',
    from: recordIn('EXITED', { deadlineMs: NOW }),
    input: elapsed(NOW),
    to: 'STARTING',
    effects: ['EXITED>STARTING', 'spawn 5'],
  },
  {
    title: 'a restart of a program that is not executed yet changes nothing',
    from: recordIn('STARTING', { pid: null }),
    input: { type: 'restart', atMs: NOW, cause: { kind: 'file', path: '/a', others: 0 } },
    to: 'STARTING',
    effects: [],
    record: { isStartPending: false },
  },
  {
    title: 'a stop calls a due restart off',
    from: recordIn('EXITED', { deadlineMs: NOW + 5 }),
    input: stop,
    to: 'EXITED',
    effects: [],
    record: { deadlineMs: null },
  },
  {
    title: 'an end of an earlier run is dropped',
    from: recordIn('RUNNING', { run: 5 }),
    input: ended(exited(1)),
    to: 'RUNNING',
    effects: [],
  },
  // Stops.
  {
    title: 'stop sends stopsignal to the leader',
    from: recordIn('RUNNING'),
    input: stop,
    to: 'STOPPING',
    effects: ['RUNNING>STOPPING', 'signalling', 'signal 15'],
    record: { deadlineMs: NOW + 10_000, signalsSent: 1 },
  },
  {
    title: 'stopasgroup sends it to the group',
    from: recordIn('RUNNING'),
    input: stop,
    policy: { stopAsGroup: true, killAsGroup: true },
    to: 'STOPPING',
    effects: ['RUNNING>STOPPING', 'signalling', 'signal 15 group'],
  },
  {
    title: 'a forwarded signal comes before stopsignal, to the group with stopasgroup',
    from: recordIn('RUNNING'),
    input: { ...stop, signal: 3 },
    policy: { stopAsGroup: true },
    to: 'STOPPING',
    effects: ['RUNNING>STOPPING', 'signalling', 'signal 3 group'],
    record: { deadlineMs: NOW + 10_000, signalsSent: 0 },
  },
  {
    title: 'a forwarded signal that is the first of stopsignal is not sent twice',
    from: recordIn('STARTING'),
    input: { ...stop, signal: 15 },
    to: 'STOPPING',
    effects: ['STARTING>STOPPING', 'signalling', 'signal 15'],
    record: { deadlineMs: NOW + 10_000, signalsSent: 1 },
  },
  {
    title: 'after a forwarded signal, stop_command is still the first step',
    from: recordIn('RUNNING'),
    input: { ...stop, signal: 15 },
    policy: { hasStopCommand: true },
    to: 'STOPPING',
    effects: ['RUNNING>STOPPING', 'signalling', 'signal 15'],
    record: { signalsSent: 0 },
  },
  {
    title: 'a forwarded signal before the program is executed: the usual stop follows',
    from: recordIn('STARTING', { pid: null, deadlineMs: null }),
    input: { ...stop, signal: 3 },
    to: 'STOPPING',
    effects: ['STARTING>STOPPING'],
    record: { deadlineMs: null, signalsSent: 0 },
  },
  {
    title: 'a forwarded signal while stopping sends nothing',
    from: recordIn('STOPPING', { signalsSent: 1 }),
    input: { ...stop, signal: 3 },
    to: 'STOPPING',
    effects: [],
  },
  {
    title: 'stop while starting',
    from: recordIn('STARTING'),
    input: stop,
    to: 'STOPPING',
    effects: ['STARTING>STOPPING', 'signalling', 'signal 15'],
  },
  {
    title: 'compat: stop in BACKOFF is STOPPED without a signal',
    from: recordIn('BACKOFF'),
    input: stop,
    to: 'STOPPED',
    effects: ['BACKOFF>STOPPED'],
    record: { deadlineMs: null },
  },
  {
    title: 'stopwaitsecs over: SIGKILL',
    from: recordIn('STOPPING', { signalsSent: 1 }),
    input: elapsed(NOW + 500),
    to: 'STOPPING',
    effects: ['killing', 'signal 9'],
    record: { deadlineMs: NOW + 10_500 },
  },
  {
    title: 'SIGKILL goes to the group with killasgroup',
    from: recordIn('STOPPING', { signalsSent: 1 }),
    input: elapsed(NOW + 500),
    policy: { killAsGroup: true },
    to: 'STOPPING',
    effects: ['killing', 'signal 9 group'],
  },
  {
    title: 'compat: SIGKILL again each time the wait is over',
    from: recordIn('STOPPING', { signalsSent: 2 }),
    input: elapsed(NOW + 500),
    to: 'STOPPING',
    effects: ['killing', 'signal 9'],
    record: { signalsSent: 3 },
  },
  {
    title: 'a list of stop signals is gone through',
    from: recordIn('STOPPING', { signalsSent: 1 }),
    input: elapsed(NOW + 500),
    policy: { stopSignals: [15, 2] },
    to: 'STOPPING',
    effects: ['signalling', 'signal 2'],
  },
  {
    title: 'the time of stop_command is over: the first signal',
    from: recordIn('STOPPING', { signalsSent: 1 }),
    input: elapsed(NOW + 500),
    policy: { hasStopCommand: true },
    to: 'STOPPING',
    effects: ['signalling', 'signal 15'],
    record: { signalsSent: 2, deadlineMs: NOW + 10_500 },
  },
  {
    title: 'then SIGKILL',
    from: recordIn('STOPPING', { signalsSent: 2 }),
    input: elapsed(NOW + 500),
    policy: { hasStopCommand: true },
    to: 'STOPPING',
    effects: ['killing', 'signal 9'],
  },
  {
    title: 'stop_command has failed: the first signal at once',
    from: recordIn('STOPPING', { signalsSent: 1 }),
    input: { type: 'stopCommandFailed', atMs: NOW, run: 4 },
    policy: { hasStopCommand: true },
    to: 'STOPPING',
    effects: ['signalling', 'signal 15'],
    record: { signalsSent: 2 },
  },
  {
    title: 'stop_command fails after its time: nothing more',
    from: recordIn('STOPPING', { signalsSent: 2 }),
    input: { type: 'stopCommandFailed', atMs: NOW, run: 4 },
    policy: { hasStopCommand: true },
    to: 'STOPPING',
    effects: [],
  },
  {
    title: 'compat: stopsignal=KILL is the first signal: stopasgroup counts',
    from: recordIn('RUNNING'),
    input: stop,
    policy: { stopSignals: [9], killAsGroup: true },
    to: 'STOPPING',
    effects: ['RUNNING>STOPPING', 'signalling', 'signal 9'],
  },
  {
    title: 'an end while stopping is STOPPED',
    from: recordIn('STOPPING'),
    input: ended(parseWaitStatus(15)),
    to: 'STOPPED',
    effects: ['stopped', 'STOPPING>STOPPED'],
    record: { pid: null, endedMs: NOW, deadlineMs: null },
  },
  { title: 'a second stop changes nothing', from: recordIn('STOPPING'), input: stop, to: 'STOPPING', effects: [] },
  {
    title: 'kill while stopping is SIGKILL at once',
    from: recordIn('STOPPING', { signalsSent: 1 }),
    input: kill,
    to: 'STOPPING',
    effects: ['killing', 'signal 9'],
  },
  {
    title: 'kill while running is SIGKILL at once',
    from: recordIn('RUNNING'),
    input: kill,
    to: 'STOPPING',
    effects: ['RUNNING>STOPPING', 'killing', 'signal 9'],
  },
  {
    title: 'no such process any more: wait for the reaper',
    from: recordIn('STOPPING'),
    input: unsignalled('ESRCH'),
    to: 'STOPPING',
    effects: [],
  },
  {
    title: 'no permission to signal it: UNKNOWN',
    from: recordIn('STOPPING'),
    input: unsignalled('EPERM'),
    to: 'UNKNOWN',
    effects: ['unsignallable', 'STOPPING>UNKNOWN'],
    record: { pid: 77 },
  },
  {
    title: 'an end in UNKNOWN is STOPPED',
    from: recordIn('UNKNOWN'),
    input: ended(),
    to: 'STOPPED',
    effects: ['stopped', 'UNKNOWN>STOPPED'],
  },
  {
    title: 'a stop between spawn and spawned waits for the pid',
    from: recordIn('STARTING', { pid: null, deadlineMs: null }),
    input: stop,
    to: 'STOPPING',
    effects: ['STARTING>STOPPING'],
  },
  {
    title: 'and signals it then',
    from: recordIn('STOPPING', { pid: null, deadlineMs: null }),
    input: spawned,
    to: 'STOPPING',
    effects: ['spawned', 'signalling', 'signal 15'],
    record: { pid: 78 },
  },
  {
    title: 'a failed spawn while stopping is STOPPED',
    from: recordIn('STOPPING', { pid: null, deadlineMs: null }),
    input: spawnFailed,
    to: 'STOPPED',
    effects: ['STOPPING>STOPPED'],
  },
];

describe('the table', () => {
  for (const row of rows) {
    test(row.title, () => {
      const { record, effects } = step(
        row.from,
        row.input,
        { ...policy, ...row.policy },
        { ...circumstances, ...row.circumstances },
      );
      assert.equal(record.state, row.to);
      assert.deepEqual(summarize(effects), row.effects);
      assert.deepEqual({ ...record, ...row.record }, record);
    });
  }
});

test('starts after the first RUNNING count as restarts, failed starts before do not; the last exit is kept', () => {
  const fixed = { ...policy, autorestart: 'true' as const };
  let record = initialRecord;
  const take = (input: ProcessInput): void => void (record = step(record, input, fixed, circumstances).record);
  const run = (untilMs: number, code: number): void => {
    take({ type: 'spawned', atMs: untilMs - 100, run: record.run, pid: 5 });
    take({ type: 'exited', atMs: untilMs, run: record.run, status: exited(code) });
  };
  take({ type: 'start', atMs: 0, cause: BOOT });
  run(200, 1);
  take({ type: 'elapsed', atMs: 60_000 });
  assert.deepEqual([record.run, record.restarts, record.wasUp, record.lastExit], [2, 0, false, exited(1)]);
  take({ type: 'spawned', atMs: 60_000, run: 2, pid: 6 });
  take({ type: 'elapsed', atMs: 70_000 });
  take({ type: 'exited', atMs: 80_000, run: 2, status: exited(2) });
  assert.deepEqual(
    [record.state, record.run, record.restarts, record.wasUp, record.exit, record.lastExit],
    ['STARTING', 3, 1, true, null, exited(2)],
  );
});

test('a process has ended for good if nothing will start it', () => {
  assert.equal(isEndedForGood(recordIn('FATAL')), true);
  assert.equal(isEndedForGood(recordIn('EXITED')), true);
  assert.equal(isEndedForGood(recordIn('EXITED', { deadlineMs: NOW })), false);
  assert.equal(isEndedForGood(recordIn('STOPPED')), false);
});

const inputs: readonly ProcessInput[] = [
  start,
  stop,
  kill,
  spawned,
  spawnFailed,
  ended(),
  ended(exited(1)),
  ended(KILLED),
  elapsed(NOW + 1e6),
  unsignalled('ESRCH'),
  unsignalled('EPERM'),
];

test('every state accepts every input', () => {
  for (const state of processStateNames) {
    for (const input of inputs) {
      const { record, effects } = step(recordIn(state), input, policy, circumstances);
      assert.ok(processStateNames.includes(record.state), `${state} × ${input.type}`);
      assert.ok(Array.isArray(effects));
    }
  }
});

/** Returns a small seeded generator (mulberry32), so that a failure can be reproduced. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

test('random walks keep the invariants, and a stop and an exit lead from any state to a stopped one', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seeded(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const walked: ProcessPolicy = {
      ...policy,
      startMs: pick([0, 1000]),
      startRetries: pick([0, 2, Infinity]),
      autorestart: pick(['true', 'false', 'unexpected']),
      stopSignals: pick([[15], [15, 2], [9]]),
      hasStopCommand: random() < 0.3,
    };
    const around = { ...circumstances, mayRestart: random() > 0.1 };
    let record = initialRecord;
    let now = 0;
    let last: ProcessStateName = 'STOPPED';
    const apply = (input: ProcessInput): void => {
      const outcome = step(record, input, walked, around);
      record = outcome.record;
      for (const effect of outcome.effects) {
        if (effect.type === 'stateChanged') {
          assert.equal(effect.from, last, `seed ${seed}: each change goes on from the one before`);
          last = effect.to;
        }
        if (effect.type === 'signal')
          assert.equal(effect.pid, record.pid, `seed ${seed}: signals go to the pid of the record`);
      }
      assert.equal(record.state, last);
      if (record.pid !== null)
        assert.ok(
          SIGNALLABLE_STATES.has(record.state) || record.state === 'UNKNOWN',
          `seed ${seed}: pid in ${record.state}`,
        );
      const spawn = outcome.effects.at(-1);
      if (spawn?.type === 'spawn') {
        const { run } = spawn;
        apply(
          random() < 0.8
            ? { type: 'spawned', atMs: now, run, pid: 1000 + run }
            : { type: 'spawnFailed', atMs: now, run, reason: 'no', exitCode: 126 },
        );
      }
    };
    for (let turn = 0; turn < 60; turn++) {
      now += Math.floor(random() * 1500);
      const { run } = record;
      apply(
        pick<ProcessInput>([
          { type: 'start', atMs: now, cause: BOOT },
          { type: 'stop', atMs: now, cause: BOOT },
          { type: 'kill', atMs: now, cause: BOOT },
          { type: 'elapsed', atMs: now },
          { type: 'elapsed', atMs: now },
          ...(record.pid === null
            ? []
            : [{ type: 'exited' as const, atMs: now, run, status: pick([exited(0), exited(1), KILLED]) }]),
          { type: 'exited', atMs: now, run: run - 1, status: exited(0) },
          { type: 'signalFailed', atMs: now, run, code: pick(['ESRCH', 'EPERM']) },
        ]),
      );
    }
    apply({ type: 'stop', atMs: now, cause: BOOT });
    if (record.pid !== null) apply({ type: 'exited', atMs: now, run: record.run, status: exited(0) });
    assert.ok(['STOPPED', 'EXITED', 'FATAL'].includes(record.state), `seed ${seed}: at rest in ${record.state}`);
    assert.equal(record.deadlineMs, null, `seed ${seed}: nothing is due at rest`);
  }
});
