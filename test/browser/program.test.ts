/** The view of a program while it works: charts with their history, the last lines, and spans of the timeline. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { closeBrowser, launchSite, openPage, shoot, skip, until } from './harness.ts';

after(closeBrowser);

test('charts begin with what was measured before, and are as long as that', { skip }, async (t) => {
  const { url } = await launchSite(t, '[dashboard]\nhistory=1h\n[program:api]\ncommand=sleep 1000\n');
  const earlier = async (): Promise<number> => {
    const answer = await fetch(`${url}api/v1/usage/history?names=api`);
    return ((await answer.json()) as { series: { api?: { at: number[] } } }).series.api?.at[0] ?? 0;
  };
  await until(async () => (await earlier()) > 0);
  const page = await openPage(t, url);
  // The page gets no measurement of its own.
  await page.route('**/api/v1/stream*', (route) =>
    route.continue({
      url: route
        .request()
        .url()
        .replace(/&usage=\d+/, ''),
    }),
  );
  await page.goto(`${url}#/p/api`);
  await page.reload();
  const chart = page.locator('.chart').first();
  await chart.locator('path[d^="M"]:not(.grid)').waitFor({ state: 'attached' });
  const secondsOf = async (): Promise<number> => {
    const [from = 0, , to = 0] = (await chart.locator('.axis span').allTextContents()).map((text) => {
      const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
      return hours * 3600 + minutes * 60 + seconds;
    });
    return (to - from + 86_400) % 86_400;
  };
  assert.ok((await secondsOf()) < 300, 'the chart is much longer than its measurements');
  await page.getByRole('button', { name: '15 min' }).click();
  await until(async () => Math.abs((await secondsOf()) - 900) <= 1);
});

test('the history is read again, since the page keeps two minutes only', { skip }, async (t) => {
  const { url } = await launchSite(t, '[program:api]\ncommand=sleep 1000\n');
  const page = await openPage(t, url, { hasClock: true });
  let count = 0;
  page.on('request', (request) => {
    if (request.url().includes('usage/history')) count += 1;
  });
  await page.goto(`${url}#/p/api`);
  await page.locator('.chart').first().waitFor();
  await until(() => count === 1);
  await page.clock.fastForward('01:05');
  await until(() => count === 2);
});

const COUNTER = String.raw`sh -c 'n=0; while sleep 1; do n=$((n+1)); printf "\033[31mline $n\033[0m\n"; done'`;

test('the last lines of a program come by themselves, with their colours', { skip }, async (t) => {
  const { url } = await launchSite(t, `[program:counter]\ncommand=${COUNTER.replaceAll('%', '%%')}\n`);
  const page = await openPage(t, `${url}#/p/counter`);
  const last = page.getByRole('log', { name: 'Last lines' }).locator('.row').last();
  await last.waitFor();
  const before = Number((await last.textContent())?.replace('line ', ''));
  await last.filter({ hasText: `line ${before + 2}` }).waitFor();
  assert.equal(await last.locator('.fg1').count(), 1);
  await shoot(page, 'program-lines');
});

test('a span of the timeline leads to exactly its lines', { skip }, async (t) => {
  const { url, launched } = await launchSite(
    t,
    '[program:job]\ncommand=sh -c "echo first of $$; sleep 2; echo last of $$; exit 3"\n' +
      'autorestart=false\nstartsecs=0\n[program:noise]\ncommand=sh -c "while echo noise; do sleep 0.1; done"\n',
  );
  const page = await openPage(t, `${url}#/p/job`);
  // The timeline has the words in a title, which is never visible.
  await page.getByText('exit status 3').first().waitFor({ state: 'attached' });
  await launched.ctl('start', 'job');
  const spans = page.locator('.timeline a[aria-label^="RUNNING"]');
  await until(async () => (await spans.count()) === 2);
  const pid = /pid (\d+)/.exec((await spans.first().getAttribute('aria-label')) ?? '')?.[1] ?? 'none';
  await spans.first().focus();
  await page.keyboard.press('Enter');
  await page.locator('.row.line').nth(1).waitFor();
  const texts = await page.locator('.row.line .text, .row.line').allTextContents();
  assert.deepEqual(
    texts.map((text) => text.replace(/^.*?((first|last) of)/, '$1')),
    [`first of ${pid}`, `last of ${pid}`],
  );
});
