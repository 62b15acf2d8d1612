/** The HTML of the pages: no text from outside becomes markup, and the buttons match the state. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { processStateNames } from '../../../src/core/states.ts';
import { escapeHtml, html } from '../../../src/web/html.ts';
import { formatLogText } from '../../../src/web/log-text.ts';
import {
  formatConfirmPage,
  formatProblemPage,
  formatStatusPage,
  formatTailPage,
  type ProcessRow,
  type StatusPage,
} from '../../../src/web/page.ts';
import { PageSecret } from '../../../src/web/secret.ts';
import { contentPolicy } from '../../../src/web/style.ts';

const EVIL = `"'><script>alert(1)</script>&`;
const frame = { identification: EVIL, version: EVIL, token: EVIL };
const row = (more: Partial<ProcessRow> = {}): ProcessRow => ({
  name: 'web',
  state: 'RUNNING',
  description: 'pid 1, uptime 0:00:01',
  isFlapping: false,
  hasStderr: true,
  ...more,
});
const status = (more: Partial<StatusPage> = {}): string =>
  formatStatusPage({
    identification: 'shop',
    version: '4.3.0',
    token: 'secret',
    supervisorState: 'RUNNING',
    processes: [row()],
    outcome: null,
    canChange: true,
    time: 'now',
    ...more,
  });

/** Returns the tags of a page, as a browser would see them: `<` and the text up to `>`. */
const tagsOf = (page: string): string[] => page.match(/<[a-z!/][^>]*>/gi) ?? [];

test('a template escapes every value that no template made', () => {
  assert.equal(html`<a href="${EVIL}">${EVIL}</a>`.text, `<a href="${escapeHtml(EVIL)}">${escapeHtml(EVIL)}</a>`);
  assert.equal(html`${null}${false}${0}${[html`<b>`, '<']}`.text, '0<b>&lt;');
  assert.equal(escapeHtml(EVIL), '&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;');
});

const ELEMENTS =
  'html|head|meta|title|style|body|form|input|header|h1|p|div|a|button|main|table|thead|tr|th|tbody|td|span|footer|pre';
const ALLOWED_TAG = new RegExp(String.raw`^<(!DOCTYPE html|\/?(${ELEMENTS}))( [a-z-]+="[^"<>]*")*>$`);

test('a crash loop is shown beside the state', () => {
  assert.ok(status({ processes: [row({ isFlapping: true })] }).includes('</span> <span class="state busy">flapping<'));
  assert.ok(!status().includes('flapping'));
});

test('no page has an element from outside', () => {
  const pages = [
    status({
      ...frame,
      processes: [row({ name: EVIL, description: EVIL })],
      outcome: { text: EVIL, isError: true },
      time: EVIL,
    }),
    formatConfirmPage(frame, { action: 'stop', name: EVIL }),
    formatTailPage({ ...frame, name: EVIL, stream: 'stdout', hasStderr: true, limit: 4096, text: EVIL, reason: EVIL }),
    formatTailPage({ ...frame, name: EVIL, stream: 'stderr', hasStderr: true, limit: 4096, text: null, reason: EVIL }),
    formatProblemPage(frame, EVIL),
  ];
  for (const page of pages) {
    assert.doesNotMatch(page, /<script/i);
    assert.ok(page.includes('&lt;script&gt;'));
    for (const tag of tagsOf(page)) assert.match(tag, ALLOWED_TAG, tag);
  }
});

test('the policy of a page allows its own style sheet, and no other', () => {
  const style = /<style>([^]*)<\/style>/.exec(status())?.[1] ?? '';
  assert.ok(contentPolicy().includes(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`));
  assert.match(contentPolicy(), /^default-src 'none'; .*form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/);
  assert.doesNotMatch(status(), / style=| on[a-z]+=/);
});

test('each state offers the possible actions', () => {
  const offered = Object.fromEntries(
    processStateNames.map((state) => [
      state,
      [...status({ processes: [row({ state })] }).matchAll(/value="(\w+) web"/g)].map((match) => match[1]).join(' '),
    ]),
  );
  assert.deepEqual(offered, {
    STOPPED: 'start clearlog',
    STARTING: 'stop clearlog',
    RUNNING: 'restart stop clearlog',
    BACKOFF: 'stop clearlog',
    STOPPING: 'stop clearlog',
    EXITED: 'start clearlog',
    FATAL: 'start clearlog',
    UNKNOWN: 'clearlog',
  });
});

test('the status page: summary, links, one form with the token, an empty configuration, a shutdown', () => {
  const page = status({
    processes: [row({ name: 'group:a b/ü' }), row({ name: 'x', state: 'FATAL', hasStderr: false })],
  });
  assert.match(page, /1 of 2 running</);
  assert.match(page, /href="tail\.html\?processname=group%3Aa%20b%2F%C3%BC"/);
  assert.match(page, /href="logtail\/group%3Aa%20b%2F%C3%BC\/stderr"/);
  assert.doesNotMatch(page, /logtail\/x\/stderr/);
  assert.equal(
    page.match(/<form method="post" action="index\.html"><input type="hidden" name="token" value="secret">/g)?.length,
    1,
  );
  assert.match(status({ processes: [] }), /No programs are configured/);
  assert.match(status({ supervisorState: 'SHUTDOWN' }), /the supervisor is in state SHUTDOWN/);
  assert.match(
    status({ outcome: { text: 'Process web started', isError: false } }),
    /<p class="note" role="status">Process web started</,
  );
  assert.doesNotMatch(page, /(?:href|action)="(?:\/|https?:)/, 'links hold below any path');
});

test('the tail page: text, an empty log, no log, sizes, the other stream', () => {
  const tail = {
    identification: 'shop',
    version: '4.3.0',
    token: 't',
    name: 'web',
    stream: 'stdout',
    hasStderr: true,
    limit: 65_536,
    text: 'line\n',
    reason: 'There is none.',
  } as const;
  assert.match(formatTailPage(tail), /<pre>line\n<\/pre>/);
  assert.match(
    formatTailPage(tail),
    /the last 64 KiB.*stream=stderr&amp;limit=65536.*limit=4096">4 KiB.*limit=1048576">1 MiB/s,
  );
  assert.match(formatTailPage({ ...tail, text: '' }), /The log is empty/);
  assert.match(formatTailPage({ ...tail, text: null, limit: 100 }), /There is none\./);
  assert.match(formatTailPage({ ...tail, stream: 'stderr' }), /href="logtail\/web\/stderr">Tail -f/);
});

test('log text: whole lines, no terminal sequences, no control characters', () => {
  const text = (bytes: string | Buffer, isCut = false): string => formatLogText(Buffer.from(bytes), isCut);
  assert.equal(text('cut off\nwhole\n', true), 'whole\n');
  assert.equal(text('one long line\n', true), 'one long line\n');
  assert.equal(text('all\nof it'), 'all\nof it');
  assert.equal(text('\x1b[1;32mgreen\x1b[0m \x1b]0;title\x07x\x1b(B\r\n\t\0\x07'), 'green x\n\t\ufffd\ufffd');
  assert.equal(text(Buffer.from([0x61, 0xff, 0x62, 0xc3])), 'a\ufffdb\ufffd');
});

test('the message of a link is shown only if this supervisor made it since its start', () => {
  const secret = new PageSecret();
  const read = (query: string, by = secret): unknown => by.verify(new URLSearchParams(query));
  const done = secret.sign({ text: 'Process a&b stopped', isError: false });
  const failed = secret.sign({ text: 'ERROR', isError: true });
  assert.deepEqual(read(done), { text: 'Process a&b stopped', isError: false });
  assert.deepEqual(read(failed), { text: 'ERROR', isError: true });
  assert.equal(read(`${done}&error=1`), null);
  assert.equal(read(failed.replace('error=1&', '')), null);
  assert.equal(read(done.replace('stopped', 'started')), null);
  assert.equal(read('message=Call+0900+now'), null);
  assert.equal(read(''), null);
  assert.equal(read(done, new PageSecret()), null);
  assert.ok(secret.isToken(secret.token));
  for (const token of [null, '', 'x', new PageSecret().token]) assert.ok(!secret.isToken(token));
});
