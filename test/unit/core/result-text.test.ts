/** The words for results of actions, and for updates. compat: the lines are those of supervisorctl. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faults } from '../../../src/core/faults.ts';
import { type ActionResult, formatActionResult, isSatisfied } from '../../../src/core/result-text.ts';
import {
  formatGroupPlans,
  formatNotifications,
  formatSettings,
  hasChanges,
  type PlannedGroup,
  updateSteps,
} from '../../../src/core/update-text.ts';

const result = (status: number, more: Partial<ActionResult> = {}): ActionResult => ({
  group: 'pool',
  name: 'a',
  status,
  description: 'FAILED: cannot stop',
  reason: null,
  ...more,
});

test('a result is a line with the name and the word or the error', () => {
  assert.equal(formatActionResult(result(faults.SUCCESS), 'started'), 'pool:a: started');
  assert.equal(formatActionResult(result(faults.SUCCESS, { name: 'pool' }), 'stopped'), 'pool: stopped');
  assert.equal(formatActionResult(result(faults.NOT_RUNNING), 'signalled'), 'pool:a: ERROR (not running)');
  assert.equal(formatActionResult(result(faults.SPAWN_ERROR), 'started'), 'pool:a: ERROR (spawn error)');
  const held = result(faults.SPAWN_ERROR, { reason: 'it waits for db' });
  assert.equal(formatActionResult(held, 'started'), 'pool:a: ERROR (it waits for db)');
  assert.equal(formatActionResult(result(faults.FAILED), 'stopped'), 'FAILED: cannot stop');
  assert.equal(formatActionResult(result(faults.FAILED), 'cleared'), 'pool:a: ERROR (failed)');
  assert.equal(formatActionResult(result(faults.FAILED), 'started'), null);
});

test('a process that is as wanted already is no failure', () => {
  assert.equal(isSatisfied(result(faults.ALREADY_STARTED), 'started'), true);
  assert.equal(isSatisfied(result(faults.NOT_RUNNING), 'stopped'), true);
  assert.equal(isSatisfied(result(faults.NOT_RUNNING), 'signalled'), false);
  assert.equal(isSatisfied(result(faults.SUCCESS), 'cleared'), true);
});

test('a dry run has a line for each group and each process', () => {
  const changes = { added: ['new'], changed: ['pool', 'whole', 'unknown'], removed: ['old'] };
  const plans = new Map<string, PlannedGroup>([
    ['pool', { stopped: ['a'], restarted: ['b'], started: ['c'], changed: ['pool'] }],
    ['whole', 'whole'],
  ]);
  assert.deepEqual(formatGroupPlans(changes, plans), [
    'old: would be stopped and removed',
    'pool: would be updated',
    '  pool:a would be stopped',
    '  pool:b would be restarted',
    '  pool:c would be started',
    '  pool would change without a restart',
    'whole: would be updated',
    '  all its processes would be stopped and started',
    'unknown: would be updated',
    'new: would be added',
  ]);
  const none = { added: [], changed: [], removed: [] };
  assert.deepEqual(formatGroupPlans(none, new Map()), ['No config updates to processes']);
  assert.deepEqual([hasChanges(none), hasChanges(changes)], [false, true]);
});

test('settings and notifications have lines of their own', () => {
  assert.deepEqual(formatSettings({ live: [], pending: [] }, true), []);
  assert.deepEqual(formatSettings({ live: ['a', 'b'], pending: ['c'] }, true), [
    '[supervisord]: a, b would be updated',
    'not applied: c; use onevisor reload, which restarts all programs',
  ]);
  assert.deepEqual(formatSettings({ live: ['a'], pending: [] }, false), ['[supervisord]: a updated']);
  const changes = { added: ['x'], changed: ['y'], removed: ['z'] };
  assert.deepEqual(formatNotifications(changes, false), ['notify:z: removed', 'notify:y: updated', 'notify:x: added']);
  assert.deepEqual(formatNotifications({ ...changes, added: [], removed: [] }, true), ['notify:y: would be updated']);
});

test('the steps of an update are those of supervisorctl', () => {
  assert.deepEqual(
    [
      updateSteps.stopped('g'),
      updateSteps.notRemoved('g'),
      updateSteps.removed('g'),
      updateSteps.updated('g'),
      updateSteps.added('g'),
      updateSteps.refused('g', 'port in use'),
    ],
    [
      'g: stopped',
      'g: has problems; not removing',
      'g: removed process group',
      'g: updated process group',
      'g: added process group',
      'g: ERROR (port in use)',
    ],
  );
});
