/** The ring of rows, the filtered view, the index of a search, and the places of rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FindIndex } from '../../../src/dashboard/logs/find-index.ts';
import { LineRing } from '../../../src/dashboard/logs/line-ring.ts';
import { LineView } from '../../../src/dashboard/logs/line-view.ts';
import { Matcher } from '../../../src/dashboard/logs/matcher.ts';
import { PositionList } from '../../../src/dashboard/logs/position-list.ts';
import { MeasuredHeights, UniformHeights } from '../../../src/dashboard/logs/row-heights.ts';
import { markOf, type Row, rowOf } from '../../../src/dashboard/logs/row.ts';

let nextSeq = 0;

function row(text: string, more: Readonly<Record<string, unknown>> = {}): Row {
  nextSeq += 10;
  return rowOf({ seq: nextSeq, at: 1000 + nextSeq, name: 'web', stream: 'stdout', text, ...more }, 'e1');
}

function filled(texts: readonly string[], ring = new LineRing()): LineRing {
  for (const text of texts) ring.push(row(text));
  return ring;
}

function textsOf(ring: LineRing, view: LineView): string[] {
  const texts: string[] = [];
  for (let index = view.start; index < view.end; index++)
    texts.push(ring.at(view.positionAt(index) as number)?.text ?? '?');
  return texts;
}

function matcher(text: string): Matcher {
  const found = Matcher.parse(text);
  assert.ok(found instanceof Matcher);
  return found;
}

const never = (): boolean => false;
const always = (): boolean => true;

test('the ring keeps the latest rows, and rows keep their positions', () => {
  const ring = filled(
    Array.from({ length: 1000 }, (_, index) => String(index)),
    new LineRing(160),
  );
  assert.ok(ring.end - ring.first <= 160 && ring.end - ring.first > 140);
  assert.equal(ring.end, 1000);
  assert.equal(ring.evicted, ring.first);
  for (let at = ring.first; at < ring.end; at++) assert.equal(ring.at(at)?.text, String(at));
  assert.equal(ring.at(ring.first - 1), undefined);
  assert.equal(ring.at(ring.end), undefined);
});

test('the ring is bounded in characters, too', () => {
  const ring = new LineRing(1000, 10_000);
  for (let at = 0; at < 100; at++) ring.push(row('x'.repeat(999)));
  assert.ok(ring.characters <= 10_000);
  assert.ok(ring.end - ring.first >= 9);
  ring.push(row('y'.repeat(20_000)));
  assert.equal(ring.end - ring.first, 1);
});

test('the pieces of a line become one row', () => {
  const ring = new LineRing();
  ring.push(row('one ', { partial: true }));
  ring.push(row('other', { name: 'db' }));
  assert.equal(ring.push(row('two ', { rest: true, partial: true })), 0);
  assert.equal(ring.push(row('three', { rest: true })), 0);
  assert.deepEqual([ring.at(0)?.text, ring.at(0)?.isOpen, ring.end], ['one two three', false, 2]);
  // The beginning of this one is not here.
  assert.equal(ring.push(row('tail', { rest: true })), 2);
  assert.equal(ring.at(2)?.isRest, true);
  // A new line ends the one before.
  ring.push(row('begun', { partial: true }));
  ring.push(row('new'));
  ring.push(row(' rest', { rest: true }));
  assert.deepEqual(
    [3, 4, 5].map((at) => ring.at(at)?.text),
    ['begun', 'new', ' rest'],
  );
});

test('a line is joined up to a limit', () => {
  const ring = new LineRing();
  const piece = 'x'.repeat(600_000);
  ring.push(row(piece, { partial: true }));
  assert.equal(ring.push(row(piece, { rest: true, partial: true })), 1);
  assert.equal(ring.push(row('end', { rest: true })), 1);
  assert.equal(ring.end, 2);
});

test('older rows come before the others while there is room', () => {
  const ring = new LineRing(5);
  for (const text of ['d', 'e']) ring.push(row(text));
  assert.equal(ring.unshift(['a', 'b', 'c'].map((text) => row(text))), 3);
  assert.deepEqual([ring.first, ring.end, ring.room, ring.at(-3)?.text], [-3, 2, 0, 'a']);
  assert.equal(ring.unshift([row('z')]), 0);
  ring.clear();
  assert.deepEqual([ring.first, ring.end, ring.characters], [2, 2, 0]);
});

test('a row is found by its number, among those of the latest supervisor', () => {
  const ring = new LineRing();
  ring.push(rowOf({ seq: 900, at: 1, text: 'old' }, 'e0'));
  for (const seq of [5, 10, 20]) ring.push(rowOf({ seq, at: 1, text: String(seq) }, 'e1'));
  assert.deepEqual([ring.find(1), ring.find(10), ring.find(11), ring.find(99)], [1, 2, 3, 4]);
});

test('a view without a filter is the ring', () => {
  const ring = filled(['a', 'b', 'c']);
  const view = new LineView(ring);
  assert.ok(view.advance(never) && view.isComplete && !view.isFiltered);
  assert.deepEqual(textsOf(ring, view), ['a', 'b', 'c']);
  assert.deepEqual([view.indexOf(-5), view.indexOf(1), view.indexOf(99), view.positionAt(3)], [0, 1, 3, undefined]);
  assert.equal(view.isContext(1), false);
});

test('a filter chooses lines with context, and works in slices', () => {
  const ring = filled(['a1', 'b', 'c', 'd', 'e', 'f', 'a2', 'g']);
  const view = new LineView(ring, { text: matcher('a'), level: null }, 1);
  view.advance(never);
  assert.deepEqual(textsOf(ring, view), ['a1', 'b', 'f', 'a2', 'g']);
  assert.deepEqual([view.chosen, view.isContext(1), view.isContext(0)], [2, true, false]);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((index) => view.isAfterGap(index)),
    [false, false, true, false, false],
  );
  const long = filled(Array.from({ length: 5000 }, (_, index) => `a${index}`));
  const slow = new LineView(long, { text: matcher('a'), level: null });
  let slices = 1;
  while (!slow.advance(always)) slices++;
  assert.ok(slices >= 10);
  assert.equal(slow.end - slow.start, 5000);
});

test('a view loses the rows that leave the ring', () => {
  const ring = new LineRing(100);
  const view = new LineView(ring, { text: matcher('7'), level: null });
  for (let at = 0; at < 1000; at++) {
    ring.push(row(String(at)));
    if (at % 50 === 0) view.advance(never);
  }
  view.advance(never);
  const texts = textsOf(ring, view);
  assert.ok(texts.length > 0);
  assert.ok(texts.every((text) => text.includes('7') && Number(text) >= ring.first));
  assert.ok(view.start > 0);
});

test('a level chooses important lines and the lines that continue them; marks are always there', () => {
  const ring = filled(['INFO a', 'ERROR b', '    at c', 'plain', 'WARN d']);
  ring.push(markOf('dropped', { epoch: 'e1', seq: 1, at: 1, count: 7 }));
  ring.push(rowOf({ seq: 9999, at: 1, name: 'web', event: 'state', text: 'exited' }, 'e1'));
  const view = new LineView(ring, { text: null, level: 'warn' });
  view.advance(never);
  assert.deepEqual(textsOf(ring, view), ['ERROR b', '    at c', 'WARN d', '']);
});

test('a line that has grown is looked at again', () => {
  const ring = new LineRing();
  const view = new LineView(ring, { text: matcher('needle'), level: null });
  ring.push(row('a nee', { partial: true }));
  ring.push(row('needle', { name: 'db' }));
  view.advance(never);
  assert.equal(view.end, 1);
  const { generation } = view;
  view.lookAgain(ring.push(row('dle', { rest: true })));
  assert.deepEqual(textsOf(ring, view), ['a needle', 'needle']);
  assert.notEqual(view.generation, generation);
  view.lookAgain(0);
  assert.equal(view.end, 2);
});

test('a view begins again when older rows have come', () => {
  const ring = filled(['b1', 'x']);
  const view = new LineView(ring, { text: matcher('b'), level: null });
  view.advance(never);
  ring.unshift([row('b0'), row('y')]);
  view.restart();
  view.advance(never);
  assert.deepEqual(textsOf(ring, view), ['b0', 'b1']);
});

test('a search goes round in both directions, and counts', () => {
  const ring = filled(['x1', 'a', 'x2', 'b', 'x3']);
  const view = new LineView(ring);
  const find = new FindIndex(ring, view, matcher('x'));
  while (!find.advance(always));
  assert.equal(find.count, 3);
  assert.deepEqual([find.step(0, 1), find.step(4, 1), find.step(0, -1), find.step(3, -1)], [2, 0, 4, 2]);
  assert.deepEqual([find.ordinal(2), find.ordinal(1)], [2, 0]);
  assert.equal(new FindIndex(ring, view, matcher('nothing')).step(0, 1), null);
});

test('a search follows its view, and loses rows with the ring', () => {
  const ring = new LineRing(64);
  const view = new LineView(ring, { text: matcher('a'), level: null });
  const find = new FindIndex(ring, view, matcher('5'));
  for (let at = 0; at < 200; at++) ring.push(row(`a${at}`));
  view.advance(never);
  find.advance(never);
  assert.equal(find.step(0, 1), find.step(ring.first - 1, 1));
  const { count } = find;
  assert.ok(count > 0 && count < 64);
  view.restart();
  view.advance(never);
  find.advance(never);
  assert.equal(find.count, count);
});

test('positions keep their indexes when the first ones leave', () => {
  const list = new PositionList();
  for (let at = 0; at < 20_000; at++) list.push(at * 2);
  list.dropBefore(19_999);
  assert.deepEqual([list.start, list.end, list.size, list.at(10_000)], [10_000, 20_000, 10_000, 20_000]);
  assert.equal(list.at(9999), undefined);
  assert.deepEqual([list.lowerBound(20_001), list.lowerBound(0)], [10_001, 10_000]);
  list.insert(20_001);
  list.insert(20_001);
  assert.deepEqual([list.at(10_001), list.size], [20_001, 10_001]);
});

test('rows of one height', () => {
  const heights = new UniformHeights(20);
  heights.resize(100, 200);
  assert.deepEqual([heights.total, heights.offsetOf(101), heights.indexAt(45)], [2000, 20, 102]);
  assert.deepEqual([heights.indexAt(-5), heights.indexAt(99_999)], [100, 199]);
  assert.equal(heights.resize(110, 250), 200);
  assert.equal(heights.measure(), false);
});

test('rows of different heights agree with a sum', () => {
  const guess = (index: number): number => 10 + (index % 7);
  const heights = new MeasuredHeights(guess);
  const known = new Map<number, number>();
  const check = (): void => {
    let offset = 0;
    for (let index = heights.start; index < heights.end; index++) {
      const height = known.get(index) ?? guess(index);
      if (index % 97 === 0) {
        assert.equal(heights.offsetOf(index), offset);
        assert.equal(heights.indexAt(offset), index);
        assert.equal(heights.indexAt(offset + height - 0.5), index);
      }
      offset += height;
    }
    assert.equal(heights.total, offset);
  };
  heights.resize(50, 2000);
  check();
  for (const index of [50, 60, 970, 1999]) {
    assert.equal(heights.measure(index, 40), true);
    assert.equal(heights.measure(index, 40), false);
    known.set(index, 40);
  }
  check();
  const before = heights.offsetOf(1000);
  assert.equal(heights.resize(1000, 3000), before);
  check();
  assert.equal(heights.measure(2, 99), false);
  // Older rows have come: everything is guessed again.
  heights.resize(10, 3000);
  known.clear();
  check();
  assert.equal(heights.indexAt(1e9), 2999);
});
