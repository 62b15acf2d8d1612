/**
 * An idle supervisor does nothing: none of its threads runs. IDLE_SECONDS is the time of observation; the default is
 * 10.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch, pid1SkipReason } from './launch.ts';
import { until } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;

const WATCH_MS = Number(process.env['IDLE_SECONDS'] ?? 10) * 1000;

/** Returns the context switches of each thread so far, voluntary and involuntary. */
async function switches(pid: number): Promise<Map<string, number>> {
  const threads = await readdir(`/proc/${pid}/task`);
  return new Map(
    await Promise.all(
      threads.map(async (thread) => {
        const status = await readFile(`/proc/${pid}/task/${thread}/status`, 'latin1');
        const name = /^Name:\t(.*)$/m.exec(status)?.[1] ?? '';
        return [
          `${name} ${thread}`,
          [...status.matchAll(/ctxt_switches:\t(\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0),
        ] as const;
      }),
    ),
  );
}

test(
  `three sleeping programs: no thread of ours runs for ${WATCH_MS / 1000} s`,
  { skip, timeout: WATCH_MS + 120_000 },
  async (t) => {
    const launched = await launch(t, {
      config:
        '[supervisord]\nloglevel=debug\n[program:sleeper]\ncommand=sh -c "echo out; exec sleep 100000"\n' +
        'process_name=sleeper%(process_num)d\nnumprocs=3\n',
    });
    await launched.waitForLine(/entered RUNNING/, { count: 3 });
    // The supervisor returns memory once, after the first quiet seconds.
    await launched.waitForLine(/collected garbage/);
    // Work that remains from the start, such as that of the compiler's threads, is done after a second without a
    // switch.
    await until('it to come to rest', async () => {
      const before = await switches(launched.pid);
      await sleep(1000);
      const after = await switches(launched.pid);
      return [...after].every(([thread, count]) => before.get(thread) === count);
    });
    const before = await switches(launched.pid);
    await sleep(WATCH_MS);
    assert.deepEqual(await switches(launched.pid), before);
    // The supervisor has only slept: it still obeys.
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
  },
);
