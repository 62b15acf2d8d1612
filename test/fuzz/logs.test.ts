/** Output on its way to a target: for every cut into reads, the bytes that come out are those that went in. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadAddon } from '../../src/native/load.ts';
import { Feed, type LineForm } from '../../src/logs/feed.ts';
import { LinePrefix, PrefixLayout } from '../../src/logs/line-prefix.ts';
import { PartialWatch } from '../../src/logs/partial-watch.ts';
import type { LineStyle } from '../../src/logs/ports.ts';
import { RecordFormat } from '../../src/logs/record-format.ts';
import { bySize } from '../slow.ts';
import { FakeClock, FakeOutlet, makeSink } from '../unit/logs/fakes.ts';
import { Random, SEED } from './random.ts';

const FOR_MS = bySize({ brief: 1200, long: 120_000 });
const natives = loadAddon();
const ORIGIN = { group: 'g', program: 'p', process: 'web', stream: 'stdout' } as const;
const PIECES = [
  'a',
  'b c',
  '\n',
  '\n',
  '\n\n',
  '\r\n',
  '\r',
  '\t',
  '"',
  '\\',
  '{"a":1}',
  '{',
  'é',
  '😀',
  'x'.repeat(30),
  '\x1b[1m',
  '\x07',
  ' | ',
  '\u2028',
];

interface Case {
  readonly form: (layout: PrefixLayout) => LineForm;
  readonly isFile: boolean;
  /** Text without its end of line, from a line of the output. */
  readonly restore: (line: string) => string;
}

function styleOf(timestamp: LineStyle['timestamp']): LineStyle {
  return { prefix: null, prefixWidth: 24, timestamp, jsonLines: 'string', partialAfterMs: 5000, multiline: null };
}

const record = (kind: 'json'): LineForm => ({ kind: 'record', record: new RecordFormat(kind, ORIGIN, 7, 'string') });

const prefixed =
  (timestamp: LineStyle['timestamp']) =>
  (layout: PrefixLayout): LineForm => {
    layout.add({ process: 'web', program: 'web', limit: 0 });
    const prefix = new LinePrefix({ origin: ORIGIN, pid: 7, style: styleOf(timestamp), layout, isColored: false });
    return { kind: 'prefix', prefix };
  };

const CASES: Readonly<Record<string, Case>> = {
  'a file, unchanged': { form: () => ({ kind: 'raw' }), isFile: true, restore: (line) => line },
  'a shared stream, unchanged': { form: () => ({ kind: 'raw' }), isFile: false, restore: (line) => line },
  'with a prefix': { form: prefixed('none'), isFile: false, restore: (line) => line.replace(/^web \| /, '') },
  'with a prefix, in a file': { form: prefixed('none'), isFile: true, restore: (line) => line.replace(/^web \| /, '') },
  'as JSON': {
    form: () => record('json'),
    isFile: false,
    restore: (line) => (JSON.parse(line) as { message: string }).message,
  },
};

/** Passes the bytes through a feed in random reads, and returns what its sink has written. */
async function pass({ form, isFile }: Case, input: Buffer, random: Random): Promise<Buffer> {
  const clock = new FakeClock();
  const outlet = new FakeOutlet();
  const sink = makeSink({
    name: 'out',
    outlet,
    natives,
    clock,
    report: (problem) => assert.fail(JSON.stringify(problem)),
  });
  const feed = new Feed(sink, {
    form: form(new PrefixLayout()),
    isFile,
    partialAfterMs: 5000,
    multiline: null,
    watch: new PartialWatch(clock, (check) => check()),
    clock,
  });
  const most = random.pick([1, 3, 20, 500]);
  // The feed may not keep the buffer: each read uses the same one.
  const reused = Buffer.alloc(500);
  for (let at = 0; at < input.length;) {
    const size = Math.min(1 + random.below(most), input.length - at);
    input.copy(reused, 0, at, at + size);
    feed.take(reused.subarray(0, size));
    reused.fill('!');
    at += size;
    if (random.chance(0.1)) clock.advance(random.below(40));
  }
  feed.finish();
  await sink.idle();
  return Buffer.from(outlet.text, 'latin1');
}

describe('every cut into reads gives the same lines', () => {
  for (const [name, one] of Object.entries(CASES)) {
    test(name, async (context) => {
      const random = new Random(SEED);
      const endMs = performance.now() + FOR_MS;
      let cases = 0;
      for (; performance.now() < endMs; cases += 1) {
        const text = random.join(PIECES, 30);
        const label = `TEST_SEED=${SEED}, case ${cases}: ${JSON.stringify(text)}`;
        const out = (await pass(one, Buffer.from(text), random)).toString();
        if (name.endsWith('unchanged')) {
          assert.equal(out, text, label);
          continue;
        }
        const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`;
        const lines = ended.split('\n').slice(0, -1);
        // A record has no CR of an end of line.
        const isRecord = one.form(new PrefixLayout()).kind === 'record';
        const shown = isRecord ? ended.replaceAll('\r\n', '\n').split('\n').slice(0, -1) : lines;
        if (isRecord && !text.endsWith('\n')) shown.splice(-1, 1, ...lines.slice(-1));
        assert.deepEqual(out.split('\n').slice(0, -1).map(one.restore), shown, label);
      }
      context.diagnostic(`${name}: ${cases} texts`);
    });
  }
});
