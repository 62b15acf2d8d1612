/** The overview of the dashboard in a real browser: each action, the keyboard, themes, languages, and changes. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import {
  checkAccessibility,
  checkPhone,
  closeBrowser,
  launchSite,
  openPage,
  shoot,
  skip,
  stateOf,
  until,
  untilCount,
  waitForState,
} from './harness.ts';

after(closeBrowser);

const PROGRAMS = `
[program:web]
command=/usr/sbin/nginx -c %FOLDER%/nginx.conf -g "daemon off;"
depends_on=api:started
[program:api]
command=python3 -u %FOLDER%/api.py
[program:crasher]
command=sh -c 'sleep 1; echo "no <b>database</b> & no luck" >&2; exit 3'
autorestart=true
startsecs=0
[program:broken]
command=sh -c 'echo no licence >&2; exit 1'
startretries=0
[program:job]
command=sleep 1000
autostart=false
[program:pool]
command=sleep 1000
numprocs=4
process_name=%(program_name)s_%(process_num)d
`;

const FILES = {
  'nginx.conf':
    'pid %FOLDER%/nginx.pid; error_log stderr; events {}\n' +
    'http { access_log off; server { listen unix:%FOLDER%/web.sock; } }',
  'api.py': 'import time\nn = 0\nwhile True:\n  print("request", n)\n  n += 1\n  time.sleep(0.2)\n',
};

const dialog = (page: Page) => page.getByRole('alertdialog');
const pidOf = async (launched: { ctl(...args: string[]): Promise<{ stdout: string }> }, name: string) =>
  (await launched.ctl('pid', name)).stdout.trim();

test(
  'each action on a program, a group and a selection asks where it hurts, and is carried out',
  { skip },
  async (t) => {
    const { launched, url } = await launchSite(t, PROGRAMS, { files: FILES });
    const page = await openPage(t, url);
    await waitForState(page, 'api', 'RUNNING');

    await page.getByRole('table').getByRole('button', { name: 'Start job', exact: true }).click();
    await waitForState(page, 'job', 'RUNNING');
    const stop = page.getByRole('table').getByRole('button', { name: 'Stop job', exact: true });
    await stop.click();
    await dialog(page).getByText('Stop job?').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Cancel');
    await page.keyboard.press('Enter');
    await dialog(page).waitFor({ state: 'detached' });
    assert.equal(await page.locator('tr[data-name="job"] .state .tone').innerText(), '● RUNNING');
    await stop.click();
    await dialog(page).getByRole('button', { name: 'Stop', exact: true }).click();
    await waitForState(page, 'job', 'STOPPED');
    await page.getByRole('status').getByText('job: stopped').waitFor();

    const before = await pidOf(launched, 'api');
    await page.getByRole('table').getByRole('button', { name: 'Restart api', exact: true }).click();
    await dialog(page).getByRole('button', { name: 'Restart', exact: true }).click();
    await until(async () => !['0', before].includes(await pidOf(launched, 'api')));

    const group = page.locator('tr[data-group="pool"]');
    await group.getByRole('button', { name: 'Stop pool (4)' }).click();
    await dialog(page).getByRole('button', { name: 'Stop', exact: true }).click();
    await group.getByText('0 of 4 running').waitFor();
    await group.getByRole('button', { name: 'Start pool (4)', exact: true }).click();
    await group.getByText('4 of 4 running').waitFor();
    const pids = await Promise.all([0, 1, 2, 3].map((n) => pidOf(launched, `pool:pool_${n}`)));
    await group.getByRole('button', { name: 'Restart pool (4)' }).click();
    await dialog(page).getByRole('button', { name: 'One after the other' }).click();
    await until(async () => {
      const now = await Promise.all([0, 1, 2, 3].map((n) => pidOf(launched, `pool:pool_${n}`)));
      return now.every((pid, n) => pid !== '0' && pid !== pids[n]);
    });

    await page.getByRole('checkbox', { name: 'Select pool:pool_1' }).check();
    await page.getByRole('checkbox', { name: 'Select pool:pool_2' }).check();
    const bulk = page.getByRole('group', { name: '2 selected' });
    await bulk.getByRole('button', { name: 'Stop 2 selected' }).click();
    await dialog(page).getByText('pool:pool_1, pool:pool_2').waitFor();
    await dialog(page).getByRole('button', { name: 'Stop', exact: true }).click();
    await waitForState(page, 'pool:pool_1', 'STOPPED');
    await waitForState(page, 'pool:pool_2', 'STOPPED');
    await bulk.getByRole('button', { name: 'Clear' }).click();

    await page.getByRole('table').getByRole('button', { name: 'More actions for pool:pool_0' }).click();
    await page.getByRole('button', { name: 'KILL' }).click();
    const killed = await pidOf(launched, 'pool:pool_0');
    await dialog(page).getByRole('button', { name: 'KILL' }).click();
    await until(async () => !['0', killed].includes(await pidOf(launched, 'pool:pool_0')));

    await page.getByRole('button', { name: 'Stop all programs' }).click();
    await dialog(page).getByRole('button', { name: 'Stop', exact: true }).click();
    for (const name of ['web', 'api', 'pool:pool_3']) await waitForState(page, name, 'STOPPED');
    await page.getByRole('button', { name: 'Shut down' }).click();
    await dialog(page).getByText('shop').waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await dialog(page).count(), 0);
  },
);

test(
  'problems come first, with the words of the supervisor, and markup of a program stays text',
  { skip },
  async (t) => {
    const { url } = await launchSite(t, PROGRAMS, { files: FILES });
    const page = await openPage(t, url);
    const problems = page.getByRole('region', { name: 'Problems' });
    await problems.getByText('no <b>database</b> & no luck').waitFor();
    await problems.getByText('no licence').waitFor();
    await until(async () => /^✗ \d problems · .+\(shop\)$/.test(await page.title()));
    await checkAccessibility(page);
    await shoot(page, 'overview-light');
    await page.getByRole('button', { name: /^Problems/ }).click();
    await untilCount(page.locator('tr[data-name="api"]'), 0);
    await page.getByRole('button', { name: /^All/ }).click();
    await page.getByRole('searchbox').fill('pool_2');
    assert.deepEqual(
      await page
        .locator('tr[data-name]')
        .evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset['name'])),
      ['pool:pool_2'],
    );
  },
);

test('a kill is visible within 300 ms of its time in the stream', { skip }, async (t) => {
  const { url, launched } = await launchSite(t, '[program:victim]\ncommand=sleep 1000\nautorestart=false\n');
  const page = await openPage(t, url);
  const delays: number[] = [];
  // On a loaded machine one kill may be late, so the best of some decides.
  for (let round = 0; round < 5; round += 1) {
    await waitForState(page, 'victim', 'RUNNING');
    const shown = page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const cell = document.querySelector('tr[data-name="victim"] .state');
          if (cell === null) throw new Error('no row');
          new MutationObserver((_, observer) => {
            if (!cell.textContent.includes('EXITED')) return;
            observer.disconnect();
            resolve(Date.now());
          }).observe(cell, { subtree: true, childList: true, characterData: true });
        }),
    );
    await launched.enter(['kill', '-9', await pidOf(launched, 'victim')]);
    const shownAt = await shown;
    const status = (await (await fetch(`${url}api/v1/processes/victim`)).json()) as { last_end: { at: number } };
    delays.push(shownAt - status.last_end.at);
    await launched.ctl('start', 'victim');
  }
  t.diagnostic(`milliseconds from the end to the page: ${delays.join(', ')}`);
  assert.ok(Math.min(...delays) <= 300, `${delays.join(', ')} ms`);
});

test('a key after one that opens a dialog never acts on the row behind it', { skip }, async (t) => {
  const { url } = await launchSite(t, '[program:job]\ncommand=sleep 1000\nautostart=false\n');
  const page = await openPage(t, url);
  await waitForState(page, 'job', 'STOPPED');
  for (const [key, role] of [
    [':', 'dialog'],
    ['?', 'dialog'],
    ['x', 'dialog'],
    ['r', 'alertdialog'],
  ] as const) {
    await page.locator('tr[data-name="job"] a[data-row]').focus();
    // The next key comes in the next task, before the page was drawn.
    await page.evaluate(async (first) => {
      const press = (name: string): void =>
        void (document.activeElement ?? document.body).dispatchEvent(
          new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true }),
        );
      press(first);
      await new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.addEventListener('message', resolve, { once: true });
        port1.start();
        port2.postMessage(null);
      });
      press('S');
    }, key);
    await page.getByRole(role).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole(role).waitFor({ state: 'detached' });
  }
  assert.match(await stateOf(page, 'job'), /STOPPED/);
  assert.equal(await page.getByText('job: started').count(), 0);
});

test('rows keep their place below the pointer while programs get problems', { skip }, async (t) => {
  const { url, launched } = await launchSite(
    t,
    '[program:bad]\ncommand=sh -c "test -e %FOLDER%/solved && exec sleep 1000"\n' +
      'autostart=false\nstartsecs=0\nautorestart=false\n' +
      '[program:good]\ncommand=sleep 1000\n',
  );
  const page = await openPage(t, url);
  await waitForState(page, 'good', 'RUNNING');
  const row = page.locator('tr[data-name="good"]');
  const topOf = async (): Promise<number> => Math.round((await row.boundingBox())?.y ?? 0);
  await page.locator('tr[data-name="good"] .spark path[d*="L"]').first().waitFor({ state: 'attached' });
  await row.hover();
  const top = await topOf();
  await launched.ctl('start', 'bad');
  await waitForState(page, 'bad', 'EXITED');
  // The numbers of the choices may make their line a part of a pixel higher. A problem takes more than 30 pixels.
  assert.ok(Math.abs((await topOf()) - top) <= 2);
  await page.mouse.move(2, 2);
  const problem = page.getByRole('region', { name: 'Problems' }).locator('li[data-name="bad"]');
  await problem.waitFor();
  assert.ok((await topOf()) > top + 30);
  // A problem that is solved stays below the pointer, too.
  await problem.hover();
  await launched.enter(['touch', `${launched.folder}/solved`]);
  await launched.ctl('start', 'bad');
  await waitForState(page, 'bad', 'RUNNING');
  assert.equal(await problem.count(), 1);
});

test('the keyboard alone is enough', { skip }, async (t) => {
  const { url } = await launchSite(t, PROGRAMS, { files: FILES });
  const page = await openPage(t, url);
  await waitForState(page, 'api', 'RUNNING');
  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await press('/');
  await page.keyboard.type('api');
  await press('Enter', 'Escape', 'Escape');
  await page.locator('tr[data-name="api"] a[data-row]').focus();
  await press('s');
  await dialog(page).getByText('Stop api?').waitFor();
  await press('Tab', 'Enter');
  await waitForState(page, 'api', 'STOPPED');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'api', 'the row keeps the focus');
  await press('S');
  await waitForState(page, 'api', 'RUNNING');
  await press('r');
  await dialog(page).getByText('Restart api?').waitFor();
  await press('Escape');
  await dialog(page).waitFor({ state: 'detached' });
  await press('v');
  await until(() => page.getByRole('checkbox', { name: 'Select api' }).isChecked());
  await press('x');
  await page.getByRole('dialog', { name: 'More actions for api' }).waitFor();
  await checkAccessibility(page);
  await press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await checkAccessibility(page);
  await shoot(page, 'keys');
  await press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await press('Control+k');
  await page.getByRole('combobox').fill('pool_3');
  await page.getByRole('option', { name: 'pool:pool_3', exact: true }).waitFor();
  await checkAccessibility(page);
  await press('Enter');
  await page.getByRole('heading', { name: /pool:pool_3/ }).waitFor();
  await press('Escape');
  await page.locator('tr[data-group="pool"] [data-row]').focus();
  await press('z');
  await page.locator('tr[data-name="pool:pool_0"]').waitFor({ state: 'detached' });
  await press('j');
  await press('k');
  assert.match((await page.evaluate(() => document.activeElement?.textContent)) ?? '', /pool/);
  await press('z', 'j', 'Enter');
  await page.getByRole('heading', { name: /pool:pool_0/ }).waitFor();
});

test('it is dark, Chinese and narrow if the browser is', { skip }, async (t) => {
  const { url } = await launchSite(t, PROGRAMS, { files: FILES });
  const dark = await openPage(t, url, { colorScheme: 'dark' });
  await waitForState(dark, 'api', 'RUNNING');
  assert.equal(
    await dark.evaluate(() => getComputedStyle(document.documentElement).backgroundColor),
    'rgb(13, 17, 23)',
  );
  await checkAccessibility(dark);
  await shoot(dark, 'overview-dark');
  const transition = (): Promise<string> =>
    dark
      .locator('.fold .icon')
      .first()
      .evaluate((icon) => getComputedStyle(icon).transitionDuration);
  assert.equal(await transition(), '0.12s');
  await dark.emulateMedia({ reducedMotion: 'reduce' });
  assert.equal(await transition(), '0s');
  await dark.getByRole('button', { name: 'Colours: automatic' }).click();
  await dark.getByRole('button', { name: 'Colours: light' }).waitFor();
  assert.equal(
    await dark.evaluate(() => getComputedStyle(document.documentElement).backgroundColor),
    'rgb(246, 248, 250)',
  );

  const chinese = await openPage(t, url, { locale: 'zh-CN', viewport: { width: 390, height: 844 } });
  await waitForState(chinese, 'api', 'RUNNING');
  assert.equal(await chinese.evaluate(() => document.documentElement.lang), 'zh-CN');
  await chinese.getByRole('link', { name: '依赖关系' }).waitFor();
  await checkPhone(chinese);
  await shoot(chinese, 'overview-chinese-phone');
});
