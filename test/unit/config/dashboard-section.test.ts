/** The section [dashboard]: values, rules for passwords, secrets, variables, and a change of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffSettings } from '../../../src/config/diff.ts';
import { describeReading, formatConfig } from '../../../src/config/effective.ts';
import { formatPeerAddress } from '../../../src/core/peer-address.ts';
import { configOf, printed, readText } from './memory-source.ts';

const HEAD = '[supervisord]\n[program:web]\ncommand=web\n';
const read = (text: string, env = {}): ReturnType<typeof readText> => readText(HEAD + text, { env });
const peersOf = (reading: ReturnType<typeof readText>): string[] =>
  configOf(reading).dashboard.peers.map(formatPeerAddress);

test('defaults and values', () => {
  const { peers, history, peers_insecure: isInsecure } = configOf(read('')).dashboard;
  assert.deepEqual([peers, history, isInsecure], [[], 0, false]);
  const set = read(
    '[dashboard]\nhistory=1h\npeers=http://a:9001, b=unix:///b.sock\n  dns+https://web\npeers_username=me\n' +
      'peers_password_file=pw\npeers_insecure=true\npeers_ca_file=/ca.pem\n',
  );
  assert.deepEqual(peersOf(set), ['http://a:9001', 'b=unix:///b.sock', 'dns+https://web:443']);
  const { peers: _peers, ...others } = configOf(set).dashboard;
  assert.deepEqual(others, {
    history: 3600,
    peers_username: 'me',
    peers_password: null,
    peers_password_file: '/home/me/pw',
    peers_insecure: true,
    peers_ca_file: '/ca.pem',
  });
});

test('variables of the environment', () => {
  assert.deepEqual(peersOf(read('', { ONEVISOR_DASHBOARD__PEERS: 'http://a:9001, unix:///shared/b.sock' })), [
    'http://a:9001',
    'unix:///shared/b.sock',
  ]);
  assert.deepEqual(peersOf(read('[dashboard]\npeers=http://x\n', { ONEVISOR_DASHBOARD__PEERS: 'http://y' })), [
    'http://y:80',
  ]);
  const { errors } = read('', { ONEVISOR_DASHBOARD__PEER: 'http://a', ONEVISOR_DASHBOARD: 'x' });
  assert.match(printed(errors).join('\n'), /no option "peer" \(did you mean ONEVISOR_DASHBOARD__PEERS\?\)/);
  const open = read('', {
    ONEVISOR_DASHBOARD__PEERS: 'http://a:9001',
    ONEVISOR_DASHBOARD__PEERS_USERNAME: 'me',
    ONEVISOR_DASHBOARD__PEERS_PASSWORD: 'geheim',
  });
  assert.match(
    printed(open.errors)[0] ?? '',
    /^ONEVISOR_DASHBOARD__PEERS: .*the password would go over the network unencrypted to http:\/\/a:9001; use https/,
  );
});

test('mistakes are errors with file, line and option', () => {
  const many = Array.from({ length: 101 }, (_, index) => `http://h${index}`).join();
  const cases: Array<[string, RegExp]> = [
    [
      'peers=https://b,http://a:9001\npeers_username=me\npeers_password=geheim',
      /:5: \[dashboard\] peers: the password would go over .* to http:\/\/a:9001; .* or set peers_insecure=true/,
    ],
    ['peers=dns+http://a\npeers_username=me\npeers_password_file=/geheim', /:5: .*to dns\+http:\/\/a:80; /],
    ['peers=http://me:geheim@a', /:5: \[dashboard\] peers: entry 1: an address has a user or a password in it/],
    ['peers=http://a, a=http://a:80', /:5: \[dashboard\] peers: http:\/\/a:80 is in the list twice/],
    [`peers=${many}`, /peers: has 101 addresses, and 100 are allowed; use dns\+http/],
    ['peers=unix:///a\npeers_password=geheim', /:6: \[dashboard\] peers_username: is missing, but a password is set/],
    ['peers=unix:///a\npeers_password_file=/geheim', /:6: \[dashboard\] peers_username: is missing/],
    ['peers=unix:///a\npeers_username=me', /:6: \[dashboard\] peers_password_file: is missing, but peers_username is/],
    [
      'peers=unix:///a\npeers_username=me\npeers_password=geheim\npeers_password_file=/b',
      /:8: \[dashboard\] peers_password_file: is set, and peers_password too; remove one of them/,
    ],
    ['history=25h', /:5: \[dashboard\] history: "25h" is not a duration of at most 1d, for example 1h/],
    ['history=soon', /:5: \[dashboard\] history: "soon" is not a duration/],
  ];
  for (const [text, message] of cases) {
    const all = printed(read(`[dashboard]\n${text}\n`).errors).join('\n');
    assert.match(all, message, text);
    assert.doesNotMatch(all, /geheim/);
  }
});

test('a password over http is allowed with peers_insecure, and https and unix need nothing', () => {
  const password = 'peers_username=me\npeers_password=x\n';
  for (const text of [`peers=http://a\npeers_insecure=true\n${password}`, `peers=https://a,unix:///a\n${password}`])
    assert.deepEqual(printed(read(`[dashboard]\n${text}`).errors), []);
});

test('warnings', () => {
  assert.deepEqual(printed(read('[dashboard]\npeers_insecure=true\npeer=x\n').warnings), [
    '/etc/supervisord.conf:5: [dashboard] peers_insecure: has no effect without peers; add peers=',
    '/etc/supervisord.conf:6: [dashboard] peer: there is no such option here, it is ignored (did you mean peers?)',
  ]);
});

test('check shows no password, and leaves out a section at its defaults', () => {
  const reading = read(
    '[dashboard]\npeers=a=https://a,unix:///b\nhistory=60\npeers_username=me\npeers_password=geheim\n',
  );
  const text = formatConfig(configOf(reading), false);
  assert.match(
    text,
    /\[dashboard\]\nhistory=60\npeers=a=https:\/\/a:443,unix:\/\/\/b\npeers_username=me\npeers_password=\*\*\*\n/,
  );
  const json = JSON.stringify(describeReading(reading));
  assert.match(json, /"peers":\["a=https:\/\/a:443","unix:\/\/\/b"\]/);
  assert.doesNotMatch(text + json, /geheim/);
  assert.doesNotMatch(formatConfig(configOf(read('')), false), /dashboard/);
});

test('a change needs a reload', () => {
  const [before, after] = ['http://a', 'http://b'].map((url) => configOf(read(`[dashboard]\npeers=${url}\n`)));
  assert.ok(before !== undefined && after !== undefined);
  assert.deepEqual(diffSettings(before, after), { live: [], pending: ['[dashboard]'] });
});
