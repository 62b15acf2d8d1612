/** The sections [api_user:x]: values, files, mistakes, secrets, and what they are for a server without a password. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffSettings } from '../../../src/config/diff.ts';
import { describeReading, formatConfig } from '../../../src/config/effective.ts';
import { noFlags } from '../../../src/config/flags.ts';
import type { ApiUserConfig } from '../../../src/config/model.ts';
import { readServerConfig } from '../../../src/config/read-for-client.ts';
import { configOf, type Machine, memorySource, printed, readText } from './memory-source.ts';

const HEAD = '[supervisord]\n';
const SHA = `{SHA}${'0a'.repeat(20)}`;

function users(text: string, machine: Machine = {}): readonly ApiUserConfig[] {
  return configOf(readText(HEAD + text, machine)).apiUsers;
}

const shown = (text: string, machine: Machine = {}): unknown[] =>
  users(text, machine).map(({ name, password, options: { role } }) => [name, password, role]);

const errorsOf = (text: string, machine: Machine = {}): string =>
  printed(readText(HEAD + text, machine).errors).join('\n');

test('a password, a hash, a file and a role', () => {
  assert.deepEqual(
    shown(
      `[api_user:ops]\npassword=a%%b\nrole=admin\n[api_user:bob]\npassword=${SHA}\n` +
        '[api_user:prom]\npassword_file=/run/secrets/prom\nrole=metrics\n',
      { files: { '/run/secrets/prom': ' with space \r\n' } },
    ),
    [
      ['ops', 'a%b', 'admin'],
      ['bob', SHA, 'read'],
      ['prom', ' with space ', 'metrics'],
    ],
  );
});

test('variables of the environment make users', () => {
  const env = { ONEVISOR_API_USER_OPS__PASSWORD: 'geheim', ONEVISOR_API_USER_OPS__ROLE: 'admin', P: 'x' };
  assert.deepEqual(shown('[api_user:bob]\npassword=%(ENV_P)s', { env }), [
    ['bob', 'x', 'read'],
    ['ops', 'geheim', 'admin'],
  ]);
  assert.match(
    printed(readText(HEAD, { env: { ONEVISOR_API_USER_OPS: 'x' } }).errors).join('\n'),
    /ONEVISOR_API_USER_OPS: an option must follow, for example ONEVISOR_API_USER_OPS__PASSWORD/,
  );
});

test('mistakes are errors with file, line and option, and without the password', () => {
  const files = { '/empty': '\n', '/two': 'a\nb\n', '/hash': '{SHA}geheim' };
  const cases: Array<[text: string, expected: RegExp]> = [
    ['[api_user:x]', /conf:2: \[api_user:x\] password: is missing; add password=… or password_file=\/run\/secrets\/…$/],
    [
      '[api_user:x]\npassword=geheim\npassword_file=/hash',
      /conf:4: \[api_user:x\] password_file: is set, and password too; remove one of the two$/,
    ],
    [
      '[api_user:x]\npassword=',
      /conf:3: \[api_user:x\] password: the password is empty; set one, or remove the section/,
    ],
    [
      '[api_user:x]\npassword={SHA}geheim',
      /conf:3: \[api_user:x\] password: the hash is not shown: expected \{SHA\} and/,
    ],
    [`[api_user:x]\npassword=${'geheim'.repeat(700)}`, /conf:3: .* the password is longer than 4096 characters/],
    [
      '[api_user:x]\npassword_file=/none',
      /conf:3: \[api_user:x\] password_file: cannot read \/none: there is no such file$/,
    ],
    ['[api_user:x]\npassword_file=/empty', /conf:3: \[api_user:x\] password_file: the password is empty/],
    ['[api_user:x]\npassword_file=/two', /conf:3: \[api_user:x\] password_file: the password has several lines/],
    ['[api_user:x]\npassword_file=/hash', /conf:3: \[api_user:x\] password_file: the hash is not shown/],
    [
      '[api_user:x]\npassword=geheim\nrole=root',
      /conf:4: \[api_user:x\] role: "root" is not one of metrics, read, admin/,
    ],
    ['[api_user:a/b]\npassword=geheim', /conf:2: \[api_user:a\/b\]: the name must not contain "\/"/],
    ['[api_user:]\npassword=geheim', /conf:2: \[api_user:\]: the name is missing after the colon/],
    [
      '[api_user:ops]\npassword=geheim\n[inet_http_server]\nport=127.0.0.1:1\nusername=ops\npassword=b',
      /conf:6: \[inet_http_server\] username: is the name of \[api_user:ops\] too; use another name for one of the two/,
    ],
  ];
  for (const [text, expected] of cases) {
    const errors = errorsOf(text, { files });
    assert.match(errors, expected);
    assert.ok(!errors.includes('geheim'), errors);
  }
  const { warnings } = readText(`${HEAD}[api_user:x]\npassword=geheim\nrolle=admin`);
  assert.match(printed(warnings).join('\n'), /conf:4: \[api_user:x\] rolle: there is no such option here/);
});

test('with --static, no file is read', () => {
  const reading = readText(`${HEAD}[api_user:x]\npassword_file=/none`, {}, { isStatic: true });
  assert.equal(configOf(reading).apiUsers[0]?.password, null);
});

test('check shows the users and never their passwords', () => {
  const reading = readText(
    `${HEAD}[api_user:ops]\npassword=geheim\nrole=admin\n[api_user:bob]\npassword_file=/run/secrets/bob\n`,
    { files: { '/run/secrets/bob': 'streng' } },
  );
  const json = describeReading(reading) as { api_users: unknown };
  assert.deepEqual(json.api_users, [
    { name: 'ops', password: '***', password_file: null, role: 'admin' },
    { name: 'bob', password: null, password_file: '/run/secrets/bob', role: 'read' },
  ]);
  const text = formatConfig(configOf(reading), false);
  assert.match(
    text,
    /\[api_user:ops\]\npassword=\*\*\*\nrole=admin\n\n\[api_user:bob\]\npassword_file=\/run\/secrets\/bob\n/,
  );
  assert.ok(!/geheim|streng/.test(text + JSON.stringify(json)));
});

test('with a user, every server counts as having a password, also for a client that looks for it', () => {
  const server = '[inet_http_server]\nport=*:9001\n';
  const portOf = (text: string): string => {
    const reading = readText(HEAD + text);
    return `${configOf(reading).inetServers[0]?.port.host}|${printed(reading.warnings).join('\n')}`;
  };
  assert.match(portOf(server), /^127\.0\.0\.1\|.*it is opened on 127/);
  assert.equal(portOf(`${server}[api_user:x]\npassword=p`), '|');
  const files = { '/etc/supervisord.conf': `${server}[api_user:x]\npassword_file=/unreadable` };
  const { inetServers } = readServerConfig(memorySource({ files }), {
    isContainer: true,
    isStatic: false,
    flags: noFlags,
    executable: '/usr/bin/onevisor',
  });
  assert.equal(inetServers[0]?.port.host, '');
});

test('a change of a password waits for a reload', () => {
  const read = (password: string): ReturnType<typeof configOf> =>
    configOf(readText(`${HEAD}[api_user:x]\npassword_file=/p`, { files: { '/p': password } }));
  assert.deepEqual(diffSettings(read('a'), read('a')), { live: [], pending: [] });
  assert.deepEqual(diffSettings(read('a'), read('b')), { live: [], pending: ['[api_user:x]'] });
});
