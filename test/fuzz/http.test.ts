/**
 * Requests to a running supervisor: whatever a client sends, it gets a complete answer or the end of its connection in
 * bounded time, never a 500, and the supervisor goes on.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { launch } from '../e2e/launch.ts';
import { bySize } from '../slow.ts';
import { Random, SEED } from './random.ts';
import { makeRequest } from './random-request.ts';

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
