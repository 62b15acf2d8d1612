/** Text with colours: widths, cutting, wrapping, and lines of programs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatDaytime } from '../../../../src/ctl/amounts.ts';
import { cut, pad, paint, showLine, widthOf, wrap } from '../../../../src/ctl/top/text.ts';

const UNICODE = { hasUnicode: true };

describe('text on a terminal', () => {
  it('counts columns: wide characters, marks and colours', () => {
    assert.deepEqual(['abc', '日本', 'e\u0301', '\x1b[31mred\x1b[0m', '👍'].map(widthOf), [3, 4, 1, 3, 2]);
    assert.equal(pad('日', 4), '日  ');
    assert.equal(pad('7', 3, true), '  7');
  });

  it('cuts at columns, and marks the cut', () => {
    assert.equal(cut('abcdef', 4, UNICODE), 'abc…');
    assert.equal(cut('abcdef', 4, { hasUnicode: false }), 'abc~');
    assert.equal(cut('日本語', 4, UNICODE), '日…');
    assert.equal(cut('abc', 0, UNICODE), '');
    assert.equal(cut('\x1b[31mabcdef\x1b[0m', 3, UNICODE), '\x1b[31mab\x1b[0m…\x1b[0m');
  });

  it('wraps, and continues colours on the next line', () => {
    assert.deepEqual(wrap('abcdef', 4), ['abcd', 'ef']);
    assert.deepEqual(wrap('', 4), ['']);
    assert.deepEqual(wrap('\x1b[31mabc\x1b[0md', 2), ['\x1b[31mab\x1b[0m', '\x1b[31mc\x1b[0md']);
    assert.deepEqual(wrap('日本', 1), ['']);
  });

  it('lets only colours of programs pass', () => {
    assert.equal(showLine('\x1b[31mred\x1b[0m', true), '\x1b[31mred\x1b[0m\x1b[0m');
    assert.equal(showLine('\x1b[31mred\x1b[0m', false), 'red');
    assert.equal(showLine('a\x1b[2Jb\x1b]0;title\x07c\x1b[?1049hd\x1bce\r', true), 'abcde');
    assert.equal(showLine('bell\x07 back\b', true), 'bell\\u0007 back\\u0008');
    assert.equal(showLine('a\tb', true), 'a       b');
    assert.equal(showLine('\udcff', true), '\\udcff');
    assert.ok(showLine('x'.repeat(1_000_000), true).length <= 10_001);
  });

  it('leaves colours out, but not the mark of the chosen row', () => {
    assert.equal(paint('a', 'bad', { hasColour: false }), 'a');
    assert.equal(paint('a', 'chosen', { hasColour: false }), '\x1b[7ma\x1b[0m');
    assert.equal(paint('a', 'bad', { hasColour: true }), '\x1b[31ma\x1b[0m');
  });

  it('formats a time of day', () => {
    assert.match(formatDaytime(1_000, true), /^\d\d:\d\d:01\.000$/);
  });
});
