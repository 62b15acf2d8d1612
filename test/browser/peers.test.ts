/** The view of other supervisors: reachability, problems, actions with questions, logs, both languages, phone width. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launch } from '../e2e/launch.ts';
import { freePort } from '../e2e/ports.ts';
import { checkAccessibility, closeBrowser, launchSite, openPage, shoot, skip } from './harness.ts';

after(closeBrowser);

const PEER = (port: number): string =>
  `[supervisord]\nidentifier=far\n[inet_http_server]\nport=127.0.0.1:${port}\n` +
  '[program:web]\ncommand=sh -c "echo hello from far; exec sleep 1000"\n' +
  '[program:broken]\ncommand=sh -c "echo no database >&2; exit 3"\nstartsecs=0\nautorestart=false\n';

test('supervisors with their programs, and what can be done with them', { skip }, async (t) => {
  const [far, dead] = [await freePort(), await freePort()];
  await launch(t, { config: PEER(far), args: ['-n'] });
  const { url } = await launchSite(
    t,
    `[dashboard]\npeers=far=http://127.0.0.1:${far}, dead=http://127.0.0.1:${dead}\n` +
      '[program:own]\ncommand=sleep 1000\n',
  );
  const page = await openPage(t, `${url}#/peers`);
  const card = page.locator('[data-peer="far"]');
  await card.locator('tr[data-name="web"] .state .tone', { hasText: 'RUNNING' }).waitFor();
  await page.locator('[data-peer="dead"]', { hasText: 'connection refused' }).waitFor();
  // The one that is not reachable comes first, and the failed program is above all cards.
  assert.deepEqual(await page.locator('.peer').evaluateAll((all) => all.map((one) => one.getAttribute('data-peer'))), [
    'dead',
    'far',
  ]);
  await page.locator('.problems li', { hasText: 'broken on far' }).waitFor();
  assert.match(await page.locator('.problems li').first().innerText(), /EXITED[^]*exit 3/);
  await checkAccessibility(page);
  await shoot(page, 'peers-light');

  // A restart asks first, begins on Cancel, and names program and supervisor.
  await card.getByRole('button', { name: 'Restart web on far' }).click();
  const dialog = page.getByRole('alertdialog');
  assert.equal(await dialog.getByRole('heading').innerText(), 'Restart web on far?');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Cancel');
  await dialog.getByRole('button', { name: 'Restart' }).click();
  await page.locator('.notice p', { hasText: 'web: started' }).waitFor();

  await card.getByRole('button', { name: 'Logs of web on far' }).click();
  await card.locator('pre', { hasText: 'hello from far' }).waitFor();
  await checkAccessibility(page);

  // By keyboard: fold the card.
  await card.locator('.fold').focus();
  await page.keyboard.press('Enter');
  await card.locator('table').waitFor({ state: 'detached' });
});

test('Chinese, dark, on a phone', { skip }, async (t) => {
  const far = await freePort();
  await launch(t, { config: PEER(far), args: ['-n'] });
  const { url } = await launchSite(t, `[dashboard]\npeers=far=http://127.0.0.1:${far}\n`);
  const page = await openPage(t, `${url}#/peers`, {
    locale: 'zh-CN',
    colorScheme: 'dark',
    viewport: { width: 390, height: 844 },
  });
  await page.locator('[data-peer="far"]', { hasText: '可达' }).waitFor();
  await page.locator('.problems li', { hasText: 'far 上的 broken' }).waitFor();
  await checkAccessibility(page);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  await shoot(page, 'peers-dark-phone');
});
