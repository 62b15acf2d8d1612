/** The last line of a run, from the end of its output. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastLineOf } from '../../../src/logs/last-line.ts';
import { Tail } from '../../../src/logs/tail.ts';

/** Fills a tail with the outputs of runs, each with its pid. */
function tailOf(...outputs: ReadonlyArray<readonly [pid: number, text: string]>): Tail {
  const tail = new Tail(64 * 1024);
  for (const [pid, text] of outputs) tail.push(Buffer.from(text), { seq: tail.latest + 1, wallMs: tail.latest, pid });
  return tail;
}

test('the last line that is not blank, without escape sequences and blanks', () => {
  const run = { pid: 7, before: null };
  assert.equal(lastLineOf(tailOf([7, 'first\n\x1b[31m  failed\x1b[0m \n\n \n']), run), 'failed');
  assert.equal(lastLineOf(tailOf([7, 'no newline']), run), 'no newline');
  assert.equal(lastLineOf(tailOf([7, '\n\n']), run), null);
  assert.equal(lastLineOf(new Tail(100), run), null);
});

test('only lines of that run, also after a next one has written', () => {
  const tail = tailOf([7, 'old\n'], [8, 'of eight'], [9, 'of nine\n']);
  assert.equal(lastLineOf(tail, { pid: 8, before: null }), null);
  assert.equal(lastLineOf(tail, { pid: 9, before: null }), 'of nine');
  assert.equal(lastLineOf(tail, { pid: 8, before: 13 }), 'of eight');
  assert.equal(lastLineOf(tail, { pid: 7, before: 5 }), 'old');
  assert.equal(lastLineOf(tail, { pid: 7, before: 1 }), null);
});

test('the search ends after some bytes', () => {
  const tail = tailOf([7, 'far away\n'], [7, '\n'.repeat(5000)]);
  assert.equal(lastLineOf(tail, { pid: 7, before: null }), null);
  const long = lastLineOf(tailOf([7, 'y'.repeat(10_000)]), { pid: 7, before: null });
  assert.equal(long, 'y'.repeat(4096));
});
