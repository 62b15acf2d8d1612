import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContainerStream } from '../../../src/core/container-stream.ts';
import { connectionOf, formatLogServer, formatLogServerUrl, type LogServer } from '../../../src/core/log-server.ts';

const PATHS: ReadonlyArray<readonly [path: string, pid: number | undefined, stream: 1 | 2 | null]> = [
  ['/dev/stdout', 7, 1],
  ['/dev/stderr', 7, 2],
  ['/dev/fd/1', 7, 1],
  ['/dev/fd/2', 7, 2],
  ['/proc/self/fd/1', 7, 1],
  ['/proc/self/fd/2', 7, 2],
  ['/proc/1/fd/1', undefined, 1],
  ['/proc/1/fd/2', undefined, 2],
  ['/proc/1/fd/1', 7, null],
  ['/proc/7/fd/2', 7, 2],
  ['/dev/fd/3', 7, null],
  ['/dev/null', undefined, null],
  ['/dev/stdout/x', undefined, null],
  ['/dev/stdout.log', 7, null],
  ['/var/log/x.log', 7, null],
  ['stdout', undefined, null],
];

test('paths of our own output streams', () => {
  for (const [path, pid, stream] of PATHS) assert.equal(parseContainerStream(path, pid), stream, path);
});

test('the URL of a log server: UDP is the default, an IPv6 address gets brackets', () => {
  assert.equal(formatLogServer({ protocol: 'udp', host: 'loghost', port: 514 }), 'syslog://loghost:514');
  assert.equal(formatLogServer({ protocol: 'tcp', host: '::1', port: 5140 }), 'syslog+tcp://[::1]:5140');
});

test('the URL of a log server has its options, and the form of messages is no part of a connection', () => {
  const plain: LogServer = { protocol: 'tls', host: 'loghost', port: 6514 };
  const server: LogServer = {
    ...plain,
    form: { facility: 'local3', sd: '[a@1 b="1,2&3%"]' },
    trust: { ca: '/ca.pem', verify: true },
  };
  assert.equal(formatLogServerUrl(plain), 'syslog+tls://loghost:6514');
  assert.equal(
    formatLogServerUrl(server),
    'syslog+tls://loghost:6514?facility=local3&sd=[a@1 b="1%2C2%263%25"]&ca=/ca.pem&verify=true',
  );
  const { form: _form, ...sameConnection } = server;
  assert.equal(connectionOf(server), connectionOf(sameConnection));
  assert.notEqual(connectionOf(server), connectionOf(plain));
});
