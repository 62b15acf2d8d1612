/** The rule of restarts that follow dependencies. test/engine/follow.test.ts has the whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BEFORE_FIRST_RUN,
  findNewRuns,
  type FollowedDependency,
  isAboutToFollow,
} from '../../../src/core/dependency-restart.ts';

const SAME: FollowedDependency = {
  id: 'db:db',
  name: 'db',
  startedMs: 5,
  knownStartMs: 5,
  isFirstRun: false,
  isMet: true,
  isAwaited: false,
  isAboutToRestart: false,
};
const NEW: FollowedDependency = { ...SAME, startedMs: 7 };
const COMING: FollowedDependency = { ...SAME, name: 'cache', isMet: false, isAwaited: true };

test('a restart needs a new run that meets the condition', () => {
  assert.deepEqual(findNewRuns([]), []);
  assert.deepEqual(findNewRuns([SAME]), []);
  assert.deepEqual(findNewRuns([NEW, SAME, NEW]), ['db']);
  assert.deepEqual(findNewRuns([{ ...NEW, isMet: false }]), []);
  assert.deepEqual(findNewRuns([{ ...NEW, knownStartMs: null }]), [], 'it was not followed when the run began');
  assert.deepEqual(findNewRuns([{ ...NEW, isFirstRun: true }]), ['db'], 'it was removed and added again');
  const added = { ...NEW, knownStartMs: BEFORE_FIRST_RUN };
  assert.deepEqual(findNewRuns([{ ...added, isFirstRun: true }]), [], 'its first run was to come');
  assert.deepEqual(findNewRuns([added]), ['db']);
});

test('a restart waits for others that are about to have a new run', () => {
  assert.deepEqual(findNewRuns([NEW, COMING]), []);
  assert.deepEqual(findNewRuns([NEW, { ...SAME, isAboutToRestart: true }]), []);
  assert.deepEqual(
    findNewRuns([NEW, { ...COMING, isAwaited: false }]),
    ['db'],
    'one that cannot be met is not awaited',
  );
});

test('a process is about to be restarted if one of its dependencies is new, awaited, or about to be restarted', () => {
  assert.deepEqual(
    [[], [SAME], [NEW], [COMING], [{ ...SAME, isAboutToRestart: true }]].map((followed) => isAboutToFollow(followed)),
    [false, false, true, true, true],
  );
});
