/** The menu of a program, the role read, and the end of the supervisor. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { busyFiles, busyPrograms } from './busy-site.ts';
import { checkAccessibility, closeBrowser, launchSite, openPage, shoot, skip, until, waitForState } from './harness.ts';

after(closeBrowser);

const dialog = (page: Page) => page.getByRole('alertdialog');

test(
  'the menu of a program reloads it, sends signals and lines, scales it, and clears its logs',
  { skip },
  async (t) => {
    const { url, launched } = await launchSite(t, busyPrograms(3), { files: busyFiles });
    const page = await openPage(t, `${url}#/p/worker`);
    await until(async () => (await launched.ctl('tail', 'worker')).stdout.includes('ready for jobs'));
    const openMenu = () => page.getByRole('button', { name: 'More actions for worker' }).click();

    await openMenu();
    await page.getByRole('button', { name: 'Read its configuration again' }).click();
    await until(async () => (await launched.ctl('tail', 'worker')).stdout.includes('configuration read'));
    await openMenu();
    await page.getByRole('button', { name: 'USR1', exact: true }).click();
    await until(async () => (await launched.ctl('tail', 'worker')).stdout.includes('told by USR1'));
    await openMenu();
    await page.getByRole('textbox', { name: 'Line for its standard input' }).fill('seven <b>');
    await checkAccessibility(page);
    await shoot(page, 'menu');
    await page.keyboard.press('Enter');
    await until(async () => (await launched.ctl('tail', 'worker')).stdout.includes('job seven <b>'));

    await openMenu();
    await page.getByRole('button', { name: 'Clear its logs' }).click();
    await dialog(page).getByText('Clear the logs of worker?').waitFor();
    await checkAccessibility(page);
    await shoot(page, 'question');
    await dialog(page).getByRole('button', { name: 'Clear its logs' }).click();
    await until(async () => !(await launched.ctl('tail', 'worker')).stdout.includes('seven'));

    await page.goto(`${url}#/`);
    await page.getByRole('table').getByRole('button', { name: 'More actions for sleeper:sleeper_0' }).click();
    await page.getByRole('textbox', { name: 'Number of processes' }).fill('2');
    await page.keyboard.press('Enter');
    await dialog(page).getByText('Scale sleeper to 2?').waitFor();
    await dialog(page).getByRole('button', { name: 'Scale' }).click();
    await page.locator('tr[data-group="sleeper"]').getByText('2 of 2 running').waitFor();
  },
);

test('a user with the role read sees everything, and nothing that changes something', { skip }, async (t) => {
  const users = '[api_user:guest]\npassword=look\n';
  const { launched, url } = await launchSite(t, `${users}${busyPrograms(3)}`, {
    files: busyFiles,
    auth: 'guest:look',
  });
  const page = await openPage(t, url, {
    httpCredentials: { username: 'guest', password: 'look' },
  });
  await waitForState(page, 'worker', 'RUNNING');
  await page.getByText('read-only').waitFor();
  const views = ['#/', '#/p/worker', '#/logs', '#/graph', '#/config', '#/peers'];
  for (const view of views) {
    await page.goto(`${url}${view}`);
    await page.locator('main h1, main .row').first().waitFor();
    for (const key of ['s', 'S', 'r', 'x', 'v']) await page.keyboard.press(key);
    assert.equal(await page.getByRole('dialog').or(dialog(page)).count(), 0, view);
    const labels = await page
      .locator('button')
      .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? one.textContent));
    assert.deepEqual(
      labels.filter((label) => /^(start|stop|restart|more actions|update|shut down|send|clear its|scale)/i.test(label)),
      [],
      view,
    );
    assert.equal(await page.getByText(/403|forbidden/i).count(), 0, view);
    if (view !== '#/logs') await checkAccessibility(page);
  }
  await page.goto(`${url}#/`);
  await shoot(page, 'read-only');
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('worker');
  await page.getByRole('option').first().waitFor();
  assert.equal(await page.getByRole('option', { name: /stop|start|shut/i }).count(), 0);
  await page.keyboard.press('Escape');
  assert.match((await launched.ctl('status', 'worker')).stdout, /RUNNING/);
});

test('the page shuts the supervisor down, after a question that names it', { skip }, async (t) => {
  const { url, launched } = await launchSite(t, '[program:web]\ncommand=sleep 1000\n');
  const page = await openPage(t, url, { mayLose: true });
  await waitForState(page, 'web', 'RUNNING');
  await page.getByRole('button', { name: 'Restart the supervisor' }).click();
  await dialog(page).getByText('(shop)').waitFor();
  await dialog(page).getByRole('button', { name: 'Restart the supervisor' }).click();
  await page.getByText('Disconnected since').waitFor({ state: 'detached' });
  await waitForState(page, 'web', 'RUNNING');
  await page.getByRole('button', { name: 'Shut down' }).click();
  await dialog(page).getByText('(shop)').waitFor();
  await checkAccessibility(page);
  await dialog(page).getByRole('button', { name: 'Shut down' }).click();
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  await page.getByText('Disconnected since').waitFor();
});
