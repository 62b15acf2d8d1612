/**
 * HTTP over real sockets: keep-alive, pipelining, limits, malformed requests, authentication, and a shutdown that waits
 * for no client.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { callRequest, inWorld, Peer, post } from '../unit/http/server-world.ts';

const PID = /<value><int>4711<\/int><\/value>/;
const getPid = callRequest('supervisor.getPID');
const countOf = (text: string, part: string): number => text.split(part).length - 1;

describe('requests', () => {
  test('several on one connection, and several at once, answered in their order', () =>
    inWorld({}, async (world) => {
      await world.open();
      const peer = world.connect();
      await peer.send(getPid).until(PID);
      await peer.send(callRequest('supervisor.getAPIVersion')).until(/<string>3\.0/);
      const several = world.connect();
      const text = await several
        .send(getPid + callRequest('supervisor.getIdentification') + getPid)
        .until((received) => countOf(received, '</methodResponse>') === 3);
      assert.deepEqual(text.match(/<int>4711|<string>fake/g), ['<int>4711', '<string>fake', '<int>4711']);
      several.close();
      peer.close();
    }));

  test('pipelined requests are handled one after the other, including waits', () =>
    inWorld({ programs: [{ name: 'web', options: { startsecs: 0.05 } }] }, async (world) => {
      await world.open();
      const peer = world.connect();
      const wait = callRequest('supervisor.startProcess', ['web']);
      const text = await peer
        .send(
          wait +
            callRequest('supervisor.stopProcess', ['web']) +
            callRequest('supervisor.startProcess', ['web', false]),
        )
        .until((received) => countOf(received, '</methodResponse>') === 3);
      assert.equal(countOf(text, '<boolean>1</boolean>'), 3, text);
      assert.deepEqual(world.api.signals, ['15 web']);
      peer.close();
    }));

  test('HTTP/1.0 and Connection: close end the connection', () =>
    inWorld({}, async (world) => {
      await world.open();
      const cases = [
        ['HTTP/1.0', getPid.replace('HTTP/1.1', 'HTTP/1.0')],
        ['HTTP/1.1', getPid.replace('\r\n', '\r\nConnection: close\r\n')],
      ] as const;
      for (const [version, request] of cases) {
        const answer = await world.connect().send(request).end();
        assert.match(answer, PID);
        assert.ok(answer.startsWith(`${version} 200 OK\r\n`), answer);
      }
    }));

  test('in JSON for a client that accepts JSON, faults included', () =>
    inWorld({}, async (world) => {
      await world.open();
      const ask = (request: string): Promise<string> =>
        world
          .connect()
          .send(request.replace('\r\n', '\r\nConnection: close\r\nAccept: application/json, text/xml\r\n'))
          .end();
      assert.match(await ask(getPid), /\r\nContent-Type: application\/json\r\n[^]*\r\n\r\n\{"value":\d+\}$/);
      assert.match(
        await ask(getPid.replace('getPID', 'getPIX')),
        /\r\nContent-Type: application\/json\r\n[^]*\{"fault":\{"code":1,"text":"UNKNOWN_METHOD"/,
      );
    }));

  test('in pieces of one byte', () =>
    inWorld({}, async (world) => {
      await world.open();
      const peer = world.connect();
      peer.socket.setNoDelay(true);
      for (const byte of getPid) {
        peer.send(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await peer.until(PID);
      peer.close();
    }));

  test('with a chunked body', () =>
    inWorld({}, async (world) => {
      await world.open();
      const body = getPid.slice(getPid.indexOf('\r\n\r\n') + 4);
      const peer = world.connect();
      await peer
        .send(
          `POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n` +
            `0\r\n\r\n`,
        )
        .until(PID);
      peer.close();
    }));

  test('a body in a million pieces is refused', () =>
    inWorld({}, async (world) => {
      await world.open();
      const peer = world.connect();
      peer.send(`POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\n \r\n'.repeat(100_000)}`);
      await peer.until(/^HTTP\/1.1 413 /);
      peer.close();
    }));

  const refusals: ReadonlyArray<readonly [title: string, request: string, status: RegExp]> = [
    ['malformed XML', post('<x'), /^HTTP\/1.1 400 /],
    ['another document', post('<a/>'), /^HTTP\/1.1 400 /],
    ['no method name', post('<methodCall><methodName></methodName></methodCall>'), /^HTTP\/1.1 400 /],
    ['an empty body', post(''), /^HTTP\/1.1 400 /],
    [
      'entities',
      post('<!DOCTYPE x [<!ENTITY a "b">]><methodCall><methodName>&a;</methodName></methodCall>'),
      /^HTTP\/1.1 400 /,
    ],
    [
      'deep nesting',
      post(
        `<methodCall><methodName>system.listMethods</methodName><params>${'<param><value><array><data>'.repeat(5000)}`,
      ),
      /^HTTP\/1.1 400 /,
    ],
    ['no length', 'POST /RPC2 HTTP/1.1\r\n\r\n', /^HTTP\/1.1 411 /],
    ['an unknown path', post('', '', '/RPC3'), /^HTTP\/1.1 404 /],
    ['another method', 'GET /RPC2 HTTP/1.1\r\n\r\n', /^HTTP\/1.1 405 /],
    ['a bad path', 'GET /%ff HTTP/1.1\r\n\r\n', /^HTTP\/1.1 400 /],
    ['a log that is not there', 'GET /logtail/nope HTTP/1.1\r\n\r\n', /^HTTP\/1.1 404 /],
  ];
  for (const [title, request, status] of refusals) {
    test(`${title}: refused, and the connection stays open`, () =>
      inWorld({}, async (world) => {
        await world.open();
        const peer = world.connect();
        assert.match(await peer.send(request).until(/<h1>[^]*<\/h1>\n$/), status);
        await peer.send(getPid).until(PID);
        peer.close();
      }));
  }

  const broken: ReadonlyArray<readonly [title: string, request: string, status: RegExp]> = [
    ['no HTTP', 'GARBAGE\r\n\r\n', /^HTTP\/1.1 400 /],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', /^HTTP\/1.1 400 /],
    ['headers that are too long', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1.1 431 /],
    ['two lengths', 'POST /RPC2 HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', /^HTTP\/1.1 400 /],
    [
      'length and chunks',
      'POST /RPC2 HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1.1 400 /,
    ],
  ];
  for (const [title, request, status] of broken) {
    test(`${title}: refused, and the connection is closed`, () =>
      inWorld({}, async (world) => {
        await world.open();
        assert.match(await world.connect().send(request).end(), status);
        await world.connect().send(getPid).until(PID);
      }));
  }

  test('an internal error is a 500, and is logged', () =>
    inWorld({}, async (world) => {
      await world.open();
      world.api.reread = () => Promise.reject(new Error('disk on fire'));
      const peer = world.connect();
      assert.match(await peer.send(callRequest('supervisor.reloadConfig')).until(/<\/h1>/), /^HTTP\/1.1 500 /);
      await peer.send(getPid).until(PID);
      peer.close();
      assert.ok(world.api.reports.some(([level, text]) => level === 'critical' && text.includes('disk on fire')));
    }));
});

describe('limits', () => {
  test('a body that is too large is 413, answered before it is sent and during it', () =>
    inWorld({ limits: { bodyBytes: 1000 } }, async (world) => {
      await world.open();
      assert.match(
        await world
          .connect()
          .send('POST /RPC2 HTTP/1.1\r\nContent-Length: 1001\r\n\r\n')
          .until(/<\/h1>/),
        /^HTTP\/1.1 413 /,
      );
      const endless = world.connect();
      endless.send(`POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n${'x'.repeat(1024)}\r\n`);
      assert.match(await endless.until(/<\/h1>/), /^HTTP\/1.1 413 /);
      assert.match(await endless.end(), /Connection: close/);
    }));

  test('a client that sends all of a huge body still sees the 413', () =>
    inWorld({ limits: { bodyBytes: 1000 } }, async (world) => {
      const { port } = await world.openInet();
      const body = Buffer.alloc(20 * 1024 * 1024, 'x');
      const response = await fetch(`http://127.0.0.1:${port}/RPC2`, { method: 'POST', body });
      assert.equal(response.status, 413);
    }));

  test('all bodies share a limit', () =>
    inWorld({ limits: { totalBytes: 1500 } }, async (world) => {
      await world.open();
      const half = `POST /RPC2 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1200\r\n\r\n${'x'.repeat(1000)}`;
      const first = world.connect().send(half);
      // The answer to the head shows that the head and the first half were read.
      await first.until(/ 100 Continue/);
      assert.match(
        await world
          .connect()
          .send(half)
          .until(/<\/h1>/),
        /^HTTP\/1.1 503 /m,
      );
      assert.match(await first.send('x'.repeat(200)).until(/<\/h1>/), /^HTTP\/1.1 400 /m);
      assert.match(
        await world
          .connect()
          .send(post('x'.repeat(1200)))
          .until(/<\/h1>/),
        /^HTTP\/1.1 400 /,
      );
    }));

  test('a body that does not arrive is 408', () =>
    inWorld({ limits: { bodyMs: 50 } }, async (world) => {
      await world.open();
      assert.match(
        await world
          .connect()
          .send('POST /RPC2 HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc')
          .until(/<\/h1>/),
        /^HTTP\/1.1 408 /,
      );
    }));

  test('headers that do not arrive are 408, also without a single byte', () =>
    inWorld({ limits: { headerMs: 50 } }, async (world) => {
      await world.open();
      for (const start of ['', 'POST /RPC2 HTTP/1.1\r\nX: '])
        assert.match(await world.connect().send(start).end(), /^HTTP\/1.1 408 /);
    }));

  test('one connection above the limit closes the longest idle one, never a busy one', () =>
    inWorld(
      { limits: { connections: 3 }, programs: [{ name: 'web', options: { startsecs: 1000 } }] },
      async (world) => {
        await world.open();
        const busy = world.connect().send(callRequest('supervisor.startProcess', ['web']));
        const idle = world.connect();
        await idle.send(getPid).until(PID);
        const fresh = world.connect();
        await fresh.send(getPid).until(PID);
        await idle.send(getPid).until((received) => countOf(received, '4711') === 2);
        const more = world.connect();
        await more.send(getPid).until(PID);
        await fresh.end();
        assert.ok(!busy.isEnded && !idle.isEnded);
        for (const peer of [busy, idle, more]) peer.close();
      },
    ));

  test('if all are busy, a new connection is closed', () =>
    inWorld(
      {
        limits: { connections: 2 },
        programs: [
          { name: 'web', options: { startsecs: 1000 } },
          { name: 'app', options: { startsecs: 1000 } },
        ],
      },
      async (world) => {
        await world.open();
        const peers = ['web', 'app'].map((name) =>
          world.connect().send(callRequest('supervisor.startProcess', [name])),
        );
        while (world.api.processes().some(({ record }) => record.state !== 'STARTING'))
          await new Promise((resolve) => setImmediate(resolve));
        assert.equal(await world.connect().end(), '');
        for (const peer of peers) peer.close();
      },
    ));

  test('too many pipelined requests end the connection', () =>
    inWorld({ limits: { pipelined: 4 }, programs: [{ name: 'web', options: { startsecs: 1000 } }] }, async (world) => {
      await world.open();
      assert.equal(
        await world
          .connect()
          .send(callRequest('supervisor.startProcess', ['web']) + getPid.repeat(4))
          .end(),
        '',
      );
    }));

  test('a client that does not read a long answer is disconnected', () =>
    inWorld({ limits: { stallMs: 100 } }, async (world) => {
      await world.open();
      world.api.log.push('x'.repeat(60_000));
      const peer = world.connect();
      peer.socket.pause();
      // Many answers instead of a large one, since we cannot limit the buffers of the kernel.
      peer.send(callRequest('supervisor.readLog', [0, 0]).repeat(60));
      await new Promise<void>((resolve) => {
        peer.socket.once('close', () => resolve());
        const poke = setInterval(
          () =>
            peer.socket.write(' ', (error) => {
              if (error instanceof Error) clearInterval(poke);
            }),
          20,
        );
        peer.socket.once('close', () => clearInterval(poke));
      });
    }));
});

describe('authentication', () => {
  const credentials = { username: 'user', password: 'secret' };
  const authorization = `Authorization: Basic ${Buffer.from('user:secret').toString('base64')}\r\n`;

  test('is required on every path, also on an unknown one, before the body is read', () =>
    inWorld({ credentials }, async (world) => {
      await world.open();
      for (const request of [
        'GET /nope HTTP/1.1\r\n',
        'GET /healthz HTTP/1.1\r\n',
        'GET /readyz HTTP/1.1\r\n',
        'GET /metrics HTTP/1.1\r\n',
        'GET /mainlogtail HTTP/1.1\r\n',
        'POST /RPC2 HTTP/1.1\r\nContent-Length: 100000\r\n',
        'GET /RPC2 HTTP/1.1\r\n',
      ]) {
        const peer = world.connect().send(`${request}\r\n`);
        const text = await peer.until(/<\/h1>/);
        assert.match(text, /^HTTP\/1.1 401 /, request);
        assert.match(text, /WWW-Authenticate: Basic realm="default"\r\n/);
        peer.close();
      }
      assert.match(
        await world.connect().send(`GET /healthz HTTP/1.1\r\nConnection: close\r\n${authorization}\r\n`).end(),
        /200 OK[^]*ok\n$/,
      );
    }));

  test('accepts the right password', () =>
    inWorld({ credentials }, async (world) => {
      await world.open();
      await world
        .connect()
        .send(callRequest('supervisor.getPID', [], authorization))
        .until(PID);
    }));

  test('an open route needs no password', () =>
    inWorld(
      {
        credentials,
        more: [{ method: 'GET', path: '/open', access: 'open', answer: ({ response }) => void response.end('hi') }],
      },
      async (world) => {
        await world.open();
        assert.match(await world.connect().send('GET /open HTTP/1.0\r\n\r\n').end(), /hi$/);
      },
    ));
});

describe('the end of a server', () => {
  test('gives running answers time, and ends waits and idle connections', () =>
    inWorld({ programs: [{ name: 'web', options: { startsecs: 1000 } }] }, async (world) => {
      const server = await world.open();
      const idle = world.connect();
      await idle.send(getPid).until(PID);
      const silent = world.connect();
      const waiting = world.connect().send(callRequest('supervisor.startProcess', ['web']));
      while (world.api.processes()[0]?.record.state !== 'STARTING')
        await new Promise((resolve) => setImmediate(resolve));
      await server.close();
      await Promise.all([idle.end(), silent.end(), waiting.end()]);
      const late = new Peer(connect({ path: world.socketPath }));
      assert.equal(await late.end(), '');
    }));

  test('does not wait for a client that sends half a body, or does not read', () =>
    inWorld({ limits: { closeMs: 50 } }, async (world) => {
      const server = await world.open();
      const half = world.connect().send('POST /RPC2 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\nabc');
      await half.until(/ 100 Continue/);
      const deaf = world.connect();
      await deaf.send('GET /mainlogtail HTTP/1.1\r\n\r\n').until(/^HTTP\/1.1 200 /);
      deaf.socket.pause();
      await server.close();
      await half.end();
      deaf.close();
    }));
});
