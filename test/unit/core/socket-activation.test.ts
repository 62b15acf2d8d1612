/** Addresses of sockets, and the variables of sd_listen_fds(3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatListen } from '../../../src/core/listen-spec.ts';
import { listenVariables, readInheritedSockets } from '../../../src/core/socket-activation.ts';
import { formatSocketAddress, parseTcpAddress } from '../../../src/core/socket-address.ts';

const addresses: ReadonlyArray<readonly [text: string, shown: string | null]> = [
  ['tcp://127.0.0.1:80', 'tcp://127.0.0.1:80'],
  ['tcp://LocalHost:65535', 'tcp://localhost:65535'],
  ['tcp://:80', 'tcp://0.0.0.0:80'],
  ['tcp://*:80', 'tcp://0.0.0.0:80'],
  ['tcp://[::]:80', 'tcp://[::]:80'],
  ['tcp://[0:0:0:0:0:0:0:1]:80', 'tcp://[::1]:80'],
  ['tcp://[::FFFF:1]:80', 'tcp://[::ffff:1]:80'],
  ['tcp://[x]:80', null],
  ['tcp://[::1]', null],
  ['tcp://::1:80', null],
  ['tcp://a:0', null],
  ['tcp://a:65536', null],
  ['tcp://a b:1', null],
  ['udp://a:1', null],
];

for (const [text, shown] of addresses)
  test(`the address ${text}`, () => {
    const address = parseTcpAddress(text);
    assert.equal(address === null ? null : formatSocketAddress(address), shown);
  });

test('sockets as a configuration writes them', () => {
  const tcp = { kind: 'tcp', host: '::1', port: 80 } as const;
  const unix = { kind: 'unix', path: '/run/a' } as const;
  assert.equal(
    formatListen([
      { address: tcp, mode: null, owner: null, name: 'http' },
      { address: unix, mode: 0o660, owner: { user: 'app', group: 'staff' }, name: null },
      { address: unix, mode: 0, owner: { user: 'app', group: null }, name: 'x' },
    ]),
    'tcp://[::1]:80;name=http, unix:///run/a;mode=0660;owner=app:staff, unix:///run/a;mode=00;owner=app;name=x',
  );
});

test('the variables for sockets', () => {
  assert.deepEqual(Object.fromEntries(listenVariables(['http', 'web'])), {
    LISTEN_FDS: '2',
    LISTEN_FDNAMES: 'http:web',
  });
});

test('sockets from a service manager are ours only with our pid and a sensible number', () => {
  const env = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' };
  assert.deepEqual(readInheritedSockets(env, 7), {
    count: 2,
    variables: [
      ['LISTEN_FDS', '2'],
      ['LISTEN_FDNAMES', 'a:b'],
    ],
  });
  assert.deepEqual(readInheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7)?.variables, [['LISTEN_FDS', '1']]);
  assert.equal(readInheritedSockets(env, 8), null);
  assert.equal(readInheritedSockets({}, 7), null);
  for (const count of ['0', '-1', '1001', 'x', '1e3', undefined])
    assert.equal(readInheritedSockets({ ...env, LISTEN_FDS: count }, 7), null, count);
});
