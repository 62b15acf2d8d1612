import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemoryLimits } from '../../../src/supervisor/memory-limits.ts';
import type { TreeUsage } from '../../../src/process/usage.ts';
import { MonitorWorld } from './monitor-world.ts';

const MB = 1024 * 1024;
const INTERVAL_MS = 10_000;

/** Other measures of memory. */
interface Memory {
  /** Bytes with shared pages divided, by pid; null: the read hangs. */
  readonly shared: Map<number, number | null>;
  /** Bytes of control groups, by pid. */
  readonly groups: Map<number, number>;
  /** Limits that no control group keeps, by program. */
  readonly substitutes: Map<string, number>;
}

/** Creates programs with limits in MB, by name; none is up. `sizes`: memory by pid. */
function begin(programs: Readonly<Record<string, number | null>>): {
  world: MonitorWorld;
  limits: MemoryLimits;
  sizes: Map<number, number>;
  memory: Memory;
  looks: number[][];
  look: () => Promise<void>;
  fail: (error: Error | null) => void;
} {
  const world = new MonitorWorld();
  const sizes = new Map<number, number>();
  const memory: Memory = { shared: new Map(), groups: new Map(), substitutes: new Map() };
  const looks: number[][] = [];
  let failure: Error | null = null;
  const limits = new MemoryLimits({
    engine: world.engine,
    clock: world.clock,
    report: world.report,
    cgroups: {
      membersOf: () => null,
      memoryOf: (pid) => memory.groups.get(pid) ?? null,
      substituteOf: (id) => memory.substitutes.get(id) ?? null,
    },
    readProportionalBytes: ([pid = 0]) => {
      const bytes = memory.shared.get(pid);
      return bytes === undefined || bytes === null ? new Promise(() => undefined) : Promise.resolve(bytes);
    },
    readUsage: async (pids) => {
      looks.push([...pids]);
      await nextTurn();
      if (failure !== null) throw failure;
      return new Map(
        [...sizes].map(([pid, residentBytes]) => [
          pid,
          { residentBytes, cpuMs: 0, processes: memory.shared.has(pid) ? [processOf(pid), processOf(pid + 1)] : [] },
        ]),
      );
    },
  });
  for (const [name, limit] of Object.entries(programs))
    world.configure(name, { max_memory: limit === null ? null : limit * MB });
  limits.begin();
  const look = async (): Promise<void> => {
    world.clock.advance(INTERVAL_MS);
    for (let turn = 0; turn < 5; turn++) await nextTurn();
  };
  return {
    world,
    limits,
    sizes,
    memory,
    looks,
    look,
    fail: (error) => {
      failure = error;
    },
  };
}

test('a program above its limit is restarted, and is measured again afterwards', async () => {
  const { world, limits, sizes, looks, look } = begin({ hog: 300, small: 300, free: null });
  for (const name of ['hog', 'small', 'free']) {
    limits.observe(world.become(name, 'STARTING'));
    limits.observe(world.become(name, 'RUNNING', { pid: name.length }));
  }
  sizes
    .set(3, 300 * MB)
    .set(5, 300 * MB)
    .set(4, 999 * MB);
  await look();
  assert.deepEqual([world.asked, looks], [[], [[3, 5]]]);
  sizes.set(3, 300 * MB + 4096);
  await look();
  assert.deepEqual(world.asked, ['hog uses 300.1 MB, more than max_memory (300 MB)']);
  limits.observe(world.become('hog', 'STOPPING'));
  limits.observe(world.become('hog', 'STOPPED'));
  limits.observe(world.become('hog', 'STARTING', { pid: 33 }));
  sizes.set(33, 5 * MB);
  await look();
  assert.deepEqual([world.asked.length, looks.at(-1), world.log], [1, [5, 33], []]);
});

function processOf(pid: number): TreeUsage['processes'][number] {
  return {
    pid,
    parent: 1,
    isZombie: false,
    name: 'x',
    group: pid,
    session: pid,
    cpuMs: 0,
    residentPages: 1,
    residentBytes: MB,
  };
}

test('shared pages count once, and are looked at only above the limit', async () => {
  const { world, limits, sizes, memory, look } = begin({ forks: 100, hangs: 100 });
  limits.observe(world.become('forks', 'RUNNING', { pid: 7 }));
  sizes.set(7, 300 * MB);
  memory.shared.set(7, 90 * MB);
  await look();
  assert.deepEqual(world.asked, []);
  memory.shared.set(7, 101 * MB);
  await look();
  assert.deepEqual(world.asked, ['forks uses 101 MB, more than max_memory (100 MB)']);
  // A read that hangs counts as shared pages that are not known, and no other read is begun.
  limits.observe(world.become('hangs', 'RUNNING', { pid: 9 }));
  sizes.delete(7);
  sizes.set(7, 5 * MB).set(9, 200 * MB);
  memory.shared.set(9, null);
  await look();
  assert.equal(world.asked.length, 1);
  world.clock.advance(5000);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  assert.deepEqual(world.asked.slice(1), ['hangs uses 200 MB, more than max_memory (100 MB)']);
  await look();
  assert.equal(world.asked.length, 3);
});

test('the memory of a control group, and a limit that no group keeps', async () => {
  const { world, limits, sizes, memory, look } = begin({ grouped: 100, free: null });
  memory.substitutes.set('free', 50 * MB);
  limits.observe(world.become('grouped', 'RUNNING', { pid: 7 }));
  limits.observe(world.become('free', 'RUNNING', { pid: 9 }));
  sizes.set(7, 300 * MB).set(9, 51 * MB);
  memory.groups.set(7, 99 * MB);
  await look();
  assert.deepEqual(world.asked, ['free uses 51 MB, more than max_memory (50 MB)']);
});

test('an alarm is set only while a program with a limit is up', async () => {
  const { world, limits, look } = begin({ a: 1, free: null });
  limits.observe(world.become('free', 'RUNNING'));
  assert.deepEqual(world.clock.pending, []);
  limits.observe(world.become('a', 'STARTING'));
  world.clock.advance(1000);
  limits.observe(world.become('a', 'RUNNING'));
  assert.deepEqual(world.clock.pending, [9000]);
  await look();
  assert.deepEqual(world.clock.pending, [INTERVAL_MS]);
  limits.observe(world.become('a', 'EXITED'));
  assert.deepEqual(world.clock.pending, []);
});

test('no check begins while one is running, and its result is dropped after the end', async () => {
  const { world, limits, sizes, looks } = begin({ a: 1, b: 1 });
  limits.observe(world.become('a', 'RUNNING', { pid: 7 }));
  sizes.set(7, 2 * MB);
  world.clock.advance(INTERVAL_MS);
  limits.observe(world.become('b', 'RUNNING'));
  assert.deepEqual(world.clock.pending, []);
  limits.close();
  await nextTurn();
  await nextTurn();
  assert.deepEqual([world.asked, world.clock.pending, looks.length], [[], [], 1]);
});

test('another run, or another limit, is not judged by an older measurement', async () => {
  const { world, limits, sizes } = begin({ again: 1, raised: 1, lifted: 1 });
  for (const [index, name] of ['again', 'raised', 'lifted'].entries()) {
    limits.observe(world.become(name, 'RUNNING', { pid: index }));
    sizes.set(index, 2 * MB);
  }
  world.clock.advance(INTERVAL_MS);
  limits.observe(world.become('again', 'STARTING'));
  limits.observe(world.configure('raised', { max_memory: 3 * MB }));
  limits.observe(world.configure('lifted', {}));
  await nextTurn();
  await nextTurn();
  assert.deepEqual(world.asked, []);
});

test('a failed check is reported once, and repeated', async () => {
  const { world, limits, sizes, look, fail } = begin({ a: 1 });
  limits.observe(world.become('a', 'RUNNING', { pid: 7 }));
  fail(Object.assign(new Error('no'), { code: 'ENOENT', errno: -2 }));
  await look();
  await look();
  assert.deepEqual(world.log, ['warn cannot check max_memory: no such file or directory (ENOENT)']);
  fail(null);
  await look();
  await look();
  assert.deepEqual(world.log.slice(1), ["warn cannot check max_memory of 'a': its process is not visible in /proc"]);
  sizes.set(7, 2 * MB);
  await look();
  assert.deepEqual(world.asked, ['a uses 2 MB, more than max_memory (1 MB)']);
});
