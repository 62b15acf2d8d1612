/** Output for people, on a terminal: errors with a reason and a way out, hints for names, help of the additions. */
import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createPlainServer, type AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { RpcFault } from '../../../src/core/faults.ts';
import { ConnectionError, CtlError } from '../../../src/ctl/errors.ts';
import { explainError, type ExplainFacts, ownFacts } from '../../../src/ctl/explain.ts';
import { hintFor } from '../../../src/ctl/name-hint.ts';
import { findDeadPort, type Methods, processStruct, serve, start } from './fake-server.ts';

const FACTS: ExplainFacts = { user: 'uid 1000 (app)', lookAt: () => ({ uid: 0, gid: 7, mode: 0o700 }) };
const at = (serverUrl: string, username: string | null = null) => ({ serverUrl, username, password: null });

/** Runs the client on a terminal of 100 columns. */
async function onTerminal(cwd: string, args: readonly string[]): Promise<{ text: string; code: number }> {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 100 });
  const running = start(args, { cwd, stdout });
  const code = await running.code;
  return { text: running.text() + running.errorText(), code };
}

/** Runs a test with a server of these methods. */
async function withServer(methods: Methods, test: (directory: string) => Promise<void>): Promise<void> {
  const server = await serve(methods);
  try {
    await test(server.directory);
  } finally {
    await server.close();
  }
}

const processes = [
  processStruct('web', 'RUNNING', { pid: 7 }),
  processStruct('worker:a', 'RUNNING', { pid: 8 }),
  processStruct('worker:b', 'RUNNING', { pid: 9 }),
];
const noSuch = (): never => {
  throw RpcFault.of('BAD_NAME');
};
const named: Methods = {
  getAllProcessInfo: () => processes,
  startProcess: noSuch,
  stopProcess: noSuch,
  stopProcessGroup: noSuch,
  clearProcessLogs: noSuch,
  getProcessInfo: noSuch,
  readProcessStdoutLog: noSuch,
};

describe('errors for people', () => {
  const connection: ReadonlyArray<[code: string, url: string, reason: RegExp, wayOut: RegExp]> = [
    ['ENOENT', 'unix:///run/x', /: there is no such socket$/, /^Is the container running, .*onevisor ctl -s unix:/],
    ['ENOTDIR', 'unix:///run/x', /: there is no such socket$/, /onevisor ctl -s/],
    ['ECONNREFUSED', 'unix:///run/x', /the supervisor that made this socket has ended$/, /^Start it again/],
    ['ECONNREFUSED', 'http://h:1', /: no program listens there$/, /onevisor ctl -s/],
    ['EAGAIN', 'unix:///run/x', /: too many connections wait there to be accepted$/, /may hang or be stopped/],
    [
      'EACCES',
      'unix:///run/x',
      /denied: we are uid 1000 \(app\), and the socket belongs to uid 0, gid 7, with mode 0700$/,
      /docker exec -u 0 CONTAINER onevisor status.*chmod=/,
    ],
    ['EPERM', 'http://h:1', /a directory above the socket is closed to us$/, /docker exec -u 0/],
    ['ENOTFOUND', 'http://h:1', /the name of the host is not known$/, /IP address/],
    ['EAI_AGAIN', 'http://h:1', /the name of the host is not known$/, /IP address/],
    ['ETIMEDOUT', 'http://h:1', /the host cannot be reached$/, /network/],
    ['DISCONNECTED', 'http://h:1', /closed without an answer$/, /shutting down\. .*TLS$/],
    ['EMFILE', 'unix:///run/x', /too many$/, /onevisor ctl -s/],
  ];
  for (const [code, url, reason, wayOut] of connection) {
    it(`${code} at ${url}`, () => {
      const [first = '', second = '', ...rest] = explainError(
        new ConnectionError(code, new Error('too many')),
        { ...at(url), origin: 'from -s' },
        FACTS,
      );
      assert.ok(first.startsWith(`Error: no supervisor answers at ${url} (from -s): `), first);
      assert.match(first, reason);
      assert.match(second, wayOut);
      assert.deepEqual(rest, []);
    });
  }

  it('an address that is none, a fault, and other errors have no Python either', () => {
    const texts = [
      explainError(new CtlError('ValueError', 'Unknown protocol'), at('https://h:1'), FACTS),
      explainError(new ConnectionError('EACCES', null), at('nonsense'), FACTS),
      explainError(RpcFault.of('SHUTDOWN_STATE'), at('unix:///x'), FACTS),
      explainError(RpcFault.of('CANT_REREAD', '/c.conf:3: no'), at('unix:///x'), FACTS),
      explainError(new RpcFault(10, 'BAD_NAME: x', 'the reason'), at('unix:///x'), FACTS),
      explainError(new RpcFault(10, ''), at('unix:///x'), FACTS),
      explainError(new CtlError('EOFError', ''), at('unix:///x'), FACTS),
      explainError(new CtlError('OSError', 'odd'), at('unix:///x'), FACTS),
      explainError(new TypeError('a bug'), at('unix:///x'), FACTS),
      explainError('text', at('unix:///x'), FACTS),
    ].map(([line]) => line);
    assert.deepEqual(texts, [
      'Error: https://h:1 is no address of a supervisor',
      'Error: no supervisor answers at nonsense: permission denied: we are uid 1000 (app), and a directory above the ' +
        'socket is closed to us',
      'Error: the supervisor is shutting down',
      'Error: /c.conf:3: no',
      'Error: the reason',
      "Error: <Fault 10: ''>",
      'Error: the input has ended before an answer',
      'Error: odd',
      'Error: a bug',
      'Error: text',
    ]);
  });

  it('a password in an address is not shown', () => {
    const [line = ''] = explainError(new ConnectionError('ENOENT', null), at('http://me:secret@h:1'), FACTS);
    assert.doesNotMatch(line, /secret/);
  });

  it('our own user and a real file are described', () => {
    assert.match(ownFacts.user, /^uid \d+/);
    assert.equal(typeof ownFacts.lookAt('/')?.mode, 'number');
    assert.equal(ownFacts.lookAt('/does/not/exist'), null);
  });

  const answers: ReadonlyArray<[name: string, answer: RequestListener, args: readonly string[], expected: RegExp]> = [
    [
      'no password',
      (_request, response) => response.writeHead(401).end(),
      [],
      /^Error: the supervisor at http:\S+ \(from -s\) wants a user and a password\nTry onevisor ctl -u USER -p/,
    ],
    [
      'a wrong password',
      (_request, response) => response.writeHead(401).end(),
      ['-u', 'me', '-p', 'secret'],
      /^Error: the supervisor at http:\S+ \(from -s\) refuses the password of "me"\n/,
    ],
    [
      'a host that is not allowed',
      (_request, response) => response.writeHead(403).end(),
      [],
      /\(403\)\n.*allowed_hosts=/,
    ],
    [
      'a role that is not enough',
      (_request, response) => response.writeHead(403, 'Forbidden: this needs the role admin, and yours is read').end(),
      ['-u', 'bob', '-p', 'secret'],
      /user "bob" may not do that: it needs the role admin, and this user has the role read\nTry .* role=admin in /,
    ],
    [
      'too many wrong passwords',
      (_request, response) => response.writeHead(429).end(),
      [],
      /too many wrong passwords from here \(429\)\nWait half a minute/,
    ],
    ['a busy supervisor', (_request, response) => response.writeHead(503).end(), [], /is busy .*\nTry again/],
    [
      'another web server',
      (_request, response) => response.writeHead(405, 'Not Allowed').end('<html>'),
      [],
      /: something there says 405 Not Allowed\nAnother program may have this address/,
    ],
    [
      'a page in place of XML-RPC',
      (_request, response) => response.end('<html>hello'),
      [],
      /: the answer is not that of a supervisor\nAnother program/,
    ],
  ];
  for (const [name, answer, args, expected] of answers) {
    it(name, async () => {
      const server = createServer((request, response) => {
        request.resume().on('end', () => answer(request, response));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const { text, code } = await onTerminal('/', ['-s', `http://127.0.0.1:${port}`, ...args, 'status']);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      assert.match(text, expected);
      assert.doesNotMatch(text, /<class|secret/);
      assert.equal(code, 1);
    });
  }

  it('a port that speaks something else', async () => {
    const server = createPlainServer(
      (socket) =>
        void socket
          .on('error', () => undefined)
          .resume()
          .end('\x15\x03\x01\x00\x02\x02\x46'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { text } = await onTerminal('/', ['-s', `http://127.0.0.1:${port}`, 'status']);
    await new Promise((resolve) => server.close(resolve));
    assert.match(text, /is not that of a supervisor\nAnother program may have this address, or the port may want TLS/);
  });

  it('nobody listens: the exit codes are those of scripts', async () => {
    const port = await findDeadPort();
    const refused = await onTerminal('/', ['-s', `http://127.0.0.1:${port}`, 'stop', 'web']);
    assert.match(refused.text, /: no program listens there\n/);
    assert.equal(refused.code, 4);
    const missing = await onTerminal('/', ['-s', 'unix:///nowhere', 'stop', 'web']);
    assert.match(missing.text, /: there is no such socket\n/);
    assert.equal(missing.code, 7);
  });

  it('a log that cannot be followed, and fg', () =>
    withServer(
      {
        getProcessInfo: () => {
          throw RpcFault.of('SHUTDOWN_STATE');
        },
      },
      async (directory) => {
        assert.match((await onTerminal(directory, ['fg', 'web'])).text, /^Error: the supervisor is shutting down\n/);
      },
    ));

  it('following a log that breaks off', async () => {
    const server = await serve({}, (_request, response) => {
      response.writeHead(200);
      response.write('line\n', () => response.destroy());
    });
    const { text } = await onTerminal(server.directory, ['maintail', '-f']);
    await server.close();
    assert.match(text, /line\n[^]*Error: no supervisor answers at \S+ \(from .*\): the connection was closed/);
  });
});

describe('hints for names', () => {
  const all = [
    { group: 'web', name: 'web' },
    { group: 'worker', name: 'a' },
    { group: 'worker', name: 'b' },
  ];
  const rows: ReadonlyArray<[name: string, hint: string | null]> = [
    ['worker', "worker is a group; use 'worker:*'"],
    ['a', 'did you mean worker:a?'],
    ['wbe', 'did you mean web?'],
    ['worker:c', 'did you mean worker:a?'],
    ['nothing', null],
  ];
  for (const [name, hint] of rows) it(name, () => assert.equal(hintFor(name, all, true), hint));
  it('in the shell of the client there are no quotes', () =>
    assert.equal(hintFor('worker', all, false), 'worker is a group; use worker:*'));

  for (const command of ['stop', 'restart', 'restart --rolling', 'tail', 'pid', 'clear', 'fg']) {
    it(`${command} worker, once`, () =>
      withServer(named, async (directory) => {
        const { text } = await onTerminal(directory, [...command.split(' '), 'worker']);
        assert.equal(text.match(/^worker is a group; use 'worker:\*'$/gm)?.length, 1, text);
      }));
  }
  it('status of a name that is almost right', () =>
    withServer(named, async (directory) => {
      const { text, code } = await onTerminal(directory, ['status', 'wbe']);
      assert.equal(text, 'wbe: ERROR (no such process)\ndid you mean web?\n');
      assert.equal(code, 4);
    }));
});

describe('help for people', () => {
  it('lists the additions, and the options of a command after the text of Supervisor', () =>
    withServer({}, async (directory) => {
      assert.match(
        (await onTerminal(directory, ['help'])).text,
        /^\ndefault commands [^]*additions \(type help additions for this list\):\n {2}status --problems {2}/,
      );
      const expected = /^restart <name>\t\tRestart a process\n[^]*\nOptions:\n {2}--rolling {2}/;
      assert.match((await onTerminal(directory, ['help', 'restart'])).text, expected);
      assert.match((await onTerminal(directory, ['restart', '--help'])).text, expected);
      assert.equal(
        (await onTerminal(directory, ['help', 'avail'])).text,
        'avail\t\t\tDisplay all configured processes\n',
      );
      assert.match(
        (await onTerminal(directory, ['statsu'])).text,
        /^\*\*\* Unknown syntax: statsu\ndid you mean status\?\n/,
      );
      assert.equal((await onTerminal(directory, ['xyzzyx'])).text, '*** Unknown syntax: xyzzyx\n');
    }));
});
