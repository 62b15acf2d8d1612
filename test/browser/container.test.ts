/** A container as people have it: nginx, a Python worker, a crash-looper and 300 sleepers. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { busyFiles, busyPrograms } from './busy-site.ts';
import {
  checkAccessibility,
  closeBrowser,
  launchSite,
  openPage,
  shoot,
  skip,
  untilCount,
  waitForState,
} from './harness.ts';
import { recordTasks } from './main-thread.ts';

after(closeBrowser);

/**
 * Longest task while a person filters and folds, in milliseconds of processor time. It is 50 on an idle machine and 115
 * on a busy one; all rows in one frame took 319 to 438 there.
 */
const LONGEST_TASK = 200;

test('300 sleepers: filter, choice and scrolling stay smooth', { skip }, async (t) => {
  const { url } = await launchSite(t, busyPrograms(300), { files: busyFiles });
  const page = await openPage(t, url);
  await page.locator('tr[data-group="sleeper"]').getByText('300 of 300 running').waitFor();
  await page.getByRole('region', { name: 'Problems' }).getByText('crasher').waitFor();
  await waitForState(page, 'web', 'RUNNING');
  await untilCount(page.locator('tr[data-name]'), 303);
  const names = await page
    .locator('tr[data-name] .name')
    .evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent));
  assert.deepEqual(names, [], 'names are cut');
  await shoot(page, 'many-light');
  const search = page.getByRole('searchbox');
  const { cpu } = await recordTasks(page, async () => {
    await search.pressSequentially('sleeper_29');
    await untilCount(page.locator('tr[data-name]'), 10);
    await search.fill('');
    await untilCount(page.locator('tr[data-name]'), 303);
    for (let step = 0; step < 20; step += 1) await page.mouse.wheel(0, 600);
    await page.locator('tr[data-group="sleeper"] .fold').click();
    await untilCount(page.locator('tr[data-name]'), 3);
    await page.locator('tr[data-group="sleeper"] .fold').click();
    await untilCount(page.locator('tr[data-name]'), 303);
  });
  t.diagnostic(`longest tasks ${cpu.slice(0, 5).map(Math.round).join(', ')} ms`);
  // A busy machine may make one task longer. All rows in one frame make two long ones: filter and fold.
  assert.ok((cpu[1] ?? 0) < LONGEST_TASK, `tasks took ${cpu[0]} and ${cpu[1]} ms`);
  // The rows are alike, and axe takes most of a minute for 300 of them.
  await search.fill('sleeper_29');
  await untilCount(page.locator('tr[data-name]'), 10);
  await checkAccessibility(page);
});
