/**
 * The end of all remaining processes: with a fake process tree, as an ordinary supervisor, and as PID 1 of a namespace.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { Reaped } from '../../src/native/addon.ts';
import { descendantsOf, readProcesses } from '../../src/process/process-tree.ts';
import type { ProcessEntry } from '../../src/process/process-tree.ts';
import type { ReapListener } from '../../src/process/reaper.ts';
import { sweep } from '../../src/process/sweep.ts';

const run = promisify(execFile);
const scene = join(import.meta.dirname, 'sweep-scene.ts');
const namespaces =
  spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0
    ? false
    : 'no right to make a pid namespace';

interface Result {
  readonly pid: number;
  readonly survivors: readonly number[];
  readonly left: number;
  readonly tookMs: number;
}

async function play(command: readonly string[], termMs: number, ...names: string[]): Promise<Result> {
  const [file = '', ...args] = [...command, process.execPath, scene, String(termMs), ...names];
  return JSON.parse((await run(file, args)).stdout) as Result;
}

for (const [name, command, skip] of [
  ['as an ordinary supervisor', ['env'], false],
  ['as PID 1', ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'], namespaces],
] as const) {
  describe(name, { skip }, () => {
    // A wait for the whole grace period of a minute would be visible in the time.
    test('it finishes as soon as no process remains', async () => {
      const { pid, survivors, left, tookMs } = await play(
        command,
        60_000,
        'obedient',
        'obedient',
        'stopped',
        'orphan',
        'family',
      );
      assert.deepEqual({ survivors, left }, { survivors: [], left: 0 });
      assert.equal(pid === 1, command[0] === 'unshare');
      assert.ok(tookMs < 30_000, `${tookMs} ms`);
    });

    test('a process that ignores TERM is killed after the grace period', async () => {
      const { survivors, left, tookMs } = await play(command, 200, 'stubborn', 'obedient');
      assert.deepEqual({ survivors, left }, { survivors: [], left: 0 });
      assert.ok(tookMs >= 200 && tookMs < 30_000, `${tookMs} ms`);
    });

    test('without processes it takes no time', async () => {
      const { survivors, tookMs } = await play(command, 60_000);
      assert.deepEqual(survivors, []);
      assert.ok(tookMs < 30_000);
    });
  });
}

describe('with a fake tree', () => {
  interface World {
    readonly sent: string[];
    readonly alarms: Array<() => void>;
    entries: ProcessEntry[] | null;
    end(...pids: number[]): void;
    result: readonly number[] | null;
    listeners: Set<ReapListener>;
    /** Reports that there is less time; null without a listener. */
    hurry: (() => void) | null;
  }
  const TERM_AND_CONT = ['-1 15', '-1 18'];

  function begin(
    pid: number,
    entries: ProcessEntry[] | null,
    kill: (pid: number, signal: number) => number = () => 0,
  ): World {
    const world: World = {
      sent: [],
      alarms: [],
      entries,
      result: null,
      listeners: new Set(),
      hurry: null,
      end(...pids) {
        world.entries = world.entries?.filter((entry) => !pids.includes(entry.pid)) ?? null;
        const batch: Reaped[] = pids.map((ended) => ({ pid: ended, status: 0, cpuMs: 0 }));
        for (const listener of world.listeners) listener(batch);
      },
    };
    void sweep(
      {
        pid,
        addon: {
          kill: (to, signal) => {
            if (signal !== 0) world.sent.push(`${to} ${signal}`);
            return kill(to, signal);
          },
        },
        reaper: {
          drain: () => undefined,
          subscribe: (listener) => {
            world.listeners.add(listener);
            return () => world.listeners.delete(listener);
          },
        },
        clock: {
          nowMs: () => 0,
          alarm: (_at, wake) => {
            world.alarms.push(wake);
            return () => {
              world.alarms.splice(world.alarms.indexOf(wake), 1);
            };
          },
        },
        readProcesses: () => world.entries,
      },
      {
        grace: () => ({ termMs: 10, killMs: 10 }),
        onChange: (listener) => {
          world.hurry = listener;
          return () => {
            world.hurry = null;
          };
        },
      },
    ).then((result) => {
      world.result = result;
    });
    return world;
  }
  const entry = (pid: number, parent: number, isZombie = false): ProcessEntry => ({ pid, parent, isZombie });
  const settled = (): Promise<void> =>
    new Promise((resolve) => {
      setImmediate(resolve);
    });

  test('a process from outside gets the signals but is not waited for', async () => {
    const world = begin(1, [entry(1, 0), entry(50, 0), entry(7, 1)]);
    assert.deepEqual(world.sent, TERM_AND_CONT);
    world.end(7);
    await settled();
    assert.deepEqual(world.result, []);
    assert.deepEqual([world.alarms.length, world.listeners.size], [0, 0], 'nothing is left pending');
  });

  test('an adopted orphan is waited for', async () => {
    const world = begin(1, [entry(1, 0), entry(7, 1), entry(8, 7)]);
    world.entries = [entry(1, 0), entry(7, 1), entry(8, 1)];
    world.end(7);
    await settled();
    assert.equal(world.result, null);
    world.end(8);
    await settled();
    assert.deepEqual(world.result, []);
  });

  test('a process that survives SIGKILL is reported at the second deadline', async () => {
    const world = begin(1, [entry(1, 0), entry(7, 1), entry(9, 1)]);
    world.alarms.shift()?.();
    assert.deepEqual(world.sent, [...TERM_AND_CONT, '-1 9']);
    world.end(9);
    world.alarms.shift()?.();
    await settled();
    assert.deepEqual(world.result, [7]);
  });

  test('a shorter grace period makes SIGKILL earlier, and no alarm is left', async () => {
    const world = begin(1, [entry(1, 0), entry(7, 1)]);
    world.hurry?.();
    assert.equal(world.alarms.length, 1, 'the deadline is another one, not one more');
    world.alarms.shift()?.();
    assert.deepEqual(world.sent, [...TERM_AND_CONT, '-1 9']);
    assert.equal(world.hurry, null, 'after KILL there is nothing to hurry');
    world.end(7);
    await settled();
    assert.deepEqual([world.result, world.alarms.length], [[], 0]);
  });

  test('with another pid, each descendant is signalled, also one forked during the kills', async () => {
    const world = begin(40, [
      entry(1, 0),
      entry(40, 1),
      entry(41, 40),
      entry(42, 41),
      entry(43, 40, true),
      entry(99, 1),
    ]);
    assert.deepEqual(world.sent, ['41 15', '42 15', '41 18', '42 18']);
    world.alarms.shift()?.();
    world.sent.length = 0;
    world.entries = [entry(41, 40), entry(60, 40)];
    world.end(41, 43);
    assert.deepEqual(world.sent, ['60 9']);
    world.end(60);
    await settled();
    assert.deepEqual(world.result, []);
  });

  test('without /proc, PID 1 asks the kernel if any process is left', async () => {
    let left = 2;
    const world = begin(1, null, () => (left > 0 ? 0 : 3));
    left = 0;
    world.end(7);
    await settled();
    assert.deepEqual(world.result, []);
  });
});

test('the tree of /proc has us below our parent, whatever the process names', () => {
  const entries = readProcesses() ?? [];
  assert.equal(entries.find(({ pid }) => pid === process.pid)?.parent, process.ppid);
  assert.ok(descendantsOf(process.ppid, entries).some(({ pid }) => pid === process.pid));
});
