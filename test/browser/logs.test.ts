/** The log view in a real browser, with a server that sends what a test wants. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import {
  checkAccessibility,
  closeBrowser,
  openPage,
  type PageOptions,
  skip as skipReason,
  until,
  untilCount,
} from './harness.ts';
import { LogsMock } from './logs-mock.ts';

const skip = { skip: skipReason };

let mock: LogsMock;

before(async () => {
  mock = await LogsMock.start();
});
after(async () => {
  await closeBrowser();
  await mock.close();
});
beforeEach(() => mock.reset());

/** Opens the log view. */
async function open(t: TestContext, query = '', options: PageOptions = {}): Promise<Page> {
  const viewport = { width: 1200, height: 700 };
  const page = await openPage(t, `${mock.url}#/logs${query}`, { mayLose: true, viewport, ...options });
  await page.getByRole('log').first().waitFor();
  await until(() => mock.streams > 0 || /since|at=/.test(query));
  return page;
}

const rowTexts = (page: Page): Promise<string[]> => page.locator('.row').allTextContents();
const lastRow = async (page: Page): Promise<string> => (await rowTexts(page)).at(-1) ?? '';

/** The first row whose top is inside the window, and its distance from the top edge. */
function firstVisible(page: Page): Promise<{ text: string; top: number }> {
  return page
    .getByRole('log')
    .first()
    .evaluate((log) => {
      const edge = log.getBoundingClientRect().top;
      for (const row of log.querySelectorAll('.row')) {
        const { top, bottom } = row.getBoundingClientRect();
        if (bottom > edge + 1) return { text: row.textContent, top: Math.round(top - edge) };
      }
      return { text: '', top: 0 };
    });
}

function fill(count: number): void {
  for (let at = 0; at < count; at++) mock.make(`old ${at}`);
}

async function scrollUp(page: Page, pixels: number): Promise<void> {
  await page.getByRole('log').first().hover();
  await page.mouse.wheel(0, -pixels);
  await page.getByRole('button', { name: /new line|To the end/ }).waitFor();
}

test('the view follows at the end, and only there', skip, async (t) => {
  fill(500);
  const page = await open(t, '?names=web');
  await until(async () => (await lastRow(page)).endsWith('old 499'));
  mock.say('first live');
  await until(async () => (await lastRow(page)).endsWith('first live'));
  assert.ok((await page.locator('.row').count()) < 80);
  await scrollUp(page, 2000);
  const place = await firstVisible(page);
  for (let at = 0; at < 2000; at++) mock.make(`more ${at}`);
  mock.send(mock.lines.slice(-2000));
  await page.getByRole('button', { name: '2,000 new lines' }).waitFor();
  assert.deepEqual(await firstVisible(page), place);
  await page.getByRole('button', { name: '2,000 new lines' }).click();
  await until(async () => (await lastRow(page)).endsWith('more 1999'));
  mock.say('follows again');
  await until(async () => (await lastRow(page)).endsWith('follows again'));
});

test('a place stays while lines flow and older ones leave the ring, in both forms of rows', skip, async (t) => {
  fill(300);
  const page = await open(t, '?names=web');
  await until(async () => (await lastRow(page)).endsWith('old 299'));
  const flood = (count: number): void => {
    for (let sent = 0; sent < count; sent += 2000)
      mock.send(Array.from({ length: 2000 }, (_, at) => mock.make(`flood ${sent + at} ${'x'.repeat(at % 300)}`)));
  };
  flood(20_000);
  await until(async () => (await lastRow(page)).includes('flood 19999'));
  await scrollUp(page, 3000);
  const place = await firstVisible(page);
  flood(84_000);
  await page.getByRole('button', { name: '84,000 new lines' }).waitFor();
  await until(async () => JSON.stringify(await firstVisible(page)) === JSON.stringify(place));
  await page.keyboard.press('w');
  await page.locator('.rows.wrapped').waitFor();
  const wrapped = await firstVisible(page);
  assert.equal(wrapped.text, place.text);
  flood(4000);
  await page.getByRole('button', { name: '88,000 new lines' }).waitFor();
  assert.deepEqual(await firstVisible(page), wrapped);
  // The rows of the place leave the ring, and the view says so.
  flood(100_000);
  await page.keyboard.press('g');
  await page.getByText(/earlier lines are no longer in this page/).waitFor();
});

test('a pause stops the picture, and loses nothing', skip, async (t) => {
  const page = await open(t, '?names=web');
  mock.say('before');
  await until(async () => (await lastRow(page)).endsWith('before'));
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  mock.say('one', 'two');
  await page.getByRole('button', { name: '2 new lines' }).waitFor();
  assert.ok((await lastRow(page)).endsWith('before'));
  await page.keyboard.press('Space');
  await until(async () => (await lastRow(page)).endsWith('two'));
  await untilCount(page.locator('.row'), 3);
});

test('find goes from line to line, counts, and takes Ctrl-F', skip, async (t) => {
  for (let at = 0; at < 1000; at++) mock.make(at % 100 === 50 ? `needle ${at}` : `hay ${at}`);
  const page = await open(t, '?names=web');
  await until(async () => (await lastRow(page)).endsWith('hay 999'));
  await page.keyboard.press('Control+f');
  await page.keyboard.type('needle');
  await page.getByText('0 of 10 lines').waitFor();
  await page.keyboard.press('Enter');
  await page.getByText('10 of 10 lines').waitFor();
  assert.match((await page.locator('.row.hit').textContent()) ?? '', /needle 950/);
  assert.equal(await page.locator('.row.hit mark').textContent(), 'needle');
  await page.getByRole('log').focus();
  await page.keyboard.press('N');
  await page.getByText('9 of 10 lines').waitFor();
  await page.keyboard.press('n');
  await page.keyboard.press('n');
  await page.getByText('1 of 10 lines').waitFor();
  assert.match((await page.locator('.row.hit').textContent()) ?? '', /needle 50/);
  assert.match(page.url(), /find=needle/);
  await page.keyboard.press('Escape');
  await page.locator('.findbar').waitFor({ state: 'detached' });
});

test('a filter with context, a level and a highlight are in the address', skip, async (t) => {
  for (let at = 0; at < 300; at++) mock.make(`${at % 3 === 0 ? 'ERROR' : 'INFO'} line ${at}`);
  const page = await open(t, '?names=web');
  await until(async () => (await lastRow(page)).endsWith('line 299'));
  await page.keyboard.press('f');
  await page.keyboard.type('line 15');
  await untilCount(page.locator('.row'), 11);
  await page.getByLabel('Level').selectOption('error');
  await untilCount(page.locator('.row'), 5);
  await page.getByText('More').click();
  await page.getByLabel('Lines around').fill('1');
  await untilCount(page.locator('.row.around'), 10);
  await page.getByLabel('Highlight').fill('ERROR');
  await page.locator('mark.high').first().waitFor();
  assert.match(page.url(), /filter=line\+15&context=1&level=error&highlight=ERROR/);
  const download = page.getByRole('link', { name: 'Download' });
  assert.equal(
    await download.getAttribute('href'),
    'api/v1/logs/download?names=web&grep=%28%3Fi%29line+15&regex=true&level=error&timestamps=true',
  );
  const [file] = await Promise.all([page.waitForEvent('download'), download.click()]);
  assert.equal(file.suggestedFilename(), 'x.log');
  await page.reload();
  await untilCount(page.locator('.row.around'), 10);
});

test('lines are chosen and copied, by mouse and by keys', skip, async (t) => {
  for (let at = 0; at < 20; at++) mock.make(`\x1b[31mline ${at}\x1b[0m`, { name: at % 2 === 0 ? 'web' : 'db' });
  const page = await open(t, '', { permissions: ['clipboard-read', 'clipboard-write'] });
  await until(async () => (await lastRow(page)).endsWith('line 19'));
  await page.keyboard.press('t');
  await page.keyboard.press('t');
  await page.getByText('line 5', { exact: true }).click();
  await page.getByText('1 line selected').waitFor();
  await page.getByText('line 8', { exact: true }).click({ modifiers: ['Shift'] });
  await page.getByText('4 lines selected').waitFor();
  await page.keyboard.press('c');
  await page.getByText('Copied').waitFor();
  const clipboard = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
  assert.equal(await clipboard(), 'db | line 5\nweb | line 6\ndb | line 7\nweb | line 8\n');
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Shift+ArrowDown');
  await page.getByText('6 lines selected').waitFor();
  await page.keyboard.press('ArrowUp');
  await page.getByText('1 line selected').waitFor();
  await page.keyboard.press('c');
  await until(async () => (await clipboard()) === 'db | line 9\n');
  await page.keyboard.press('Escape');
  await page.getByText('1 line selected').waitFor({ state: 'detached' });
});

test('copy works without a clipboard of the browser', skip, async (t) => {
  mock.make('only line');
  const page = await open(t, '?names=web');
  await page.evaluate(() => {
    Object.defineProperty(navigator, 'clipboard', { value: undefined });
    document.addEventListener('copy', () => {
      document.title = `copied ${getSelection()?.toString()}`;
    });
  });
  await page.getByText('only line').click();
  await page.keyboard.press('c');
  await page.getByText('Copied').waitFor();
  assert.match(await page.title(), /copied .*only line/);
});

test('a link leads to its line', skip, async (t) => {
  for (let at = 0; at < 3000; at++) mock.make(`line ${at}`);
  const page = await open(t, '?names=web');
  await until(async () => (await lastRow(page)).endsWith('line 2999'));
  await page.locator('.row', { hasText: /line 2980$/ }).click();
  const href = (await page.getByRole('link', { name: 'Link to the line' }).getAttribute('href')) ?? '';
  assert.match(href, /names=web&at=mock1-\d+$/);
  const other = await open(t, href.slice('#/logs'.length));
  await other.locator('.row.current').waitFor();
  assert.match((await other.locator('.row.current').textContent()) ?? '', /line 2980$/);
  assert.match(other.url(), /at=mock1/);
  await other.getByRole('button', { name: 'Show live lines' }).click();
  await until(async () => (await lastRow(other)).endsWith('line 2999'));
  const lost = await open(t, '?names=web&at=elder-5');
  await lost.getByText(/before the supervisor was started again/).waitFor();
});

test('a span has exactly its lines, and does not follow', skip, async (t) => {
  for (let at = 0; at < 100; at++) mock.make(`line ${at}`, { at: 1_764_000_000_000 + at * 1000 });
  const page = await open(t, '?names=web&since=1764000010000&until=1764000014000');
  await untilCount(page.locator('.row'), 5);
  assert.match((await rowTexts(page)).join('\n'), /line 10\n.*line 11\n.*line 12\n.*line 13\n.*line 14$/);
  mock.say('later');
  await page.getByRole('button', { name: 'Show live lines' }).click();
  await until(async () => (await lastRow(page)).endsWith('later'));
});

test('markup and control sequences of a program are only text', skip, async (t) => {
  const hostile = [
    '<img src=x onerror=alert(1)><script>alert(2)</script>',
    '\x1b]0;title\x07\x1b[2J\x1b[Hhome',
    'a\u202eb\x00c',
    '{"msg":"<b>x</b>","__proto__":{"a":1}}',
    '\x1b[38;2;255;0;0mred\x1b[0m \x1b[1;32mgreen',
  ];
  for (const text of hostile) mock.make(text, { name: '<i>n</i>' });
  const page = await open(t);
  await until(async () => (await page.locator('.row').count()) === hostile.length);
  const texts = await rowTexts(page);
  assert.ok(texts[0]?.endsWith(hostile[0] ?? ''));
  assert.ok(texts[1]?.endsWith('| home'));
  assert.ok(texts[2]?.endsWith(String.raw`a\u202eb\u0000c`));
  assert.ok(texts[0]?.includes('<i>n</i>'));
  assert.equal(await page.locator('.row img, .row script, .row b, .row i').count(), 0);
  const red = page.getByText('red', { exact: true });
  assert.equal(await red.evaluate((element) => getComputedStyle(element).color), 'rgb(255, 0, 0)');
  assert.match((await page.getByText('green', { exact: true }).getAttribute('class')) ?? '', /bold fg2/);
});

test('JSON is readable, one line or all of them can be raw', skip, async (t) => {
  const raw = '{"level":"error","msg":"it failed","user":"bob"}';
  mock.make(raw);
  const page = await open(t, '?names=web');
  await page.getByText('it failed', { exact: true }).waitFor();
  assert.match(await lastRow(page), /ERROR it failed user=bob/);
  await page.getByRole('button', { name: 'Show this line as it was written' }).click();
  await page.getByText(raw).waitFor();
  await page.keyboard.press('r');
  await page.getByText('it failed', { exact: true }).waitFor();
});

test('a line of 100,000 characters is cut, and can be shown whole', skip, async (t) => {
  mock.make(`begin ${'z'.repeat(100_000)} end`);
  const page = await open(t, '?names=web');
  await page.getByRole('button', { name: 'Show all 100010 characters' }).waitFor();
  assert.ok((await lastRow(page)).length < 2200);
  await page.keyboard.press('w');
  await page.getByRole('button', { name: 'Show all 100010 characters' }).click();
  await until(async () => (await lastRow(page)).includes(' end'));
});

test('what is missing is told in rows', skip, async (t) => {
  const page = await open(t, '?names=web');
  mock.say('one');
  await until(async () => (await lastRow(page)).endsWith('one'));
  mock.message('dropped', { n: 1234 });
  await page.getByText('1234 lines were dropped').waitFor();
  mock.send([], [{ name: 'web', stream: 'stdout', bytes: 99 }]);
  await page.getByText('99 bytes of web (stdout) are no longer in the memory').waitFor();
  mock.drop();
  await page
    .getByText(/Disconnected since/)
    .last()
    .waitFor();
  await page.locator('.row', { hasText: 'Connected again' }).waitFor();
  mock.say('after');
  await until(async () => (await lastRow(page)).endsWith('after'));
  assert.equal((await rowTexts(page)).filter((text) => text.endsWith('| one') || text.endsWith('one')).length, 1);
  mock.epoch = 'mock2';
  mock.seq = 1;
  mock.lines = [];
  mock.make('of the new one');
  mock.drop();
  await page.getByText('The supervisor was started again').waitFor();
  await until(async () => (await lastRow(page)).endsWith('of the new one'));
});

test('a hidden tab has no stream, and goes on without a gap', skip, async (t) => {
  const page = await open(t, '?names=web');
  mock.say('seen');
  await until(async () => (await lastRow(page)).endsWith('seen'));
  const show = (isHidden: boolean): Promise<void> =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, isHidden);
  await show(true);
  await until(() => mock.streams === 0);
  mock.say('while it was hidden');
  await show(false);
  await until(async () => (await lastRow(page)).endsWith('while it was hidden'));
  mock.say('after it');
  await until(async () => (await lastRow(page)).endsWith('after it'));
  assert.deepEqual((await rowTexts(page)).filter((text) => /seen|hidden|after/.test(text)).length, 3);
  assert.equal(await page.locator('.row.mark').count(), 0);
});

test('events of programs stand among the lines', skip, async (t) => {
  const page = await open(t, '?names=web');
  mock.say('working');
  const seq = mock.seq++;
  const end = { outcome: 'exited', exit_code: 3, expected: false, why: 'exit', planned: false, how: 'exit status 3' };
  const event = { seq, at: Date.now(), kind: 'state', name: 'web', from: 'RUNNING', to: 'EXITED', run: 1 };
  mock.message('delta', { processes: [], removed: [], events: [{ ...event, end: { ...end, text: 'exit status 3' } }] });
  mock.say('after the end');
  await page.locator('.row.event', { hasText: 'ended: exit status 3' }).waitFor();
  await until(async () => (await lastRow(page)).endsWith('after the end'));
  assert.ok((await rowTexts(page)).at(-2)?.endsWith('* ended: exit status 3'));
});

test('programs stand side by side, and scroll together by time', skip, async (t) => {
  for (let at = 0; at < 600; at++) mock.make(`line ${at}`, { name: at % 3 === 0 ? 'db' : 'web' });
  const page = await open(t, '?names=web&names=db&layout=columns&sync=1');
  const logs = page.getByRole('log');
  await untilCount(logs, 2);
  await until(async () => (await logs.nth(1).locator('.row').count()) > 10);
  await logs.nth(0).hover();
  await page.mouse.wheel(0, -4000);
  await until(async () => {
    const tops = await logs.evaluateAll((all) =>
      all.map((log) => {
        const edge = log.getBoundingClientRect().top;
        const row = [...log.querySelectorAll('.row')].find((one) => one.getBoundingClientRect().bottom > edge + 1);
        return Number(/line (\d+)/.exec(row?.textContent ?? '')?.[1]);
      }),
    );
    return (tops[0] ?? 0) < 350 && Math.abs((tops[0] ?? 0) - (tops[1] ?? 999)) <= 3;
  });
});

test('older lines are loaded on demand, and the place stays', skip, async (t) => {
  for (let at = 0; at < 2500; at++) mock.make(`line ${at}`);
  const page = await open(t, '?names=web');
  await until(async () => (await lastRow(page)).endsWith('line 2499'));
  await page.keyboard.press('g');
  const earlier = page.getByRole('button', { name: 'Load earlier lines' });
  await until(async () => (await firstVisible(page)).text.endsWith('line 1500'));
  await earlier.click();
  await until(async () => (await firstVisible(page)).text.endsWith('line 500'));
  await earlier.click();
  await until(async () => (await firstVisible(page)).text.endsWith('line 0'));
  await page.getByText('This is the first line in the memory').waitFor();
});

test('the files on the server are searched', skip, async (t) => {
  const page = await open(t, '?names=web&find=boom');
  mock.fileAnswer = [
    { progress: { file: 'web.log', bytes: 5, size: 10 } },
    { hit: { file: 'web.log.1', offset: 77, text: '\x1b[31mboom\x1b[0m <b>' } },
    { done: { hits: 1, capped: true } },
  ];
  await page.getByText('More').click();
  await page.getByRole('button', { name: 'Search files' }).click();
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await page.getByText('web.log.1:77 boom <b>').waitFor();
  await page.getByText(/Only the first 1 hits/).waitFor();
  const asked = mock.requests.find(({ pathname }) => pathname.endsWith('/files'));
  assert.equal(asked?.search, '?name=web&stream=stdout&grep=%28%3Fi%29boom&regex=true&limit=500');
});

test('settings are remembered, and wrong ones are ignored', skip, async (t) => {
  mock.make('x');
  const page = await open(t, '?names=web');
  await page.keyboard.press('w');
  await page.keyboard.press('t');
  await page.reload();
  await page.locator('.rows.wrapped').waitFor();
  assert.match((await page.locator('.row .time').last().textContent()) ?? '', /Z $/);
  await page.evaluate(() => localStorage.setItem('onevisor.logs', '{{'));
  await page.reload();
  await page.locator('.rows:not(.wrapped)').waitFor();
});

test('axe finds nothing, in both themes and at both widths', skip, async (t) => {
  mock.showcase();
  for (const query of ['?find=request&names=web', '?names=web&names=db&layout=columns&highlight=GET', '?level=warn']) {
    const page = await open(t, query);
    await page.locator('.row').first().waitFor();
    await page.getByText('More').click();
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [1200, 360]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await page.locator('.row').first().waitFor();
        await checkAccessibility(page);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${query} ${width}`);
      }
  }
});

test('the view speaks Chinese', skip, async (t) => {
  mock.make('x');
  const page = await open(t, '?names=web', { locale: 'zh-CN' });
  await page.getByRole('button', { name: '暂停' }).waitFor();
  await page
    .getByRole('button', { name: '加载更早的日志' })
    .or(page.getByText('这是 Supervisor 内存中最早的一行'))
    .waitFor();
});
