/** Clients that wait for events, with a fake clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '../rpc/calls.ts';
import { EventWaits, MAX_WAITERS } from '../../../src/supervisor/event-waits.ts';

test('a wait ends with the client, and their number is limited', async () => {
  const client = new Client([{ name: 'web' }]);
  const waits = new EventWaits(client.api.history, client.clock);
  const after = client.api.history.latestSeq;
  const hangUp = new AbortController();
  const wait = { after, waitMs: 1000, signal: hangUp.signal };
  const all = Array.from({ length: MAX_WAITERS }, () => waits.wait(wait));
  assert.equal(waits.waiting, MAX_WAITERS);
  assert.equal(await waits.wait(wait), false);
  // Known events need no wait.
  assert.equal(await waits.wait({ ...wait, after: 0 }), true);
  hangUp.abort();
  assert.deepEqual(new Set(await Promise.all(all)), new Set([true]));
  assert.equal(waits.waiting, 0);
  assert.equal(await waits.wait(wait), true);
  assert.deepEqual(client.clock.pending, []);
});
