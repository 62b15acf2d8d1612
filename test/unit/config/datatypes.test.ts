import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, type DataType, dataType, WrongValue } from '../../../src/config/datatype.ts';
import * as types from '../../../src/config/datatypes.ts';
import { fcgiSocket } from '../../../src/config/listen-type.ts';
import { logTargets, mainLogTargets } from '../../../src/config/log-target.ts';
import { dependencyList, startupList } from '../../../src/config/dependency-spec.ts';
import { environment, environmentFiles } from '../../../src/config/environment-types.ts';
import { limit, memoryLimit } from '../../../src/config/limit-types.ts';
import { logLevel, logTemplate, rotateInterval } from '../../../src/config/log-types.ts';
import { probe } from '../../../src/config/probe-type.ts';
import { forwardList, signal, signalList, stopSignalList } from '../../../src/config/signal-types.ts';
import { NameSpace } from '../../../src/config/names.ts';
import { rowsOf } from '../../../src/config/option.ts';
import { Problems } from '../../../src/config/problems.ts';
import { SectionReader } from '../../../src/config/section-reader.ts';
import { parseProbe } from '../../../src/core/probe.ts';
import { users } from './memory-source.ts';

const plain: Context = { cwd: '/home/me', home: '/root', host: null };
const strict: Context = {
  ...plain,
  host: {
    users,
    isFile: () => false,
    isDirectory: (path) => ['/', '/home/me', '/var/log', '/home/me/logs'].includes(path.replace(/(.)\/$/, '$1')),
  },
};

/** For each type: valid texts with their values, and invalid texts. */
const table: ReadonlyArray<readonly [string, DataType<never>, Readonly<Record<string, unknown>>, readonly string[]]> = [
  [
    'integer',
    types.integer as DataType<never>,
    { '5': 5, ' +7 ': 7, '-1': -1, '1_000': 1000, '007': 7, '-0': 0 },
    ['', 'x', '1.5', '0;', '1__0', '_1', '0x10', '1e3'],
  ],
  ['integer within bounds', types.integerBetween(1, 9) as DataType<never>, { '1': 1, '9': 9 }, ['0', '10']],
  [
    'integer with a least value',
    types.integerBetween(1, Infinity) as DataType<never>,
    { '1': 1, '99999': 99_999 },
    ['0'],
  ],
  ['number', types.numberFrom(1) as DataType<never>, { '1': 1, '2.5': 2.5 }, ['0.5', '', 'x', '1e3']],
  [
    'boolean',
    types.boolean as DataType<never>,
    { true: true, YES: true, on: true, '1': true, False: false, no: false, off: false, '0': false },
    ['', 't', 'true ', 'maybe'],
  ],
  ['choice', types.choice('a', 'b') as DataType<never>, { a: 'a', B: 'b' }, ['c', '']],
  [
    'autorestart',
    types.autorestart as DataType<never>,
    { true: 'true', '1': 'true', FALSE: 'false', off: 'false', Unexpected: 'unexpected' },
    ['', 'always'],
  ],
  [
    'size',
    types.byteSize as DataType<never>,
    { '0': 0, '1024': 1024, '1KB': 1024, '50mb': 52_428_800, '2 GB': 2_147_483_648, '-1': -1 },
    ['', '1M', '1.5MB', 'MB', '0;'],
  ],
  [
    'duration',
    types.duration as DataType<never>,
    { '0': 0, '1.5': 1.5, '30s': 30, '500ms': 0.5, '1m30s': 90, '2h': 7200, '1D': 86_400, '1w': 604_800 },
    ['', '-1', '1x', 's', '1 m'],
  ],
  [
    'octal',
    types.octal as DataType<never>,
    { '022': 18, '22': 18, '0o22': 18, '0O_22': 18, '0_22': 18, '-1': -1 },
    ['', '8', '0x1', '1 1'],
  ],
  [
    'signal',
    signal as DataType<never>,
    {
      TERM: 15,
      SIGTERM: 15,
      ' term ': 15,
      '9': 9,
      CLD: 17,
      POLL: 29,
      IOT: 6,
      RTMIN: 34,
      'RTMIN+2': 36,
      '64': 64,
      '1_5': 15,
    },
    ['', 'FOO', '99', '0', '32', '33', '-1', 'SIGSIGTERM', 'sig15', 'SIG', 'SIG 15', 'SIGSIG15'],
  ],
  [
    'signals',
    signalList as DataType<never>,
    { TERM: [15], 'TERM,INT, KILL': [15, 2, 9], 'TERM KILL': [15, 9] },
    ['', 'TERM,', 'FOO'],
  ],
  [
    'exit codes',
    types.exitCodes as DataType<never>,
    { '': [], '0': [0], '0, 2': [0, 2], '255': [255] },
    ['0,', '256', '-1', 'x', '0 2'],
  ],
  [
    'names',
    types.nameList as DataType<never>,
    { '': [], a: ['a'], 'a, b': ['a', 'b'], 'a,': ['a', ''], 'a b': ['a b'] },
    [],
  ],
  ['words', types.wordList as DataType<never>, { '': [], 'a, b c': ['a', 'b', 'c'] }, []],
  ['environment', environment as DataType<never>, { 'A=1': new Map([['A', '1']]) }, ['A', 'A="']],
  ['log level', logLevel as DataType<never>, { info: 'info', WARN: 'warn', blather: 'blather' }, ['', 'warning', '10']],
  [
    'owner',
    types.owner as DataType<never>,
    {
      app: { user: 'app', group: null },
      'app:staff': { user: 'app', group: 'staff' },
      '0:50': { user: '0', group: '50' },
      'a:b:c': { user: 'a', group: 'b:c' },
    },
    [],
  ],
  [
    'terminal size',
    types.terminalSize as DataType<never>,
    { '80x24': { columns: 80, rows: 24 }, ' 1X65535 ': { columns: 1, rows: 65_535 } },
    ['', '80', '80x', '0x24', '80x0', '65536x24', '80x24x2', '-1x3'],
  ],
  [
    'address',
    types.inetAddress as DataType<never>,
    {
      '9001': { host: '', port: 9001 },
      '*:9001': { host: '', port: 9001 },
      ':1': { host: '', port: 1 },
      'LocalHost:65535': { host: 'localhost', port: 65_535 },
      '[::1]:80': { host: '::1', port: 80 },
    },
    ['', 'x', 'h:', '0', '65536', 'h:-1'],
  ],
  [
    'FastCGI socket',
    fcgiSocket as DataType<never>,
    { 'unix:///a//b': { kind: 'unix', path: '/a/b' }, 'tcp://Host:9000': { kind: 'tcp', host: 'host', port: 9000 } },
    ['', 'unix://a', 'tcp://h', 'tcp://h:0', 'tcp://h:65536', 'TCP://h:1', '/a'],
  ],
  [
    'file path',
    types.filePath as DataType<never>,
    { 'a.pid': '/home/me/a.pid', '/x/y': '/x/y', '~/y': '/root/y', '~': '/root', '~app/y': '/home/me/~app/y' },
    [],
  ],
  [
    'log targets',
    logTargets as DataType<never>,
    {
      '/a/b.log': [{ kind: 'file', path: '/a/b.log' }],
      'x,y.log': [{ kind: 'file', path: 'x,y.log' }],
      AUTO: [{ kind: 'auto' }],
      none: [{ kind: 'none' }],
      Off: [{ kind: 'none' }],
      syslog: [{ kind: 'syslog' }],
      '/dev/stdout': [{ kind: 'stdio', fd: 1, path: '/dev/stdout' }],
      '/a.log, /dev/stderr,auto': [
        { kind: 'file', path: '/a.log' },
        { kind: 'stdio', fd: 2, path: '/dev/stderr' },
        { kind: 'auto' },
      ],
      '~/a.log': [{ kind: 'file', path: '/root/a.log' }],
    },
    [],
  ],
  [
    'main log',
    mainLogTargets as DataType<never>,
    { 'a.log': [{ kind: 'file', path: '/home/me/a.log' }], auto: [{ kind: 'none' }], syslog: [{ kind: 'syslog' }] },
    [],
  ],
  [
    'dependencies',
    dependencyList as DataType<never>,
    {
      '': [],
      'db:healthy, m:completed c': [
        { name: 'db', conditions: ['healthy'], isFollowed: false },
        { name: 'm', conditions: ['completed'], isFollowed: false },
        { name: 'c', conditions: [], isFollowed: false },
      ],
      'g:p': [{ name: 'g:p', conditions: [], isFollowed: false }],
      'g:p:ready': [{ name: 'g:p', conditions: ['ready'], isFollowed: false }],
      'a:running': [{ name: 'a', conditions: ['started'], isFollowed: false }],
      'a:exited': [{ name: 'a', conditions: ['exited'], isFollowed: false }],
      'a:completed_successfully': [{ name: 'a', conditions: ['completed'], isFollowed: false }],
      'db:restart, m:completed:Restart g:p:restart :restart': [
        { name: 'db', conditions: [], isFollowed: true },
        { name: 'm', conditions: ['completed'], isFollowed: true },
        { name: 'g:p', conditions: [], isFollowed: true },
        { name: ':restart', conditions: [], isFollowed: false },
      ],
      'a:restart:healthy': [{ name: 'a:restart', conditions: ['healthy'], isFollowed: false }],
      'a:fatal': [{ name: 'a:fatal', conditions: [], isFollowed: false }],
    },
    [],
  ],
  [
    'dependencies of supervisord-dependent-startup',
    startupList as DataType<never>,
    {
      '': [],
      'a:running,exited b:fatal': [
        { name: 'a', conditions: ['started', 'exited'], isFollowed: false },
        { name: 'b', conditions: ['fatal'], isFollowed: false },
      ],
      'a:backoff,b:Stopped': [
        { name: 'a', conditions: ['backoff'], isFollowed: false },
        { name: 'b', conditions: ['stopped'], isFollowed: false },
      ],
      'a,b': [
        { name: 'a', conditions: [], isFollowed: false },
        { name: 'b', conditions: [], isFollowed: false },
      ],
      'a,running': [
        { name: 'a', conditions: [], isFollowed: false },
        { name: 'running', conditions: [], isFollowed: false },
      ],
      'g:p:running,': [{ name: 'g:p', conditions: ['started'], isFollowed: false }],
      'a:running, exited': [
        { name: 'a', conditions: ['started'], isFollowed: false },
        { name: 'exited', conditions: [], isFollowed: false },
      ],
    },
    [],
  ],
  [
    'forwards',
    forwardList as DataType<never>,
    {
      'USR1:web,HUP:g:p': [
        { signal: 10, name: 'web', as: null },
        { signal: 1, name: 'g:p', as: null },
      ],
      'TERM:web=QUIT, 15:g:*=SIGUSR1': [
        { signal: 15, name: 'web', as: 3 },
        { signal: 15, name: 'g:*', as: 10 },
      ],
    },
    ['USR1', 'USR1:', ':web', 'FOO:web', 'TERM:web=', 'TERM:=QUIT', 'TERM:web=QUT', 'TERM=QUIT:web', 'TERM=QUIT'],
  ],
  ['stop signals', stopSignalList as DataType<never>, { 'WINCH, USR1': [28, 10], '': [] }, ['KILL', 'CHLD', 'NOPE']],
  [
    'probe',
    probe as DataType<never>,
    {
      ' http://h:1/x ': parseProbe('http://h:1/x'),
      'tcp://h:1': { kind: 'tcp', host: 'h', port: 1 },
      'tcp://[::1]:1': { kind: 'tcp', host: '::1', port: 1 },
      'unix:///s': { kind: 'unix', path: '/s' },
      'curl -f x': { kind: 'command', command: 'curl -f x' },
    },
    ['', 'http://', 'tcp://h', 'tcp://h:0', 'tcp://h:70000', 'unix://s'],
  ],
  [
    'environment files',
    environmentFiles as DataType<never>,
    {
      '/a, -/b': [
        { path: '/a', isOptional: false },
        { path: '/b', isOptional: true },
      ],
    },
    [],
  ],
  [
    'limit',
    limit as DataType<never>,
    {
      '5': { soft: 5, hard: 5 },
      '1KB:2KB': { soft: 1024, hard: 2048 },
      unlimited: { soft: Infinity, hard: Infinity },
      '1:-1': { soft: 1, hard: Infinity },
    },
    ['', 'x', '2:1', '1:2:3', '-2'],
  ],
  ['memory limit', memoryLimit as DataType<never>, { '300MB': 314_572_800, ' 1 ': 1 }, ['', '0', '-1', '300M', 'lots']],
  [
    'template',
    logTemplate as DataType<never>,
    {
      '%(process_name)s: ': '%(process_name)s: ',
      '"%(time)s %% | "': '%(time)s %% | ',
      '%(process_name)-12s %(pid)5d': '%(process_name)-12s %(pid)5d',
      '%(channel).3s': '%(channel).3s',
      "' '": ' ',
      '"': '"',
    },
    ['%(nope)s', '%(time)', '%', '%s', '%(time)d', '%(process_name)-99999999s', '%(process_name'],
  ],
  [
    'rotation',
    rotateInterval as DataType<never>,
    { hourly: 'hourly', ' Daily ': 'daily', WEEKLY: 'weekly', '90m': 5400, '1': 1, '1d': 86_400, '0': 0 },
    ['', 'monthly', '-1', '0.5', '500ms', '1x', '1 m'],
  ],
];
for (const [name, type, accepted, refused] of table) {
  for (const [text, value] of Object.entries(accepted))
    test(`${name}: ${JSON.stringify(text)}`, () => assert.deepEqual(type.parse(text, plain), value));
  for (const text of refused)
    test(`${name}: ${JSON.stringify(text)} is refused`, () =>
      assert.throws(
        () => type.parse(text, plain),
        (error) => error instanceof WrongValue && error.message.length > 10,
      ));
}

test('an error that is not about the value is not taken for an invalid value', () => {
  assert.throws(() => environment.parsePieces?.(null as never), TypeError);
});

test('the output of check for values', () => {
  const shown: ReadonlyArray<readonly [DataType<never>, string, unknown]> = [
    [signal as DataType<never>, '64', 'RTMAX'],
    [signalList as DataType<never>, 'SIGTERM int', 'TERM,INT'],
    [environment as DataType<never>, 'A=1', { A: '1' }],
    [types.owner as DataType<never>, 'a:b', 'a:b'],
    [types.owner as DataType<never>, 'a', 'a'],
    [types.inetAddress as DataType<never>, '9001', '*:9001'],
    [types.inetAddress as DataType<never>, 'h:1', 'h:1'],
    [types.terminalSize as DataType<never>, '132X50', '132x50'],
    [fcgiSocket as DataType<never>, 'tcp://h:1', 'tcp://h:1'],
    [fcgiSocket as DataType<never>, 'unix:///a', 'unix:///a'],
    [logTargets as DataType<never>, '/a, /dev/stdout, auto, syslog', '/a, /dev/stdout, AUTO, syslog'],
    [logTargets as DataType<never>, 'none', null],
    [dependencyList as DataType<never>, 'a:ready b', 'a:ready, b'],
    [startupList as DataType<never>, 'a:running,exited  b', 'a:started,exited b'],
    [forwardList as DataType<never>, 'HUP:a', 'HUP:a'],
    [environmentFiles as DataType<never>, '/a -/b', '/a, -/b'],
    [limit as DataType<never>, '5:unlimited', '5:unlimited'],
    ...['http://h/', 'tcp://h:1', 'tcp://[::1]:1', 'unix:///s', 'true'].map(
      (text) => [probe as DataType<never>, text, text] as const,
    ),
  ];
  for (const [type, text, expected] of shown) assert.deepEqual(type.show?.(type.parse(text, plain)), expected);
  assert.equal(logTargets.show?.([{ kind: 'container', fd: 1 }]), '/dev/stdout');
  assert.equal(logTargets.show?.([{ kind: 'container', fd: 2 }]), '/dev/stderr');
});

test('users and groups must exist by name; a number needs no entry', () => {
  for (const text of ['app', '0', 'app:staff', '1000:50', '7', 'app:7', '12345:12345', '4294967294'])
    types.owner.parse(text, strict);
  assert.throws(
    () => types.owner.parse('nobody', strict),
    /"nobody" is not a user of this system; create it, or name another one/,
  );
  for (const text of ['app:none', '', 'app:', '4294967295', '-1', '0x7', 'app:4294967295'])
    assert.throws(() => types.owner.parse(text, strict), WrongValue);
});

test('directories must exist', () => {
  assert.equal(types.existingDirectory.parse('logs', strict), 'logs');
  assert.equal(types.existingDirectory.parse('~', plain), '/root');
  assert.throws(() => types.existingDirectory.parse('/nope', strict), /the directory \/nope does not exist/);
  assert.equal(types.filePath.parse('logs/a', strict), '/home/me/logs/a');
  assert.equal(types.filePath.parse('/a', strict), '/a');
  assert.throws(
    () => types.filePath.parse('/nope/a', strict),
    /the directory \/nope of \/nope\/a does not exist; create it, or use another path/,
  );
});

test('~ is our own home directory, ~user is that of another user', () => {
  assert.equal(types.expandHome('~app/x', strict), '/home/app/x');
  assert.equal(types.expandHome('~who/x', strict), '~who/x');
  assert.equal(types.expandHome('~/x', { ...plain, home: null }), '~/x');
  assert.equal(types.expandHome('~', { ...plain, home: '/' }), '/');
  assert.equal(types.socketPath.parse(' run/s ', plain), '/home/me/run/s');
});

test('an internal error of a type is not reported as a problem of the file', () => {
  const broken = rowsOf('raw').option(
    dataType('broken', (): string => {
      throw new TypeError('broken');
    }),
    '',
    'Broken.',
  );
  const reader = new SectionReader(new Problems(), plain, false, new NameSpace({}, 'box', false));
  const place = { file: 'f', line: 1 };
  const section = { name: 's', place, options: new Map([['x', { value: '1', place, here: '/', literal: false }]]) };
  assert.throws(() => reader.read(reader.open(section, []), { x: broken }, null), TypeError);
});

test('paths of the supervisor itself must be UTF-8; directories of programs need not', () => {
  const path = '/tmp/\udce9';
  const isRefused = (error: unknown): boolean =>
    error instanceof WrongValue &&
    error.message === 'the path /tmp/\uFFFD has bytes that are not UTF-8; use another path';
  for (const type of [types.filePath, types.existingDirectory, types.socketPath])
    assert.throws(() => type.parse(path, plain), isRefused);
  assert.throws(() => fcgiSocket.parse(`unix://${path}`, plain), isRefused);
  assert.throws(() => probe.parse(`unix://${path}`, plain), isRefused);
  assert.equal(types.workingDirectory.parse(path, plain), path);
});
