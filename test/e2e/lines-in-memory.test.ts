/**
 * `onevisor.readLines` of the built executable: the order of lines of several programs, readers that continue, lost
 * output, and the size of the memory.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { callRemoteMethod } from '../../src/ctl/transport.ts';
import type { LogLine } from '../../src/rpc/lines.ts';
import type { XmlRpcValue } from '../../src/rpc/xmlrpc.ts';
import { launch, type Launched, pid1SkipReason } from './launch.ts';
import { until } from './observe.ts';
import { freePort } from './ports.ts';

const skip = (await pid1SkipReason()) ?? false;

/** An answer of the method. */
interface Answer {
  readonly epoch: string;
  readonly next: number;
  readonly more: boolean;
  readonly lines: LogLine[];
  readonly missed: ReadonlyArray<{ readonly name: string; readonly stream: string; readonly bytes: number }>;
}

class Supervisor {
  readonly launched: Launched;
  readonly #port: number;

  constructor(launched: Launched, port: number) {
    this.launched = launched;
    this.#port = port;
  }

  static async start(t: Parameters<typeof launch>[0], programs: string): Promise<Supervisor> {
    const port = await freePort();
    return new Supervisor(await launch(t, { config: configOf(port, programs) }), port);
  }

  async configure(programs: string): Promise<void> {
    await writeFile(join(this.launched.folder, 'supervisord.conf'), configOf(this.#port, programs));
  }

  call(method: string, ...params: XmlRpcValue[]): Promise<XmlRpcValue> {
    return this.callUntil(AbortSignal.timeout(60_000), method, ...params);
  }

  /** Calls a method, and closes the connection when the signal is aborted. */
  callUntil(signal: AbortSignal, method: string, ...params: XmlRpcValue[]): Promise<XmlRpcValue> {
    const endpoint = { serverUrl: `http://127.0.0.1:${this.#port}`, username: null, password: null };
    return callRemoteMethod(endpoint, method, params, signal);
  }

  async read(query: { readonly [name: string]: XmlRpcValue } = {}): Promise<Answer> {
    const answer = (await this.call('onevisor.readLines', query)) as unknown as Answer & { readonly lines: string };
    return { ...answer, lines: JSON.parse(answer.lines) as LogLine[] };
  }

  /** Reads on until a line with this text came. Returns the number to continue after. */
  async until(text: string, after: number): Promise<number> {
    for (let next = after; ;) {
      const answer = await this.read({ after: next, wait: 30_000 });
      next = answer.next;
      if (answer.lines.some((line) => line.text === text)) return next;
    }
  }

  say(name: string, text: string): Promise<XmlRpcValue> {
    return this.call('supervisor.sendProcessStdin', name, `${text}\n`);
  }
}

function configOf(port: number, programs: string): string {
  return `[inet_http_server]\nport=127.0.0.1:${port}\n[supervisord]\n${programs}`;
}

const ECHOES = ['a', 'b', 'c'].map((name) => `[program:${name}]\ncommand=cat\nstartsecs=0\n`).join('');

test(
  'lines of three programs come in the order of their receipt, also after a reload',
  { skip, timeout: 60_000 },
  async (t) => {
    const supervisor = await Supervisor.start(t, ECHOES);
    await supervisor.launched.stdout.waitFor(/success: c entered RUNNING/);
    const { next: begin, epoch } = await supervisor.read();
    const said: Array<[name: string, text: string]> = [];
    let next = begin;
    for (let i = 0; i < 30; i++) {
      const name = 'abc'.charAt((i * i + i) % 3 === 0 ? i % 3 : (i * 7) % 3);
      said.push([`${name}:${name}`, `line ${i} of ${name} é😀`]);
      await supervisor.say(name, said.at(-1)?.[1] ?? '');
      next = await supervisor.until(said.at(-1)?.[1] ?? '', next);
    }
    const { lines, missed } = await supervisor.read({ after: begin, names: ['a', 'b:*', 'c:c'] });
    assert.deepEqual(
      lines.map(({ name, text }) => [name, text]),
      said,
    );
    assert.deepEqual(missed, []);
    assert.ok(lines.every(({ seq, at }, index) => index === 0 || (seq > (lines[index - 1]?.seq ?? 0) && at > 1e12)));
    assert.equal(new Set(lines.map(({ pid }) => pid)).size, 3);
    assert.deepEqual((await supervisor.read({ names: ['a', 'b', 'c'], limit: 2 })).lines, lines.slice(-2));
    const own = await supervisor.read({ streams: ['supervisor'] });
    assert.match(own.lines.map(({ text }) => text).join('\n'), /success: a entered RUNNING/);

    assert.equal((await supervisor.launched.ctl('reload')).code, 0);
    await supervisor.launched.stdout.waitFor(/success: c entered RUNNING/, { count: 2 });
    const later = await supervisor.read({ after: next, epoch });
    assert.equal(later.epoch, epoch);
    assert.ok(later.next > next && later.lines.every(({ seq }) => seq > next));
  },
);

test('readers that continue get each line once while programs flood', { skip, timeout: 120_000 }, async (t) => {
  const LINES = 40_000;
  const programs = ['a', 'b', 'c']
    .map((name) => `[program:${name}]\ncommand=sh -c "read go; seq 1 ${LINES}"\nautorestart=false\nstartsecs=0\n`)
    .join('');
  const supervisor = await Supervisor.start(t, programs.replaceAll('command=', 'tail_bytes=4MB\ncommand='));
  await supervisor.launched.stdout.waitFor(/success: c entered RUNNING/);
  const { next: begin } = await supervisor.read();
  const readAll = async (limit: number): Promise<void> => {
    const read = new Map(['a:a', 'b:b', 'c:c'].map((name) => [name, '']));
    let last = 0;
    for (let next = begin; [...read.values()].some((text) => !text.endsWith(`\n${LINES}\n`));) {
      const answer = await supervisor.read({ after: next, limit, wait: 10_000, streams: ['stdout'] });
      assert.deepEqual(answer.missed, []);
      next = answer.next;
      for (const { name, seq, text, partial } of answer.lines) {
        assert.ok(seq > last);
        last = seq;
        read.set(name, `${read.get(name)}${text}${partial === true ? '' : '\n'}`);
      }
    }
    const all = Array.from({ length: LINES }, (_, index) => `${index + 1}\n`).join('');
    for (const text of read.values()) assert.ok(text === all);
  };
  const readers = [readAll(1000), readAll(10_000), readAll(3333)];
  for (const name of ['a', 'b', 'c']) await supervisor.say(name, 'go');
  await Promise.all(readers);
});

test('lost output is reported, and cleared output is not', { skip, timeout: 60_000 }, async (t) => {
  const command = 'sh -c "while read count; do seq 1 $count; echo done; done"';
  const supervisor = await Supervisor.start(t, `[program:a]\ncommand=${command}\ntail_bytes=8KB\nstartsecs=0\n`);
  await supervisor.launched.stdout.waitFor(/success: a entered RUNNING/);
  const { next } = await supervisor.read();
  await supervisor.say('a', '100000');
  await supervisor.until('done', next);
  const { lines, missed } = await supervisor.read({ after: next, names: ['a'], limit: 10_000 });
  const bytes = lines.reduce((sum, { text }) => sum + text.length + 1, 0);
  assert.equal(bytes, 8192);
  assert.deepEqual(missed, [{ name: 'a:a', stream: 'stdout', bytes: 588_895 + 'done\n'.length - bytes }]);

  assert.equal(await supervisor.call('supervisor.clearProcessLogs', 'a'), true);
  const cleared = await supervisor.read({ after: next, names: ['a'] });
  assert.deepEqual([cleared.lines, cleared.missed], [[], []]);
  await supervisor.say('a', '1');
  await supervisor.until('done', cleared.next);
  const after = await supervisor.read({ after: next, names: ['a'] });
  assert.deepEqual([after.lines.map(({ text }) => text), after.missed], [['1', 'done'], []]);
});

test('tail_bytes changes while the program runs, and its lines stay', { skip, timeout: 60_000 }, async (t) => {
  const programOf = (size: string): string => `[program:a]\ncommand=cat\nstartsecs=0\ntail_bytes=${size}\n`;
  const supervisor = await Supervisor.start(t, programOf('1KB'));
  await supervisor.launched.stdout.waitFor(/success: a entered RUNNING/);
  let { next } = await supervisor.read();
  await supervisor.say('a', 'first');
  next = await supervisor.until('first', next);
  const textsWith = async (size: string): Promise<string[]> => {
    await supervisor.configure(programOf(size));
    assert.equal((await supervisor.launched.ctl('update')).stdout, 'a: updated process group\n');
    return (await supervisor.read({ names: ['a'] })).lines.map(({ text }) => text);
  };
  const [{ pid }] = (await supervisor.read({ names: ['a'] })).lines as [LogLine];
  assert.deepEqual(await textsWith('1MB'), ['first']);
  const long = 'x'.repeat(5000);
  await supervisor.say('a', long);
  next = await supervisor.until(long, next);
  const { lines } = await supervisor.read({ names: ['a'] });
  assert.deepEqual(
    lines.map((line) => [line.text.length, line.pid]),
    [
      [5, pid],
      [5000, pid],
    ],
  );
  assert.deepEqual(await textsWith('0'), []);
  const { missed } = await supervisor.read({ after: 0, names: ['a'] });
  assert.deepEqual(missed, [{ name: 'a:a', stream: 'stdout', bytes: 5007 }]);
});

test('the number of waiting clients is limited, and those that go make room', { skip, timeout: 60_000 }, async (t) => {
  const supervisor = await Supervisor.start(t, ECHOES);
  await supervisor.launched.stdout.waitFor(/success: c entered RUNNING/);
  const { next } = await supervisor.read();
  const wait = { names: ['a'], after: next, wait: 30_000 };
  const hangUp = new AbortController();
  const refused = Promise.withResolvers<unknown>();
  let waiting = 0;
  // One more than the limit: one of them is refused at once.
  const waits = Array.from({ length: 65 }, async () => {
    waiting++;
    await supervisor.callUntil(hangUp.signal, 'onevisor.readLines', wait).catch(refused.resolve);
    waiting--;
  });
  assert.match(String(await refused.promise), /too many clients wait for lines/);
  await until('the end of the refused call', () => waiting === 64);
  hangUp.abort();
  await Promise.all(waits);
  await until('room for a client', () =>
    supervisor.read({ ...wait, wait: 1 }).then(
      () => true,
      () => false,
    ),
  );
  const answered = supervisor.read(wait);
  await supervisor.say('b', 'not wanted');
  await supervisor.say('a', 'wanted');
  assert.deepEqual(
    (await answered).lines.map(({ text }) => text),
    ['wanted'],
  );
});
