/**
 * Log servers: messages of RFC 5424, long lines, and the outlet with fake connections.
 */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import type { Link, LinkEvents } from '../../../src/logs/links.ts';
import { MessageCutter } from '../../../src/logs/message-cutter.ts';
import { MessageHeader, headerEnd } from '../../../src/logs/message-header.ts';
import { KEPT_BYTES, RemoteOutlet } from '../../../src/logs/remote-outlet.ts';
import { FakeClock, errnoError } from './fakes.ts';

const WALL = 1767268800123;

test('a header has priority, time, host, name and pid', () => {
  const header = new MessageHeader({ name: 'web', pid: 42, severity: 'info' });
  assert.equal(header.at(WALL).toString(), `<14>1 2026-01-01T12:00:00.123Z ${hostname()} web 42 - - `);
  assert.equal(header.at(WALL + 1).toString(), `<14>1 2026-01-01T12:00:00.124Z ${hostname()} web 42 - - `);
  const priorities = (['critical', 'error', 'warning', 'info', 'debug'] as const).map((severity) =>
    new MessageHeader({ name: 'x', pid: 1, severity }).at(WALL).toString('latin1', 0, 4),
  );
  assert.deepEqual(priorities, ['<10>', '<11>', '<12>', '<14>', '<15>']);
});

test('a name is made a valid field', () => {
  const nameIn = (name: string): string =>
    new MessageHeader({ name, pid: 1, severity: 'info' }).at(WALL).toString().split(' ')[3] ?? '';
  assert.deepEqual([nameIn('a b\u00e9\n'), nameIn(''), nameIn('x'.repeat(60))], ['a_b__', '-', 'x'.repeat(48)]);
});

test('the header has the facility, the tag and the structured data of the target', () => {
  const writer = { name: 'web', pid: 42, severity: 'info' } as const;
  const sd = '[app@32473 env="a \\"b\\] c"][x@1]';
  const header = new MessageHeader(writer, { facility: 'local3', tag: 'shop', sd }).at(WALL);
  assert.equal(header.toString(), `<158>1 2026-01-01T12:00:00.123Z ${hostname()} shop 42 - ${sd} `);
  const short = new MessageHeader({ ...writer, name: 'a:b[c]' }, { format: '3164', facility: 'mail' }).at(WALL);
  assert.match(short.toString(), /^<22>Jan [ \d]\d \d\d:\d\d:\d\d \S+ a_b_c_\[42\]: $/);
  for (const made of [header, short])
    assert.equal(headerEnd(Buffer.concat([made, Buffer.from('some words here')])), made.length, made.toString());
});

test('headerEnd finds the end of a header', () => {
  const header = new MessageHeader({ name: 'web', pid: 42, severity: 'info' }).at(WALL);
  assert.equal(headerEnd(Buffer.concat([header, Buffer.from('some words here')])), header.length);
  assert.equal(headerEnd(Buffer.from('no header')), 0);
});

const HEADER = '<14>1 T h n 1 - - ';

function cut(longest: number, ...parts: string[]): string[] {
  const messages: string[] = [];
  const cutter = new MessageCutter(longest, (message) => messages.push(message.toString('utf8')));
  for (const part of parts) {
    const bytes = Buffer.from(part);
    // The bytes are valid during the call only.
    const lent = Buffer.from(bytes);
    cutter.push(lent, 0, lent.length);
    lent.fill(0x21);
  }
  return messages;
}

test('each line is one message, also in several parts; an empty line is its header', () => {
  assert.deepEqual(cut(100, `${HEADER}one\n${HEADER}\n${HEADER}thr`, 'ee\n', '\n', 'half'), [
    `${HEADER}one`,
    HEADER,
    `${HEADER}three`,
  ]);
});

test('a long line becomes several messages with the same header', () => {
  const longest = HEADER.length + 4;
  assert.deepEqual(
    cut(longest, `${HEADER}abcd\n${HEADER}abcde\n`, `${HEADER}ab`, 'cdefghijk', 'l\n'),
    ['abcd', 'abcd', 'e', 'abcd', 'efgh', 'ijkl'].map((text) => HEADER + text),
  );
});

test('a character is never split, bytes that are not UTF-8 may be', () => {
  const longest = HEADER.length + 5;
  assert.deepEqual(
    cut(longest, `${HEADER}\u20ac\u20ac\u20ac\n`),
    ['\u20ac', '\u20ac', '\u20ac'].map((text) => HEADER + text),
  );
  const sizes: number[] = [];
  const cutter = new MessageCutter(longest, (message) => sizes.push(message.length - HEADER.length));
  const bytes = Buffer.concat([Buffer.from(HEADER), Buffer.alloc(12, 0x80), Buffer.from('\n')]);
  cutter.push(bytes, 0, bytes.length);
  assert.deepEqual(sizes, [5, 5, 2]);
});

/** A fake server. */
class Server {
  readonly got: string[] = [];
  attempts = 0;
  open = 0;
  /** Error of every attempt. */
  refusal: NodeJS.ErrnoException | null = null;
  isSilent = false;
  isStalled = false;
  current: LinkEvents | null = null;
  #pending: (() => void) | null = null;

  connect = (_attempt: number, events: LinkEvents): (() => void) => {
    this.attempts++;
    let isOff = false;
    this.current = events;
    queueMicrotask(() => {
      if (isOff || this.isSilent) return;
      if (this.refusal !== null) events.lost(this.refusal);
      else {
        this.open++;
        events.opened(this.#link());
      }
    });
    return () => {
      isOff = true;
    };
  };

  goOn(): void {
    this.isStalled = false;
    this.#pending?.();
    this.#pending = null;
  }

  #link(): Link {
    let isOver = false;
    return {
      send: (messages, sent) => {
        const take = (): void => {
          if (isOver) return;
          for (const message of messages) this.got.push(message.toString());
          sent(messages.length);
        };
        if (this.isStalled) this.#pending = take;
        else queueMicrotask(take);
      },
      close: () => {
        isOver = true;
        this.open--;
      },
    };
  }
}

class World {
  readonly server = new Server();
  readonly clock = new FakeClock();
  readonly problems: string[] = [];
  readonly outlet = new RemoteOutlet({
    name: 'syslog+tcp://h:514',
    longestMessage: 8192,
    connect: this.server.connect,
    clock: this.clock,
    report: (problem) => this.problems.push(problem.text),
  });

  async give(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    await new Promise<void>((resolve) =>
      this.outlet.write(bytes, 0, bytes.length, (error, count) => {
        assert.deepEqual([error, count], [null, bytes.length]);
        resolve();
      }),
    );
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  }

  close(): Promise<unknown> {
    return new Promise((resolve) => this.outlet.close(resolve));
  }
}

const refused = errnoError('ECONNREFUSED', -111);

test('lines are sent in order, and an empty queue sets no alarm', async () => {
  const w = new World();
  w.outlet.open(() => undefined);
  await w.give('one\ntwo\nthr');
  await w.give('ee\n');
  assert.deepEqual(w.server.got, ['one', 'two', 'three']);
  assert.deepEqual([w.server.attempts, w.clock.pending, w.outlet.keptBytes], [1, 0, 0]);
  await w.close();
  assert.equal(w.server.open, 0);
});

test('a server that is down is tried after 1 s, 2 s, 4 s … 30 s, with one report and no loss', async () => {
  const w = new World();
  w.server.refusal = refused;
  await w.give('kept 1\n');
  const tries: number[] = [];
  let before = w.server.attempts;
  for (let second = 1; second <= 95; second++) {
    await w.advance(1000);
    if (w.server.attempts > before) tries.push(second);
    before = w.server.attempts;
  }
  assert.deepEqual(tries, [1, 3, 7, 15, 31, 61, 91]);
  await w.give('kept 2\n');
  w.server.refusal = null;
  await w.advance(30_000);
  assert.deepEqual(w.server.got, ['kept 1', 'kept 2']);
  assert.deepEqual(w.problems, [
    'cannot write syslog+tcp://h:514: connection refused (ECONNREFUSED); ' +
      'up to 1 MiB is kept until it can be reached again; further lines are dropped',
  ]);
  await w.advance(6000);
  await w.give('three\n');
  assert.deepEqual(w.problems.slice(1), ['syslog+tcp://h:514 is written again; 0 lines (0 bytes) for it were dropped']);
  assert.equal(w.clock.pending, 0);
  await w.close();
});

test('a server that is down is not tried while the queue is empty', async () => {
  const w = new World();
  w.server.refusal = refused;
  w.outlet.open(() => undefined);
  await w.advance(0);
  assert.deepEqual([w.problems.length, w.clock.pending], [1, 0]);
  // A program that crashes and is started again opens its logs each time.
  w.outlet.open(() => undefined);
  await w.advance(600_000);
  assert.deepEqual([w.server.attempts, w.clock.pending], [1, 0]);
  w.server.refusal = null;
  await w.give('x\n');
  assert.deepEqual(w.server.got, ['x']);
  await w.close();
});

test('an attempt to connect ends after 10 s', async () => {
  const w = new World();
  w.server.isSilent = true;
  await w.give('x\n');
  await w.advance(10_000);
  assert.match(w.problems[0] ?? '', /^cannot write syslog\+tcp:\/\/h:514: no answer within 10 s; /);
  w.server.isSilent = false;
  await w.advance(1000);
  assert.deepEqual(w.server.got, ['x']);
  await w.close();
});

test('a server that takes nothing: lines over the limit are counted and reported once', async () => {
  const w = new World();
  w.server.isStalled = true;
  const line = 'x'.repeat(999);
  for (let i = 0; i < 3000; i++) await w.give(`${line}\n`);
  assert.ok(w.outlet.keptBytes <= KEPT_BYTES && w.outlet.keptBytes > KEPT_BYTES - 2000, String(w.outlet.keptBytes));
  assert.deepEqual(w.problems, [
    'cannot write syslog+tcp://h:514: it accepts no messages; ' +
      'up to 1 MiB is kept until it can be reached again; further lines are dropped',
  ]);
  w.server.goOn();
  await w.advance(6000);
  await w.give('after\n');
  await w.advance(1001);
  await w.give('last\n');
  const taken = w.server.got.length - 2;
  assert.deepEqual(w.server.got.slice(-2), ['after', 'last']);
  assert.equal(
    w.problems[1],
    `syslog+tcp://h:514 is written again; ${3000 - taken} lines (${(3000 - taken) * 999} bytes) for it were dropped`,
  );
  await w.close();
});

test('messages that a broken connection did not take go over the next connection', async () => {
  const w = new World();
  await w.give('one\n');
  w.server.isStalled = true;
  await w.give('two\n');
  await w.give('three\n');
  w.server.current?.lost(errnoError('ECONNRESET', -104));
  w.server.isStalled = false;
  assert.equal(w.server.open, 0);
  await w.advance(1000);
  assert.deepEqual(w.server.got, ['one', 'two', 'three']);
  assert.match(w.problems[0] ?? '', /connection reset by peer \(ECONNRESET\)/);
  await w.close();
});

test('a server that closes a used connection has not failed, one that closes each at once has', async () => {
  const w = new World();
  await w.give('one\n');
  await w.advance(2000);
  await w.give('two\n');
  w.server.current?.lost(null);
  assert.deepEqual([w.problems, w.clock.pending, w.server.attempts], [[], 0, 1]);
  await w.give('three\n');
  assert.deepEqual(w.server.got, ['one', 'two', 'three']);
  w.server.current?.lost(null);
  assert.match(w.problems[0] ?? '', /it closed the connection/);
  await w.give('four\n');
  assert.equal(w.server.attempts, 2);
  await w.advance(1000);
  assert.deepEqual(w.server.got, ['one', 'two', 'three', 'four']);
  await w.close();
});

test('refusals after each message, as over UDP, are one episode', async () => {
  const w = new World();
  for (let i = 0; i < 5; i++) {
    await w.give(`${i}\n`);
    await w.advance(100);
    w.server.current?.lost(refused);
    await w.advance(60_000);
  }
  assert.equal(w.problems.length, 1);
  await w.give('a\n');
  await w.advance(6000);
  await w.give('b\n');
  assert.match(w.problems[1] ?? '', /is written again/);
  await w.close();
});

test('drained resolves when all is sent, or when the server cannot be reached', async () => {
  const w = new World();
  await w.outlet.drained();
  w.server.isStalled = true;
  await w.give('x\n');
  let isDrained = false;
  const drained = w.outlet.drained().then(() => {
    isDrained = true;
  });
  await w.advance(60_000);
  assert.equal(isDrained, false);
  w.server.goOn();
  await drained;
  await w.close();

  const down = new World();
  down.server.refusal = refused;
  await down.give('x\n');
  await down.advance(0);
  // One more attempt is made for it.
  await down.outlet.drained();
  assert.deepEqual([down.server.attempts, down.outlet.keptBytes > 0], [2, true]);
  await down.close();
  await down.advance(5000);
  assert.deepEqual([down.outlet.keptBytes, down.clock.pending], [0, 0]);
});

test('a closed outlet still sends its queue for a while, and a new writer can go on with it', async () => {
  const w = new World();
  w.server.isStalled = true;
  await w.give('one\n');
  await w.close();
  assert.equal(w.server.open, 1);
  w.server.goOn();
  await w.advance(0);
  assert.deepEqual([w.server.got, w.server.open, w.clock.pending], [['one'], 0, 0]);
  await w.give('two\n');
  assert.deepEqual(w.server.got, ['one', 'two']);
  w.server.isStalled = true;
  await w.give('three\n');
  await w.close();
  await w.give('four\n');
  await w.advance(5000);
  w.server.goOn();
  await w.advance(0);
  assert.deepEqual(w.server.got, ['one', 'two', 'three', 'four']);
  await w.close();
});

test('reopen connects at once', async () => {
  const w = new World();
  w.server.refusal = refused;
  await w.give('x\n');
  await w.advance(60_000);
  const { attempts } = w.server;
  w.server.refusal = null;
  await new Promise((resolve) => w.outlet.reopen(resolve));
  await w.advance(0);
  assert.deepEqual([w.server.attempts, w.server.got], [attempts + 1, ['x']]);
  await new Promise((resolve) => w.outlet.reopen(resolve));
  await w.advance(0);
  assert.deepEqual([w.server.attempts, w.server.open], [attempts + 2, 1]);
  await w.close();
});
