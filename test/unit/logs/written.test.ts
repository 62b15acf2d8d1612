/** The wait for log files: for all of them, for some time, and for a client that is still there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitForFiles } from '../../../src/logs/written.ts';
import { FakeClock } from './fakes.ts';

/** A queue that is passed by hand. */
class Queue {
  readonly waiting = new Set<() => void>();
  afterQueue(passed: () => void): () => void {
    this.waiting.add(passed);
    return () => void this.waiting.delete(passed);
  }
  pass(): void {
    for (const passed of this.waiting) passed();
  }
}

interface World {
  readonly queues: readonly [Queue, Queue];
  readonly clock: FakeClock;
  readonly client: AbortController;
  readonly isOver: () => boolean;
}

function begin(): World {
  const queues = [new Queue(), new Queue()] as const;
  const clock = new FakeClock();
  const client = new AbortController();
  let isOver = false;
  const outputs = [{ fileQueues: [queues[0]] }, {}, { fileQueues: [queues[1]] }];
  void waitForFiles(outputs, { clock, limitMs: 1000, signal: client.signal }).then(() => (isOver = true));
  return { queues, clock, client, isOver: () => isOver };
}

/** Checks that a wait is over, and that nothing is left of it. */
async function assertOver({ queues, isOver }: World): Promise<void> {
  await Promise.resolve();
  assert.equal(isOver(), true);
  assert.deepEqual(
    queues.map(({ waiting }) => waiting.size),
    [0, 0],
  );
}

test('all queues are waited for', async () => {
  const world = begin();
  world.queues[0].pass();
  await Promise.resolve();
  assert.equal(world.isOver(), false);
  world.queues[1].pass();
  await assertOver(world);
});

test('a queue that does not move is waited for no longer than the limit', async () => {
  const world = begin();
  world.clock.advance(999);
  await Promise.resolve();
  assert.equal(world.isOver(), false);
  world.clock.advance(1);
  await assertOver(world);
});

test('a client that has gone ends the wait, also before it began', async () => {
  const world = begin();
  world.client.abort();
  await assertOver(world);
  const gone = AbortSignal.abort();
  await waitForFiles([{ fileQueues: [new Queue()] }], { clock: new FakeClock(), limitMs: 1000, signal: gone });
});

test('without files there is nothing to wait for', async () => {
  await waitForFiles([{}], { clock: new FakeClock(), limitMs: 1000, signal: new AbortController().signal });
});
