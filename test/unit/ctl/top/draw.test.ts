/** Drawing: the differences lead to the same screen as a drawing of everything, and are few. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { drawChanges } from '../../../../src/ctl/top/draw.ts';
import { FakeTerminal } from './screen.ts';

const COLUMNS = 12;
const piece = fc.constantFrom('a', 'b', ' ', '  ', '日', 'e\u0301', '\x1b[31m', '\x1b[7m', '\x1b[0m');
const line = fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join(''));
const screen = fc.array(line, { minLength: 3, maxLength: 3 });

describe('drawing', () => {
  it('gives the same screen by differences', () => {
    fc.assert(
      fc.property(screen, screen, screen, (first, second, third) => {
        const size = { columns: COLUMNS, rows: 3 };
        const terminal = new FakeTerminal(size);
        terminal.write(drawChanges(null, first, COLUMNS));
        terminal.write(drawChanges(first, second, COLUMNS));
        terminal.write(drawChanges(second, third, COLUMNS));
        const fresh = new FakeTerminal(size);
        fresh.write(drawChanges(null, third, COLUMNS));
        assert.deepEqual(terminal.cells, fresh.cells);
      }),
    );
  });

  it('sends nothing for an equal screen, and little for a small change', () => {
    assert.equal(drawChanges(['a', 'b'], ['a', 'b'], 80), '');
    const before = '● web   RUNNING   1m 5s   0.0%   12 MB';
    const text = drawChanges([before], [before.replace('1m 5s', '1m 6s')], 80);
    assert.equal(text, '\x1b[?2026h\x1b[1;22H6\x1b[?2026l');
  });

  it('erases the end of a line that has become shorter', () => {
    assert.equal(drawChanges(['abcdef'], ['abc'], 80), '\x1b[?2026h\x1b[1;4H\x1b[K\x1b[?2026l');
  });
});
