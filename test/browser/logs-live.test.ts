/** The log view with the built executable: lines, events with causes, files, downloads, links, and a restart. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { checkAccessibility, closeBrowser, launchSite, openPage, shoot, skip, untilCount } from './harness.ts';

after(closeBrowser);

const PROGRAMS = `
[program:api]
command=sh -c 'n=0; while [ $n -lt 900 ]; do n=$((n+1)); echo "request $n <b>x</b>"; done; exec sleep 1000'
stdout_logfile=%FOLDER%/api.log
[program:crasher]
command=sh -c 'printf "\\033[31mno luck\\033[0m\\n" >&2; sleep 1; exit 3'
startsecs=0
autorestart=true
`;

test('lines and events of programs, a search in files, and a download', { skip }, async (t) => {
  const { launched, url } = await launchSite(t, PROGRAMS);
  const page = await openPage(t, `${url}#/logs`);
  await page.locator('.row.err', { hasText: 'crasher ! no luck' }).first().waitFor();
  await page
    .locator('.row.event', { hasText: /crasher \* ended: exit status 3/ })
    .first()
    .waitFor();
  await page
    .locator('.row.event', { hasText: /crasher \* starting: / })
    .first()
    .waitFor();
  await launched.ctl('stop', 'crasher');
  await page
    .locator('.row.event', { hasText: /crasher \* .*stopp.*stopProcess/i })
    .first()
    .waitFor();
  await checkAccessibility(page);
  await shoot(page, 'logs');

  await page.goto(`${url}#/logs?names=api&filter=request+89`);
  await untilCount(page.locator('.row'), 11);
  await page.getByText('More').click();
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download' }).click(),
  ]);
  const lines = (await readFile(await file.path(), 'utf8')).trimEnd().split('\n');
  assert.equal(lines.length, 11);
  assert.match(lines[0] ?? '', /^\d{4}-\S+Z .*request 89 <b>x<\/b>$/);

  await page.getByRole('button', { name: 'Search files' }).click();
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await page.getByText('11 hits').waitFor();
  await untilCount(page.locator('.hits li'), 11);

  await page.locator('.row', { hasText: 'request 895 ' }).click();
  const href = (await page.getByRole('link', { name: 'Link to the line' }).getAttribute('href')) ?? '';
  const linked = await openPage(t, `${url}${href}`);
  await linked.locator('.row.current', { hasText: 'request 895 ' }).waitFor();
});

test('an overloaded or restarted server leaves no gap without a mark', { skip }, async (t) => {
  const first = await launchSite(t, '[program:api]\ncommand=sh -c "echo first run; exec sleep 1000"\n');
  const page = await openPage(t, `${first.url}#/logs?names=api`, { mayLose: true });
  await page.locator('.row', { hasText: 'first run' }).waitFor();
  first.launched.signal('SIGTERM');
  await page.locator('.row.mark', { hasText: 'Disconnected since' }).waitFor();
  await launchSite(t, '[program:api]\ncommand=sh -c "echo second run; exec sleep 1000"\n', { port: first.port });
  await page.locator('.row.mark', { hasText: 'The supervisor was started again' }).waitFor();
  await page.locator('.row', { hasText: 'second run' }).waitFor();
  assert.equal(await page.locator('.row', { hasText: 'first run' }).count(), 1);
});
