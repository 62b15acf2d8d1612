/** Lines of several tails, compared with a model that keeps each byte with its origin. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Sequence } from '../../../src/core/sequence.ts';
import { latestLines, type MergedLine, type MergedLines, oldestLines } from '../../../src/logs/merged-lines.ts';
import { STAMP_BYTES } from '../../../src/logs/stamps.ts';
import { type LineBounds, PIECE_BYTES } from '../../../src/logs/tail-lines.ts';
import { Tail } from '../../../src/logs/tail.ts';

const ALL: LineBounds = { after: null, before: null, sinceMs: null, untilMs: null };
const NO_LIMITS = { lines: Infinity, bytes: Infinity };

/** A byte in the model. */
interface ModelByte {
  readonly char: string;
  readonly seq: number;
  readonly wallMs: number;
  readonly pid: number;
}

/** A line of the model, or of a tail. */
interface Shown {
  readonly output: number;
  readonly seq: number;
  readonly wallMs: number;
  readonly pid: number;
  readonly text: string;
  readonly isPartial: boolean;
  readonly isRest: boolean;
}

/** An output with its model. */
class Output {
  readonly id: number;
  readonly limit: number;
  readonly memory: Tail;
  readonly bytes: ModelByte[] = [];

  constructor(id: number, limit: number) {
    this.id = id;
    this.limit = limit;
    this.memory = new Tail(limit);
  }

  push(sequence: Sequence, text: string, { wallMs, pid }: { readonly wallMs: number; readonly pid: number }): void {
    const seq = sequence.take(text.length);
    this.memory.push(Buffer.from(text, 'latin1'), { seq, wallMs, pid });
    for (const [index, char] of [...text].entries()) this.bytes.push({ char, seq: seq + index, wallMs, pid });
  }

  /** The lines of the bytes that are kept. */
  lines(from = Math.max(0, this.bytes.length - this.limit)): Shown[] {
    const lines: Shown[] = [];
    let start = from;
    for (let at = from; at < this.bytes.length; at++) {
      const byte = this.bytes[at] as ModelByte;
      const next = this.bytes[at + 1];
      const isEnd = byte.char === '\n';
      if (!isEnd && next !== undefined && next.pid === byte.pid) continue;
      const { seq, wallMs, pid } = this.bytes[start] as ModelByte;
      const text = this.bytes
        .slice(start, at + 1)
        .map(({ char }) => char)
        .join('');
      const before = this.bytes[start - 1];
      const isCut =
        before !== undefined && (start === from ? this.isKnownCut(start) : before.char !== '\n' && before.pid === pid);
      lines.push({ output: this.id, seq, wallMs, pid, text, isPartial: !isEnd, isRest: isCut });
      start = at + 1;
    }
    return lines;
  }

  /** The beginning of the oldest line is not known if bytes before it are lost. */
  isKnownCut(start: number): boolean {
    const kept = Math.max(0, this.bytes.length - this.limit);
    if (start <= kept) return kept > 0;
    const [before, byte] = [this.bytes[start - 1] as ModelByte, this.bytes[start] as ModelByte];
    return before.char !== '\n' && before.pid === byte.pid;
  }
}

function show(lines: ReadonlyArray<MergedLine<Output>>): Shown[] {
  return lines.map(({ source, line: { start, end, ...facts } }) => ({
    output: source.id,
    ...facts,
    text: source.memory.slice(start, end).toString('latin1'),
  }));
}

function modelLines(outputs: readonly Output[]): Shown[] {
  return outputs.flatMap((output) => output.lines()).toSorted((a, b) => a.seq - b.seq);
}

/** A block of output, or (output -1) an event that takes a number. */
interface Block {
  readonly output: number;
  readonly text: string;
  readonly pauseMs: number;
  readonly isNewRun: boolean;
}

const OUTPUTS = 3;
const blocks = fc.array(
  fc.record({
    output: fc.integer({ min: -1, max: OUTPUTS - 1 }),
    text: fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: 1, maxLength: 12 }),
    pauseMs: fc.constantFrom(0, 0, 1),
    isNewRun: fc.constantFrom(false, false, false, true),
  }),
  { maxLength: 14 },
);

/** Outputs that blocks are pushed into. */
class Scene {
  readonly sequence = new Sequence();
  readonly outputs: readonly Output[];
  #wallMs = 1000;
  #pid = 1;

  constructor(limit: number) {
    this.outputs = Array.from({ length: OUTPUTS }, (_, id) => new Output(id, limit));
  }

  push({ output, text, pauseMs, isNewRun }: Block): void {
    this.#wallMs += pauseMs;
    if (isNewRun) this.#pid++;
    if (output === -1) this.sequence.take();
    else this.outputs[output]?.push(this.sequence, text, { wallMs: this.#wallMs, pid: this.#pid });
  }
}

function sceneOf(pushed: readonly Block[], limit: number): Scene {
  const scene = new Scene(limit);
  for (const block of pushed) scene.push(block);
  return scene;
}

test('lines are merged by their numbers, and have the time and the pid of their first byte', () => {
  fc.assert(
    fc.property(blocks, fc.integer({ min: 1, max: 80 }), (pushed, limit) => {
      const { outputs } = sceneOf(pushed, limit);
      assert.deepEqual(show(latestLines(outputs, ALL, NO_LIMITS).lines), modelLines(outputs));
      assert.deepEqual(show(oldestLines(outputs, ALL, NO_LIMITS).lines), modelLines(outputs));
    }),
    { numRuns: 1000 },
  );
});

test('the latest lines are the last of all, and `before` reads the lines before them', () => {
  fc.assert(
    fc.property(blocks, fc.integer({ min: 1, max: 5 }), (pushed, lines) => {
      const { outputs } = sceneOf(pushed, 1000);
      const all = modelLines(outputs);
      const pages: Shown[] = [];
      for (let before: number | null = null; ;) {
        const page: MergedLines<Output> = latestLines(outputs, { ...ALL, before }, { lines, bytes: Infinity });
        const shown = show(page.lines);
        pages.unshift(...shown);
        assert.equal(page.hasMore, pages.length < all.length);
        if (shown[0] === undefined) break;
        before = shown[0].seq;
      }
      assert.deepEqual(pages, all);
    }),
    { numRuns: 500 },
  );
});

test('a reader that continues gets each byte once, whatever the limits and the moments of its calls', () => {
  const calls = fc.array(fc.record({ lines: fc.integer({ min: 1, max: 4 }), bytes: fc.integer({ min: 0, max: 20 }) }));
  fc.assert(
    fc.property(blocks, calls, (pushed, limits) => {
      const scene = new Scene(1000);
      let after = 0;
      const read = new Map<number, string>(scene.outputs.map(({ id }) => [id, '']));
      const whole: Shown[] = [];
      const call = (limit: { lines: number; bytes: number }): void => {
        const { lines, next } = oldestLines(scene.outputs, { ...ALL, after }, limit);
        after = next ?? scene.sequence.latest;
        for (const line of show(lines)) {
          read.set(line.output, `${read.get(line.output)}${line.text}`);
          // A rest continues the last line of its output.
          const open = whole.findLastIndex(({ output }) => output === line.output);
          const begun = whole[open];
          if (!line.isRest) whole.push(line);
          else if (begun?.isPartial === true)
            whole[open] = { ...begun, text: begun.text + line.text, isPartial: line.isPartial };
          else assert.fail('a rest without a beginning');
        }
      };
      for (const [index, block] of pushed.entries()) {
        scene.push(block);
        const limit = limits[index];
        if (limit !== undefined) call(limit);
      }
      call(NO_LIMITS);
      for (const { id, bytes } of scene.outputs) assert.equal(read.get(id), bytes.map(({ char }) => char).join(''));
      assert.deepEqual(
        whole.toSorted((a, b) => a.seq - b.seq),
        modelLines(scene.outputs),
      );
    }),
    { numRuns: 1000 },
  );
});

test('times select the lines that began between them', () => {
  fc.assert(
    fc.property(
      blocks,
      fc.integer({ min: 999, max: 1006 }),
      fc.integer({ min: 999, max: 1006 }),
      (pushed, from, to) => {
        const { outputs } = sceneOf(pushed, 1000);
        const wanted = modelLines(outputs).filter(({ wallMs }) => wallMs >= from && wallMs <= to);
        const bounds = { ...ALL, sinceMs: from, untilMs: to };
        assert.deepEqual(show(latestLines(outputs, bounds, NO_LIMITS).lines), wanted);
        assert.deepEqual(show(oldestLines(outputs, bounds, NO_LIMITS).lines), wanted);
      },
    ),
    { numRuns: 1000 },
  );
});

test('a tail tells whether unread bytes were lost, and for one output exactly how many', () => {
  fc.assert(
    fc.property(
      blocks,
      fc.integer({ min: 0, max: 30 }),
      fc.nat(200),
      fc.nat(40),
      (pushed, limit, after, otherLimit) => {
        const { outputs, sequence } = sceneOf(pushed, limit);
        for (const { memory, bytes } of outputs) {
          const lost = bytes.slice(0, Math.max(0, bytes.length - limit)).filter(({ seq }) => seq > after).length;
          const missed = memory.missedAfter(after);
          assert.equal(missed > 0, lost > 0);
          assert.ok(missed >= lost && missed <= bytes.length);
          assert.equal(memory.missedAfter(sequence.latest), 0);
          const resized = memory.resized(otherLimit);
          const kept = Math.min(limit, otherLimit, bytes.length);
          assert.equal(resized.missedAfter(0), bytes.length - kept);
          assert.equal(resized.latest, memory.latest);
        }
        const alone = sceneOf(
          pushed.map((block) => ({ ...block, output: 0 })),
          limit,
        );
        const [only] = alone.outputs as [Output];
        const lost = only.bytes
          .slice(0, Math.max(0, only.bytes.length - limit))
          .filter(({ seq }) => seq > after).length;
        assert.equal(only.memory.missedAfter(after), lost);
      },
    ),
    { numRuns: 1000 },
  );
});

test('another size of a tail changes neither numbers nor times', () => {
  fc.assert(
    fc.property(blocks, blocks, fc.integer({ min: 1, max: 60 }), (pushed, then, limit) => {
      const scene = new Scene(1000);
      for (const block of pushed) scene.push(block);
      const resized = scene.outputs.map(({ memory }) => ({ memory: memory.resized(limit).resized(2000) }));
      const lines = oldestLines(resized, ALL, NO_LIMITS).lines.map(
        ({ source, line: { seq, wallMs, pid, start, end } }) => ({
          seq,
          wallMs,
          pid,
          text: source.memory.slice(start, end).toString(),
        }),
      );
      const wanted = scene.outputs
        .flatMap((output) => output.lines(Math.max(0, output.bytes.length - limit)))
        .toSorted((a, b) => a.seq - b.seq)
        .map(({ seq, wallMs, pid, text }) => ({ seq, wallMs, pid, text }));
      assert.deepEqual(lines, wanted);
      for (const { text } of then) {
        const seq = scene.sequence.take(text.length);
        for (const { memory } of resized.slice(0, 1)) {
          memory.push(Buffer.from(text), { seq, wallMs: 5000, pid: 9 });
          assert.equal(memory.seqAt(memory.size - 1), scene.sequence.latest);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('a line that is longer than a piece is read in the same pieces from both ends', () => {
  const output = new Output(0, 1024 * 1024);
  const long = 'x'.repeat(PIECE_BYTES * 2 + 5);
  output.memory.push(Buffer.from(`a\n${long}\nb`), { seq: 1, wallMs: 7, pid: 3 });
  const pieces = show(oldestLines([output], ALL, NO_LIMITS).lines);
  assert.deepEqual(
    pieces.map(({ seq, text, isPartial, isRest }) => [seq, text.length, isPartial, isRest]),
    [
      [1, 2, false, false],
      [3, PIECE_BYTES, true, false],
      [3 + PIECE_BYTES, PIECE_BYTES, true, true],
      [3 + 2 * PIECE_BYTES, 6, false, true],
      [9 + 2 * PIECE_BYTES, 1, true, false],
    ],
  );
  assert.deepEqual(show(latestLines([output], ALL, NO_LIMITS).lines), pieces);
  const before = 3 + 2 * PIECE_BYTES;
  assert.deepEqual(show(latestLines([output], { ...ALL, before }, NO_LIMITS).lines), pieces.slice(0, 3));
});

test('a limit of bytes ends an answer, and one line is always returned', () => {
  const output = new Output(0, 1000);
  output.memory.push(Buffer.from('first\nsecond\nthird\n'), { seq: 1, wallMs: 0, pid: 1 });
  const first = oldestLines([output], ALL, { lines: 10, bytes: 3 });
  assert.deepEqual([show(first.lines).map(({ text }) => text), first.next, first.hasMore], [['first\n'], 6, true]);
  const two = latestLines([output], ALL, { lines: 10, bytes: 13 });
  assert.deepEqual([show(two.lines).map(({ text }) => text), two.hasMore], [['second\n', 'third\n'], true]);
});

test('one byte at a time takes no more memory for stamps than for bytes, and loses the oldest bytes', () => {
  const limit = 4096;
  const tail = new Tail(limit);
  const sequence = new Sequence();
  for (let i = 0; i < 3 * limit; i++) {
    tail.push(Buffer.from(i % 10 === 9 ? '\n' : 'x'), { seq: sequence.take(), wallMs: i, pid: 1 });
    sequence.take();
  }
  assert.ok(tail.stamps.count * STAMP_BYTES <= limit);
  // Clients of Supervisor's methods still get all bytes.
  assert.equal(tail.read(0, 0)?.length, limit);
  const { lines } = oldestLines([{ memory: tail }], { ...ALL, after: 0 }, NO_LIMITS);
  const bytes = lines.reduce((sum, { line }) => sum + line.end - line.start, 0);
  assert.equal(bytes, limit / STAMP_BYTES);
  assert.equal(tail.missedAfter(0), 3 * limit - bytes);
  assert.equal(tail.missedAfter(sequence.latest - 2 * bytes), 0);
  assert.ok(tail.missedAfter(sequence.latest - 2 * bytes - 2) > 0);
});

test('output that continues within a millisecond shares a stamp', () => {
  const tail = new Tail(4096);
  const sequence = new Sequence();
  const push = (wallMs: number, pid = 1): void =>
    tail.push(Buffer.from('ab\n'), { seq: sequence.take(3), wallMs, pid });
  push(1);
  push(1);
  assert.equal(tail.stamps.count, 1);
  push(2);
  push(2, 5);
  sequence.take();
  push(2, 5);
  assert.equal(tail.stamps.count, 4);
  assert.deepEqual(
    oldestLines([{ memory: tail }], ALL, NO_LIMITS).lines.map(({ line }) => [line.seq, line.wallMs, line.pid]),
    [
      [1, 1, 1],
      [4, 1, 1],
      [7, 2, 1],
      [10, 2, 5],
      [14, 2, 5],
    ],
  );
});

test('cleared output is not missed, and numbers go on', () => {
  const tail = new Tail(4);
  tail.push(Buffer.from('abcdefgh\n'), { seq: 1, wallMs: 0, pid: 1 });
  assert.equal(tail.missedAfter(0), 5);
  tail.clear();
  assert.equal(tail.missedAfter(0), 0);
  assert.deepEqual(oldestLines([{ memory: tail }], { ...ALL, after: 3 }, NO_LIMITS).lines, []);
  tail.push(Buffer.from('x\n'), { seq: 10, wallMs: 0, pid: 1 });
  assert.equal(oldestLines([{ memory: tail }], { ...ALL, after: 3 }, NO_LIMITS).lines[0]?.line.seq, 10);
});

test('a few lines of thousands of outputs cost little', () => {
  const sequence = new Sequence();
  const line = Buffer.from(`${'x'.repeat(79)}\n`);
  const sources = Array.from({ length: 4000 }, () => ({ memory: new Tail(4096) }));
  for (let round = 0; round < 50; round++)
    for (const { memory } of sources) memory.push(line, { seq: sequence.take(80), wallMs: round, pid: 1 });
  const { lines } = latestLines(sources, ALL, { lines: 100, bytes: Infinity });
  assert.deepEqual(
    lines.map(({ source }) => sources.indexOf(source)),
    Array.from({ length: 100 }, (_, index) => 3900 + index),
  );
  const since = sequence.latest - 80 * 10;
  assert.equal(oldestLines(sources, { ...ALL, after: since }, NO_LIMITS).lines.length, 10);
});
