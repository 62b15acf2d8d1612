/**
 * `GET /api/v1/stream` of the built executable: no gap and no duplicate while connections are cut, slow clients, the
 * limit of streams, a reload, a shutdown, and a proxy with its default settings.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { callMethod } from './connections.ts';
import { type EventStream, openStream, type StreamMessage } from './event-stream.ts';
import { launch, type Launched, pid1SkipReason } from './launch.ts';
import { Lines } from './lines.ts';
import { blocksOfKind } from './manual-blocks.ts';
import { programFile, until } from './observe.ts';
import { freePort } from './ports.ts';
import { runPython } from './python-client.ts';

const skip = (await pid1SkipReason()) ?? false;
const SERVER = '[unix_http_server]\nfile=%FOLDER%/s.sock\n[supervisord]\n';

function addressOf({ folder }: Launched): { readonly socketPath: string } {
  return { socketPath: `${folder}/s.sock` };
}

/** Numbers of all events of the supervisor after one of them. */
async function eventNumbers(launched: Launched, after: number): Promise<number[]> {
  const script = `
after = int(sys.argv[2])
while True:
    answer = server.onevisor.readEvents(after)
    assert answer['complete']
    for event in answer['events']: print(event['seq'])
    if not answer['events']: break
    after = answer['next']`;
  const stdout = await runPython(launched, script, String(after));
  return stdout
    .trim()
    .split('\n')
    .filter((text) => text !== '')
    .map(Number);
}

interface LineAnswer {
  readonly name: string;
  readonly text: string;
  readonly seq: number;
  readonly partial?: true;
  readonly rest?: true;
}

/** Collects what the messages of many connections told. */
class Collected {
  readonly lines = new Map<string, string[]>();
  readonly lineNumbers: number[] = [];
  readonly eventNumbers: number[] = [];
  readonly states = new Map<string, string>();
  readonly #open = new Set<string>();

  take({ event, data }: StreamMessage): void {
    if (event === 'lines') {
      assert.deepEqual(data.missed, []);
      for (const line of data.lines as LineAnswer[]) this.#takeLine(line);
    }
    if (event === 'delta') for (const { seq } of data.events as Array<{ seq: number }>) this.eventNumbers.push(seq);
    if (event === 'delta' || event === 'snapshot')
      for (const { name, statename } of data.processes as Array<{ name: string; statename: string }>)
        this.states.set(name, statename);
  }

  /** A cut may be inside a line: the rest of it comes as `rest`. */
  #takeLine(line: LineAnswer): void {
    this.lineNumbers.push(line.seq);
    const texts = this.lines.get(line.name) ?? [];
    this.lines.set(line.name, texts);
    assert.equal(this.#open.has(line.name), line.rest === true, 'a rest follows its beginning');
    if (line.rest === true) texts.push((texts.pop() ?? '') + line.text);
    else texts.push(line.text);
    if (line.partial === true) this.#open.add(line.name);
    else this.#open.delete(line.name);
  }
}

function isIncreasing(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0));
}

test(
  'tells each line and each event exactly once while its connection is cut 100 times',
  { skip, timeout: 240_000 },
  async (t) => {
    const most = 60_000;
    const printers = ['one', 'two', 'three'];
    const program = programFile('numbered-lines.py');
    const launched = await launch(t, {
      config:
        SERVER +
        'tail_bytes=4MB\n' +
        printers
          .map((name) => `[program:${name}]\ncommand=python3 ${program} ${name} ${most} 1000 %FOLDER%/enough\n`)
          .join('') +
        '[program:blink]\ncommand=sleep 0.4\nstartsecs=0\nautorestart=true\n' +
        'process_name=b%(process_num)d\nnumprocs=8\n',
    });
    const address = addressOf(launched);
    const collected = new Collected();
    let firstSeq = 0;
    let lastId: string | null = null;
    let snapshots = 0;
    let cuts = 0;
    const take = (message: StreamMessage): void => {
      assert.notEqual(message.event, 'reset');
      assert.notEqual(message.event, 'dropped');
      if (message.event === 'snapshot') {
        snapshots += 1;
        firstSeq = message.data.seq;
      }
      collected.take(message);
    };
    const isDone = (): boolean => printers.every((name) => collected.lines.get(name)?.at(-1)?.includes(' done '));
    await until('the socket', () =>
      openStream(null, address, 'status=1').then(
        (stream) => (stream.close(), true),
        () => false,
      ),
    );
    while (!isDone()) {
      const before = collected.lineNumbers.length + collected.eventNumbers.length;
      const stream: EventStream = await openStream(t, address, `status=1&logs=*&streams=stdout&tail=10000`, {
        lastEventId: lastId,
        onMessage: take,
      });
      assert.equal(stream.status, 200);
      await stream.waitFor(() => isDone() || collected.lineNumbers.length + collected.eventNumbers.length > before);
      if (cuts < 100) cuts += 1;
      else {
        await stream.waitFor(() => collected.eventNumbers.length > 20);
        await writeFile(join(launched.folder, 'enough'), '');
        await stream.waitFor(isDone);
      }
      // At any byte: the part of a message that has come is forgotten.
      stream.close();
      await stream.ended;
      lastId = stream.lastId() ?? lastId;
    }
    assert.equal(cuts, 100, 'the programs wrote long enough');
    assert.equal(snapshots, 1, 'no connection after the first one needed a snapshot');
    for (const name of printers) {
      const lines = collected.lines.get(name) ?? [];
      const count = Number(lines.at(-1)?.split(' ').at(-1));
      assert.ok(count > 1000, `${name}: ${count} lines`);
      const expected = Array.from({ length: count }, (_, index) => `${name} ${index + 1}`);
      assert.deepEqual(lines, [...expected, `${name} done ${count}`]);
    }
    assert.ok(isIncreasing(collected.lineNumbers));
    assert.ok(isIncreasing(collected.eventNumbers));
    const last = collected.eventNumbers.at(-1) ?? 0;
    assert.ok(collected.eventNumbers.length > 20);
    const all = await eventNumbers(launched, firstSeq);
    assert.deepEqual(
      collected.eventNumbers,
      all.filter((seq) => seq <= last),
    );
  },
);

/** Sends a request, and resolves with its status, headers and body. */
function fetchText(
  { socketPath }: { readonly socketPath: string },
  path: string,
  method = 'GET',
): Promise<{ readonly status: number; readonly headers: Record<string, unknown>; readonly body: string }> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: `/api/v1${path}`, method, agent: false }, (response) => {
      let body = '';
      response
        .setEncoding('utf8')
        .on('data', (part: string) => (body += part))
        .on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
        .on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

test('disconnects a client that reads nothing, while others get every state', { skip, timeout: 120_000 }, async (t) => {
  const launched = await launch(t, {
    config:
      SERVER +
      // A megabyte a second: the buffers of the connection are full at once, and the rest of the 30 seconds is a wait.
      `[program:flood]\ncommand=python3 ${programFile('numbered-lines.py')} ${'x'.repeat(200)} 9999999 5000\n` +
      'stdout_logfile=NONE\n[program:web]\ncommand=sleep 1000\nautostart=false\nstartsecs=0\n',
  });
  const address = addressOf(launched);
  await launched.waitForLine(/spawned: 'flood'/);
  const stalled = connect({ path: address.socketPath });
  t.after(() => stalled.destroy());
  stalled.on('error', () => undefined);
  stalled.write('GET /api/v1/stream?status=1&logs=* HTTP/1.1\r\nHost: localhost\r\n\r\n');
  stalled.pause();
  const other = await openStream(t, address, 'status=1');
  await other.waitFor(({ event }) => event === 'snapshot');
  for (const [method, state] of [
    ['startProcess', 'RUNNING'],
    ['stopProcess', 'STOPPED'],
  ] as const) {
    await callMethod(address.socketPath, `supervisor.${method}`, 'web');
    await other.waitFor(
      ({ event, data }) =>
        event === 'delta' &&
        (data.processes as Array<{ name: string; statename: string }>).some(
          ({ name, statename }) => name === 'web' && statename === state,
        ),
    );
  }
  const socketsOf = async (): Promise<number> => (await readdir(`/proc/${launched.pid}/fd`)).length;
  const before = await socketsOf();
  await until('the end of the stalled connection', async () => (await socketsOf()) < before, 90_000);
});

test('limits the number of streams, and leaves room for other requests', { skip, timeout: 120_000 }, async (t) => {
  const launched = await launch(t, { config: `${SERVER}[program:web]\ncommand=sleep 1000\n` });
  const address = addressOf(launched);
  await launched.waitForLine(/spawned: 'web'/);
  const streams = await Promise.all(Array.from({ length: 64 }, () => openStream(t, address, 'status=1')));
  assert.ok(streams.every(({ status }) => status === 200));
  const refused = await fetchText(address, '/stream?status=1');
  assert.equal(refused.status, 503);
  assert.equal(refused.headers['retry-after'], '10');
  assert.equal((JSON.parse(refused.body) as { error: { code: string } }).error.code, 'too_many_streams');
  assert.equal((await fetchText(address, '/usage/history')).status, 200);
  streams[0]?.close();
  await until('a free place', async () => {
    const again = await openStream(null, address, 'status=1');
    again.close();
    return again.status === 200;
  });
});

test('answers HEAD, HTTP/1.0 and wrong queries', { skip, timeout: 60_000 }, async (t) => {
  const launched = await launch(t, { config: `${SERVER}[program:web]\ncommand=sleep 1000\n` });
  const address = addressOf(launched);
  await launched.waitForLine(/spawned: 'web'/);
  const head = await fetchText(address, '/stream?status=1', 'HEAD');
  assert.equal(head.status, 200);
  assert.deepEqual(
    ['content-type', 'x-accel-buffering', 'cache-control'].map((name) => head.headers[name]),
    ['text/event-stream', 'no', 'no-cache, no-transform'],
  );
  for (const query of ['status=maybe', 'usage=-1', 'tail=1e9', 'logs=*&streams=other'])
    assert.equal((await fetchText(address, `/stream?${query}`)).status, 400, query);
  assert.equal((await fetchText(address, '/stream/more')).status, 404);
  const old = connect({ path: address.socketPath });
  t.after(() => old.destroy());
  let text = '';
  old.on('data', (bytes: Buffer) => (text += bytes.toString()));
  old.write('GET /api/v1/stream?status=1 HTTP/1.0\r\n\r\n');
  await until('the snapshot', () => text.includes('event: snapshot') && text.endsWith('\n\n'));
  assert.match(text, /^HTTP\/1\.0 200 /);
  assert.doesNotMatch(text, /chunked/i);
});

test('ends at a reload, continues after it, and tells states until the end', { skip, timeout: 120_000 }, async (t) => {
  const launched = await launch(t, {
    config:
      SERVER +
      `[program:slow]\ncommand=sh -c "trap 'echo bye; sleep 1; exit' TERM; echo up; while :; do sleep 0.1; done"\n`,
  });
  const address = addressOf(launched);
  await launched.waitForLine(/success: slow/);
  const first = await openStream(t, address, 'status=1&logs=*&streams=stdout&tail=10');
  await first.waitFor(({ event }) => event === 'snapshot');
  await launched.ctl('reload');
  await first.ended;
  const second = await until('the new server', () =>
    openStream(t, address, 'status=1&logs=*&streams=stdout', { lastEventId: first.lastId() }).catch(() => undefined),
  );
  await second.waitFor(
    ({ event, data }) =>
      event !== 'hello' &&
      ((data.processes ?? []) as Array<{ name: string; statename: string }>).some(
        ({ name, statename }) => name === 'slow' && statename === 'RUNNING',
      ),
  );
  const events = [...first.messages, ...second.messages].flatMap(({ event, data }) =>
    event === 'delta' ? (data.events as Array<{ seq: number }>).map(({ seq }) => seq) : [],
  );
  assert.ok(isIncreasing(events));
  assert.ok(!second.messages.some(({ event }) => event === 'reset'));
  launched.signal('SIGTERM');
  await second.ended;
  const states = second.messages.flatMap(({ event, data }) =>
    event === 'delta' ? (data.processes as Array<{ statename: string }>).map(({ statename }) => statename) : [],
  );
  assert.deepEqual(states.slice(-2), ['STOPPING', 'STOPPED']);
  const lines = second.messages.flatMap(({ event, data }) =>
    event === 'lines' ? (data.lines as LineAnswer[]).map(({ text }) => text) : [],
  );
  assert.equal(lines.at(-1), 'bye');
  assert.equal((await launched.exit).code, 0);
});

test('a client that comes back during a reload misses no line', { skip, timeout: 120_000 }, async (t) => {
  const counting = 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.005; done';
  const launched = await launch(t, {
    config: `${SERVER}[program:counter]\ncommand=sh -c "${counting}"\nnumprocs=3\nprocess_name=%(process_num)d\n`,
  });
  const address = addressOf(launched);
  const lines = new Map<number, number[]>();
  const losses: StreamMessage[] = [];
  let [lastId, streams] = [null as string | null, 0];
  const over = new AbortController();
  const take = (message: StreamMessage): void => {
    if (message.event === 'reset' || message.event === 'dropped') losses.push(message);
    if (message.event !== 'lines') return;
    if (message.data.missed.length > 0) losses.push(message);
    for (const { pid, text } of message.data.lines as Array<{ pid: number; text: string }>)
      lines.set(pid, [...(lines.get(pid) ?? []), Number(text)]);
  };
  t.after(() => over.abort());
  const following = (async () => {
    while (!over.signal.aborted) {
      // Without a pause: the server is open before the programs of the new configuration exist.
      const stream = await openStream(t, address, 'status=1&logs=*&streams=stdout', {
        lastEventId: lastId,
        onMessage: take,
      }).catch(() => null);
      if (stream === null) continue;
      streams += 1;
      await stream.ended;
      lastId = stream.lastId() ?? lastId;
    }
  })();
  await until('lines of all programs', () => lines.size >= 3);
  for (let reloads = 1; reloads <= 8; reloads += 1) {
    const before = lines.size;
    await launched.ctl('reload');
    await until('lines of the new runs', () => lines.size >= before + 3);
  }
  over.abort();
  launched.signal('SIGTERM');
  await Promise.all([following, launched.exit]);
  assert.ok(streams >= 9, `${streams} streams`);
  assert.deepEqual(losses, []);
  for (const [pid, numbers] of lines) {
    // The first runs began before the first stream.
    const first = numbers[0] ?? 0;
    if ([...lines.keys()].indexOf(pid) >= 3) assert.equal(first, 1, `the first line of ${pid}`);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => first + index),
      `lines of ${pid}`,
    );
  }
});

const hasNginx = existsSync('/usr/sbin/nginx');

test(
  'arrives promptly through nginx with its default settings',
  { skip: skip || (hasNginx ? false : 'no nginx'), timeout: 60_000 },
  async (t) => {
    const launched = await launch(t, {
      config: `${SERVER}[program:web]\ncommand=sleep 1000\nautostart=false\nstartsecs=0\n`,
    });
    const { folder } = launched;
    const port = await freePort();
    await writeFile(
      join(folder, 'nginx.conf'),
      `daemon off;\npid ${folder}/nginx.pid;\nerror_log ${folder}/error.log;\nuser root;\nevents {}\n` +
        `http {\naccess_log off;\nclient_body_temp_path ${folder}/b;\nproxy_temp_path ${folder}/p;\n` +
        `fastcgi_temp_path ${folder}/f;\nuwsgi_temp_path ${folder}/u;\nscgi_temp_path ${folder}/c;\ngzip on;\n` +
        `server {\nlisten 127.0.0.1:${port};\nlocation / {\nproxy_pass http://unix:${folder}/s.sock:/;\n}\n}\n}\n`,
    );
    const nginx = spawn('/usr/sbin/nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder], { stdio: 'ignore' });
    t.after(() => nginx.kill('SIGTERM'));
    const stream = await until('nginx', () =>
      openStream(t, { port }, 'status=1').then(
        (opened) => opened.status === 200 && opened,
        () => undefined,
      ),
    );
    await stream.waitFor(({ event }) => event === 'snapshot');
    // A proxy that buffers would pass nothing on before its buffer is full or the answer ends.
    await callMethod(addressOf(launched).socketPath, 'supervisor.startProcess', 'web');
    const delta = await stream.waitFor(({ event, data }) => event === 'delta' && data.processes.length > 0);
    assert.equal(delta.data.processes[0].name, 'web');
    assert.match(delta.id ?? '', /-\d+$/);
  },
);

test('the example of the manual continues after a reload', { skip, timeout: 120_000 }, async (t) => {
  const port = await freePort();
  const launched = await launch(t, {
    config:
      `${SERVER}[inet_http_server]\nport=127.0.0.1:${port}\n` +
      '[program:web]\ncommand=sleep 1000\nautostart=false\nstartsecs=0\n',
    files: { 'watch.mjs': blocksOfKind('file').get('watch.mjs')?.text ?? '' },
  });
  await until('the server', () =>
    openStream(null, { port }, 'status=1').then(
      (stream) => (stream.close(), true),
      () => false,
    ),
  );
  const child = spawn(process.execPath, [join(launched.folder, 'watch.mjs'), `http://127.0.0.1:${port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lines = new Lines(child.stdout);
  const { socketPath } = addressOf(launched);
  await until('the first change', async () => {
    await callMethod(socketPath, 'supervisor.startProcess', 'web').catch(() => undefined);
    await callMethod(socketPath, 'supervisor.stopProcess', 'web').catch(() => undefined);
    return lines.all.some((line) => line === 'web: STOPPING -> STOPPED');
  });
  const count = lines.all.length;
  await launched.ctl('reload');
  await until('the next change', async () => {
    await callMethod(socketPath, 'supervisor.startProcess', 'web').catch(() => undefined);
    return lines.all.slice(count).includes('web: STOPPED -> STARTING');
  });
});
