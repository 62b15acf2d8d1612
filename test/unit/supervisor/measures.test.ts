/** Measurements for /metrics: shared, named by process, and one message if /proc is closed to us. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessView } from '../../../src/engine/process-table.ts';
import type { TreeUsage } from '../../../src/process/usage.ts';
import { Measures } from '../../../src/supervisor/measures.ts';
import type { UsageSample } from '../../../src/supervisor/usage-sampler.ts';

interface Scene {
  readonly measures: Measures;
  readonly reports: string[];
  readonly pids: Map<string, number | null>;
  /** The next sample, or its failure. */
  next: UsageSample | Error;
  reads: number;
  /** Pids of programs that were measured alone. */
  readonly asked: number[];
}

function tree(cpuMs: number): TreeUsage {
  const proc = { name: 'x', parent: 1, group: 1, session: 1, cpuMs, residentPages: 1, residentBytes: 10 };
  // Our own process, and a zombie that has a pid which nothing has.
  return {
    residentBytes: 20,
    cpuMs,
    processes: [
      { ...proc, pid: process.pid, isZombie: false },
      { ...proc, pid: 2 ** 22 + 1, isZombie: true },
    ],
  };
}

const sampleOf = (trees: ReadonlyArray<readonly [number, TreeUsage]>, ...hidden: readonly number[]): UsageSample => ({
  atMs: 0,
  pids: new Set([...trees.map(([pid]) => pid), ...hidden]),
  trees: new Map(trees),
});

function scene(): Scene {
  const pids = new Map<string, number | null>([['g:web', 7]]);
  const reports: string[] = [];
  const made: Omit<Scene, 'measures'> = {
    reports,
    pids,
    next: sampleOf([[7, tree(500)]]),
    reads: 0,
    asked: [],
  };
  const measures = new Measures({
    usage: {
      readSample: async () => {
        world.reads++;
        if (world.next instanceof Error) throw world.next;
        return world.next;
      },
    },
    readUsageOf: async (wanted) => {
      world.asked.push(...wanted);
      if (world.next instanceof Error) throw world.next;
      return world.next.trees;
    },
    process: (id) => ({ id, record: { pid: pids.get(id) ?? null } }) as unknown as ProcessView,
    processes: () => [...pids].map(([id, pid]) => ({ id, record: { pid } }) as unknown as ProcessView),
    channel: (id, stream) =>
      id === 'g:web' && stream === 'stdout' ? { counts: { lines: 1, bytes: 2, droppedLines: 3 } } : null,
    subscribe: () => undefined,
    onReaped: () => undefined,
    report: (level, text) => reports.push(`${level} ${text}`),
  });
  const world: Scene = Object.assign(made, { measures });
  return world;
}

test('a tree has memory, processes and descriptors, and its time counts', async () => {
  const world = scene();
  const trees = await world.measures.readTrees();
  const found = trees?.get('g:web');
  assert.equal(found?.residentBytes, 20);
  assert.equal(found.processes, 2);
  assert.ok((found.openFiles ?? 0) > 2, String(found.openFiles));
  assert.equal(world.measures.cpuSecondsOf('g:web'), 0.5);
  assert.deepEqual(world.measures.outputOf('g:web', 'stdout'), { lines: 1, bytes: 2, droppedLines: 3 });
  assert.equal(world.measures.outputOf('g:web', 'stderr'), null);
  assert.deepEqual(world.reports, []);
});

test('one program is measured alone, and its time never falls or counts twice', async () => {
  const world = scene();
  world.pids.set('g:off', null);
  const trees = await world.measures.readTreesOf(['g:web', 'g:off']);
  assert.deepEqual([...(trees?.keys() ?? [])], ['g:web']);
  assert.deepEqual([world.asked, world.reads], [[7], 0]);
  assert.equal(world.measures.cpuSecondsOf('g:web'), 0.5);
  for (const [cpuMs, isWhole] of [
    [900, true],
    [600, false],
    [900, true],
    [950, false],
  ] as const) {
    world.next = sampleOf([[7, tree(cpuMs)]]);
    await (isWhole ? world.measures.readTrees() : world.measures.readTreesOf(['g:web']));
  }
  assert.equal(world.measures.cpuSecondsOf('g:web'), 0.95);
  world.next = new Error('no children');
  assert.equal(await world.measures.readTreesOf(['g:web']), null, 'as without /proc');
});

test('scrapes at the same time share a measurement', async () => {
  const world = scene();
  const [first, second] = await Promise.all([world.measures.readTrees(), world.measures.readTrees()]);
  assert.equal(first, second);
  assert.equal(world.reads, 1);
});

test('a process that was started or has ended since the sample is left out', async () => {
  const world = scene();
  world.pids.set('g:web', null).set('g:new', 8);
  assert.deepEqual(await world.measures.readTrees(), new Map());
  assert.equal(world.measures.cpuSecondsOf('g:web'), 0);
  assert.deepEqual(world.reports, []);
});

test('without /proc there is nothing, and one message', async () => {
  const world = scene();
  world.next = Object.assign(new Error('x'), { code: 'ENOENT', errno: -2 });
  assert.equal(await world.measures.readTrees(), null);
  assert.equal(await world.measures.readTrees(), null);
  assert.deepEqual(world.reports, ['warn cannot measure programs for /metrics: no such file or directory (ENOENT)']);
});

test('hidepid: the visible programs are measured, and there is one message', async () => {
  const world = scene();
  world.pids.set('g:other', 9).set('g:third', 10);
  world.next = sampleOf([[7, tree(500)]], 9, 10);
  assert.deepEqual([...((await world.measures.readTrees())?.keys() ?? [])], ['g:web']);
  await world.measures.readTrees();
  assert.deepEqual(world.reports, [
    "warn cannot measure programs for /metrics: /proc does not show the process of 'g:other'",
  ]);
});
