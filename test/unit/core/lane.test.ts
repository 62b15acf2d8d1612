/** Work that waits in line for its turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lane } from '../../../src/core/lane.ts';

/** Lets all promises that can settle do so. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('work runs in the order of its calls, so much at a time, also after a failure', async () => {
  const lane = new Lane(1);
  const begun: string[] = [];
  const first = Promise.withResolvers<string>();
  const failed = assert.rejects(
    lane.run(() => first.promise),
    /no disk/,
  );
  const second = lane.run(() => Promise.resolve(begun.push('second')));
  const third = lane.run(() => Promise.resolve(begun.push('third')));
  await settled();
  assert.deepEqual([lane.isFull, begun], [true, []]);
  first.reject(new Error('no disk'));
  await Promise.all([failed, second, third]);
  assert.deepEqual([lane.isFull, begun], [false, ['second', 'third']]);
});

test('work whose client leaves before its turn does not run, and keeps no place', async () => {
  const lane = new Lane(1);
  const [present, leaving] = [new AbortController(), new AbortController()];
  const first = Promise.withResolvers<string>();
  const one = lane.run(() => first.promise, present.signal);
  const left = Array.from({ length: 3 }, () =>
    assert.rejects(
      lane.run(() => assert.fail('it runs'), leaving.signal),
      /has left/,
    ),
  );
  const last = lane.run(() => Promise.resolve('last'), present.signal);
  leaving.abort(new Error('has left'));
  await Promise.all(left);
  await assert.rejects(
    lane.run(() => assert.fail('it runs'), leaving.signal),
    /has left/,
  );
  first.resolve('first');
  assert.deepEqual(await Promise.all([one, last]), ['first', 'last']);
  present.abort();
  assert.equal(lane.isFull, false);
  assert.equal(await lane.run(() => Promise.resolve('later')), 'later');
});
