/**
 * Requests to a running supervisor: whatever a client sends, it gets a complete answer or the end of its connection in
 * bounded time, never a 500, and the supervisor goes on.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTable } from '../../src/api/table.ts';
import { encodeCall } from '../../src/rpc/xmlrpc.ts';
import { launch } from '../e2e/launch.ts';
import { bySize } from '../slow.ts';
import { mutate, Random, SEED } from './random.ts';

const FOR_MS = bySize({ brief: 6000, long: 240_000 });
/** Connections at the same time. */
const LANES = 8;
/** A client reads for this long. Streams go on; their client ends them. */
const READ_MS = 300;
/** Time within which the supervisor begins to answer, or closes the connection. */
const ANSWER_MS = 10_000;

const CONFIG = `[supervisord]
nodaemon=true
[unix_http_server]
file=%FOLDER%/s.sock
[program:web]
command=sleep 1000
[program:job]
command=sh -c 'echo a line; exit 3'
autostart=false
startsecs=0
`;

/** Rows that end or replace the supervisor. */
const ENDS = new Set(['/supervisor/shutdown', '/supervisor/reload']);
const TABLE = createTable().filter(({ path }) => !ENDS.has(path));
const METHODS = [
  'getState',
  'getAllProcessInfo',
  'getProcessInfo',
  'startProcess',
  'stopProcess',
  'tailProcessLog',
  'readLog',
  'signalProcess',
  'sendProcessStdin',
  'addProcessGroup',
  'removeProcessGroup',
  'reloadConfig',
  'clearLog',
];
const PAGES = [
  '/',
  '/index.html',
  '/logtail/web',
  '/mainlogtail',
  '/metrics',
  '/healthz',
  '/readyz',
  '/stylesheets/x',
  '/tail.html?processname=web',
  '/index.html?action=restart',
  '/dashboard',
  '/RPC2',
  '/program/web',
];
const NAMES = [
  'web',
  'job',
  'web:web',
  'job:*',
  '*',
  '..%2f..',
  '%00',
  '%ff',
  'a'.repeat(300),
  '__proto__',
  '',
  '%',
  ':',
];
const VALUES = [
  '1',
  '0',
  '-1',
  '1e9',
  'true',
  'x',
  '',
  '%00',
  '99999999999999999999',
  '2026-01-01',
  'all',
  '{',
  '%5B',
  'stdout',
];
const HEADERS = [
  'Accept: application/json',
  'Accept: text/event-stream',
  'Last-Event-ID: 5-6',
  'Content-Type: application/json',
  'Content-Type: text/xml',
  'Transfer-Encoding: chunked',
  'Content-Length: 5',
  'Content-Length: -1',
  'Connection: upgrade',
  'Expect: 100-continue',
  'Accept-Encoding: gzip',
  'Range: bytes=0-1',
  'Authorization: Basic eDp5',
  'Origin: http://evil',
  'Host:',
  'Host: evil',
  'X: \x01',
  'Cookie: a=b',
];
const BODIES = [
  '',
  '{}',
  '[]',
  'null',
  '{"name":"web"}',
  '{"signal":"HUP"}',
  '{"chars":"x"}',
  '{"__proto__":1}',
  '{"count":2}',
  '{"count":1e99}',
  '[{',
  '"\\ud800"',
  '{"names":["web"]}',
  '{"wait":true}',
  '{"timeout":0}',
];
const QUERIES = [
  'lines',
  'since',
  'until',
  'follow',
  'process',
  'stream',
  'usage',
  'timeout',
  'level',
  'q',
  'match',
  'before',
  'after',
  'limit',
  'wait',
  'signal',
  'offset',
  'length',
];

function makePath(random: Random): { method: string; path: string } {
  if (random.chance(0.3)) return { method: random.pick(['GET', 'POST', 'HEAD', 'PUT']), path: random.pick(PAGES) };
  const { method, path } = random.pick(TABLE);
  const filled = path.replaceAll(/\{\w+\}/g, () => random.pick(NAMES));
  const query = Array.from({ length: random.below(4) }, () => `${random.pick(QUERIES)}=${random.pick(VALUES)}`);
  return {
    method: random.chance(0.9) ? method : random.pick(['GET', 'POST', 'DELETE', 'OPTIONS', 'TRACE', 'x']),
    path: `/api/v1${filled}${query.length === 0 ? '' : `?${query.join('&')}`}`,
  };
}

function makeCall(random: Random): string {
  const params = Array.from({ length: random.below(4) }, () =>
    random.pick([...NAMES, 1, -1, 2 ** 31 - 1, true, [], {}]),
  );
  const call = encodeCall(`${random.pick(['supervisor', 'onevisor', 'system'])}.${random.pick(METHODS)}`, params);
  return random.chance(0.7) ? call : mutate(call, random, ['<value>', '</value>', '<nil/>']);
}

/** Makes the bytes of a request, some of them broken. */
function makeRequest(random: Random): string {
  const isCall = random.chance(0.2);
  const { method, path } = isCall ? { method: 'POST', path: '/RPC2' } : makePath(random);
  const other = random.chance(0.5) ? random.pick(BODIES) : '';
  const body = isCall ? makeCall(random) : other;
  const headers = ['Host: localhost', ...(isCall ? ['Content-Type: text/xml'] : [])];
  if (random.chance(0.97)) headers.push(`Content-Length: ${Buffer.byteLength(body)}`);
  if (!isCall && method !== 'GET' && random.chance(0.9)) headers.push('Content-Type: application/json');
  if (random.chance(0.3)) headers.push(random.pick(HEADERS));
  const text = `${method} ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
  if (random.chance(0.8)) return text;
  return mutate(text, random, [
    '\r\n',
    '\n',
    ' HTTP/1.0',
    '/../',
    '%2e',
    ': ',
    '\r\n\r\n',
    '0\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
  ]);
}

/** True for an answer with all the bytes that it announces. */
function isWhole(answer: string): boolean {
  const head = answer.indexOf('\r\n\r\n');
  const length = /^content-length: (\d+)/im.exec(answer.slice(0, head))?.[1];
  const isChunked = /^transfer-encoding: chunked/im.test(answer.slice(0, head));
  if (isChunked) return answer.endsWith('\r\n0\r\n\r\n');
  return head !== -1 && length !== undefined && answer.length >= head + 4 + Number(length);
}

/** Sends bytes and returns the beginning of what comes back. Throws if nothing comes and the connection stays. */
async function exchange(socketPath: string, request: string): Promise<string> {
  const socket = connect(socketPath);
  const chunks: Buffer[] = [];
  let isOver = false;
  const ended = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (isWhole(Buffer.concat(chunks).toString('latin1'))) resolve();
      else setTimeout(resolve, READ_MS);
    });
    for (const event of ['end', 'close', 'error'] as const)
      socket.on(event, () => {
        isOver = true;
        resolve();
      });
    // An incomplete request is ended by its client.
    setTimeout(() => socket.end(), READ_MS);
  });
  socket.write(Buffer.from(request, 'latin1'));
  const timer = new AbortController();
  const late = new Promise<'late'>((resolve) => {
    const handle = setTimeout(() => resolve('late'), ANSWER_MS);
    timer.signal.addEventListener('abort', () => clearTimeout(handle));
  });
  const first = await Promise.race([ended, late]);
  timer.abort();
  socket.destroy();
  const answer = Buffer.concat(chunks).toString('latin1');
  assert.ok(first !== 'late' || isOver || answer !== '', `no answer in ${ANSWER_MS} ms`);
  return answer;
}

test('requests of any form are answered, and none with 500', async (context) => {
  const { folder, exit, waitForLine } = await launch(context, { config: CONFIG });
  const socketPath = join(folder, 's.sock');
  await waitForLine(/web entered RUNNING/);
  let hasEnded = false;
  void exit.then(() => (hasEnded = true));
  const random = new Random(SEED);
  const endMs = performance.now() + FOR_MS;
  const counts = new Map<string, number>();
  let cases = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const request = makeRequest(random);
      const shown = `TEST_SEED=${SEED}, request ${cases}: ${JSON.stringify(request)}`;
      cases += 1;
      const answer = await exchange(socketPath, request).catch((error: unknown) => {
        throw new Error(shown, { cause: error });
      });
      assert.ok(!hasEnded, `the supervisor has ended: ${shown}`);
      const code = /^HTTP\/1\.[01] (\d{3}) /.exec(answer)?.[1] ?? (answer === '' ? 'closed' : 'no HTTP');
      assert.ok(!/^5(?!0[13])/.test(code) && code !== 'no HTTP', `${code}: ${shown}\n${answer.slice(0, 600)}`);
      counts.set(code, (counts.get(code) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const state = await exchange(
    socketPath,
    'GET /api/v1/version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  );
  assert.match(state, /^HTTP\/1\.1 200 /);
  const shares = [...counts].map(([code, count]) => `${code}: ${count}`).toSorted();
  context.diagnostic(`${cases} requests: ${shares.join(', ')}`);
});
