/** The sampler, with a fake clock and fake measurements: how often it reads, and the shares that it calculates. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessView } from '../../../src/engine/process-table.ts';
import type { TreeUsage } from '../../../src/process/usage.ts';
import { UsageSampler } from '../../../src/supervisor/usage-sampler.ts';
import { FakeClock } from '../../engine/world.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Measures a program with pid 7 that uses half of a processor. */
function scene(): {
  clock: FakeClock;
  sampler: UsageSampler;
  reads: number[];
  cpuOf: Map<number, number>;
  some: number[][];
} {
  const clock = new FakeClock();
  const reads: number[] = [];
  /** The pids of each measurement of some programs. */
  const some: number[][] = [];
  const cpuOf = new Map<number, number>();
  const views = [
    { id: 'g:web', record: { pid: 7 } },
    { id: 'g:new', record: { pid: 8 } },
    { id: 'g:gone', record: { pid: 9 } },
    { id: 'g:down', record: { pid: null } },
  ] as unknown as ProcessView[];
  const tree = (cpuMs: number): TreeUsage => ({ residentBytes: 4096, cpuMs, processes: [] });
  const sampler = new UsageSampler({
    clock,
    processes: () => views,
    process: (id) => views.find((view) => view.id === id) ?? null,
    readUsageOf: async (pids) => {
      some.push([...pids]);
      return new Map(pids.filter((pid) => pid === 7).map((pid) => [pid, tree(clock.nowMs() / 2)]));
    },
    readUsage: async (pids) => {
      assert.deepEqual(pids, [7, 8, 9]);
      reads.push(clock.nowMs());
      const trees = new Map([[7, tree(cpuOf.get(7) ?? clock.nowMs() / 2)]]);
      if (reads.length > 1) trees.set(8, tree(0));
      return trees;
    },
  });
  return { clock, sampler, reads, cpuOf, some };
}

test('the first client waits for two samples, and others share them for a second', async () => {
  const { clock, sampler, reads } = scene();
  const first = sampler.read();
  const second = sampler.read();
  await nextTurn();
  clock.advance(500);
  const usages = await first;
  assert.deepEqual(usages.get('g:web'), { residentBytes: 4096, cpuMs: 750, cpuPercent: 50, processes: [] });
  assert.equal(usages.get('g:new')?.cpuPercent, null, 'it was not there before');
  assert.deepEqual([...usages.keys()], ['g:web', 'g:new']);
  assert.deepEqual(await second, usages);
  clock.advance(1000);
  await sampler.read();
  assert.equal(reads.length, 2);
  clock.advance(500);
  assert.equal((await sampler.read()).get('g:web')?.cpuPercent, 50);
  assert.equal(reads.length, 3);
});

test('an old sample is not compared with, and a sum that falls is no negative share', async () => {
  const { clock, sampler, reads, cpuOf } = scene();
  const first = sampler.read();
  await nextTurn();
  clock.advance(500);
  await first;
  clock.advance(60_000);
  const later = sampler.read();
  await nextTurn();
  cpuOf.set(7, 1);
  clock.advance(500);
  assert.equal((await later).get('g:web')?.cpuPercent, 0);
  assert.equal(reads.length, 4);
});

test('a failure is told to the client, and the next one tries again', async () => {
  let isBroken = true;
  const clock = new FakeClock();
  const sampler = new UsageSampler({
    clock,
    processes: () => [],
    process: () => null,
    readUsageOf: async () => new Map(),
    readUsage: async () => {
      if (isBroken) throw new Error('no /proc');
      return new Map();
    },
  });
  await assert.rejects(sampler.read(), /no \/proc/);
  isBroken = false;
  const next = sampler.read();
  await nextTurn();
  clock.advance(500);
  assert.equal((await next).size, 0);
});

test('a sample needs no wait, is shared for a second, and is no base for a share that is too old', async () => {
  const { clock, sampler, reads } = scene();
  const [first, second] = await Promise.all([sampler.readSample(), sampler.readSample()]);
  assert.equal(first, second);
  assert.deepEqual([...first.pids], [7, 8, 9]);
  clock.advance(1000);
  assert.equal(await sampler.readSample(), first);
  assert.equal(reads.length, 1);
  clock.advance(60_000);
  assert.notEqual(await sampler.readSample(), first);
  assert.equal(reads.length, 2);
  // The minute between the samples is no last second: a client for shares waits for another sample.
  const usages = sampler.read();
  await nextTurn();
  assert.equal(reads.length, 2);
  clock.advance(500);
  assert.equal((await usages).get('g:web')?.cpuPercent, 50);
  assert.equal(reads.length, 3);
});

test('some programs are measured alone, twice for a share', async () => {
  const { clock, sampler, reads, some } = scene();
  const usages = sampler.readOf(['g:web', 'g:gone', 'g:down', 'g:unknown']);
  await nextTurn();
  clock.advance(500);
  assert.deepEqual(
    [...(await usages)],
    [['g:web', { residentBytes: 4096, cpuMs: 750, cpuPercent: 50, processes: [] }]],
  );
  assert.deepEqual(some, [
    [7, 9],
    [7, 9],
  ]);
  assert.deepEqual(reads, []);
  assert.equal((await sampler.readOf(['g:down'])).size, 0);
});

test('some programs share the samples of clients that ask for all', async () => {
  const { clock, sampler, some } = scene();
  const all = sampler.read();
  await nextTurn();
  clock.advance(500);
  await all;
  assert.equal((await sampler.readOf(['g:web'])).get('g:web')?.cpuPercent, 50);
  assert.deepEqual(some, [], 'the latest sample is fresh');
  clock.advance(2000);
  assert.equal((await sampler.readOf(['g:web'])).get('g:web')?.cpuPercent, 50);
  assert.deepEqual(some, [[7]], 'it is still good to compare with');
});

test('where the kernel lists no children, some programs are measured with all', async () => {
  const { clock, reads } = scene();
  const views = [{ id: 'g:web', record: { pid: 7 } }] as unknown as ProcessView[];
  const tree: TreeUsage = { residentBytes: 1, cpuMs: 0, processes: [] };
  const sampler = new UsageSampler({
    clock,
    processes: () => views,
    process: () => views[0] ?? null,
    readUsage: async () => new Map([[7, tree]]),
    readUsageOf: () => Promise.reject(new Error('no children')),
  });
  const usages = sampler.readOf(['g:web']);
  await nextTurn();
  await nextTurn();
  clock.advance(500);
  assert.equal((await usages).get('g:web')?.residentBytes, 1);
  assert.deepEqual(reads, []);
});
