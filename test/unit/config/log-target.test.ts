import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, WrongValue } from '../../../src/config/datatype.ts';
import { logTargets, mainLogTargets } from '../../../src/config/log-target.ts';
import { rotateInterval } from '../../../src/config/log-types.ts';

const context: Context = { cwd: '/home/me', home: '/root', host: null };
const server = (protocol: 'udp' | 'tcp' | 'tls', host: string, port: number) => ({
  kind: 'remote',
  protocol,
  host,
  port,
});

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
  'syslog+ssl://h',
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

test('log servers: TLS, and options of the URL', () => {
  assert.deepEqual(logTargets.parse('syslog+tls://LogHost', context), [
    { kind: 'remote', protocol: 'tls', host: 'loghost', port: 6514 },
  ]);
  const text =
    'syslog://h?facility=LOCAL3&tag=web&sd=[a@1 k="1, 2 %26 \\\\ \\" \\]"][b@2]&format=rfc5424, ' +
    'syslog+tls://h:1?ca=certs/ca.pem&cert=/c.pem&key=~/k.pem&name=logs.example.org&verify=no';
  const expected = [
    {
      ...server('udp', 'h', 514),
      form: { facility: 'local3', tag: 'web', sd: '[a@1 k="1, 2 & \\\\ \\" \\]"][b@2]', format: '5424' },
    },
    {
      ...server('tls', 'h', 1),
      trust: {
        ca: '/home/me/certs/ca.pem',
        cert: '/c.pem',
        key: '/root/k.pem',
        name: 'logs.example.org',
        verify: false,
      },
    },
  ];
  assert.deepEqual(logTargets.parse(text, context), expected);
  const shown = logTargets.show?.(logTargets.parse(text, context));
  assert.ok(typeof shown === 'string');
  assert.deepEqual(logTargets.parse(shown, context), expected);
});

for (const [query, reason] of [
  ['facility=local9', 'facility=local9 is not facility= and one of user, mail, daemon'],
  ['tag=a:b', 'tag=a:b is not tag= and a name of 1 to 32 visible characters'],
  ['tag', 'tag is not tag= and a name'],
  ['sd=[a b]', 'sd=[a b] is not sd= and structured data of RFC 5424, for example [app@32473 env="prod"]'],
  ['sd=%zz', 'sd=%zz is not sd= and structured data'],
  ['format=json', 'format=json is not format= and 3164 or 5424'],
  ['format=3164&sd=[a@1]', 'sd= is for messages of RFC 5424'],
  ['facilty=user', '"facilty" is not an option of a log server (did you mean facility?); there are facility, tag, sd'],
  ['', '"" is not an option of a log server'],
  ['ca=/x', 'ca= is for syslog+tls:// only'],
] as const)
  test(`log servers: the error of ?${query} gives advice`, () => {
    assert.throws(
      () => logTargets.parse(`syslog://h?${query}`, context),
      (error) => error instanceof WrongValue && error.message.includes(reason),
      reason,
    );
  });

test('log servers: files with certificates must exist, and a certificate needs its key', () => {
  const host = { users: null, isDirectory: () => true, isFile: (path: string) => path === '/ca.pem' };
  const parse = (query: string): unknown => logTargets.parse(`syslog+tls://h?${query}`, { ...context, host });
  parse('ca=/ca.pem');
  assert.throws(() => parse('ca=/nope.pem'), /ca=\/nope\.pem is not ca= and a file that exists/);
  assert.throws(() => parse('ca='), /ca= is not ca= and a file that exists/);
  assert.throws(() => parse('cert=/ca.pem'), /cert= and key= go together/);
  assert.throws(() => parse('verify=perhaps'), /verify=perhaps is not verify= and true or false/);
});

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
