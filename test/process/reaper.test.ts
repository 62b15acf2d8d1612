/** Reaping and incoming signals: nothing is lost when signals merge, and nothing runs without an event. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { signalNumbers } from '../../src/core/signals.ts';
import { Reaper } from '../../src/process/reaper.ts';
import { ignoreTerminalStops, takeSignals } from '../../src/process/signals.ts';
import { addon, ending, field, reaper, run, shell } from './programs.ts';

describe('the reaper', () => {
  test('five hundred simultaneous exits are all reported, although their signals merge', async () => {
    const pids: number[] = [];
    // No turn of the loop comes in between, so most of the signals merge.
    for (let i = 0; i < 500; i += 1)
      pids.push(addon.spawn(shell(`exit ${i % 100}`, { stdin: 'null', stdout: 'null', stderr: 'null' })).pid);
    for (const [index, pid] of pids.entries())
      assert.deepEqual(await ending(pid), { kind: 'exited', code: index % 100 });
    assert.deepEqual(addon.reap(1), []);
  });

  test('as a subreaper we become the parent of orphans', async () => {
    addon.setSubreaper();
    const { stdout } = await run(shell('sh -c "sleep 0.05 & echo \\$!"', { stdin: 'null' }));
    assert.deepEqual(await ending(Number(stdout)), { kind: 'exited', code: 0 });
  });

  test('within its time, drain passes all batches to every subscriber before it returns', (t) => {
    t.mock.method(performance, 'now', () => 0);
    const waiting = Array.from({ length: 300 }, (_, index) => ({ pid: index + 1, status: 0, cpuMs: 0 }));
    const own = new Reaper({ reap: (limit) => waiting.splice(0, limit) });
    const seen: number[][] = [[], []];
    own.subscribe((ended) => seen[0]?.push(...ended.map(({ pid }) => pid)));
    const unsubscribe = own.subscribe((ended) => seen[1]?.push(...ended.map(({ pid }) => pid)));
    own.drain();
    assert.deepEqual([seen[0]?.length, seen[1]?.length, waiting.length], [300, 300, 0]);
    unsubscribe();
    waiting.push({ pid: 301, status: 0, cpuMs: 0 });
    own.drain();
    assert.deepEqual([seen[0]?.length, seen[1]?.length], [301, 300]);
  });

  test('an endless stream of exits leaves turns to the loop', async () => {
    let isEndless = true;
    const own = new Reaper({
      reap: (limit) =>
        isEndless ? Array.from({ length: limit }, (_, index) => ({ pid: index + 1, status: 0, cpuMs: 0 })) : [],
    });
    let batches = 0;
    own.subscribe(() => {
      batches += 1;
    });
    own.drain();
    const before = batches;
    assert.ok(before > 0);
    for (let turns = 0; turns < 3; turns += 1)
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    assert.ok(batches > before, 'it continues by itself');
    isEndless = false;
    own.stop();
  });

  test('it calls waitpid only after a child has ended', async () => {
    let asked = 0;
    const own = new Reaper({
      reap: () => {
        asked += 1;
        return [];
      },
    });
    own.start();
    own.start();
    assert.equal(asked, 1);
    await run(shell('exit'));
    assert.equal(asked, 2);
    own.stop();
    await run(shell('exit'));
    assert.equal(asked, 2);
  });
});

describe('signals', () => {
  test('the signals that Node handles alone can be handled and released', async () => {
    for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT'] as const) {
      const before = process.listenerCount(name);
      const taken = await new Promise<string>((resolve) => {
        const stop = takeSignals(addon, [name], (got) => {
          stop();
          resolve(got);
        });
        assert.equal(addon.kill(process.pid, signalNumbers[name]), 0);
      });
      assert.equal(taken, name);
      assert.equal(process.listenerCount(name), before);
    }
  });

  test('stops by the terminal are ignored by us and not by programs', async () => {
    ignoreTerminalStops(addon);
    const ignored = BigInt(`0x${field(readFileSync('/proc/self/status', 'latin1'), 'SigIgn')}`);
    assert.equal((ignored >> 20n) & 3n, 3n);
    const { stdout } = await run(shell('', { file: '/bin/cat', argv: ['cat', '/proc/self/status'] }));
    assert.equal(BigInt(`0x${field(stdout, 'SigIgn')}`), 0n);
  });
});

test('the reaper of the tests is the real one', () => assert.ok(reaper instanceof Reaper));
