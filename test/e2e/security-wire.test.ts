/**
 * Requests that a proxy and a server could understand differently (request smuggling), clients that are slow, and
 * bodies that grow when they are decompressed: sent as bytes to the executable, on a server with a password.
 */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Launched, launch, pid1SkipReason } from './launch.ts';
import { freePort } from './ports.ts';

const skip = (await pid1SkipReason()) ?? false;

const BODY = '<?xml version="1.0"?><methodCall><methodName>supervisor.getPID</methodName></methodCall>';
const LOGIN = `Host: localhost\r\nAuthorization: Basic ${Buffer.from('u:pass-word').toString('base64')}\r\n`;
const SHUTDOWN = '<?xml version="1.0"?><methodCall><methodName>supervisor.shutdown</methodName></methodCall>';
/** A complete request that must never be understood as one: it would end the supervisor. */
const HIDDEN = `POST /RPC2 HTTP/1.1\r\n${LOGIN}Content-Length: ${SHUTDOWN.length}\r\n\r\n${SHUTDOWN}`;
const chunked = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

/** Requests with two meanings, and the status of the only answer. The connection is closed after it. */
const AMBIGUOUS: ReadonlyArray<readonly [title: string, head: string, rest: string]> = [
  ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked', `0\r\n\r\n${HIDDEN}`],
  ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 5', `0\r\n\r\n${HIDDEN}`],
  ['two lengths', `Content-Length: 0\r\nContent-Length: ${HIDDEN.length}`, HIDDEN],
  ['two equal lengths', `Content-Length: ${BODY.length}\r\nContent-Length: ${BODY.length}`, BODY + HIDDEN],
  ['a list of lengths', `Content-Length: 0, ${HIDDEN.length}`, HIDDEN],
  ['a signed length', `Content-Length: +${BODY.length}`, BODY + HIDDEN],
  ['a negative length', 'Content-Length: -1', HIDDEN],
  ['a hexadecimal length', 'Content-Length: 0x10', HIDDEN],
  ['an unknown coding', 'Transfer-Encoding: xchunked', chunked(BODY) + HIDDEN],
  ['chunks that are not last', 'Transfer-Encoding: chunked, identity', chunked(BODY) + HIDDEN],
  ['chunks twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', chunked(BODY) + HIDDEN],
  ['a space before the colon', 'Transfer-Encoding : chunked', chunked(BODY) + HIDDEN],
  ['a folded line', 'X: a\r\n Transfer-Encoding: chunked', chunked(BODY) + HIDDEN],
  ['a line without a colon', 'Transfer-Encoding', HIDDEN],
  ['a NUL in a header', 'X: a\0b', HIDDEN],
  ['a bare CR in a header', `X: a\rContent-Length: ${HIDDEN.length}`, HIDDEN],
  ['an overlong chunk size', 'Transfer-Encoding: chunked', `${'f'.repeat(40)}\r\n${HIDDEN}`],
  ['a chunk size with a sign', 'Transfer-Encoding: chunked', `-1\r\n${HIDDEN}`],
  ['a chunk that is longer than its size', 'Transfer-Encoding: chunked', `1\r\nabc\r\n0\r\n\r\n${HIDDEN}`],
];

/** A raw connection. */
interface Raw {
  readonly socket: Socket;
  /** Everything that was received, once the server has closed the connection. */
  readonly closed: Promise<string>;
  /** Resolves with everything that was received when it matches. */
  until(pattern: RegExp): Promise<string>;
}

describe('bytes to the server', { skip }, () => {
  let launched: Launched;
  let port = 0;
  const cleanups: Array<() => unknown> = [];
  before(async () => {
    port = await freePort();
    const owner = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
    launched = await launch(owner as unknown as Parameters<typeof launch>[0], {
      config:
        `[supervisord]\n[inet_http_server]\nport=127.0.0.1:${port}\nusername=u\npassword=pass-word\n` +
        '[program:web]\ncommand=sleep 1000\n',
    });
    await launched.waitForLine(/success: web entered RUNNING/);
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const open = (): Raw => {
    const socket = connect({ host: '127.0.0.1', port });
    let text = '';
    const closed = new Promise<string>((resolve) => {
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
    });
    socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
    const until = (pattern: RegExp): Promise<string> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(text)) return;
          socket.off('data', look);
          resolve(text);
        };
        socket.on('data', look);
        socket.once('close', () => reject(new Error(`closed after ${JSON.stringify(text)}`)));
        look();
      });
    return { socket, closed, until };
  };
  const isUp = async (): Promise<void> => {
    const raw = open();
    raw.socket.write(`POST /RPC2 HTTP/1.1\r\n${LOGIN}Content-Length: ${BODY.length}\r\n\r\n${BODY}`);
    assert.match(await raw.until(/<int>1<\/int>/), /^HTTP\/1\.1 200 /);
    raw.socket.destroy();
  };

  for (const [title, head, rest] of AMBIGUOUS)
    test(`${title}: nothing after the head is taken for a request`, async () => {
      const raw = open();
      raw.socket.write(`POST /RPC2 HTTP/1.1\r\n${LOGIN}${head}\r\n\r\n${rest}`);
      const text = await raw.closed;
      assert.ok((text.match(/HTTP\/1\.1 /g) ?? []).length <= 1, text);
      assert.doesNotMatch(text, /<boolean>1<\/boolean>/);
      if (text !== '') assert.match(text, /^HTTP\/1\.1 4\d\d /);
      await isUp();
    });

  test('each pipelined request has its own credentials, whatever the one before had', async () => {
    const raw = open();
    const plain = `POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${SHUTDOWN.length}\r\n\r\n${SHUTDOWN}`;
    const known = `POST /RPC2 HTTP/1.1\r\n${LOGIN}Content-Length: ${BODY.length}\r\n\r\n${BODY}`;
    raw.socket.write(known + plain + known);
    // The refusal closes the connection, since the body of the refused request was not read.
    const text = await raw.closed;
    assert.deepEqual(text.match(/(?<=HTTP\/1\.1 )\d+/g), ['200', '401']);
    assert.doesNotMatch(text, /<boolean>/);
    await isUp();
  });

  test('two different Authorization headers are not combined: the first counts', async () => {
    const wrong = `Authorization: Basic ${Buffer.from('u:wrong').toString('base64')}\r\n`;
    const raw = open();
    raw.socket.write(`GET /healthz HTTP/1.1\r\n${wrong}${LOGIN}Connection: close\r\n\r\n`);
    assert.match(await raw.closed, /^HTTP\/1\.1 401 /);
  });

  test('a compressed body is 415, and is never unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20));
    for (const coding of ['gzip', 'deflate', 'br', 'zstd', 'identity, gzip']) {
      const raw = open();
      raw.socket.write(
        `POST /RPC2 HTTP/1.1\r\n${LOGIN}Content-Encoding: ${coding}\r\nContent-Length: ${bomb.length}\r\n` +
          'Connection: close\r\n\r\n',
      );
      raw.socket.write(bomb);
      assert.match(await raw.closed, /^HTTP\/1\.1 415 /, coding);
    }
    await isUp();
  });

  test('clients that never finish their headers keep no other client out', async () => {
    const slow = Array.from({ length: 300 }, () => {
      const raw = open();
      raw.socket.write('POST /RPC2 HTTP/1.1\r\nX: ');
      return raw;
    });
    // Those that waited longest make room: they are closed without a word, and not with the 408 of a late request.
    const endings = await Promise.all(slow.slice(0, 40).map(({ closed }) => closed));
    assert.ok(endings.includes(''), endings.join('\n'));
    await isUp();
    for (const { socket } of slow) socket.destroy();
  });

  test('hostile text in a request reaches the log without control characters, and no other answer', async () => {
    const evil = '\x1b]0;owned\x07\x1b[2Jfake\u009b31m';
    const raw = open();
    const call =
      '<?xml version="1.0"?><methodCall><methodName>supervisor.startProcess</methodName><params><param><value>' +
      `<string>${evil.replace(/[\x00-\x1f]/g, '?')}&#10;1970-01-01 INFO forged &lt;script&gt;</string></value>` +
      '</param>' +
      '</params></methodCall>';
    raw.socket.write(
      `POST /RPC2 HTTP/1.1\r\n${LOGIN}User-Agent: ${evil.replace(/[\x00-\x1f]/g, '')}\r\nConnection: close\r\n` +
        `Content-Length: ${Buffer.byteLength(call)}\r\n\r\n${call}`,
    );
    await raw.closed;
    const path = open();
    path.socket.write(`GET /%1b%5d0;owned%07/<script> HTTP/1.1\r\n${LOGIN}Connection: close\r\n\r\n`);
    const text = await path.closed;
    assert.doesNotMatch(text, /owned|<script>/);
    await isUp();
    for (const stream of [launched.stdout, launched.stderr]) {
      assert.doesNotMatch(stream.text, /[\x00-\x08\x0b-\x1f\x7f]/);
      assert.ok(!stream.all.some((line) => line.startsWith('1970-01-01 INFO forged')), stream.text);
    }
  });

  test('after five wrong passwords, even the right one waits; another address does not', async () => {
    const statusWith = async (password: string, from: string): Promise<string> => {
      const socket = connect({ host: '127.0.0.1', port, localAddress: from });
      let text = '';
      socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
      const credentials = Buffer.from(`u:${password}`).toString('base64');
      socket.write(
        `GET /healthz HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${credentials}\r\nConnection: close\r\n\r\n`,
      );
      await new Promise((resolve) => socket.once('close', resolve));
      return text.slice(9, 12);
    };
    const answers: string[] = [];
    for (let attempt = 0; attempt < 6; attempt++) answers.push(await statusWith('guess', '127.9.9.9'));
    assert.deepEqual(answers, ['401', '401', '401', '401', '401', '401']);
    assert.equal(await statusWith('pass-word', '127.9.9.9'), '429');
    assert.equal(await statusWith('pass-word', '127.9.9.8'), '200');
    await launched.waitForLine(/too many wrong passwords for user u from 127\.9\.9\.9: none is accepted for 1 s/);
    assert.doesNotMatch(launched.stdout.text + launched.stderr.text, /pass-word|guess/);
  });
});
