/** Verdicts, the table, the part of README.md, and the comparison that keeps a relay from cheating. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { atMost, ratioAtLeast, ratioAtMost, ratioOf, sampleOf, verdictOf } from './figures.ts';
import type { Goal, Row } from './figures.ts';
import { compareLines, compareTornText, lineText, unpackJson, unpackPrefix, unpackRaw } from './lines.ts';
import { BEGIN, END, formatPart } from './readme.ts';
import { formatTable } from './table.ts';

function row(ours: number | null, peer: number | null, goal: Goal | null, what = 'case'): Row {
  const sample = (value: number | null) => (value === null ? null : sampleOf([value]));
  return { what, unit: 'ms', ours: sample(ours), peer: sample(peer), peerName: 'peer', goal };
}

test('a goal is met at its limit and missed beyond it', () => {
  assert.equal(verdictOf(row(5, 100, ratioAtMost(1 / 20))), 'met');
  assert.equal(verdictOf(row(5.1, 100, ratioAtMost(1 / 20))), 'missed');
  assert.equal(verdictOf(row(80, 100, ratioAtLeast(0.8))), 'met');
  assert.equal(verdictOf(row(79, 100, ratioAtLeast(0.8))), 'missed');
  assert.equal(verdictOf(row(1, null, atMost(1))), 'met');
  assert.equal(verdictOf(row(1.01, null, atMost(1))), 'missed');
});

test('a missing figure is never met', () => {
  assert.equal(verdictOf(row(5, null, ratioAtMost(1))), 'not measured');
  assert.equal(verdictOf(row(null, 5, ratioAtMost(1))), 'not measured');
  assert.equal(verdictOf(row(5, 0, ratioAtMost(1))), 'not measured');
  assert.equal(verdictOf(row(null, null, null)), 'not measured');
  assert.equal(verdictOf(row(5, null, null)), null);
});

test('the median of an even number of figures is the mean of the middle two', () => {
  assert.deepEqual(sampleOf([4, 1, 2, 9]), { median: 3, least: 1, most: 9, count: 4 });
  assert.equal(sampleOf([]), null);
  assert.equal(ratioOf(row(3, 6, null)), 0.5);
});

test('the table names a case with two peers once', () => {
  const table = formatTable([row(1, 2, ratioAtMost(1)), row(1, 4, ratioAtMost(0.2))]);
  assert.equal(table.match(/case/g)?.length, 1);
  assert.match(table, /0\.50 +≤ 1 +met\n/);
  assert.match(table, /0\.25 +≤ 0\.20 +missed$/);
});

test('the part of README.md tells of every case that is lost', async () => {
  const lost = row(30, 10, ratioAtMost(2), "exec → first program's exec");
  const part = formatPart([lost, row(5, 10, ratioAtMost(1), 'unlisted')], 'a machine', new Date(0));
  assert.match(part, /1970-01-01, on a machine/);
  assert.match(part, /\| exec → first program's exec \| 30 ms \| 10 ms, peer \| 3 × worse \|/);
  assert.match(part, /^Goals that are missed: exec → first program's exec: 3 × peer \(≤ 2\)\.$/m);
  assert.doesNotMatch(part, /unlisted/);
  const slower = formatPart(
    [30, 40].map((ours) => row(ours, 10, null, 'without a goal')),
    'a machine',
    new Date(0),
  );
  assert.match(slower, /^A peer is better: without a goal: 3 × peer, 4 × peer\.$/m);
  const readme = await readFile(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
  assert.ok(readme.indexOf(BEGIN) > 0 && readme.indexOf(END) > readme.indexOf(BEGIN));
  assert.match(readme.slice(readme.indexOf(BEGIN), readme.indexOf(END)), /^\| \| onevisor \| peer \| \|$/m);
  // Its length is limited in test/e2e/manual.test.ts.
});

const EXPECTED = { tags: ['a', 'b'], lines: 2, bytes: 40 };
const [A0, A1, B0, B1] = ['a', 'b'].flatMap((tag) => [0, 1].map((index) => lineText(40, tag, index))) as [
  string,
  string,
  string,
  string,
];

test('lines of several programs may alternate, but each program has its order', () => {
  const compare = (...lines: readonly string[]) => compareLines(`${lines.join('\n')}\n`, unpackRaw, EXPECTED);
  assert.doesNotThrow(() => compare(A0, B0, B1, A1));
  assert.throws(() => compare(A1, A0, B0, B1), /line 1 is wrong/);
  assert.throws(() => compare(A0, A0, B0, B1), /line 2 is wrong/);
  assert.throws(() => compare(A0, B0, B1), /1 lines of a instead of 2/);
  assert.throws(() => compare(A0, A1, B0, B1, lineText(40, 'b', 2)), /3 lines of b/);
  assert.throws(() => compare(A0, A1, `${B0.slice(0, 20)}${A0.slice(20)}x`, B1), /line 3 is wrong/);
  assert.throws(() => compareLines(`${A0}\n${A1}`, unpackRaw, EXPECTED), /torn/);
});

test('text with torn lines is compared without newlines', () => {
  const expected = { tags: ['a'], lines: 2, bytes: 40 };
  const whole = `${A0}\n${A1}\n`;
  assert.doesNotThrow(() => compareTornText(`${whole.slice(0, 50)}\n${whole.slice(50)}`, expected));
  assert.throws(() => compareTornText(whole.replace('127', '128'), expected), /another/);
  assert.throws(() => compareTornText(`${A0}\n`, expected), /missing/);
});

test('a line with the name of another program is wrong', () => {
  const compare = (first: string) =>
    compareLines(`${first}\na | ${A1}\nb | ${B0}\nb | ${B1}\n`, unpackPrefix, EXPECTED);
  assert.doesNotThrow(() => compare(`a | ${A0}`));
  assert.throws(() => compare(`b | ${A0}`), /line 1 is wrong/);
  const json = JSON.stringify({ program: 'a', message: `${A0} ` });
  assert.throws(() => compareLines(`${json}\n`, unpackJson, EXPECTED), /line 1 is wrong/);
});
