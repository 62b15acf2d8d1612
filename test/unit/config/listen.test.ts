/** The option `listen`: addresses with parameters, rules between programs, and `socket` of FastCGI programs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatConfig } from '../../../src/config/effective.ts';
import { formatListen } from '../../../src/core/listen-spec.ts';
import { configOf, printed, readText } from './memory-source.ts';

const program = (options: string, name = 'web'): string => `[program:${name}]\ncommand=/bin/x\n${options}\n`;
const shownOf = (value: string): string[] =>
  configOf(readText(`[supervisord]\n${program(`listen=${value}`)}`)).groups.flatMap(({ processes }) =>
    processes.map(({ options }) => formatListen(options.listen)),
  );
const errorsOf = (text: string): string[] => printed(readText(`[supervisord]\n${text}`).errors);

describe('a value', () => {
  const values: ReadonlyArray<readonly [value: string, shown: string]> = [
    ['', ''],
    ['tcp://0.0.0.0:80', 'tcp://0.0.0.0:80'],
    ['tcp://:80,tcp://[::1]:80;name=six', 'tcp://0.0.0.0:80, tcp://[::1]:80;name=six'],
    ['unix:///run//a.sock;mode=660', 'unix:///run/a.sock;mode=0660'],
    ['unix:///a;owner=app:staff;name=a ; a comment', 'unix:///a;owner=app:staff;name=a'],
    ['tcp://a:1\n  unix:///b', 'tcp://a:1, unix:///b'],
  ];
  for (const [value, shown] of values) test(JSON.stringify(value), () => assert.deepEqual(shownOf(value), [shown]));
});

describe('a wrong value', () => {
  const long = `/${'x'.repeat(107)}`;
  const values: ReadonlyArray<readonly [value: string, reason: RegExp]> = [
    ['80', /"80" is not a socket: tcp:\/\/host:port, tcp:\/\/\[::\]:port or unix:\/\/\/absolute\/path$/],
    ['unix://a.sock', /is not a socket with an absolute path, for example unix:\/\/\/run\/app\.sock$/],
    ['tcp://a:80;mode=0660', /mode is for unix sockets only; remove ;mode=0660$/],
    ['tcp://a:80;owner=app', /owner is for unix sockets only; remove ;owner=app$/],
    ['unix:///a;mode=888', /"888" is not a mode, for example mode=0660$/],
    ['unix:///a;mode=1777', /"1777" is not a mode/],
    ['unix:///a;owner=nobody', /"nobody" is not a user of this system/],
    ['unix:///a;name=a:b', /"a:b" is not a name of at most 255 letters.*, for example name=http$/],
    ['unix:///a;group=b', /"group=b" is not mode=0660, owner=user:group or name=text$/],
    ['unix:///a;', /the value is empty; expected mode=0660, owner=user:group or name=text$/],
    ['unix:///a, unix:///b/../a', /unix:\/\/\/a is named twice; remove one$/],
    [`unix://${long}`, /is longer than 107 bytes, the limit of Linux$/],
  ];
  for (const [value, reason] of values)
    test(value.slice(0, 40), () => {
      const [error = '', ...others] = errorsOf(program(`listen=${value}`));
      assert.match(error, /^\/etc\/supervisord\.conf:4: \[program:web\] listen: /);
      assert.match(error, reason);
      assert.deepEqual(others, []);
    });
});

describe('rules', () => {
  const broken: ReadonlyArray<readonly [name: string, text: string, error: RegExp]> = [
    [
      'the descriptor of a socket is not that of notifications',
      program('listen=tcp://a:1, tcp://a:2\nnotification_fd=4'),
      /:5: .* notification_fd: is the descriptor of a socket: the program gets those of listen as 3 to 4; use 5$/,
    ],
    ['a lazy program needs sockets', program('listen_lazy=true'), /:4: .* listen_lazy: needs listen, /],
    [
      'a lazy program has no schedule',
      program('listen=tcp://a:1\nlisten_lazy=true\ncron=@daily'),
      /:5: .* cannot be true together with cron or dependent_startup/,
    ],
    [
      'a listener is not lazy',
      '[eventlistener:e]\ncommand=x\nevents=TICK_5\nlisten=tcp://a:1\nlisten_lazy=true\n',
      /:6: \[eventlistener:e\] listen_lazy: cannot be true for an event listener/,
    ],
    [
      'a shared socket has one mode',
      program('listen=unix:///a', 'a') + program('listen=unix:///a;mode=0660', 'b'),
      /:7: \[program:b\] listen: unix:\/\/\/a has another mode in \[program:a\] \(\S+:4\); .* the same ;mode=$/,
    ],
    [
      'a shared socket has one owner',
      program('listen=unix:///a\nuser=app', 'a') + program('listen=unix:///a\nuser=root', 'b'),
      /:8: \[program:b\] listen: unix:\/\/\/a has another owner in \[program:a\]/,
    ],
    [
      'a socket is not that of a FastCGI program, too',
      program('listen=unix:///a') + '[fcgi-program:p]\ncommand=x\nsocket=unix:///a\n',
      /:7: \[fcgi-program:p\] socket: is also in listen of \[program:web\] \(\S+:4\); give one of them/,
    ],
  ];
  for (const [name, text, error] of broken)
    test(name, () => {
      const errors = errorsOf(text);
      assert.equal(errors.length, 1, errors.join('\n'));
      assert.match(errors[0] ?? '', error);
    });

  test('sockets are shared with the same owner, and ports with any', () => {
    const shared = 'listen=unix:///a;owner=app:staff, tcp://a:1';
    assert.deepEqual(errorsOf(program(`${shared}\nuser=root`, 'a') + program(`${shared}\nuser=app`, 'b')), []);
  });

  test('a parameter that became a comment is a warning', () => {
    const { warnings } = readText(`[supervisord]\n${program('listen=unix:///a ;mode=0660 x')}`);
    assert.deepEqual(printed(warnings), [
      '/etc/supervisord.conf:4: [program:web] listen: ";mode=0660" has no effect, because a ";" after a space ' +
        'begins a comment; remove the space',
    ]);
  });

  test('a program that depends on a lazy one is a warning', () => {
    const text = program('listen=tcp://a:1\nlisten_lazy=true', 'a') + program('depends_on=a', 'b') + program('', 'c');
    assert.deepEqual(printed(readText(`[supervisord]\n${text}`).warnings), [
      '/etc/supervisord.conf:8: [program:b] depends_on: a starts at its first connection (listen_lazy); until then ' +
        'this program waits',
    ]);
  });
});

test('the socket of a FastCGI program may have the number of the process', () => {
  const text = 'command=x\nnumprocs=2\nprocess_name=%(process_num)d\n';
  const config = configOf(
    readText(`[supervisord]\n[fcgi-program:p]\n${text}socket=unix:///%(program_name)s%(process_num)d\n`),
  );
  assert.deepEqual(
    config.groups[0]?.processes.map(({ options }) => options.socket),
    [
      { kind: 'unix', path: '/p0' },
      { kind: 'unix', path: '/p1' },
    ],
  );
  assert.match(
    errorsOf('[fcgi-program:p]\ncommand=x\nsocket=tcp://a:1\nsocket_mode=0660\n')[0] ?? '',
    /:5: \[fcgi-program:p\] socket_mode: is for unix sockets only/,
  );
});

describe('compat: a FastCGI program of a group needs no socket, and none that is right', () => {
  const text = (options: string): string =>
    `[supervisord]\n[group:g]\nprograms=p\n[fcgi-program:p]\ncommand=/bin/x\n${options}\n`;
  const socketOf = (options: string): unknown =>
    configOf(readText(text(options))).groups[0]?.processes[0]?.options.socket;

  test('it has the socket that is set', () =>
    assert.deepEqual(socketOf('socket=tcp://a:1'), { kind: 'tcp', host: 'a', port: 1 }));

  const without = ['', 'socket=x', 'socket=%(nope)s', 'socket_mode=9', 'socket=tcp://a:1\nsocket_mode=0700'];
  for (const options of without)
    test(`${JSON.stringify(options)} is no socket`, () => {
      const reading = readText(text(options));
      assert.equal(socketOf(options), undefined);
      const isWarned = printed(reading.warnings).some((line) => line.endsWith('has no socket then, as in Supervisor'));
      assert.equal(isWarned, options.includes('socket='));
      assert.doesNotMatch(formatConfig(configOf(reading), false), /^socket=/m);
    });
});
