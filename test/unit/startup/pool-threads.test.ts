/** Number of threads in Node's pool. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_TRIED_THREADS, poolThreads } from '../../../src/startup/pool-threads.ts';

test('the usual number if allowed, at least one, and a quarter of a low limit', () => {
  assert.deepEqual([MAX_TRIED_THREADS, 31, 16, 8, 7, 1, 0].map(poolThreads), [8, 7, 4, 2, 1, 1, 0]);
});
