/**
 * The cost of the dashboard for the supervisor: one watcher of 50 programs, and none. COST_SECONDS is the length of
 * each measurement; the default is 4. The promise is half a percent of a processor, which COST_SECONDS=60 checks on an
 * idle machine. Processor time grows on a busy one, so the short form finds only a cost of another kind.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { closeBrowser, launchSite, openPage, skip, until } from './harness.ts';

after(closeBrowser);

const SECONDS = Number(process.env['COST_SECONDS'] ?? 4);
/** The best measurement counts: a busy machine makes them larger. */
const MEASUREMENTS = 3;
/** Part of a processor that one watcher may cost: on an idle machine, and in the short form. */
const MAX_PART = SECONDS >= 60 ? 0.005 : 0.03;

/** Processor time and wakeups of all threads of a process. */
async function usageOf(pid: number): Promise<{ readonly ns: number; readonly wakeups: number }> {
  const threads = await readdir(`/proc/${pid}/task`);
  const each = await Promise.all(
    threads.map(async (id) => {
      const schedule = await readFile(`/proc/${pid}/task/${id}/schedstat`, 'utf8');
      const status = await readFile(`/proc/${pid}/task/${id}/status`, 'utf8');
      const wakeups = Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
      return { ns: Number(schedule.split(' ')[0]), wakeups };
    }),
  );
  return each.reduce((sum, { ns, wakeups }) => ({ ns: sum.ns + ns, wakeups: sum.wakeups + wakeups }));
}

/** Returns the part of a processor that a process uses, and its wakeups a second. */
async function measure(pid: number): Promise<{ readonly part: number; readonly wakeups: number }> {
  const before = await usageOf(pid);
  const began = performance.now();
  await delay(SECONDS * 1000);
  const later = await usageOf(pid);
  const seconds = (performance.now() - began) / 1000;
  return {
    part: (later.ns - before.ns) / 1e9 / seconds,
    wakeups: (later.wakeups - before.wakeups) / seconds,
  };
}

test('one watcher of 50 programs costs little, and none costs nothing', { skip }, async (t) => {
  const programs = '[program:sleeper]\ncommand=sleep 1000\nnumprocs=50\nprocess_name=%(process_num)d\n';
  const { url, launched } = await launchSite(t, programs);
  const page = await openPage(t, url);
  await page.locator('tr[data-group="sleeper"]').getByText('50 of 50 running').waitFor();
  await page.locator('.spark path[d*="L"]').first().waitFor({ state: 'attached' });
  const parts: number[] = [];
  for (let round = 0; round < MEASUREMENTS && !parts.some((part) => part < MAX_PART); round += 1)
    parts.push((await measure(launched.pid)).part);
  t.diagnostic(`one watcher: ${parts.map((part) => `${(part * 100).toFixed(2)} %`).join(', ')} of a processor`);
  await page.goto('about:blank');
  // The connections of the page stay open for some seconds.
  let idle = await measure(launched.pid);
  await until(async () => {
    if (idle.wakeups > 0) idle = await measure(launched.pid);
    return idle.wakeups === 0;
  });
  t.diagnostic(`no watcher: ${(idle.part * 100).toFixed(3)} %, ${idle.wakeups} wakeups`);
  assert.ok(Math.min(...parts) < MAX_PART, `${parts.join(', ')} of a processor`);
  assert.equal(idle.part, 0);
});
