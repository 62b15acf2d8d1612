/**
 * Records of a program's output: for every cut into reads, strip_ansi, log_multiline, JSON and logfmt give the
 * records of the models in this file.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LinearPattern } from '../../src/core/linear-pattern.ts';
import { AnsiStripper } from '../../src/logs/ansi.ts';
import { Feed, type LineForm } from '../../src/logs/feed.ts';
import { showNewlines } from '../../src/logs/inner-newlines.ts';
import { PartialWatch } from '../../src/logs/partial-watch.ts';
import { RecordFormat } from '../../src/logs/record-format.ts';
import { loadAddon } from '../../src/native/load.ts';
import { bySize } from '../slow.ts';
import { FakeClock, FakeOutlet, makeSink } from '../unit/logs/fakes.ts';
import { Random, SEED } from './random.ts';

const FOR_MS = bySize({ brief: 350, long: 25_000 });
const natives = loadAddon();
const ORIGIN = { group: 'a g', program: 'p"', process: 'we=b', stream: 'stdout' } as const;
const START = new LinearPattern('^\\d');

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
const PIECES = [
  'a',
  'b=c',
  ' ',
  '\n',
  '\n',
  '1 x\n',
  '2',
  '\n\n',
  '\r\n',
  '\r',
  '\t',
  '"',
  '\\',
  '{"a":1}\n',
  '{',
  '}',
  '\0',
  '=',
  'é',
  '😀',
  '\u2028',
  '\u0085',
  '\u200b',
  '\ufeff',
  '\ufffd',
  'message="x"',
  'partial=true',
  '\x7f',
  '\x1b[1m',
].map((text) => Buffer.from(text));
const INVALID = ['\xff', '\xc3', '\xf0\x9f', '\xed\xa0\x80', '\x80', '\xc0\xaf'].map(bytesOf);
const ESCAPES = [
  '\x1b',
  '[',
  ']',
  '\x1b[',
  '\x1b]',
  '1;31',
  'm',
  '\x07',
  '\x1b\\',
  '\\',
  '\x1b(',
  'B',
  '\x1bP',
  '\x1b7',
  '\n',
  ' ',
  '/',
  'text',
  '\x1b[1m',
  '\x1b]0;title\x07',
  '\x1b]8;;http://x\x1b\\',
  '\xff',
  '?',
  '\x1bX',
  '\x1b#8',
  ';',
  '1'.repeat(60),
  'y'.repeat(120),
].map(bytesOf);

function makeBytes(random: Random, pieces: readonly Buffer[], most: number): Buffer {
  return Buffer.concat(
    Array.from({ length: random.below(most + 1) }, () => random.pick(random.chance(0.05) ? INVALID : pieces)),
  );
}

/** Calls `take` with the reads of a random cut. Each read uses the same memory. */
function cut(input: Buffer, random: Random, take: (read: Buffer) => void): void {
  const most = random.pick([1, 3, 20, 500]);
  const reused = Buffer.alloc(500);
  for (let at = 0; at < input.length;) {
    const size = Math.min(1 + random.below(most), input.length - at);
    input.copy(reused, 0, at, at + size);
    take(reused.subarray(0, size));
    reused.fill('!');
    at += size;
  }
}

/** Sequences by ECMA-48, with the limits of strip_ansi. */
const SEQUENCES: ReadonlyArray<{ readonly pattern: RegExp; readonly most: number }> = [
  { pattern: /\[[ -?]*[@-~]/y, most: 128 },
  // oxlint-disable-next-line no-control-regex
  { pattern: /[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)/y, most: 4096 },
  { pattern: /[ -/]+[0-~]/y, most: 128 },
  { pattern: /(?![[\]PX^_])[0-~]/y, most: 128 },
];

/** The model of strip_ansi. */
function withoutSequences(text: string): string {
  let out = '';
  for (let at = 0; at < text.length;) {
    const end =
      text[at] === '\x1b'
        ? SEQUENCES.flatMap(({ pattern, most }) => {
            pattern.lastIndex = at + 1;
            return pattern.test(text) && pattern.lastIndex - at <= most ? [pattern.lastIndex] : [];
          })[0]
        : undefined;
    if (end === undefined) out += text[at];
    at = end ?? at + 1;
  }
  return out;
}

/** Content of a record of one line. */
interface Shown {
  readonly message: string;
  readonly isPartial: boolean;
}

function readJson(line: string): Shown {
  const { message, partial = false, process: name } = JSON.parse(line) as Record<string, unknown>;
  assert.equal(name, ORIGIN.process);
  return { message: String(message), isPartial: partial === true };
}

/** Reads a line of logfmt: names without special characters, values bare or as JSON strings. */
function readLogfmt(line: string): Shown {
  const fields = new Map<string, string>();
  const field = /([a-z]+)=(?:("(?:[^"\\]|\\.)*")|([^\s"=\\]+))(?: |$)/y;
  while (field.lastIndex < line.length) {
    const at = field.lastIndex;
    const match = field.exec(line);
    assert.notEqual(match, null, `no field at ${at} of ${JSON.stringify(line)}`);
    const [, name = '', quoted, bare = ''] = match ?? [];
    assert.ok(!fields.has(name), `a second ${name}`);
    fields.set(name, quoted === undefined ? bare : (JSON.parse(quoted) as string));
  }
  assert.deepEqual([...fields.keys()].slice(0, 7), ['time', 'program', 'group', 'process', 'pid', 'stream', 'message']);
  assert.deepEqual([fields.get('program'), fields.get('process')], [ORIGIN.program, ORIGIN.process]);
  return { message: fields.get('message') ?? '', isPartial: fields.get('partial') === 'true' };
}

const record = (kind: 'json' | 'logfmt'): LineForm => ({
  kind: 'record',
  record: new RecordFormat(kind, ORIGIN, 7, 'string'),
});
const FORMS: Readonly<Record<string, { readonly form: LineForm; readonly read: (line: string) => Shown }>> = {
  json: { form: record('json'), read: readJson },
  logfmt: { form: record('logfmt'), read: readLogfmt },
};

/** The form of a log server, without its header. */
const MESSAGES: LineForm = { kind: 'prefix', prefix: { at: () => Buffer.alloc(0) } };

interface Way {
  readonly form: LineForm;
  readonly multiline: LinearPattern | null;
  readonly partialAfterMs: number;
  /** Time that may pass between two reads. */
  readonly pauseMs: number;
}

/** Passes the bytes through a feed, and returns the lines that its sink has written. */
async function pass(input: Buffer, random: Random, way: Way): Promise<string[]> {
  const clock = new FakeClock();
  const outlet = new FakeOutlet();
  const report = (problem: unknown): never => assert.fail(JSON.stringify(problem));
  const sink = makeSink({ name: 'out', outlet, natives, clock, report });
  const watch = new PartialWatch(clock, (check) => check());
  const feed = new Feed(sink, { ...way, isFile: false, watch, clock });
  cut(input, random, (read) => {
    feed.take(read);
    if (random.chance(0.2)) clock.advance(random.below(way.pauseMs + 1));
  });
  feed.finish();
  await sink.idle();
  const lines = outlet.text.split('\n');
  assert.equal(lines.pop(), '', 'the output ends with a newline');
  return lines;
}

/** The lines of a text. A carriage return before a newline belongs to the end of the line. */
function linesOf(text: string): string[] {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  return [...lines.map((line) => line.replace(/\r$/, '')), ...(last === '' ? [] : [last])];
}

/** The model of log_multiline, for reads that come without a pause. */
function joinedLines(lines: readonly string[]): string[] {
  const records: string[] = [];
  let isOpen = false;
  for (const line of lines) {
    const isObject = isJsonObject(line);
    if (isOpen && !isObject && !/^\d/.test(line)) records.push(`${records.pop() ?? ''}\n${line}`);
    else records.push(line);
    isOpen = !isObject;
  }
  return records;
}

function isJsonObject(line: string): boolean {
  try {
    return /^[ \t\r]*\{/.test(line) && typeof JSON.parse(Buffer.from(line, 'latin1').toString()) === 'object';
  } catch {
    return false;
  }
}

const decode = (latin1: string): string => Buffer.from(latin1, 'latin1').toString();

/** Compares pieces of lines with the lines: a piece that is marked as partial is continued by the next one. */
function comparePieces(shown: readonly Shown[], lines: readonly string[]): void {
  let at = 0;
  for (const line of lines) {
    let text = '';
    do {
      const piece = shown[at];
      assert.notEqual(piece, undefined, `a piece of ${JSON.stringify(line)} is missing`);
      text += piece?.message ?? '';
      at += 1;
      assert.ok(text.length === line.length || piece?.isPartial === true, `a piece of ${JSON.stringify(line)}`);
    } while (text.length < line.length);
    assert.equal(text, line);
  }
  assert.equal(shown.length, at, 'no further records');
}

/** Runs a check with random bytes for some time. */
async function repeat(check: (random: Random) => Promise<void> | void): Promise<number> {
  const endMs = performance.now() + FOR_MS;
  let cases = 0;
  for (; performance.now() < endMs; cases += 1) {
    // Each case has a seed of its own, so that one case can be repeated.
    const seed = SEED + cases;
    await Promise.resolve(new Random(seed))
      .then(check)
      .catch((error: unknown) => {
        throw new Error(`TEST_SEED=${seed}`, { cause: error });
      });
  }
  return cases;
}

describe('every cut into reads gives the records of the model', () => {
  test('strip_ansi', async (context) => {
    const cases = await repeat((random) => {
      const input = makeBytes(random, ESCAPES, 25);
      const stripper = new AnsiStripper();
      const parts: Buffer[] = [];
      cut(input, random, (read) => void parts.push(Buffer.from(stripper.strip(read))));
      parts.push(stripper.finish());
      const text = input.toString('latin1');
      assert.equal(Buffer.concat(parts).toString('latin1'), withoutSequences(text), JSON.stringify(text));
    });
    context.diagnostic(`${cases} texts`);
  });

  for (const [name, { form, read }] of Object.entries(FORMS)) {
    test(`${name}, also of lines that come in pieces`, async (context) => {
      const cases = await repeat(async (random) => {
        const input = makeBytes(random, PIECES, 30);
        const way = { form, multiline: null, partialAfterMs: random.pick([0, 10, 5000]), pauseMs: 30 };
        const out = await pass(input, random, way);
        const lines = linesOf(input.toString('latin1')).map(decode);
        comparePieces(out.map(decode).map(read), lines);
      });
      context.diagnostic(`${cases} texts`);
    });

    test(`${name} with log_multiline`, async (context) => {
      const cases = await repeat(async (random) => {
        const input = makeBytes(random, PIECES, 30);
        const out = await pass(input, random, { form, multiline: START, partialAfterMs: 5000, pauseMs: 0 });
        const expected = joinedLines(linesOf(input.toString('latin1'))).map(decode);
        assert.deepEqual(
          out
            .map(decode)
            .map(read)
            .map(({ message }) => message),
          expected,
        );
      });
      context.diagnostic(`${cases} texts`);
    });
  }

  test('messages of log_multiline for a log server', async (context) => {
    const cases = await repeat(async (random) => {
      const input = makeBytes(random, PIECES, 30);
      const way: Way = { form: MESSAGES, multiline: START, partialAfterMs: 5000, pauseMs: 0 };
      const out = (await pass(input, random, way)).map((line) => {
        const message = bytesOf(line);
        return message.toString('latin1', 0, showNewlines(message, 0, message.length));
      });
      assert.deepEqual(out, joinedLines(linesOf(input.toString('latin1'))));
    });
    context.diagnostic(`${cases} texts`);
  });
});
