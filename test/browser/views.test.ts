/** The other views of the dashboard, and its connection: a restart of the supervisor, and a proxy below a path. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { existsSync } from 'node:fs';
import { freePort } from '../e2e/ports.ts';
import {
  checkAccessibility,
  checkPhone,
  closeBrowser,
  launchSite,
  openPage,
  shoot,
  skip,
  until,
  untilCount,
  waitForState,
} from './harness.ts';

after(closeBrowser);

const NGINX = '/usr/sbin/nginx';

const PROGRAMS = `
[program:database]
command=sleep 1000
[program:api]
command=sh -c 'echo listening; exec sleep 1000'
environment=TOKEN="s3cr3t"
depends_on=database:started
healthcheck=test -e %FOLDER%/healthy
healthcheck_interval=1
healthcheck_retries=1000
[program:web]
command=sleep 1000
depends_on=api:healthy
`;

test('the view of a program says what describe says, and a span leads to its lines', { skip }, async (t) => {
  const { url, launched } = await launchSite(t, PROGRAMS);
  const page = await openPage(t, `${url}#/p/api`);
  await page.getByRole('heading', { name: /api/ }).first().waitFor();
  // The facts come after the heading.
  await page.locator('.facts > div', { hasText: 'Configured' }).waitFor();
  const { stdout } = await launched.ctl('describe', 'api');
  const facts = await page.locator('.facts > div').allInnerTexts();
  const shown = new Map(facts.map((fact) => fact.split('\n', 2) as [label: string, text: string]));
  for (const label of ['Configured', 'Command', 'Depends on', 'Needed by', 'User', 'Directory', 'Check', 'Restarts']) {
    const text = new RegExp(`${label}: (.+)`).exec(stdout)?.[1] ?? 'missing';
    assert.equal(shown.get(label), text);
  }
  await page.getByText('listening').first().waitFor();
  // The program is STARTING for a second.
  const span = page.locator('.timeline a[aria-label^="RUNNING"]').last();
  await span.waitFor();
  assert.match((await span.getAttribute('aria-label')) ?? '', /^RUNNING, .*: running: pid \d+$/);
  const href = (await span.getAttribute('href')) ?? '';
  assert.match(href, /^#\/logs\?names=api&since=\d+&until=\d+$/);
  await page.getByText('Effective configuration').click();
  await page
    .getByRole('row', { name: /environment TOKEN=\*\*\* .*supervisord\.conf:\d+/ })
    .first()
    .waitFor();
  assert.ok(!(await page.content()).includes('s3cr3t'), 'a secret is on the page');
  await checkAccessibility(page);
  await shoot(page, 'program-light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await checkAccessibility(page);
  await shoot(page, 'program-dark');
  await checkPhone(page);
  await shoot(page, 'program-phone');
});

test('the graph shows who waits for whom', { skip }, async (t) => {
  const { url } = await launchSite(t, PROGRAMS);
  const page = await openPage(t, `${url}#/graph`);
  await page.getByText('web waits for api (healthy)').waitFor();
  await page.getByText('api needs database (started)').waitFor();
  await checkAccessibility(page);
  await shoot(page, 'graph');
  await checkPhone(page);
  await page.getByRole('button', { name: '中文' }).click();
  await page.getByText('web 正在等待 api（healthy）').waitFor();
  await checkPhone(page);
});

test('changes in the files are shown as update --dry-run says them, and can be applied', { skip }, async (t) => {
  const { url, launched } = await launchSite(t, PROGRAMS);
  const page = await openPage(t, `${url}#/config`);
  await page.getByText('The files agree with what runs.').waitFor();
  const path = join(launched.folder, 'supervisord.conf');
  await launched.enter(['sh', '-c', `printf '[program:more]\\ncommand=sleep 1000\\n' >> ${path}`]);
  await page.getByRole('button', { name: 'Check again' }).click();
  const { stdout } = await launched.ctl('update', '--dry-run');
  await page.getByText(stdout.trim().split('\n')[0] ?? 'missing').waitFor();
  await checkAccessibility(page);
  await shoot(page, 'configuration');
  await checkPhone(page);
  await page.getByRole('button', { name: 'Update', exact: true }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Update' }).click();
  await page.getByText('The files agree with what runs.').waitFor();
  await page.getByRole('link', { name: 'Programs' }).click();
  await waitForState(page, 'more', 'RUNNING');
});

test('the page says that it is disconnected, and goes on after a restart of the supervisor', { skip }, async (t) => {
  const first = await launchSite(t, PROGRAMS);
  const page = await openPage(t, first.url, { mayLose: true });
  await waitForState(page, 'api', 'RUNNING');
  first.launched.signal('SIGKILL');
  await page.getByText(/Disconnected since \d\d:\d\d:\d\d/).waitFor();
  assert.equal(await page.locator('tr[data-name]').count(), 3, 'the last known state stays');
  await checkAccessibility(page);
  await shoot(page, 'disconnected');
  await first.launched.exit;
  await launchSite(t, '[program:fresh]\ncommand=sleep 1000\n', { port: first.port });
  await waitForState(page, 'fresh', 'RUNNING');
  await untilCount(page.getByText('Disconnected since'), 0);
  await untilCount(page.locator('tr[data-name="api"]'), 0);
});

test(
  'it works behind nginx below a path, without settings',
  { skip: skip || (existsSync(NGINX) ? false : 'no nginx') },
  async (t) => {
    const { url, port } = await launchSite(t, PROGRAMS);
    const folder = await mkdtemp(join(tmpdir(), 'onevisor-nginx-'));
    const front = await freePort();
    await writeFile(
      join(folder, 'nginx.conf'),
      `pid ${folder}/pid; error_log stderr; daemon off; master_process off; events {}
http {
  access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${front}; location /a/b/ { proxy_pass http://127.0.0.1:${port}/; } }
}`,
    );
    const nginx = spawn(NGINX, ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
    const ended = new Promise((resolve) => nginx.once('exit', resolve));
    const proxied = `http://127.0.0.1:${front}/a/b/`;
    await until(() =>
      fetch(proxied).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    const page = await openPage(t, proxied);
    t.after(async () => {
      nginx.kill();
      await ended;
      await rm(folder, { recursive: true });
    });
    await waitForState(page, 'api', 'RUNNING');
    await page.getByRole('table').getByRole('button', { name: 'Stop api', exact: true }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Stop', exact: true }).click();
    await waitForState(page, 'api', 'STOPPED');
    await page.getByRole('link', { name: 'Configuration' }).click();
    await page.getByText('The files agree with what runs.').waitFor();
    assert.ok(page.url().startsWith(proxied) && !page.url().startsWith(url));
  },
);
