import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadAddon } from '../../../src/native/load.ts';
import { Feed } from '../../../src/logs/feed.ts';
import type { LineForm } from '../../../src/logs/feed.ts';
import { LinePrefix, PrefixLayout } from '../../../src/logs/line-prefix.ts';
import { MAX_LINE_BYTES } from '../../../src/logs/line-splitter.ts';
import { PartialWatch } from '../../../src/logs/partial-watch.ts';
import type { LineStyle } from '../../../src/logs/ports.ts';
import { RecordFormat } from '../../../src/logs/record-format.ts';
import type { Sink } from '../../../src/logs/sink.ts';
import { FakeClock, FakeOutlet, makeSink } from './fakes.ts';

const natives = loadAddon();
const clock = new FakeClock();
const watch = new PartialWatch(clock, (check) => check());
const STYLE: LineStyle = {
  prefix: null,
  prefixWidth: 24,
  timestamp: 'none',
  jsonLines: 'nest',
  partialAfterMs: 5000,
  multiline: null,
};

function stream(): { sink: Sink; outlet: FakeOutlet } {
  const outlet = new FakeOutlet();
  return {
    outlet,
    sink: makeSink({
      name: 'standard output',
      outlet,
      natives,
      clock,
      report: () => undefined,
    }),
  };
}

function originOf(proc: string): { group: string; program: string; process: string; stream: 'stdout' } {
  return { group: 'g', program: 'p', process: proc, stream: 'stdout' };
}

function prefixed(sink: Sink, name: string, layout: PrefixLayout): Feed {
  layout.add({ process: name, program: name, limit: 0 });
  return feedOf(sink, {
    kind: 'prefix',
    prefix: new LinePrefix({ origin: originOf(name), pid: 7, style: STYLE, layout, isColored: false }),
  });
}

function feedOf(sink: Sink, form: LineForm, partialAfterMs = 5000): Feed {
  return new Feed(sink, { form, isFile: false, partialAfterMs, multiline: null, watch, clock });
}

function json(sink: Sink, jsonLines: LineStyle['jsonLines'] = 'nest'): Feed {
  return feedOf(sink, { kind: 'record', record: new RecordFormat('json', originOf('web'), 7, jsonLines) });
}

async function textOf({ sink, outlet }: { sink: Sink; outlet: FakeOutlet }): Promise<string> {
  await sink.idle();
  return outlet.text;
}

test('prefix: each line begins with the name of its process, padded to the longest name', async () => {
  const place = stream();
  const layout = new PrefixLayout();
  const web = prefixed(place.sink, 'web', layout);
  web.take(Buffer.from('one\n'));
  const worker = prefixed(place.sink, 'worker', layout);
  web.take(Buffer.from('two\nthr'));
  worker.take(Buffer.from('hello\n'));
  web.take(Buffer.from('ee\n'));
  assert.equal(await textOf(place), 'web | one\nweb    | two\nworker | hello\nweb    | three\n');
});

test('prefix: a flushed partial line goes on without a prefix, or is ended before another line', async () => {
  const place = stream();
  const layout = new PrefixLayout();
  const a = prefixed(place.sink, 'a', layout);
  const b = prefixed(place.sink, 'b', layout);
  a.take(Buffer.from('load'));
  a.flush();
  a.take(Buffer.from('ing\n'));
  a.take(Buffer.from('wait'));
  a.flush();
  b.take(Buffer.from('line\n'));
  a.take(Buffer.from('ing\nnext\n'));
  a.take(Buffer.from('done'));
  a.flush();
  b.take(Buffer.from('line\n'));
  a.take(Buffer.from('\nlast'));
  a.finish();
  b.finish();
  assert.equal(
    await textOf(place),
    'a | loading\na | wait\nb | line\na | ing\na | next\na | done\nb | line\na | last\n',
  );
});

test('raw on a shared stream: bytes stay unchanged, and two programs never share a line', async () => {
  const place = stream();
  const a = feedOf(place.sink, { kind: 'raw' });
  const b = feedOf(place.sink, { kind: 'raw' });
  a.take(Buffer.from([0xff, 0xfe, 0x0a, 0x61]));
  b.take(Buffer.from('b\n'));
  a.take(Buffer.from('a\n'));
  a.take(Buffer.from('end'));
  a.finish();
  assert.equal(await textOf(place), '\xff\xfe\nb\naa\nend', 'the last line stays as it was written');
  b.take(Buffer.from('after\n'));
  assert.equal(await textOf(place), '\xff\xfe\nb\naa\nend\nafter\n');
});

test('raw: the bytes of an only program are written at once, several programs write whole lines', async () => {
  const place = stream();
  const a = feedOf(place.sink, { kind: 'raw' });
  a.take(Buffer.from('prompt> '));
  assert.equal(await textOf(place), 'prompt> ');
  const b = feedOf(place.sink, { kind: 'raw' });
  a.take(Buffer.from('answer'));
  b.take(Buffer.from('from b'));
  a.take(Buffer.from('\n'));
  b.take(Buffer.from('\n'));
  assert.equal(await textOf(place), 'prompt> answer\nfrom b\n');
  b.finish();
  a.take(Buffer.from('alone'));
  a.take(Buffer.from('\n\n'));
  assert.equal(await textOf(place), 'prompt> answer\nfrom b\nalone\n\n');
});

/**
 * Forms of lines: a function that makes feeds of two programs, and the expected output for a line that was torn after
 * `to` and went on with `rn`.
 */
const FORMS: ReadonlyArray<readonly [name: string, feeds: (sink: Sink) => Feed[], whole: RegExp, torn: RegExp]> = [
  [
    'prefix',
    (sink) => ['a', 'b'].map((name) => prefixed(sink, name, new PrefixLayout())),
    /^a \| torn$/m,
    /^a \| to$/m,
  ],
  ['raw', (sink) => [feedOf(sink, { kind: 'raw' }), feedOf(sink, { kind: 'raw' })], /^torn$/m, /^to$/m],
  ['json', (sink) => [json(sink), json(sink)], /"message":"torn"}$/m, /"message":"to","partial":true}$/m],
  [
    'logfmt',
    (sink) =>
      ['a', 'b'].map((name) =>
        feedOf(sink, { kind: 'record', record: new RecordFormat('logfmt', originOf(name), 7, 'nest') }),
      ),
    /message="torn"$/m,
    /message="to" partial=true$/m,
  ],
];

for (const [name, feeds, whole, torn] of FORMS) {
  test(`${name} on a shared stream: a line with a late end stays whole`, async () => {
    const place = stream();
    const [a, b] = feeds(place.sink) as [Feed, Feed];
    a.take(Buffer.from('to'));
    clock.advance(4999);
    b.take(Buffer.from('other\n'));
    a.take(Buffer.from('rn\n'));
    const text = await textOf(place);
    assert.match(text, whole);
    assert.equal(clock.pending, 1, 'the alarm for the line that ended');
    clock.advance(5000);
    assert.deepEqual([await textOf(place), clock.pending], [text, 0]);
  });

  test(`${name} on a shared stream: a line without an end waits for log_partial_after`, async () => {
    const place = stream();
    const [a, b] = feeds(place.sink) as [Feed, Feed];
    a.take(Buffer.from('t'));
    clock.advance(3000);
    a.take(Buffer.from([0x6f, 0xe2, 0x82]));
    clock.advance(1999);
    assert.equal(await textOf(place), '');
    clock.advance(1);
    const text = await textOf(place);
    b.take(Buffer.from('other\n'));
    a.take(Buffer.from([0xac, 0x0a]));
    assert.match(await textOf(place), torn);
    assert.doesNotMatch(text, /[\x80-\xff]/);
    assert.match(Buffer.from(await textOf(place), 'latin1').toString(), /(^|\| |")€("|$)/m);
  });
}

test('log_partial_after=0: bytes are written at once, except an incomplete character', async () => {
  const place = stream();
  const raw = feedOf(place.sink, { kind: 'raw' }, 0);
  const other = feedOf(place.sink, { kind: 'raw' }, 0);
  raw.take(Buffer.from([0x61, 0xc3]));
  assert.equal(await textOf(place), 'a');
  raw.take(Buffer.from([0xa9]));
  assert.equal(await textOf(place), 'a\xc3\xa9');
  other.finish();
  raw.finish();
  assert.equal(clock.pending, 0);
});

test('the time of a partial line stands still while its pipe is not read', async () => {
  const place = stream();
  const feed = prefixed(place.sink, 'a', new PrefixLayout());
  feed.take(Buffer.from('wait'));
  clock.advance(4000);
  feed.pause();
  clock.advance(60_000);
  assert.equal(await textOf(place), '');
  feed.proceed();
  clock.advance(4999);
  assert.equal(await textOf(place), '');
  clock.advance(1);
  assert.equal(await textOf(place), 'a | wait');
  feed.finish();
});

test('a feed that replaces another goes on with its line', async () => {
  const place = stream();
  const layout = new PrefixLayout();
  const held = prefixed(place.sink, 'a', layout);
  held.take(Buffer.from('on'));
  const heir = prefixed(place.sink, 'a', layout);
  held.handOver(heir);
  held.finish();
  heir.take(Buffer.from('e\ntw'));
  heir.onDue();
  const second = prefixed(place.sink, 'a', layout);
  heir.handOver(second);
  heir.finish();
  second.take(Buffer.from('o\nthr'));
  const record = json(place.sink);
  second.handOver(record);
  second.finish();
  record.take(Buffer.from('ee\n'));
  assert.match(
    await textOf(place),
    /^a \| one\na \| two\na \| thr\n\{.*"message":"ee"\}\n$/,
    'another form writes what was held',
  );
});

test('a line over 1 MiB is cut and marked', async () => {
  const place = stream();
  const feed = prefixed(place.sink, 'a', new PrefixLayout());
  feed.take(Buffer.concat([Buffer.alloc(MAX_LINE_BYTES, 'x'), Buffer.from('rest\nnext\n')]));
  assert.equal(await textOf(place), `a | ${'x'.repeat(MAX_LINE_BYTES)} [line cut]\na | rest\na | next\n`);
});

test('json: each line is an object with all fields', async () => {
  const place = stream();
  json(place.sink).take(Buffer.from('plain\n\nquote " back \\ tab \t esc \x1b nul \0 €\n'));
  const records = (await textOf(place))
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(Buffer.from(line, 'latin1').toString()) as Record<string, unknown>);
  assert.deepEqual(records[0], {
    time: new Date(clock.wall).toISOString(),
    program: 'p',
    group: 'g',
    process: 'web',
    pid: 7,
    stream: 'stdout',
    message: 'plain',
  });
  assert.deepEqual(
    records.map((record) => record['message']),
    ['plain', '', 'quote " back \\ tab \t esc \x1b nul \0 €'],
  );
});

test('json: only bytes that are not UTF-8 are replaced', async () => {
  const place = stream();
  json(place.sink).take(Buffer.concat([Buffer.from('a'), Buffer.from([0xff]), Buffer.from('€\n')]));
  assert.equal(
    (JSON.parse(Buffer.from(await textOf(place), 'latin1').toString()) as { message: string }).message,
    'a\ufffd€',
  );
});

const OBJECT_LINES: ReadonlyArray<readonly [mode: LineStyle['jsonLines'], expected: (line: string) => unknown]> = [
  ['nest', (line) => ({ data: JSON.parse(line) as unknown })],
  ['message', (line) => ({ message: JSON.parse(line) as unknown })],
  ['string', (line) => ({ message: line })],
  ['pass', (line) => JSON.parse(line) as unknown],
];

for (const [mode, expected] of OBJECT_LINES) {
  test(`log_json_lines=${mode}`, async () => {
    const place = stream();
    const line = ' {"level":"info","big":12345678901234567890,"msg":"a"} ';
    json(place.sink, mode).take(Buffer.from(`${line}\n{broken}\n[1]\n`));
    const lines = (await textOf(place)).split('\n').slice(0, -1);
    const first = JSON.parse(lines[0] as string) as Record<string, unknown>;
    if (mode !== 'pass')
      for (const key of Object.keys(first)) if (key !== 'message' && key !== 'data') delete first[key];
    assert.deepEqual(first, expected(line));
    if (mode !== 'string')
      assert.ok((lines[0] as string).includes('12345678901234567890'), 'numbers keep their digits');
    assert.deepEqual(
      lines.slice(1).map((text) => (JSON.parse(text) as { message: string }).message),
      ['{broken}', '[1]'],
    );
  });
}

test('json and logfmt: a carriage return before the newline is not part of the message', async () => {
  const place = stream();
  const feed = json(place.sink);
  feed.take(Buffer.from('dos\r\n\r\nin\rside\r\r\n{"a":1,\r"b":2}\r\nend\r'));
  feed.onDue();
  feed.take(Buffer.from('\nlast\r'));
  feed.finish();
  const text = await textOf(place);
  assert.doesNotMatch(text, /\r/);
  const records = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { message?: string; data?: unknown });
  assert.deepEqual(
    records.map(({ message, data }) => message ?? data),
    ['dos', '', 'in\rside\r', { a: 1, b: 2 }, 'end', 'last\r'],
  );
  const pairs = stream();
  feedOf(pairs.sink, { kind: 'record', record: new RecordFormat('logfmt', originOf('web'), 7, 'nest') }).take(
    Buffer.from('dos\r\n'),
  );
  assert.match(await textOf(pairs), / message="dos"\n$/);
});

test('json: a partial line is marked in its record, but not at the end of the pipe', async () => {
  const place = stream();
  const feed = json(place.sink);
  feed.take(Buffer.from('name: '));
  feed.flush();
  feed.take(Buffer.from('\nmore'));
  feed.flush();
  feed.take(Buffer.from(' text\nlast'));
  feed.finish();
  const records = (await textOf(place))
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { message: string; partial?: boolean });
  assert.deepEqual(
    records.map(({ message, partial }) => [message, partial]),
    [
      ['name: ', true],
      ['more', true],
      [' text', undefined],
      ['last', undefined],
    ],
  );
});

test('json: the records of a line that was cut are marked', async () => {
  const place = stream();
  json(place.sink).take(Buffer.concat([Buffer.alloc(MAX_LINE_BYTES, '"'), Buffer.from('rest\n')]));
  const records = (await textOf(place))
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { message: string; cut?: boolean });
  assert.deepEqual(
    records.map(({ message, cut }) => [message.length, cut]),
    [
      [MAX_LINE_BYTES, true],
      [4, undefined],
    ],
  );
});

test('logfmt: fields and message are quoted where they must be', async () => {
  const place = stream();
  const record = new RecordFormat(
    'logfmt',
    { group: 'g h', program: 'p', process: 'a=b', stream: 'stderr' },
    7,
    'nest',
  );
  feedOf(place.sink, { kind: 'record', record }).take(Buffer.from('say "hi" \t {}\n'));
  assert.equal(
    await textOf(place),
    `time=${new Date(clock.wall).toISOString()} program=p group="g h" process="a=b" pid=7 ` +
      'stream=stderr message="say \\"hi\\" \\t {}"\n',
  );
});

/** Lets two programs write in turns, in any chunks, with pauses, and compares their lines in the output. */
test('property: whatever the reads, no byte is lost and no line has output of two programs', async () => {
  const step = fc.record({
    who: fc.nat(1),
    what: fc.constantFrom('chunk', 'chunk', 'chunk', 'silence'),
    text: fc.stringMatching(/^[xyz\n]{0,8}$/),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const place = stream();
      const layout = new PrefixLayout();
      const feeds = [prefixed(place.sink, 'a', layout), prefixed(place.sink, 'b', layout)];
      const given = ['', ''];
      for (const { who, what, text } of steps) {
        const feed = feeds[who] as Feed;
        if (what === 'silence') {
          feed.flush();
        } else if (text !== '') {
          feed.take(Buffer.from(text));
          given[who] += text;
        }
      }
      for (const feed of feeds) feed.finish();
      const lines = (await textOf(place)).split('\n').slice(0, -1);
      for (const [who, name] of ['a', 'b'].entries()) {
        const written = lines
          .filter((line) => line.startsWith(`${name} | `))
          .map((line) => line.slice(4))
          .join('');
        assert.equal(written, (given[who] as string).replaceAll('\n', ''));
      }
      assert.ok(lines.every((line) => /^[ab] \| [xyz]*$/.test(line)));
    }),
  );
});
