/** The fields of the supervisor's own lines: every note of the process machine, and the state that each line has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cause } from '../../src/core/cause.ts';
import type { LogFields } from '../../src/core/log-fields.ts';
import { initialRecord, type ProcessNote, type ProcessRecord } from '../../src/core/process-record.ts';
import { formatFatal, formatNote, formatReapedUnknown, formatSignalMeaning } from '../../src/engine/messages.ts';
import { fieldsOfNote } from '../../src/engine/note-fields.ts';
import { exitWith, World } from './world.ts';

const CLIENT: Cause = {
  kind: 'request',
  method: 'supervisor.stopProcess',
  client: { door: 'unix', user: null, peer: 'uid 0, pid 77' },
};
const ASKED = 'supervisor.stopProcess of a client (uid 0, pid 77)';
const EXIT = { kind: 'exited', code: 3 } as const;
const KILL = { kind: 'signaled', signal: 9, core: false } as const;
const NAME = { group: 'site', process: 'web' };

/** A note with its record, and the fields besides group and process. */
type Case = readonly [note: ProcessNote, record: Partial<ProcessRecord>, fields: LogFields];

const CASES: { readonly [N in ProcessNote['note']]: readonly Case[] } = {
  spawned: [
    [
      { note: 'spawned', pid: 7 },
      { state: 'STARTING', startCause: { kind: 'boot' } },
      { event: 'spawned', pid: 7, state: 'STARTING', cause: 'autostart' },
    ],
  ],
  spawnError: [
    [
      { note: 'spawnError', reason: 'no file' },
      { state: 'BACKOFF', startCause: CLIENT },
      { event: 'spawn_failed', state: 'BACKOFF', cause: ASKED },
    ],
  ],
  success: [
    [
      { note: 'success', startMs: 1000 },
      { state: 'RUNNING', pid: 7 },
      { event: 'running', pid: 7, state: 'RUNNING' },
    ],
  ],
  exited: [
    [
      { note: 'exited', status: EXIT, expected: false },
      { state: 'EXITED', exit: EXIT, endedMs: 0 },
      { event: 'exited', pid: 5, state: 'EXITED', exit_code: 3, expected: false },
    ],
    [
      { note: 'exited', status: KILL, expected: false },
      { state: 'BACKOFF', exit: KILL, endedMs: 50, sentSignal: { signal: 9, atMs: 0, cause: CLIENT } },
      { event: 'exited', pid: 5, state: 'BACKOFF', signal: 'SIGKILL', expected: false, cause: ASKED },
    ],
  ],
  stopped: [
    [
      { note: 'stopped', status: KILL },
      { state: 'STOPPED', exit: KILL, stopCause: CLIENT },
      { event: 'stopped', pid: 5, state: 'STOPPED', signal: 'SIGKILL', cause: ASKED },
    ],
    [{ note: 'stopped', status: null }, { state: 'STOPPED' }, { event: 'stopped', pid: 5, state: 'STOPPED' }],
  ],
  gaveUp: [[{ note: 'gaveUp' }, { state: 'FATAL' }, { event: 'gave_up', pid: 5, state: 'FATAL' }]],
  restartedTooOften: [
    [
      { note: 'restartedTooOften', failure: { kind: 'restartedTooOften', maxRestarts: 5, windowMs: 60_000 } },
      { state: 'FATAL' },
      { event: 'gave_up', pid: 5, state: 'FATAL' },
    ],
  ],
  following: [
    [
      { note: 'following', cause: { kind: 'dependency', names: ['db'], request: null } },
      { state: 'STOPPING', pid: 7 },
      { event: 'restarting', pid: 7, state: 'STOPPING', cause: 'db has a new run (depends_on)' },
    ],
  ],
  notReady: [
    [
      { note: 'notReady', failure: { kind: 'notReady', limitMs: 2000 } },
      { state: 'STOPPING', pid: 7 },
      { event: 'not_ready', pid: 7, state: 'STOPPING' },
    ],
  ],
  held: [
    [
      { note: 'held', hold: { kind: 'waiting', dependencies: [{ name: 'db', conditions: ['ready'] }] } },
      { heldCause: { kind: 'boot' } },
      { event: 'held', state: 'STOPPED', cause: 'autostart' },
    ],
  ],
  ready: [[{ note: 'ready' }, { state: 'RUNNING', pid: 7 }, { event: 'ready', pid: 7, state: 'RUNNING' }]],
  signalling: [
    [
      { note: 'signalling', pid: 7, signal: 15 },
      { state: 'STOPPING', pid: 7, stopCause: CLIENT },
      { event: 'signalling', pid: 7, state: 'STOPPING', signal: 'SIGTERM', cause: ASKED },
    ],
  ],
  killing: [
    [
      { note: 'killing', pid: 7 },
      { state: 'STOPPING', pid: 7, stopCause: CLIENT },
      { event: 'killing', pid: 7, state: 'STOPPING', signal: 'SIGKILL', cause: ASKED },
    ],
  ],
  unsignallable: [
    [
      { note: 'unsignallable', pid: 7, code: 'EPERM' },
      { state: 'UNKNOWN', pid: 7 },
      { event: 'signal_failed', pid: 7, state: 'UNKNOWN' },
    ],
  ],
};

test('every note has an event, the process and its state', () => {
  for (const [note, change, expected] of Object.values(CASES).flat()) {
    const record = { ...initialRecord, ...change };
    const hasEnded = ['exited', 'stopped', 'gaveUp', 'restartedTooOften'].includes(note.note);
    const proc = { group: 'site', name: 'web', record, pidBefore: hasEnded ? 5 : null };
    assert.deepEqual(fieldsOfNote(note, proc), { ...NAME, ...expected }, note.note);
    assert.ok(formatNote('web', note)[1].length > 0);
  }
});

test('lines that are not about a note', () => {
  assert.deepEqual(formatFatal({ group: 'site', name: 'web' }, null)[2], { event: 'fatal', ...NAME, state: 'FATAL' });
  assert.deepEqual(formatReapedUnknown(9, EXIT)[2], { event: 'reaped', pid: 9, exit_code: 3 });
  for (const meaning of ['shutdown', 'reload', 'reopen', 'none'] as const)
    assert.deepEqual(formatSignalMeaning(1, meaning)[2], { event: 'signal_received', signal: 'SIGHUP' });
});

/** The events of a world, with the fields that differ from line to line. */
function eventsOf(world: World): string[] {
  return world.fields.map(({ event, pid, state, exit_code: code, signal, cause }) =>
    [event, pid, state, code, signal, cause].filter((value) => value !== undefined).join(' '),
  );
}

test('a crash, its restart and a stop: each line has the state and the cause of its time', () => {
  const world = new World([{ name: 'web', startsecs: 1, autorestart: 'true' }]);
  world.engine.start();
  world.clock.advance(2000);
  world.end(exitWith(3), 'web');
  world.clock.advance(2000);
  world.engine.restartProcess(world.id('web'), { kind: 'memory', bytes: 2 ** 21, limitBytes: 2 ** 20 });
  world.end(15, 'web');
  world.clock.advance(2000);
  world.engine.request(world.id('web'), 'stop', CLIENT);
  world.clock.advance(10_000);
  world.end(9, 'web');
  const memory = 'uses 2 MB, more than max_memory (1 MB)';
  assert.deepEqual(eventsOf(world), [
    'spawned 100 STARTING autostart',
    'running 100 RUNNING',
    'exited 100 EXITED 3',
    'spawned 101 STARTING autorestart',
    'running 101 RUNNING',
    `restarting RUNNING ${memory}`,
    `signalling 101 STOPPING SIGTERM ${memory}`,
    `stopped 101 STOPPED SIGTERM ${memory}`,
    `spawned 102 STARTING ${memory}`,
    'running 102 RUNNING',
    `signalling 102 STOPPING SIGTERM ${ASKED}`,
    `killing 102 STOPPING SIGKILL ${ASKED}`,
    `stopped 102 STOPPED SIGKILL ${ASKED}`,
  ]);
  for (const fields of world.fields) assert.deepEqual([fields.group, fields.process], ['web', 'web']);
});

test('failed starts, readiness, dependencies and signals', () => {
  const world = new World([
    { name: 'bad', startretries: 0, spawnError: { reason: 'no file', exitCode: 127 } },
    { name: 'db', notification_fd: 3 },
    { name: 'app', needs: { db: 'ready' } },
  ]);
  world.engine.start();
  world.clock.advance(2000);
  world.engine.reportReady(world.id('db'), 1);
  world.signalError = 'EPERM';
  world.engine.request(world.id('app'), 'stop', CLIENT);
  const of = (name: string): string[] =>
    world.fields.filter(({ process: other }) => other === name).map(({ event, state }) => `${event} ${state}`);
  assert.deepEqual(of('bad'), ['spawn_failed BACKOFF', 'gave_up FATAL', 'fatal FATAL']);
  assert.deepEqual(of('db'), ['spawned STARTING', 'running RUNNING', 'ready RUNNING']);
  assert.deepEqual(of('app'), ['held STOPPED', 'spawned STARTING', 'signalling STOPPING', 'signal_failed UNKNOWN']);
});
