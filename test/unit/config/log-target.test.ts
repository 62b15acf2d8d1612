import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, WrongValue } from '../../../src/config/datatype.ts';
import { logTargets, mainLogTargets } from '../../../src/config/log-target.ts';
import { rotateInterval } from '../../../src/config/log-types.ts';

const context: Context = { cwd: '/home/me', home: '/root', host: null };
const server = (protocol: 'udp' | 'tcp', host: string, port: number) => ({ kind: 'remote', protocol, host, port });

for (const [text, ...expected] of [
  ['syslog://loghost', server('udp', 'loghost', 514)],
  ['syslog://LogHost:5140/', server('udp', 'loghost', 5140)],
  ['SYSLOG+UDP://10.0.0.1', server('udp', '10.0.0.1', 514)],
  ['syslog+tcp://logs.example.org:601', server('tcp', 'logs.example.org', 601)],
  ['syslog+tcp://[2001:DB8::1]', server('tcp', '2001:db8::1', 514)],
  ['syslog://[fe80::1%eth0]:5', server('udp', 'fe80::1%eth0', 5)],
  [
    '/a.log, syslog://h, /dev/stdout,syslog+tcp://[::1]:1 , syslog',
    { kind: 'file', path: '/a.log' },
    server('udp', 'h', 514),
    { kind: 'stdio', fd: 1, path: '/dev/stdout' },
    server('tcp', '::1', 1),
    { kind: 'syslog' },
  ],
] as const) {
  test(`log servers: ${text}`, () => {
    assert.deepEqual(logTargets.parse(text, context), expected);
    assert.deepEqual(mainLogTargets.parse(text, context), expected);
  });
}

for (const text of [
  'syslog://',
  'syslog://:514',
  'syslog://h:',
  'syslog://h:0',
  'syslog://h:65536',
  'syslog://h:x',
  'syslog+tls://h',
  'syslog://u@h',
  'syslog://h/x',
  'syslog://h:514/tcp',
  'syslog://[::1',
  'syslog://[h]',
  'syslog://::1',
  'syslog://[]',
  '/a.log, syslog+tcp://h:0',
]) {
  test(`log servers: the error of ${text} gives advice`, () => {
    assert.throws(
      () => logTargets.parse(text, context),
      (error) =>
        error instanceof WrongValue &&
        / is not a log server: syslog:\/\/host\[:port\] \(UDP\).*syslog\+tcp.*1 to 65535/.test(error.message),
    );
  });
}

test('log servers: the output of check can be parsed again', () => {
  const shown = 'syslog://h:514, syslog+tcp://[::1]:1';
  assert.equal(logTargets.show?.(logTargets.parse('syslog+udp://h, syslog+tcp://[::1]:1', context)), shown);
  assert.equal(logTargets.show?.(logTargets.parse(shown, context)), shown);
});

for (const text of ['monthly', '500ms', '-5', '']) {
  test(`the error of rotate_interval=${text} gives advice`, () => {
    assert.throws(
      () => rotateInterval.parse(text, context),
      (error) =>
        error instanceof WrongValue &&
        /a rotation interval: hourly, daily, weekly, or a duration of 1s or more/.test(error.message),
    );
  });
}
