/** The wait for processes of the container that are not below us, with a process tree and a clock by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitForOutsiders } from '../../src/process/outsiders.ts';
import type { TreeEntry } from '../../src/process/process-tree.ts';

const entry = (pid: number, parent: number, more: Partial<TreeEntry> = {}): TreeEntry => ({
  pid,
  parent,
  name: 'sleep',
  group: pid,
  session: pid,
  cpuMs: 0,
  isZombie: false,
  residentPages: 1,
  ...more,
});
/** tini, the supervisor, a program of it with a child, and an orphan that has come to it. */
const FAMILY = [entry(1, 0), entry(7, 1), entry(8, 7), entry(9, 8), entry(10, 7)];

interface World {
  entries: TreeEntry[] | null;
  isOver: boolean;
  looks: number;
  hurry: () => void;
  listeners: number;
  /** Lets so much time pass, look by look. */
  pass(ms: number): Promise<void>;
}

/** A limit whose method needs its object, as that of the budget does. */
class Limit {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  onChange(listener: () => void): () => void {
    this.#world.hurry = listener;
    this.#world.listeners += 1;
    return () => (this.#world.listeners -= 1);
  }
}

function begin(entries: TreeEntry[] | null, foreign: readonly number[] = []): World {
  let nowMs = 5000;
  let alarm: { atMs: number; wake: () => void } | null = null;
  const world: World = {
    entries,
    isOver: false,
    looks: 0,
    hurry: () => undefined,
    listeners: 0,
    async pass(ms) {
      const endMs = nowMs + ms;
      for (let due = alarm; due !== null && due.atMs <= endMs; due = alarm) {
        nowMs = due.atMs;
        alarm = null;
        due.wake();
      }
      nowMs = endMs;
      await new Promise(setImmediate);
    },
  };
  void waitForOutsiders(
    {
      pid: 7,
      isInside: (pid) => !foreign.includes(pid),
      readProcesses: () => {
        world.looks += 1;
        return world.entries;
      },
      clock: {
        nowMs: () => nowMs,
        alarm: (atMs, wake) => {
          alarm = { atMs, wake };
          return () => (alarm = null);
        },
      },
    },
    new Limit(world),
  ).then(() => (world.isOver = true));
  return world;
}

test('without an outsider there is no wait', async () => {
  for (const [entries, foreign] of [
    [FAMILY, []],
    [null, []],
    [[...FAMILY, entry(20, 0, { isZombie: true })], []],
    [[...FAMILY, entry(20, 0)], [20]],
    [[...FAMILY, entry(2, 0, { name: 'kthreadd' }), entry(3, 2, { name: 'kworker/0:0' })], []],
  ] as const) {
    const world = begin(entries === null ? null : [...entries], foreign);
    await world.pass(0);
    assert.deepEqual([world.isOver, world.looks, world.listeners], [true, 1, 0], JSON.stringify(entries));
  }
});

test('an outsider is waited for until it has ended, also one below a shell of its own or beside us', async () => {
  for (const outsiders of [[entry(20, 0)], [entry(20, 0), entry(21, 20)], [entry(20, 1)]]) {
    const world = begin([...FAMILY, ...outsiders]);
    await world.pass(300);
    assert.equal(world.isOver, false);
    world.entries = FAMILY;
    await world.pass(20);
    assert.deepEqual([world.isOver, world.listeners], [true, 0]);
  }
});

test('one that stays is waited for a second, and not longer than there is time', async () => {
  const world = begin([...FAMILY, entry(20, 0)]);
  await world.pass(980);
  assert.equal(world.isOver, false);
  await world.pass(20);
  assert.equal(world.isOver, true);
  const hurried = begin([...FAMILY, entry(20, 0)]);
  hurried.hurry();
  await hurried.pass(0);
  assert.equal(hurried.isOver, true);
  const { looks } = hurried;
  await hurried.pass(500);
  assert.equal(hurried.looks, looks);
});
