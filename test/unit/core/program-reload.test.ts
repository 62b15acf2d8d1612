/** Reloads of programs: when they are possible, and their texts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeEvent } from '../../../src/core/history-text.ts';
import {
  formatReload,
  formatReloadWay,
  refuseReload,
  reloadWayOf,
  type ReloadWay,
} from '../../../src/core/program-reload.ts';
import { processStateNames } from '../../../src/core/states.ts';
import { REQUEST } from '../../causes.ts';

const HUP: ReloadWay = { kind: 'signal', signal: 1 };
const COMMAND: ReloadWay = { kind: 'command' };

test('the way of a program follows from its options', () => {
  assert.equal(reloadWayOf({ reload_signal: null, reload_command: null }), null);
  assert.deepEqual(reloadWayOf({ reload_signal: 1, reload_command: null }), HUP);
  assert.deepEqual(reloadWayOf({ reload_signal: null, reload_command: 'x' }), COMMAND);
});

test('a process without a way, one that does not run, and one whose command runs are refused', () => {
  assert.match(refuseReload(null, 'RUNNING', false) ?? '', /^neither reload_signal nor reload_command is set; /);
  const accepted = processStateNames.filter((state) => refuseReload(HUP, state, false) === null);
  assert.deepEqual(accepted, ['STARTING', 'RUNNING']);
  assert.equal(refuseReload(HUP, 'BACKOFF', false), 'it is not running (BACKOFF)');
  assert.equal(refuseReload(COMMAND, 'RUNNING', true), 'its reload_command runs already');
});

test('the texts of results, also in the history', () => {
  assert.deepEqual([HUP, COMMAND].map(formatReloadWay), ['SIGHUP', 'reload_command']);
  assert.equal(formatReload({ way: HUP, failure: null }), 'reloaded by SIGHUP');
  const result = { way: COMMAND, failure: 'reload_command failed (exit status 3)' };
  const event = { seq: 1, atMs: 0, kind: 'reload', id: 'web:web', cause: REQUEST, result } as const;
  assert.equal(
    describeEvent(event),
    'reload failed: reload_command failed (exit status 3): test.method of a client (uid 0, pid 77)',
  );
});
