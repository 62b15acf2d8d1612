/** Addresses of other supervisors: forms, refusals, and that no text of a user is repeated. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPeerAddress, parsePeerAddress, PeerAddressError } from '../../../src/core/peer-address.ts';

test('addresses in all forms', () => {
  const cases: Array<[text: string, again: string]> = [
    ['http://a:9001', 'http://a:9001'],
    ['http://a', 'http://a:80'],
    ['https://A.Example/', 'https://a.example:443'],
    ['https://proxy/under/here/', 'https://proxy:443/under/here'],
    ['http://[::1]:9001', 'http://[::1]:9001'],
    ['cache=unix:///shared/b.sock', 'cache=unix:///shared/b.sock'],
    ['dns+http://web:9001', 'dns+http://web:9001'],
    ['web-1.x=dns+https://web', 'web-1.x=dns+https://web:443'],
  ];
  for (const [text, again] of cases) assert.equal(formatPeerAddress(parsePeerAddress(text)), again);
  assert.deepEqual(parsePeerAddress('x=unix:///s'), {
    name: 'x',
    kind: 'unix',
    host: '',
    port: 0,
    path: '/s',
    isEveryAddress: false,
  });
});

test('other texts are refused and not repeated', () => {
  const cases: Array<[string, RegExp]> = [
    ['', /not understood: write http:\/\/host:port/],
    ['a:9001', /not understood/],
    ['ftp://geheim', /not understood/],
    ['http://geheim:99999', /not understood/],
    ['http://me:geheim@a:9001', /has a user or a password in it; remove them, and use peers_username/],
    ['https://geheim@a', /has a user or a password/],
    ['http://a/?token=geheim', /has a "\?" or "#" in it/],
    ['http://a/#geheim', /has a "\?" or "#" in it/],
    ['unix://geheim', /unix:\/\/ and an absolute path/],
    ['unix:///', /unix:\/\/ and an absolute path/],
    ['dns+unix:///geheim', /unix:\/\/ and an absolute path/],
    [`unix:///geheim${'x'.repeat(107)}`, /longer than 107 bytes/],
    ['dns+http://10.0.0.1:9001', /10\.0\.0\.1 is an address already; leave out dns\+/],
    ['dns+http://[::1]:9001', /::1 is an address already/],
  ];
  for (const [text, message] of cases)
    assert.throws(
      () => parsePeerAddress(text),
      (error: unknown) => {
        assert.ok(error instanceof PeerAddressError);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /geheim/);
        return true;
      },
      text,
    );
});
