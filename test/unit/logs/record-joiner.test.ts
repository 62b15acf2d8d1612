/** Records of several lines (`log_multiline`): how lines become records, their limits, and their way to a target. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LinearPattern } from '../../../src/core/linear-pattern.ts';
import { loadAddon } from '../../../src/native/load.ts';
import { Feed } from '../../../src/logs/feed.ts';
import type { LineForm } from '../../../src/logs/feed.ts';
import { beforeHidden, hideNewlines, showNewlines } from '../../../src/logs/inner-newlines.ts';
import { MessageHeader } from '../../../src/logs/message-header.ts';
import { PartialWatch } from '../../../src/logs/partial-watch.ts';
import { RecordFormat } from '../../../src/logs/record-format.ts';
import { MAX_RECORD_BYTES, RECORD_MS, RecordJoiner } from '../../../src/logs/record-joiner.ts';
import { FakeClock, FakeOutlet, makeSink } from './fakes.ts';

const START = new LinearPattern('^\\d\\d');
const ORIGIN = { group: 'g', program: 'p', process: 'web', stream: 'stdout' } as const;

interface Scene {
  readonly clock: FakeClock;
  readonly joiner: RecordJoiner;
  readonly records: string[];
}

function scene(): Scene {
  const clock = new FakeClock();
  const watch = new PartialWatch(clock, (check) => check());
  const records: string[] = [];
  const joiner = new RecordJoiner(START, watch, (record, { extent }) => {
    records.push((extent === 'whole' ? '' : `${extent}:`) + record.toString());
  });
  return { clock, joiner, records };
}

const add = ({ joiner, clock }: Scene, text: string): void => joiner.add(Buffer.from(text), clock.wallMs());

test('a line that matches begins a record, and others belong to the one before', () => {
  const { records, ...rest } = scene();
  add({ records, ...rest }, '10 first\n  at a\r\n\n  at b\n11 second\n12 third\n  at c\n');
  assert.deepEqual(records, ['10 first\n  at a\n\n  at b', '11 second']);
  rest.joiner.flush();
  assert.deepEqual(records.at(-1), '12 third\n  at c');
  rest.joiner.flush();
  assert.equal(records.length, 3, 'an empty joiner has nothing to flush');
});

test('lines before the first that matches are a record, too', () => {
  const all = scene();
  add(all, 'warm\nup\n10 first\n');
  assert.deepEqual(all.records, ['warm\nup']);
});

test('a JSON object is a record of its own, and is not waited for', () => {
  const all = scene();
  add(all, '10 first\n  more\n{"a":1}\n{ no object\n');
  assert.deepEqual(all.records, ['10 first\n  more', '{"a":1}']);
  all.joiner.flush();
  assert.deepEqual(all.records.at(-1), '{ no object');
});

test('a record waits for RECORD_MS from its first line, and not while the pipe is not read', () => {
  const all = scene();
  add(all, '10 first\n');
  all.clock.advance(RECORD_MS - 1);
  add(all, '  late\n');
  assert.deepEqual(all.records, []);
  all.clock.advance(1);
  assert.deepEqual(all.records, ['10 first\n  late']);
  add(all, '  too late\n');
  all.joiner.pause();
  all.clock.advance(10 * RECORD_MS);
  assert.equal(all.records.length, 1);
  all.joiner.proceed();
  all.clock.advance(RECORD_MS);
  assert.deepEqual(all.records.at(-1), '  too late');
  all.joiner.proceed();
  all.clock.advance(RECORD_MS);
  assert.equal(all.records.length, 2);
  assert.equal(all.clock.pending, 0, 'no alarm is left');
});

test('a flood within one record is cut into records of at most 1 MiB, between lines', () => {
  const all = scene();
  const line = `  ${'x'.repeat(1000)}\n`;
  add(all, '10 first\n');
  for (let count = 0; count < 2500; count++) add(all, line);
  all.joiner.flush();
  assert.deepEqual(
    all.records.map((record) => record.slice(0, 8)),
    ['cut:10 f', 'cut:  xx', '  xxxxxx'],
  );
  for (const record of all.records) assert.ok(record.length <= MAX_RECORD_BYTES + 'cut:'.length);
  assert.equal(all.records.join('\n').replaceAll('cut:', ''), `10 first\n${line.repeat(2500)}`.trimEnd());
});

test('records do not depend on how the lines come', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('10 a', '', 'x', '{"a":1}', '{', '99'), { maxLength: 30 }), (lines) => {
      const [whole, single] = [scene(), scene()];
      add(whole, lines.map((line) => `${line}\n`).join(''));
      for (const line of lines) add(single, `${line}\n`);
      for (const { joiner } of [whole, single]) joiner.flush();
      assert.deepEqual(whole.records, single.records);
      assert.equal(whole.records.join('\n'), lines.join('\n'));
    }),
  );
});

test('newlines in a message are hidden in the queue, and shown when it is sent', () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array.filter((byte) => byte !== 0xff)));
  fc.assert(
    fc.property(bytes, (record) => {
      const hidden = hideNewlines(record);
      assert.equal(hidden.includes('\n'), false);
      const framed = Buffer.concat([Buffer.from('<1>'), hidden, Buffer.from('rest')]);
      const end = showNewlines(framed, 3, 3 + hidden.length);
      assert.deepEqual(framed.subarray(3, end), record);
    }),
  );
  const hidden = hideNewlines(Buffer.from('a\nb'));
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((at) => beforeHidden(hidden, at)),
    [0, 1, 1, 1, 4, 5],
  );
});

function feedTo(form: LineForm): { feed: Feed; clock: FakeClock; textOf: () => Promise<string> } {
  const clock = new FakeClock();
  const outlet = new FakeOutlet();
  const watch = new PartialWatch(clock, (check) => check());
  const parts = { name: 'out', outlet, natives: loadAddon(), clock };
  const sink = makeSink({ ...parts, report: () => undefined });
  const feed = new Feed(sink, {
    form,
    isFile: false,
    partialAfterMs: 5000,
    multiline: START,
    watch,
    clock,
  });
  const textOf = async (): Promise<string> => {
    await sink.idle();
    return outlet.text;
  };
  return { feed, clock, textOf };
}

const json = (format: 'json' | 'logfmt' = 'json'): LineForm => ({
  kind: 'record',
  record: new RecordFormat(format, ORIGIN, 7, 'nest'),
});
const messagesIn = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { message, data, partial, cut } = JSON.parse(line) as Record<string, unknown>;
      return data ?? (partial === true ? ['partial', message] : null) ?? (cut === true ? ['cut', message] : message);
    });

test('json: records have the time of their first line; objects stay objects; the rest comes at the end', async () => {
  const { feed, clock, textOf } = feedTo(json());
  feed.take(Buffer.from('10 first\n  at a\n'));
  clock.advance(100);
  feed.take(Buffer.from('  at b\n{"level":"x"}\n11 sec'));
  clock.advance(RECORD_MS);
  feed.take(Buffer.from('ond\n  at "c"\n  last'));
  feed.finish();
  const text = await textOf();
  assert.deepEqual(messagesIn(text), ['10 first\n  at a\n  at b', { level: 'x' }, '11 second\n  at "c"\n  last']);
  assert.match(text, /^\{"time":"2026-01-01T12:00:00\.123Z"/);
});

test('json: a line that is held back for too long, or is too long, is no part of a record', async () => {
  const { feed, clock, textOf } = feedTo(json());
  feed.take(Buffer.from('10 first\n  par'));
  clock.advance(5000);
  feed.take(Buffer.from('tial\n'));
  feed.take(Buffer.alloc(MAX_RECORD_BYTES + 5, 'x'));
  feed.take(Buffer.from('\n11 next\n'));
  feed.flush();
  const messages = messagesIn(await textOf());
  assert.deepEqual(messages.slice(0, 3), ['10 first', ['partial', '  par'], 'tial']);
  assert.deepEqual(messages.slice(3), [['cut', 'x'.repeat(MAX_RECORD_BYTES)], 'xxxxx', '11 next']);
});

test('logfmt escapes newlines, and a message hides them', async () => {
  const logfmt = feedTo(json('logfmt'));
  logfmt.feed.take(Buffer.from('10 a\n b\n'));
  logfmt.feed.finish();
  assert.match(await logfmt.textOf(), / message="10 a\\n b"\n$/);
  const form: LineForm = {
    kind: 'prefix',
    prefix: new MessageHeader({ name: 'web', pid: 7, severity: 'info' }),
  };
  const remote = feedTo(form);
  remote.feed.take(Buffer.from('10 a\n b\n11 c\n'));
  remote.feed.finish();
  const lines = (await remote.textOf()).split('\n');
  assert.match(lines[0] ?? '', / web 7 - - 10 a\xff\xfe\xff b$/);
  assert.match(lines[1] ?? '', / web 7 - - 11 c$/);
});

test('a new configuration does not lose the record of the old one', async () => {
  const { feed, textOf } = feedTo(json());
  feed.take(Buffer.from('10 a\n b\n'));
  const heir = new Feed(feed.sink, {
    form: json(),
    isFile: false,
    partialAfterMs: 5000,
    multiline: null,
    watch: new PartialWatch(new FakeClock(), (check) => check()),
    clock: new FakeClock(),
  });
  feed.handOver(heir);
  feed.finish();
  heir.take(Buffer.from(' c\n'));
  assert.deepEqual(messagesIn(await textOf()), ['10 a\n b', ' c']);
});
