/** Reading lines for clients, and waiting for them, with a fake clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sequence } from '../../../src/core/sequence.ts';
import { encodeBytes } from '../../../src/files/bytes.ts';
import { LineReader, MAX_WAITERS } from '../../../src/logs/line-reader.ts';
import { Tail } from '../../../src/logs/tail.ts';
import { FakeClock } from './fakes.ts';

const ALL = { before: null, sinceMs: null, untilMs: null, limits: { lines: 100, bytes: 1e6 } };
const noReserve = (): void => undefined;

class Scene {
  readonly clock = new FakeClock();
  readonly sequence = new Sequence();
  readonly reader = new LineReader(this.sequence, this.clock);
  readonly hangUp = new AbortController();
  outputs = [this.output('a'), this.output('b')];

  output(name: string, limit = 100): { readonly name: string; readonly memory: Tail } {
    return { name, memory: new Tail(limit) };
  }

  push(index: number, data: string | Buffer): void {
    const bytes = Buffer.from(data);
    const seq = this.sequence.take(bytes.length);
    this.outputs[index]?.memory.push(bytes, { seq, wallMs: this.clock.wallMs(), pid: 4 });
    this.reader.touch();
  }

  pass(ms: number): void {
    this.clock.advance(ms);
  }

  /** Waits, and returns the time when the wait was over. */
  wait(after: number, waitMs = 10_000): { readonly endMs: () => number | null; readonly end: Promise<boolean> } {
    const beganMs = this.clock.nowMs();
    let endMs: number | null = null;
    const end = this.reader
      .wait({ sources: () => this.outputs, after, waitMs, signal: this.hangUp.signal })
      .then((hasWaited) => {
        endMs = this.clock.nowMs() - beganMs;
        return hasWaited;
      });
    return { endMs: () => endMs, end };
  }

  async passAndSettle(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) {
      this.pass(10);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
  }
}

test('lines are texts with their origin, and the answer has the number to continue after', () => {
  const scene = new Scene();
  scene.push(0, 'one\n');
  scene.push(1, Buffer.from([0x66, 0xff, 0x0a]));
  scene.push(0, 'open');
  scene.sequence.take();
  const reserved: number[] = [];
  const { lines, next, hasMore, missed } = scene.reader.read(scene.outputs, { ...ALL, after: null }, (bytes) =>
    reserved.push(bytes),
  );
  assert.deepEqual(
    lines.map(({ source, seq, wallMs, pid, text, isPartial, isRest }) => [
      source.name,
      seq,
      wallMs - scene.clock.wall,
      pid,
      text,
      isPartial,
      isRest,
    ]),
    [
      ['a', 1, 0, 4, 'one', false, false],
      ['b', 5, 0, 4, 'f\udcff', false, false],
      ['a', 8, 0, 4, 'open', true, false],
    ],
  );
  assert.deepEqual(encodeBytes(lines[1]?.text ?? ''), Buffer.from([0x66, 0xff]));
  assert.deepEqual([next, hasMore, missed, reserved], [12, false, [], [11]]);
  scene.push(0, 'ed\n');
  const rest = scene.reader.read(scene.outputs, { ...ALL, after: next }, noReserve);
  assert.deepEqual(
    rest.lines.map(({ text, isPartial, isRest }) => [text, isPartial, isRest]),
    [['ed', false, true]],
  );
  assert.equal(scene.reader.read(scene.outputs, { ...ALL, after: 1000 }, noReserve).next, 1000);
  assert.throws(
    () =>
      scene.reader.read(scene.outputs, { ...ALL, after: 0 }, () => {
        throw new Error('no memory');
      }),
    /no memory/,
  );
});

test('an answer is limited, and tells which outputs lost bytes', () => {
  const scene = new Scene();
  scene.outputs = [scene.output('small', 6), scene.output('big'), scene.output('none', 0)];
  scene.push(0, 'lost\nkept\n');
  scene.push(1, 'one\n');
  scene.push(2, 'x\n');
  const { lines, next, hasMore, missed } = scene.reader.read(
    scene.outputs,
    { ...ALL, limits: { lines: 1, bytes: 100 }, after: 0 },
    noReserve,
  );
  assert.deepEqual(
    lines.map(({ text, isRest }) => [text, isRest]),
    [['', true]],
  );
  assert.deepEqual([next, hasMore], [5, true]);
  assert.deepEqual(
    missed.map(({ source, bytes }) => [source.name, bytes]),
    [
      ['small', 4],
      ['none', 2],
    ],
  );
});

test('a client that continues before a loss of another output is told of it once', () => {
  const scene = new Scene();
  const [small, big] = [scene.output('small', 6), scene.output('big')];
  scene.outputs = [big, small];
  scene.push(0, 'one\ntwo\n');
  scene.push(1, 'lost\nkept\n');
  const { read, close } = scene.reader.follow(
    () => scene.outputs,
    () => undefined,
  );
  const told = new WeakMap<object, number>();
  const limits = { lines: 1, bytes: 100 };
  const losses = (after: number): Array<readonly [string, number]> =>
    read(after, limits, told).missed.map(({ source, bytes }) => [source.name, bytes] as const);
  assert.deepEqual(losses(0), [['small', 4]]);
  assert.deepEqual(losses(4), []);
  assert.equal(read(4, limits).missed.length, 1);
  scene.push(1, 'more\n');
  assert.deepEqual(losses(4), [['small', 5]]);
  small.memory.clear();
  scene.push(1, 'again and again\n');
  assert.equal(losses(4).length, 1);
  close();
});

test('a client is not told of bytes that it has read, nor of those that it does not want', () => {
  const scene = new Scene();
  const small = scene.output('small', 6);
  const big = scene.output('big');
  scene.outputs = [small, big];
  scene.push(0, 'one\n');
  scene.push(1, 'a\nb\n');
  const told = new WeakMap<object, number>();
  const read = (after: number, before: number | null): Array<readonly [string, number]> =>
    scene.reader
      .read(scene.outputs, { ...ALL, after, before, limits: { lines: 1, bytes: 100 } }, noReserve, told)
      .missed.map(({ source, bytes }) => [source.name, bytes] as const);
  assert.deepEqual(read(0, 9), []);
  // "one" was read, and comes after the number at which the client continues.
  scene.push(0, 'two\n');
  assert.deepEqual(read(3, 9), []);
  // "two" was never wanted.
  scene.push(0, 'three\n');
  assert.deepEqual(read(6, 9), []);
});

test('a wait ends shortly after the first new line, and collects the lines until then', async () => {
  const scene = new Scene();
  scene.push(0, 'old\n');
  const wait = scene.wait(4);
  await scene.passAndSettle(100);
  assert.equal(wait.endMs(), null);
  assert.equal(scene.reader.waiting, 1);
  scene.push(1, 'new\n');
  await scene.passAndSettle(40);
  scene.push(1, 'more\n');
  assert.equal(wait.endMs(), null);
  await scene.passAndSettle(10);
  assert.equal(wait.endMs(), 150);
  assert.equal(await wait.end, true);
  assert.deepEqual([scene.reader.waiting, scene.clock.pending], [0, 0]);
  scene.push(1, 'without a waiter\n');
  assert.equal(scene.clock.pending, 0);
});

test('output that a waiting client does not want ends no wait, and the time does', async () => {
  const scene = new Scene();
  const other = scene.output('c');
  const wait = scene.wait(0, 1000);
  other.memory.push(Buffer.from('x\n'), { seq: scene.sequence.take(2), wallMs: 0, pid: 1 });
  scene.reader.touch();
  scene.reader.touch();
  await scene.passAndSettle(990);
  assert.equal(wait.endMs(), null);
  await scene.passAndSettle(10);
  assert.equal(wait.endMs(), 1000);
});

test('an output that was added during a wait is noticed', async () => {
  const scene = new Scene();
  const wait = scene.wait(0);
  await scene.passAndSettle(30);
  scene.outputs = [...scene.outputs, scene.output('c')];
  scene.reader.outputsChanged();
  scene.push(2, 'its only line\n');
  await scene.passAndSettle(50);
  assert.equal(wait.endMs(), 80);
});

test('lines that are there already are answered at once, or when they were collected', async () => {
  const scene = new Scene();
  scene.push(0, 'x\n');
  scene.pass(20);
  const young = scene.wait(0);
  await scene.passAndSettle(30);
  assert.equal(young.endMs(), 30);
  const old = scene.wait(0);
  assert.equal(await old.end, true);
  assert.equal(old.endMs(), 0);
  const short = scene.wait(1, 0);
  assert.equal(await short.end, true);
  scene.outputs = [scene.output('none', 0)];
  scene.push(0, 'y\n');
  const unkept = scene.wait(2);
  await scene.passAndSettle(50);
  assert.equal(unkept.endMs(), 50);
});

test('a client that goes ends its wait, and further clients than the limit do not wait', async () => {
  const scene = new Scene();
  const waits = Array.from({ length: MAX_WAITERS }, () => scene.wait(0));
  assert.equal(await scene.wait(0).end, false);
  scene.hangUp.abort();
  for (const { end } of waits) assert.equal(await end, true);
  assert.deepEqual([scene.reader.waiting, scene.clock.pending], [0, 0]);
  assert.equal(await scene.wait(0).end, true);
});

test('a wait also ends for another reason, when it is told about something', async () => {
  const scene = new Scene();
  let isReady = false;
  const ends: boolean[] = [];
  const wait = (): Promise<void> =>
    scene.reader
      .wait({
        sources: () => scene.outputs,
        after: 0,
        waitMs: 10_000,
        isOtherwiseReady: () => isReady,
        signal: scene.hangUp.signal,
      })
      .then((end) => void ends.push(end));
  void wait();
  scene.reader.touch();
  await scene.passAndSettle(100);
  assert.deepEqual(ends, []);
  isReady = true;
  scene.reader.touch();
  await scene.passAndSettle(60);
  assert.deepEqual(ends, [true]);
  await wait();
  assert.deepEqual([ends, scene.reader.waiting], [[true, true], 0]);
});

test('tells a follower about output before it is kept, and nothing after the end', () => {
  const scene = new Scene();
  const told: Array<[number, number]> = [];
  const follow = scene.reader.follow(
    () => scene.outputs,
    (...output) => told.push(output),
  );
  const [first] = scene.outputs;
  assert.ok(first !== undefined);
  scene.reader.announce(first.memory, 3);
  scene.push(0, 'a1\n');
  assert.deepEqual(told, [[3, 100]]);
  const limits = { lines: 10, bytes: 1000 };
  assert.deepEqual(
    follow.read(0, limits).lines.map(({ text }) => text),
    ['a1'],
  );
  const later = scene.output('c');
  scene.outputs.push(later);
  scene.reader.announce(later.memory, 4);
  assert.equal(told.length, 1);
  follow.refresh();
  scene.reader.announce(later.memory, 4);
  assert.equal(told.length, 2);
  follow.close();
  scene.reader.announce(first.memory, 5);
  assert.equal(told.length, 2);
});
