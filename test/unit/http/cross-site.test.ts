/** Requests that a browser sends for the page of another site, also behind proxies that change the Host header. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCrossSite } from '../../../src/http/cross-site.ts';
import { createHostRule, trustedNames } from '../../../src/http/host-rule.ts';

const PROXY = new Set(['proxy.example']);

const CASES: ReadonlyArray<[title: string, headers: Record<string, string>, isRefused: boolean]> = [
  ['no browser', { host: 'a' }, false],
  ['our own page', { host: 'a:1', origin: 'http://A:1' }, false],
  ['another site', { host: 'a:1', origin: 'http://evil' }, true],
  ['another port', { host: 'a:1', origin: 'http://a:2' }, true],
  ['a page without an origin', { host: 'a:1', origin: 'null' }, true],
  ['the browser says so', { host: 'x', origin: 'http://a', 'sec-fetch-site': 'same-origin' }, false],
  ['the browser says no', { host: 'a', origin: 'http://a', 'sec-fetch-site': 'cross-site' }, true],
  ['a neighbour', { host: 'a', origin: 'http://a', 'sec-fetch-site': 'same-site' }, true],
  ['our header, which another site cannot send', { host: 'x', origin: 'http://a', 'x-onevisor': '1' }, false],
  ['our header, but empty', { host: 'x', origin: 'http://a', 'x-onevisor': '' }, true],
  ['our header does not outdo the browser', { 'x-onevisor': '1', 'sec-fetch-site': 'cross-site' }, true],
  ['a proxy that passes the name on', { host: 'x', origin: 'https://a', 'x-forwarded-host': 'a' }, false],
  ['two proxies', { host: 'x', origin: 'https://b', 'x-forwarded-host': 'a, b' }, false],
  ['a proxy with another name', { host: 'x', origin: 'https://evil', 'x-forwarded-host': 'a' }, true],
  ['a proxy of allowed_hosts', { host: '127.0.0.1:9001', origin: 'http://proxy.example:8080' }, false],
  ['a site below that name', { host: '127.0.0.1:9001', origin: 'http://evil.proxy.example' }, true],
];

for (const [title, headers, isRefused] of CASES)
  test(`${title} is ${isRefused ? 'refused' : 'served'}`, () => {
    assert.equal(isCrossSite({ headers }, PROXY), isRefused);
  });

test('allowed_hosts=* accepts any name, and trusts the pages of none', () => {
  assert.ok(createHostRule(['*'])('evil.example'));
  assert.deepEqual([...trustedNames(['*', 'Proxy.Example:80', ''])], ['proxy.example']);
  assert.ok(isCrossSite({ headers: { host: 'a', origin: 'http://evil.example' } }, trustedNames(['*'])));
});
