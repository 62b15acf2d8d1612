/** Keys from bytes: split sequences, a lone Esc, pasted text. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type KeyEvent, KeyReader } from '../../../../src/ctl/top/keys.ts';

const names = (events: readonly KeyEvent[]): string[] =>
  events.map((event) => (event.kind === 'key' ? event.name : `paste ${event.text}`));

/** Reads pieces, and then what is left. */
function read(...pieces: readonly string[]): string[] {
  const reader = new KeyReader();
  return [...pieces.flatMap((piece) => names(reader.read(Buffer.from(piece, 'latin1')))), ...names(reader.flush())];
}

describe('keys of a terminal', () => {
  it('reads characters, control characters and sequences', () => {
    assert.deepEqual(read('jG \r\t\x7f\x03\x04'), ['j', 'G', 'space', 'enter', 'tab', 'backspace', 'ctrl-c', 'ctrl-d']);
    assert.deepEqual(read('\x1b[A\x1bOB\x1b[5~\x1b[1;5C\x1b[6;2~\x1b[Z'), [
      'up',
      'down',
      'page-up',
      'right',
      'page-down',
      'shift-tab',
    ]);
  });

  it('drops sequences that it does not know, as a whole', () => {
    assert.deepEqual(read('\x1b[15~\x1b[<0;3;4M\x1b[[Aq'), ['q']);
  });

  it('joins a sequence and a character that are split over reads', () => {
    assert.deepEqual(read('\x1b', '[', 'A'), ['up']);
    assert.deepEqual(read('\xc3', '\xa9'), ['é']);
  });

  it('takes Esc as a key when nothing follows, and before another key', () => {
    const reader = new KeyReader();
    assert.deepEqual(reader.read(Buffer.from('\x1b')), []);
    assert.equal(reader.isWaiting, true);
    assert.deepEqual(names(reader.flush()), ['escape']);
    assert.equal(reader.isWaiting, false);
    assert.deepEqual(read('\x1bq'), ['escape', 'q']);
    assert.deepEqual(read('\x1b['), ['escape', '[']);
    assert.deepEqual(read(`\x1b[${'1'.repeat(80)}`)[0], 'escape');
  });

  it('tells pasted text from keys, also in pieces', () => {
    assert.deepEqual(read('\x1b[200~sr\rq\x1b[201~k'), ['paste sr\rq', 'k']);
    assert.deepEqual(read('\x1b[20', '0~a', 'b\x1b[2', '01~j'), ['paste ab', 'j']);
  });

  it('does not wait for the end of a paste as for a sequence', () => {
    const reader = new KeyReader();
    assert.deepEqual(reader.read(Buffer.from('\x1b[200~abcdefgh')), []);
    assert.equal(reader.isWaiting, false);
  });
});
