/** Opens the dashboard of the built executable in Debian's Chromium, and holds every page to the same rules. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type ConsoleMessage,
  type Locator,
  type Page,
  type Request,
} from 'playwright-core';
import { launch, type Launched } from '../e2e/launch.ts';
import { freePort } from '../e2e/ports.ts';

const CHROMIUM = '/usr/bin/chromium';
const SCREENSHOTS = join(import.meta.dirname, '..', '..', 'dist', 'screenshots');

/** Reason why there is no browser here, for `skip`; false if there is one. */
export const skip: string | false = existsSync(CHROMIUM) ? false : `no ${CHROMIUM}`;

let browser: Promise<Browser> | undefined;

/** Starts the browser of this file. */
function openBrowser(): Promise<Browser> {
  browser ??= chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox'],
  });
  return browser;
}

/** Ends the browser. Call it after all tests of a file. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
}

/** A supervisor whose dashboard can be opened. */
export interface Site {
  readonly launched: Launched;
  readonly port: number;
  readonly url: string;
}

/** Ends of the pages of a test. They run before its supervisor ends, which the pages would complain about. */
const pageEnds = new WeakMap<TestContext, Array<() => Promise<void>>>();

function onPageEnd(test: TestContext, end: () => Promise<void>): void {
  const ends = pageEnds.get(test);
  if (ends !== undefined) {
    ends.push(end);
    return;
  }
  const first = [end];
  pageEnds.set(test, first);
  test.after(async () => {
    for (const one of first) await one();
  });
}

/**
 * Starts the executable as PID 1 with programs and a server. `port`: that of an earlier supervisor. `auth`: user and
 * password, if the server wants them.
 */
export async function launchSite(
  test: TestContext,
  programs: string,
  {
    port,
    files = {},
    auth,
  }: {
    readonly port?: number;
    readonly files?: Readonly<Record<string, string>>;
    readonly auth?: string;
  } = {},
): Promise<Site> {
  onPageEnd(test, () => Promise.resolve());
  const chosen = port ?? (await freePort());
  const config = ['[supervisord]', 'identifier=shop', '[inet_http_server]', `port=127.0.0.1:${chosen}`, programs].join(
    '\n',
  );
  const launched = await launch(test, { config, files, args: ['-n'] });
  const url = `http://127.0.0.1:${chosen}/`;
  let hasEnded = false;
  // A configuration that is refused ends the supervisor.
  void launched.exit.then(() => (hasEnded = true));
  await until(() => {
    assert.ok(!hasEnded, 'the supervisor has ended at once');
    return fetch(url, auth === undefined ? {} : { headers: { Authorization: `Basic ${btoa(auth)}` } }).then(
      (answer) => answer.ok,
      () => false,
    );
  });
  return { launched, port: chosen, url };
}

/** Waits until a check passes. The timeout of the test ends it. */
export async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await check())) await delay(20);
}

/**
 * Waits until a number of elements is there. The page draws long lists over several frames, so a count taken at once
 * depends on the load of the machine.
 */
export function untilCount(elements: Locator, count: number): Promise<void> {
  return until(async () => (await elements.count()) === count);
}

/** Wishes for a page. Those of {@link PageLook} can change; a page with others is a page of its own. */
export interface PageOptions extends PageLook {
  readonly locale?: string;
  readonly httpCredentials?: { readonly username: string; readonly password: string };
  readonly permissions?: string[];
  /** Requests may fail, while a supervisor is away. */
  readonly mayLose?: boolean;
  /** The clock of the page is moved by the test. */
  readonly hasClock?: boolean;
}

/** The wishes that a page can get at any time. */
interface PageLook {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
  readonly reducedMotion?: 'reduce' | 'no-preference';
}

/** Time for one step on a busy machine. */
const PATIENCE_MS = 120_000;

/** Pages that are not used now, by the wishes that they were made with. A new page takes a second of processor time. */
const idlePages = new Map<string, Page[]>();

/** Takes an idle page, or makes one. Returns a function that gives it back. */
async function takePage(wishes: BrowserContextOptions): Promise<{ readonly page: Page; giveBack(): Promise<void> }> {
  const key = JSON.stringify(wishes);
  const idle = idlePages.get(key) ?? [];
  idlePages.set(key, idle);
  const page = idle.pop() ?? (await (await (await openBrowser()).newContext(wishes)).newPage());
  page.setDefaultTimeout(PATIENCE_MS);
  const giveBack = async (): Promise<void> => {
    if (page.isClosed()) return;
    // Storage belongs to an address, which may be used again.
    await page.evaluate(() => localStorage.clear()).catch(() => undefined);
    await page.goto('about:blank');
    idle.push(page);
  };
  return { page, giveBack };
}

/**
 * Opens a page. After the test, it must have had no error on the console, which also tells of violations of its
 * Content-Security-Policy, and no request to another place.
 */
export async function openPage(test: TestContext, url: string, options: PageOptions = {}): Promise<Page> {
  const { mayLose = false, hasClock = false, viewport, colorScheme, reducedMotion, ...wishes } = options;
  const { page, giveBack } = await takePage({ locale: 'en-US', ...wishes });
  if (hasClock) await page.clock.install();
  await page.setViewportSize(viewport ?? { width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: colorScheme ?? 'light', reducedMotion: reducedMotion ?? 'no-preference' });
  const problems: string[] = [];
  const { origin } = new URL(url);
  const onError = (error: Error): void => void problems.push(String(error.stack));
  const onMessage = (message: ConsoleMessage): void => {
    const isLoss = mayLose && /Failed to load resource|net::ERR|EventSource/.test(message.text());
    if (message.type() === 'error' && !isLoss) problems.push(`${message.text()} ${message.location().url}`);
  };
  const onRequest = (request: Request): void => {
    if (!request.url().startsWith(origin)) problems.push(`request to ${request.url()}`);
  };
  page.on('pageerror', onError).on('console', onMessage).on('request', onRequest);
  onPageEnd(test, async () => {
    page.off('pageerror', onError).off('console', onMessage).off('request', onRequest);
    // A clock that was installed stays.
    if (hasClock) await page.close();
    else await page.unrouteAll({ behavior: 'ignoreErrors' }).then(giveBack);
  });
  // After the end of the supervisor: the hooks after one that fails do not run.
  test.after(() => assert.deepEqual(problems, []));
  await page.goto(url);
  return page;
}

/** Keeps a picture of a page in dist/screenshots/. */
export async function shoot(page: Page, name: string): Promise<void> {
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}

interface Violation {
  readonly id: string;
  readonly nodes: ReadonlyArray<{
    readonly html: string;
    readonly failureSummary?: string;
  }>;
}

let axeSource: Promise<string> | undefined;

/** Fails if axe finds a violation on a page. */
export async function checkAccessibility(page: Page): Promise<void> {
  if (!(await page.evaluate(() => 'axe' in window))) {
    axeSource ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    await page.evaluate(await axeSource);
  }
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as {
      readonly axe: { run(): Promise<{ violations: Violation[] }> };
    };
    return (await axe.run()).violations;
  });
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 300)}\n${failureSummary ?? ''}`),
  );
  assert.deepEqual(found, [], found.join('\n'));
}

/** Fails if a page is wider than a small phone, or if axe finds a violation there. */
export async function checkPhone(page: Page): Promise<void> {
  await page.setViewportSize({ width: 360, height: 740 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `${overflow} pixels wider than the phone`);
  await checkAccessibility(page);
}

/** Returns the text of the state in the row of a process. */
export function stateOf(page: Page, name: string): Promise<string> {
  return page.locator(`tr[data-name="${name}"] .state .tone`).innerText();
}

/** Waits until the row of a process shows a state. */
export async function waitForState(page: Page, name: string, state: string): Promise<void> {
  await page.locator(`tr[data-name="${name}"] .state .tone`, { hasText: state }).waitFor();
}
