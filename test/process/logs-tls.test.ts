/** Log servers with TLS, and options of the URL, over real sockets with Node's own server. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { test } from 'node:test';
import type { MessageForm, ServerTrust } from '../../src/core/log-server.ts';
import type { LogTarget } from '../../src/logs/ports.ts';
import { until } from '../e2e/observe.ts';
import { Authority, DatagramServer, StreamServer } from './log-servers.ts';
import { channelSpec } from './logs-fixtures.ts';
import { LogScene, startInto } from './logs-scene.ts';

function tls(port: number, trust: ServerTrust, form: MessageForm = {}): LogTarget {
  return { kind: 'remote', protocol: 'tls', host: '127.0.0.1', port, trust, form, format: 'raw' };
}

function sayInto(scene: LogScene, target: LogTarget, script: string): void {
  startInto(scene.hub.openChannel(channelSpec('web', { targets: [target] })), script);
}

/** Returns the certificate and the key of a file for a server. */
const pair = (path: string): { cert: Buffer; key: Buffer } => ({ cert: readFileSync(path), key: readFileSync(path) });

test('tls: messages arrive with octet counting, facility, tag and structured data', async (t) => {
  const authority = new Authority(t);
  const server = await StreamServer.listenTls(t, pair(authority.issue('here', 'IP:127.0.0.1')));
  const scene = new LogScene({ targets: [] });
  const sd = '[app@32473 env="prod"]';
  const target = tls(server.port, { ca: authority.path }, { facility: 'local3', tag: 'shop', sd });
  sayInto(scene, target, "printf 'one\\ntwo [x] y\\n'; head -c 200000 /dev/zero | tr '\\0' x; echo");
  const last = await server.until(({ text }) => text.startsWith('x') && text.length < 60_000);
  assert.deepEqual(server.texts('shop').slice(0, 2), ['one', 'two [x] y']);
  assert.equal(server.texts('shop').slice(2).join(''), 'x'.repeat(200_000), 'a long line is cut into messages');
  assert.deepEqual([last.priority, last.data], [19 * 8 + 6, sd]);
  await scene.end();
  assert.match(scene.err.text, /^$/);
});

for (const [name, trust, reason] of [
  ['an unknown authority', {}, /its certificate is not accepted: .*; name a file with its authority by ca=FILE/],
  ['another name', { ca: 'CA' }, /its certificate is not accepted: .*; write the name in its certificate by name=NAME/],
  ['a file that is gone', { ca: '/nope.pem' }, /cannot use ca=\/nope\.pem: there is no such file/],
  ['a file that is no certificate', { ca: '/etc/hostname' }, /cannot use ca=\/etc\/hostname: /],
  ['a server that wants our certificate', { ca: 'CA', name: 'elsewhere' }, /cannot write syslog\+tls:/],
] as const)
  test(`tls: ${name} is reported, and no message is sent`, async (t) => {
    const authority = new Authority(t);
    const certificates = pair(authority.issue('elsewhere'));
    const isStrict = 'name' in trust;
    const server = await StreamServer.listenTls(t, {
      ...certificates,
      ...(isStrict ? { requestCert: true, ca: readFileSync(authority.path) } : {}),
    });
    const scene = new LogScene({ targets: [] });
    const paths = 'ca' in trust && trust.ca === 'CA' ? { ...trust, ca: authority.path } : trust;
    sayInto(scene, tls(server.port, paths), 'echo secret');
    await scene.err.until(reason);
    assert.equal(server.messages.length, 0);
    server.close();
    await scene.end();
  });

test('tls: name=, verify=false and our own certificate', async (t) => {
  const authority = new Authority(t);
  const ours = authority.issue('web-client');
  const clients: unknown[] = [];
  const server = await StreamServer.listenTls(t, {
    ...pair(authority.issue('elsewhere')),
    requestCert: true,
    ca: readFileSync(authority.path),
  });
  const scene = new LogScene({ targets: [] });
  const own = { cert: ours, key: ours };
  sayInto(scene, tls(server.port, { ...own, ca: authority.path, name: 'elsewhere' }), 'echo named');
  await server.until(({ text }) => text === 'named');
  for (const socket of server.connections) clients.push((socket as TLSSocket).getPeerCertificate().subject.CN);
  assert.deepEqual(clients, ['web-client']);
  sayInto(scene, tls(server.port, { ...own, verify: false }), 'echo trusting');
  await server.until(({ text }) => text === 'trusting');
  await scene.end();
});

test('tls: a server that restarts gets the queue; a name is asked for again', async (t) => {
  const authority = new Authority(t);
  const certificates = pair(authority.issue('here', 'IP:127.0.0.1'));
  const first = await StreamServer.listenTls(t, certificates);
  const scene = new LogScene({ targets: [] }, {}, 20);
  const channel = scene.hub.openChannel(channelSpec('web', { targets: [tls(first.port, { ca: authority.path })] }));
  startInto(channel, 'echo before');
  await first.until(({ text }) => text === 'before');
  first.close();
  await first.ended;
  startInto(channel, 'echo between');
  const second = await StreamServer.listenTls(t, certificates, first.port);
  startInto(channel, 'echo after');
  await second.until(({ text }) => text === 'after');
  await scene.end();
});

test('tls: the last flush before the exit ends the connection', async (t) => {
  const authority = new Authority(t);
  const server = await StreamServer.listenTls(t, pair(authority.issue('here', 'IP:127.0.0.1')));
  const scene = new LogScene({ targets: [] });
  sayInto(scene, tls(server.port, { ca: authority.path }), 'echo one');
  await server.until(({ text }) => text === 'one');
  await scene.hub.finish({ giveUpAtMs: () => Infinity, reason: () => '', onChange: () => () => undefined });
  await until('the end at the server', () => server.connections.size === 0);
  await scene.end();
});

test('one connection serves targets with different forms, and 3164 has its header', async (t) => {
  const server = await StreamServer.listen(t);
  const scene = new LogScene({ targets: [] });
  const at = (form: MessageForm): LogTarget => ({
    kind: 'remote',
    protocol: 'tcp',
    host: '127.0.0.1',
    port: server.port,
    form,
    format: 'raw',
  });
  sayInto(scene, at({ tag: 'one', facility: 'mail' }), 'echo a');
  sayInto(scene, at({ tag: 'two' }), 'echo b');
  await until('both', () => server.messages.length === 2);
  assert.equal(server.connections.size, 1);
  assert.deepEqual(server.messages.map(({ name, priority }) => `${name} ${priority}`).sort(), ['one 22', 'two 14']);
  await scene.end();
  const plain = await DatagramServer.listen(t, 0, '127.0.0.1');
  const other = new LogScene({ targets: [] });
  const target: LogTarget = {
    kind: 'remote',
    protocol: 'udp',
    host: '127.0.0.1',
    port: plain.port,
    form: { format: '3164', facility: 'daemon' },
    format: 'raw',
  };
  sayInto(other, target, 'echo short');
  await until('the message', () => plain.raw.length === 1);
  assert.match(plain.raw[0] ?? '', /^<30>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ web\[\d+\]: short$/);
  await other.end();
});
