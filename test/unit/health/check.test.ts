/**
 * Single checks against real servers, good and bad ones: each gives one answer, with a reason for people, and leaves no
 * socket.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { LookupAddress } from 'node:dns';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test, type TestContext } from 'node:test';
import { sampleProgram } from '../../../build/sample-program.ts';
import { probe } from '../../../src/config/probe-type.ts';
import type { JobOutcome, Jobs } from '../../../src/engine/ports.ts';
import { beginCheck } from '../../../src/health/check.ts';
import { readAuthorities } from '../../../src/files/authorities.ts';
import { type AskAddresses, HostLookups, isOwnHost } from '../../../src/health/host-lookups.ts';
import { systemClock } from '../../../src/process/clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevisor-health-'));
after(() => rmSync(folder, { recursive: true }));

const noJobs: Jobs = { run: () => assert.fail('no command was asked for') };

interface More {
  /** Further options of the program: `healthcheck_expect=200`. */
  options?: readonly string[];
  timeoutMs?: number;
  jobs?: Jobs;
  lookups?: HostLookups;
}

function begin(
  text: string,
  { options = [], timeoutMs = 10_000, jobs = noJobs, lookups = new HostLookups() }: More = {},
): { answer: Promise<string | null>; end: () => void; answers: () => number } {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  let answers = 0;
  let isWithin = true;
  const end = beginCheck(
    { proc: sampleProgram(...options), probe: probe.parse(text, { cwd: '/', home: null, host: null }), timeoutMs },
    { clock: systemClock, jobs, lookups },
    (failure) => {
      answers += 1;
      assert.deepEqual([answers, isWithin], [1, false]);
      resolve(failure);
    },
  );
  isWithin = false;
  return { answer: promise, end, answers: () => answers };
}

const outcomeOf = (text: string, more?: More): Promise<string | null> => begin(text, more).answer;

/** Starts a server for one test. At the end all its connections must have been closed by the check. */
async function listen<S extends Server>(
  t: TestContext,
  server: S,
  where: ListenOptions = { host: '127.0.0.1', port: 0 },
): Promise<{ port: number; server: S; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(where, resolve);
  });
  t.after(async () => {
    while (sockets.size > 0)
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server, sockets };
}

const serve = async (t: TestContext, listener: RequestListener): Promise<number> =>
  (await listen(t, createHttpServer(listener))).port;
const serveRaw = async (t: TestContext, talk: (socket: Socket) => void): Promise<number> =>
  (
    await listen(
      t,
      createServer({ allowHalfOpen: false }, (socket) => {
        socket.resume();
        talk(socket);
      }),
    )
  ).port;

describe('http', () => {
  for (const [status, expected] of [
    [200, null],
    [204, null],
    [399, null],
    [400, 'HTTP 400 Bad Request'],
    [404, 'HTTP 404 Not Found'],
    [503, 'HTTP 503 Service Unavailable'],
    [599, 'HTTP 599'],
  ] as const) {
    test(`status ${status} is ${expected ?? 'healthy'}`, async (t) => {
      const port = await serve(
        t,
        (_request, response) =>
          void response.writeHead(status, { location: '/elsewhere' }).end(status === 204 ? '' : 'body'),
      );
      assert.equal(await outcomeOf(`http://localhost:${port}/health?full=1`), expected);
    });
  }

  describe('redirections', () => {
    /** Serves paths: a text is the body, a number and a text are a status and a location. */
    const pathsOf = (t: TestContext, paths: Record<string, string | readonly [number, string]>): Promise<number> =>
      serve(t, ({ url = '' }, response) => {
        const answer = paths[url] ?? ([404, ''] as const);
        if (typeof answer === 'string') response.end(answer);
        else response.writeHead(answer[0], { location: answer[1] }).end('moved');
      });

    test('are followed on the same server', async (t) => {
      const port = await pathsOf(t, { '/': [302, 'login?a=b'], '/login?a=b': [307, '/in'], '/in': 'welcome' });
      const options = ['healthcheck_body=welcome'];
      assert.equal(await outcomeOf(`http://localhost:${port}/`, { options }), null);
      assert.equal(await outcomeOf(`http://localhost:${port}/`), null);
    });

    test('in a circle are not healthy', async (t) => {
      const port = await pathsOf(t, { '/': [302, '/b'], '/b': [301, '/'] });
      assert.equal(await outcomeOf(`http://localhost:${port}/`), 'redirected more than 10 times, at last to /b');
    });

    test('to a page that fails are not healthy', async (t) => {
      const port = await pathsOf(t, { '/': [308, '/gone'] });
      assert.equal(await outcomeOf(`http://localhost:${port}/`), 'HTTP 404 Not Found');
    });

    test('elsewhere count with their own status, as do those that are expected or lead nowhere', async (t) => {
      const port = await pathsOf(t, {
        '/': [302, 'https://elsewhere.invalid/'],
        '/odd': [302, 'http://[::bad'],
        '/to': [302, '/gone'],
      });
      assert.equal(await outcomeOf(`http://localhost:${port}/`), null);
      assert.equal(await outcomeOf(`http://localhost:${port}/odd`), null);
      assert.equal(await outcomeOf(`http://localhost:${port}/to`, { options: ['healthcheck_expect=302'] }), null);
    });

    test('end with the check', async (t) => {
      const port = await serve(t, (_request, response) => {
        setTimeout(() => response.writeHead(302, { location: '/again' }).end(), 50);
      });
      assert.equal(await outcomeOf(`http://localhost:${port}/`, { timeoutMs: 130 }), 'no answer within 0.13 s');
    });
  });

  test('healthcheck_expect says which statuses are healthy', async (t) => {
    let status = 200;
    const port = await serve(t, (_request, response) => void response.writeHead(status).end('body'));
    const options = ['healthcheck_expect=200-204,401'];
    for (const [given, expected] of [
      [200, null],
      [204, null],
      [401, null],
      [205, 'HTTP 205 Reset Content'],
      [399, 'HTTP 399'],
      [500, 'HTTP 500 Internal Server Error'],
    ] as const) {
      status = given;
      assert.equal(await outcomeOf(`http://localhost:${port}/`, { options }), expected, String(given));
    }
  });

  test('healthcheck_body is searched in the first 64 KB, across the pieces of the answer', async (t) => {
    let pieces: readonly string[] = [];
    const port = await serve(t, (_request, response) => {
      for (const piece of pieces) response.write(piece);
      response.end();
    });
    const options = ['healthcheck_body="status":"ok"'];
    const missing = 'the answer does not contain: "status":"ok"';
    for (const [given, expected] of [
      [['{"sta', 'tus":"o', 'k"}'], null],
      [['{"status":"down"}'], missing],
      [[], missing],
      [['x'.repeat(70_000), '"status":"ok"'], missing],
    ] as const) {
      pieces = given;
      assert.equal(await outcomeOf(`http://localhost:${port}/`, { options }), expected);
    }
  });

  test('the request is as configured, and the connection is closed', async (t) => {
    const seen: IncomingMessage[] = [];
    const port = await serve(t, (request, response) => {
      seen.push(request);
      response.end('ok');
    });
    assert.equal(await outcomeOf(`http://user:p%40ss@localhost:${port}/a%20b?c=d#e`), null);
    const [request] = seen;
    assert.deepEqual([seen.length, request?.method, request?.url], [1, 'GET', '/a%20b?c=d']);
    assert.deepEqual(
      { ...request?.headers },
      {
        host: `localhost:${port}`,
        'user-agent': 'onevisor',
        accept: '*/*',
        authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
        connection: 'close',
      },
    );
  });

  test('IPv6 works too, and localhost means both', async (t) => {
    const server = createHttpServer((_request, response) => void response.end());
    const { port } = await listen(t, server, { host: '::1', port: 0 });
    assert.equal(await outcomeOf(`http://[::1]:${port}/`), null);
    assert.equal(await outcomeOf(`http://localhost:${port}/`), null);
    assert.equal(await outcomeOf(`http://127.0.0.1:${port}/`), 'connection refused');
  });

  test('an endless body is not read to its end', async (t) => {
    const port = await serve(t, (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16 * 1024)));
      };
      response.on('drain', more);
      more();
    });
    assert.equal(await outcomeOf(`http://localhost:${port}/`), null);
  });

  const silent: ReadonlyArray<readonly [string, (socket: Socket) => void]> = [
    ['that says nothing', () => undefined],
    ['that stops in the middle of the headers', (socket) => socket.write('HTTP/1.1 200 OK\r\nX: ')],
    [
      'that stops in the middle of the body',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'),
    ],
  ];
  for (const [what, talk] of silent) {
    test(`a check of a server ${what} ends by the timeout`, async (t) => {
      const port = await serveRaw(t, talk);
      assert.equal(await outcomeOf(`http://localhost:${port}/`, { timeoutMs: 150 }), 'no answer within 0.15 s');
    });
  }

  const wrong: ReadonlyArray<readonly [string, (socket: Socket) => void, RegExp]> = [
    ['another protocol', (socket) => socket.end('220 mail ESMTP\r\n'), /^the answer is not HTTP \(HPE_/],
    ['nothing, and closes', (socket) => socket.end(), /^connection closed without an answer$/],
    [
      'half a body, and closes',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'),
      /^connection closed without an answer$/,
    ],
    [
      'half a body of a failure, and closes',
      (socket) => socket.end('HTTP/1.1 500 Oops\r\nContent-Length: 10\r\n\r\nabc'),
      /^HTTP 500 Internal Server Error$/,
    ],
    ['a reset', (socket) => void socket.resetAndDestroy(), /^connection closed without an answer$/],
    [
      'a switch of protocols',
      (socket) => socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
      /^the answer is another protocol than HTTP$/,
    ],
    [
      'headers without end',
      (socket) => void socket.write(`HTTP/1.1 200 OK\r\n${'X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(4000)}`),
      /^the answer is not HTTP \(HPE_HEADER_OVERFLOW\)$/,
    ],
  ];
  for (const [what, talk, reason] of wrong) {
    test(`a server that answers ${what}`, async (t) => {
      const port = await serveRaw(t, talk);
      assert.match((await outcomeOf(`http://localhost:${port}/`)) ?? 'healthy', reason);
    });
  }

  test('https: a self-signed certificate is accepted from this machine only', async (t) => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    try {
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-keyout',
          key,
          '-out',
          cert,
          '-days',
          '2',
          '-subj',
          '/CN=app',
        ],
        { stdio: 'ignore' },
      );
    } catch (error) {
      return t.skip(`no certificate can be made: ${String(error)}`);
    }
    const { port } = await listen(
      t,
      createHttpsServer(
        { key: readFileSync(key), cert: readFileSync(cert) },
        (_request, response) => void response.end('ok'),
      ),
    );
    assert.equal(await outcomeOf(`https://localhost:${port}/`), null);
    assert.equal(await outcomeOf(`https://127.0.0.1:${port}/`), null);
    const elsewhere: AskAddresses = (_host, _options, done) =>
      queueMicrotask(() => done(null, [{ address: '127.0.0.1', family: 4 }]));
    assert.equal(
      await outcomeOf(`https://example.test:${port}/`, { lookups: new HostLookups(elsewhere) }),
      'the certificate is not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)',
    );
    assert.match((await outcomeOf(`http://localhost:${port}/`)) ?? 'healthy', /^(HTTP 400|connection closed)/);

    // The same certificate, trusted by the image.
    const trusts = async (secureContext: SecureContext | null): Promise<string> =>
      new Promise((resolve) => {
        assert.ok(secureContext !== null);
        const socket = connectTls({ host: '127.0.0.1', port, servername: 'app', secureContext });
        socket.on('error', ({ message }) => resolve(message));
        socket.on('secureConnect', () => resolve('trusted')).on('secureConnect', () => socket.destroy());
      });
    writeFileSync(join(folder, 'damaged.pem'), '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n');
    const bundles = [join(folder, 'none.pem'), join(folder, 'damaged.pem')];
    assert.equal(await trusts(readAuthorities([...bundles, cert])), 'trusted');
    assert.equal(readAuthorities(bundles), null);
  });
});

describe('tcp and unix', () => {
  test('a connection is enough', async (t) => {
    const port = await serveRaw(t, () => undefined);
    assert.equal(await outcomeOf(`tcp://localhost:${port}`), null);
    assert.equal(await outcomeOf(`tcp://127.0.0.1:${port}`), null);
  });

  test('a port without a listener is refused', async (t) => {
    const { port, server } = await listen(t, createServer());
    await new Promise((resolve) => {
      server.close(resolve);
    });
    assert.equal(await outcomeOf(`tcp://localhost:${port}`), 'connection refused');
  });

  test('a unix socket', async (t) => {
    const path = join(folder, 's.sock');
    assert.equal(await outcomeOf(`unix://${path}`), 'there is no such socket');
    await listen(
      t,
      createServer((socket) => void socket.resume()),
      { path },
    );
    assert.equal(await outcomeOf(`unix://${path}`), null);
    writeFileSync(join(folder, 'file'), '');
    assert.equal(await outcomeOf(`unix://${folder}/file`), 'connection refused');
    assert.equal(typeof (await outcomeOf(`unix:///${'x'.repeat(200)}`)), 'string');
  });
});

describe('a check that is ended', () => {
  for (const kind of ['http', 'tcp'] as const) {
    test(`${kind}: does not answer, and its connection is gone`, async (t) => {
      const { promise: connected, resolve } = Promise.withResolvers<Socket>();
      const { port } = await listen(
        t,
        createServer((socket) => {
          socket.resume();
          resolve(socket);
        }),
      );
      const check = begin(kind === 'http' ? `http://localhost:${port}/` : `tcp://localhost:${port}`);
      if (kind === 'http') {
        const socket = await connected;
        const closed = new Promise((done) => {
          socket.on('close', done);
        });
        check.end();
        await closed;
      } else {
        check.end();
        await new Promise((done) => {
          setImmediate(done);
        });
      }
      check.end();
      assert.equal(check.answers(), 0);
    });
  }
});

describe('names', () => {
  /** A name server that answers on request of the test. */
  function slowNames(): {
    lookups: HostLookups;
    asked: string[];
    reply: (host: string, address: string | null) => void;
  } {
    const asked: string[] = [];
    const pending = new Map<string, (error: Error | null, addresses: LookupAddress[] | undefined) => void>();
    const ask: AskAddresses = (host, _options, done) => {
      asked.push(host);
      pending.set(host, done);
    };
    return {
      lookups: new HostLookups(ask),
      asked,
      reply: (host, address) => {
        const done = pending.get(host);
        pending.delete(host);
        if (address === null) done?.(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), undefined);
        else done?.(null, [{ address, family: 4 }]);
      },
    };
  }

  test('a look-up that hangs ends by the timeout, and the next check does not ask again', async (t) => {
    const { lookups, asked, reply } = slowNames();
    for (let index = 0; index < 3; index++)
      assert.equal(await outcomeOf('http://db.test/', { timeoutMs: 20, lookups }), 'no answer within 0.02 s');
    assert.deepEqual(asked, ['db.test']);
    const port = await serveRaw(t, () => undefined);
    const late = outcomeOf(`tcp://db.test:${port}`, { lookups });
    reply('db.test', '127.0.0.1');
    assert.equal(await late, null);
  });

  test('a busy loop does not end the try of the first of two addresses', async (t) => {
    const port = await serve(t, (_request, response) => response.end());
    const addresses = ['127.0.0.1', '::1'].map((address) => ({ address, family: address === '::1' ? 6 : 4 }));
    const lookups = new HostLookups((_host, _options, done) => done(null, addresses));
    const answer = outcomeOf(`http://db.test:${port}/`, { lookups });
    // The connection has begun, and the loop has not seen yet that it is there.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const beganMs = performance.now();
    while (performance.now() - beganMs < 400);
    assert.equal(await answer, null);
  });

  test('few look-ups run at the same time, the others follow; an unknown name is a failure', async (t) => {
    const { lookups, asked, reply } = slowNames();
    const port = await serveRaw(t, () => undefined);
    const answers = ['a', 'b', 'c'].map((name) => outcomeOf(`tcp://${name}.test:${port}`, { lookups }));
    assert.deepEqual(asked, ['a.test', 'b.test']);
    reply('a.test', null);
    assert.deepEqual(asked, ['a.test', 'b.test', 'c.test']);
    reply('b.test', '127.0.0.1');
    reply('c.test', '127.0.0.1');
    assert.deepEqual(await Promise.all(answers), ['the host is not known', null, null]);
  });

  test('localhost and addresses are not looked up', async (t) => {
    const lookups = new HostLookups(() => assert.fail('looked up'));
    const port = await serveRaw(t, () => undefined);
    for (const host of ['localhost', 'LocalHost', 'app.localhost', '127.0.0.1'])
      assert.equal(await outcomeOf(`tcp://${host}:${port}`, { lookups }), null);
    assert.deepEqual(['localhost', '127.0.0.1', '127.1.2.3', '::1', 'a.localhost.'].map(isOwnHost), [
      true,
      true,
      true,
      true,
      true,
    ]);
    assert.deepEqual(['localhost.example', '10.0.0.1', 'notlocalhost', '127.example'].map(isOwnHost), [
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('a command', () => {
  const outcomes: ReadonlyArray<readonly [JobOutcome, string | null]> = [
    [{ kind: 'ended', status: { kind: 'exited', code: 0 }, output: 'all is well' }, null],
    [{ kind: 'ended', status: { kind: 'exited', code: 1 }, output: '' }, 'exit status 1'],
    [{ kind: 'ended', status: { kind: 'exited', code: 2 }, output: 'one\ncurl: (22) 503\n\n' }, 'curl: (22) 503'],
    [{ kind: 'ended', status: { kind: 'signaled', signal: 11, core: false }, output: '' }, 'terminated by SIGSEGV'],
    [{ kind: 'ended', status: { kind: 'exited', code: 1 }, output: '\u001b[31mred\u0007\u001b[0m\t!\r\n' }, 'red  !'],
    [{ kind: 'ended', status: { kind: 'exited', code: 1 }, output: 'x'.repeat(4096) }, `${'x'.repeat(200)}…`],
    [{ kind: 'failed', reason: "can't find command 'curl'" }, "can't find command 'curl'"],
    [{ kind: 'timeout', output: 'so far' }, 'no answer within 2.5 s'],
  ];
  for (const [outcome, expected] of outcomes) {
    test(`${JSON.stringify(outcome).slice(0, 90)} is ${expected?.slice(0, 20) ?? 'healthy'}`, async () => {
      const jobs: Jobs = {
        run: (_process, job, done) => {
          assert.deepEqual(job, {
            name: 'healthcheck',
            command: 'check it',
            timeoutMs: 2500,
            environment: new Map(),
            output: 'keep',
          });
          queueMicrotask(() => done(outcome));
          return () => undefined;
        },
      };
      assert.equal(await outcomeOf('check it', { jobs, timeoutMs: 2500 }), expected);
    });
  }
});
