/** Settling: when garbage is collected, with a clock and a heap of the test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryPort, Settling } from '../../../src/supervisor/settling.ts';

const MB = 1024 * 1024;

class World {
  heap = 0;
  cpu = 0;
  collections = 0;
  #timers: Array<() => void> = [];
  readonly settling = new Settling({
    heapBytes: () => this.heap,
    cpuMs: () => this.cpu,
    collect: () => {
      this.collections += 1;
      this.heap = 5 * MB;
    },
    later: (due) => void this.#timers.push(due),
  });

  get pending(): number {
    return this.#timers.length;
  }

  /** Lets one quiet time pass, in which `activity` happens. */
  pass(activity: () => void = () => undefined): void {
    activity();
    for (const due of this.#timers.splice(0)) due();
  }
}

test('garbage is collected after a quiet time, and the timer ends', () => {
  const world = new World();
  assert.equal(world.pending, 0);
  world.heap = 20 * MB;
  world.settling.note();
  world.settling.note();
  assert.equal(world.pending, 1);
  // The second call came after the timer had begun.
  world.pass();
  assert.deepEqual([world.collections, world.pending], [0, 1]);
  world.pass();
  assert.deepEqual([world.collections, world.pending], [1, 0]);
});

test('a heap that has not grown is left alone', () => {
  const world = new World();
  world.heap = 20 * MB;
  world.settling.note();
  world.pass();
  assert.equal(world.collections, 1);
  world.heap += MB;
  world.settling.note();
  world.pass();
  assert.deepEqual([world.collections, world.pending], [1, 0]);
  world.heap += 2 * MB;
  world.settling.note();
  world.pass();
  assert.equal(world.collections, 2);
});

test('activity postpones it for a minute at most, and work for as long as it lasts', () => {
  const world = new World();
  world.heap = 20 * MB;
  world.settling.note();
  let passed = 0;
  for (; world.collections === 0; passed += 1) world.pass(() => world.settling.note());
  assert.equal(passed, 13);

  world.heap = 20 * MB;
  world.settling.note();
  for (let i = 0; i < 100; i += 1) world.pass(() => (world.cpu += 1000));
  assert.deepEqual([world.collections, world.pending], [1, 1]);
  world.pass();
  assert.deepEqual([world.collections, world.pending], [2, 0]);
});

test('the size of the heap is known without a free descriptor', (t) => {
  // process.memoryUsage() opens a file of /proc, and throws if no descriptor is free.
  t.mock.method(process, 'memoryUsage', () => {
    throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
  });
  let trims = 0;
  const lines: string[] = [];
  const port = memoryPort(
    () => void (trims += 1),
    (_level, text) => void lines.push(text),
  );
  assert.ok(port.heapBytes() > 0);
  port.collect();
  assert.equal(trims, 1);
  assert.match(lines.join(), /^collected garbage in a quiet time: [\d.]+ MB to [\d.]+ MB$/);
});
