/** Slow clients, clients that ask for anything, and large answers: others get answers, and memory is bounded. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pid1SkipReason } from '../e2e/launch.ts';
import { until } from '../e2e/observe.ts';
import { defaultLimits } from '../../src/http/limits.ts';
import { bySize } from '../slow.ts';
import { inventCall } from '../soak/actions.ts';
import { Random } from '../soak/random.ts';
import { newSeed } from '../soak/soak-report.ts';
import { call, sampleOf } from '../soak/supervisor.ts';
import {
  assertAnswered,
  assertEnded,
  endByTerm,
  formatSample,
  launchLoad,
  MEGABYTE,
  socketOf,
  StatusClient,
  summarize,
  tell,
  untilAnswer,
  untilMemoryBelow,
} from './rig.ts';

const skip = (await pid1SkipReason()) ?? false;

const CLIENTS = bySize({ brief: 100, long: 500 });
const SLOW_MS = bySize({ brief: 5000, long: 60_000 });
const REQUEST = 'POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 100000\r\n\r\n';

/** Connections of one server at a time. A further one replaces one that has sent no request. */
const MOST_CONNECTIONS = defaultLimits.connections;

for (const [what, begun] of [
  ['from the first', 0],
  ['after the headers', REQUEST.length],
] as const)
  test(`${CLIENTS} clients send one byte a second ${what}`, { skip }, async (t) => {
    const launched = await launchLoad(t, '[program:web]\ncommand=sleep 100000\n');
    await untilAnswer(launched);
    const before = await sampleOf(launched.pid);
    const open = (): Socket => {
      const socket = connect(socketOf(launched)).on('error', () => undefined);
      socket.write(REQUEST.slice(0, begun));
      return socket;
    };
    const sockets = Array.from({ length: CLIENTS }, open);
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    const wanted = Math.min(CLIENTS, MOST_CONNECTIONS) - 2;
    await until(
      'the connections',
      async () => (await sampleOf(launched.pid)).descriptors >= before.descriptors + wanted,
    );
    const status = new StatusClient(launched);
    const endAtMs = performance.now() + SLOW_MS;
    for (let at = begun; performance.now() < endAtMs; at += 1) {
      for (const [index, socket] of sockets.entries()) {
        if (socket.writable) socket.write(REQUEST[at] ?? 'x');
        // Clients that are sent away come again.
        else sockets[index] = open();
      }
      await sleep(1000);
    }
    const during = await sampleOf(launched.pid);
    const times = await status.stop();
    for (const socket of sockets) socket.destroy();
    const after = await until('their descriptors to be closed', async () => {
      const sample = await sampleOf(launched.pid);
      return sample.descriptors <= before.descriptors + 1 && sample;
    });
    const endMs = await endByTerm(launched);
    tell(t, {
      status: times,
      'TERM to end': `${endMs} ms`,
      before: formatSample(before),
      during: formatSample(during),
      after: formatSample(after),
    });
    assertAnswered(times);
    assertEnded(endMs);
    assert.ok(during.bytes < before.bytes + 32 * MEGABYTE + CLIENTS * 64 * 1024, formatSample(during));
  });

test('clients that send nothing do not delay the end', { skip }, async (t) => {
  const launched = await launchLoad(t, '[program:web]\ncommand=sleep 100000\n');
  await untilAnswer(launched);
  const sockets = [REQUEST, 'GET / HT', ''].map((text) => {
    const socket = connect(socketOf(launched)).on('error', () => undefined);
    socket.write(text);
    return socket;
  });
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  await sleep(500);
  const endMs = await endByTerm(launched);
  tell(t, { 'TERM to end': `${endMs} ms` });
  assertEnded(endMs);
});

const CALLS = bySize({ brief: 2000, long: 40_000 });
const CALLERS = 4;
const NAMES = ['web', 'pool:pool_00', 'pool:*', 'missing'];

test(`${CALLS} calls with random arguments`, { skip }, async (t) => {
  const seed = Number(process.env['LOAD_SEED'] ?? newSeed());
  t.diagnostic(`seed ${seed}; LOAD_SEED repeats it`);
  const random = new Random(seed);
  const launched = await launchLoad(
    t,
    '[program:web]\ncommand=sh -c "echo hello; exec sleep 100000"\n' +
      '[program:pool]\ncommand=cat\nprocess_name=%(program_name)s_%(process_num)02d\nnumprocs=2\n',
  );
  await untilAnswer(launched);
  const status = new StatusClient(launched);
  const times: number[] = [];
  const answers = new Map<string, number>();
  let left = CALLS;
  let first: Awaited<ReturnType<typeof sampleOf>> | null = null;
  const callOften = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      if (left === Math.floor(CALLS / 2)) first = await sampleOf(launched.pid);
      const { method, parameters } = inventCall(random, NAMES);
      const beganMs = performance.now();
      const { status: code, text } = await call(socketOf(launched), method, ...parameters);
      times.push(performance.now() - beganMs);
      const answered = text.includes('<fault>') ? 'fault' : 'value';
      const kind = code === 200 ? answered : String(code);
      answers.set(kind, (answers.get(kind) ?? 0) + 1);
      const shown = `${method} ${JSON.stringify(parameters).slice(0, 200)}: ${code} ${text.slice(0, 300)}`;
      assert.ok(code === 200 || code === 400, shown);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, callOften));
  const last = await sampleOf(launched.pid);
  const statusTimes = await status.stop();
  const endMs = await endByTerm(launched);
  const half = first ?? last;
  tell(t, {
    calls: summarize(times),
    answers: [...answers].map(([kind, count]) => `${count} ${kind}`).join(', '),
    status: statusTimes,
    'TERM to end': `${endMs} ms`,
    'after half': formatSample(half),
    'at the end': formatSample(last),
  });
  assertAnswered(statusTimes);
  assertEnded(endMs);
  assert.ok(last.bytes < half.bytes + 32 * MEGABYTE, `${formatSample(half)} became ${formatSample(last)}`);
  assert.doesNotMatch(launched.stdout.text + launched.stderr.text, /unexpected error|internal_error/);
});

/** Memory that PID 1 may have above that of its start, some time after the largest answers. */
const AFTER_ANSWERS = 32 * MEGABYTE;
const ANSWER_BYTES = 8 * MEGABYTE;
const ANSWERS = bySize({ brief: 8, long: 200 });

test(`after ${ANSWERS} answers of 8 MB the memory falls`, { skip }, async (t) => {
  const launched = await launchLoad(
    t,
    '[program:talk]\ncommand=sh -c "head -c 9000000 /dev/zero | tr \'\\\\0\' x; exec sleep 100000"\n' +
      'stdout_logfile=%FOLDER%/talk.log\nstdout_logfile_maxbytes=0\n',
  );
  await untilAnswer(launched);
  const before = await sampleOf(launched.pid);
  const read = (): ReturnType<typeof call> =>
    call(socketOf(launched), 'supervisor.readProcessStdoutLog', 'talk', 0, ANSWER_BYTES);
  await until('the log', async () => (await read()).text.length > ANSWER_BYTES);
  const status = new StatusClient(launched);
  let most = before;
  for (let turn = 0; turn < ANSWERS / 4; turn += 1) {
    const answers = await Promise.all([read(), read(), read(), read()]);
    for (const { status: code, text } of answers) {
      // Above the limit for all answers together, some wait or are refused in words.
      assert.ok(code === 200 || code === 503, `${code} ${text.slice(0, 200)}`);
      if (code === 200) assert.ok(text.length > ANSWER_BYTES || text.includes('<fault>'), text.slice(0, 200));
    }
    const sample = await sampleOf(launched.pid);
    if (sample.bytes > most.bytes) most = sample;
  }
  const times = await status.stop();
  const after = await untilMemoryBelow(launched, before.bytes + AFTER_ANSWERS);
  const endMs = await endByTerm(launched);
  tell(t, {
    status: times,
    'TERM to end': `${endMs} ms`,
    before: formatSample(before),
    most: formatSample(most),
    after: formatSample(after),
  });
  assertAnswered(times);
  assertEnded(endMs);
});
