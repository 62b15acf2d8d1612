/**
 * The control sequences that turn one screen into the next. Only what differs is sent, so that the view works over a
 * slow line. Pure.
 */
import { cellsOf, type Cell } from './cells.ts';

/** Equal columns between two differences that are sent again, since a move of the cursor costs as much. */
const SHORT_GAP = 6;

const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';
const RESET = '\x1b[0m';

/**
 * Returns the sequences that change the screen `before` into `after`; empty if nothing differs. `before` is null if the
 * screen is unknown. The terminal shows all at once if it knows synchronized output.
 */
export function drawChanges(before: readonly string[] | null, after: readonly string[], columns: number): string {
  const parts = after.map((line, row) => {
    const old = before?.[row];
    return old === line ? '' : drawLine(row, old === undefined ? null : cellsOf(old, columns), cellsOf(line, columns));
  });
  const text = (before === null ? `${RESET}\x1b[2J` : '') + parts.join('');
  return text === '' ? '' : `${BEGIN}${text}${END}`;
}

function isSame(a: Cell | undefined, b: Cell | undefined): boolean {
  return a !== undefined && b !== undefined && a.text === b.text && a.style === b.style;
}

const isBlank = ({ text, style }: Cell): boolean => text === ' ' && style === '';

/** Draws the differences of one line. The cells of both lines are as many. */
function drawLine(row: number, before: readonly Cell[] | null, after: readonly Cell[]): string {
  const end = after.length - after.toReversed().findIndex((cell) => !isBlank(cell));
  // The end of the line, after the last text: erased if there was text before.
  const length = end > after.length ? 0 : end;
  const hasOldEnd = before?.slice(length).some((cell) => !isBlank(cell)) === true;
  let text = '';
  let at = 0;
  while (at < length) {
    if (before !== null && isSame(before[at], after[at])) {
      at++;
      continue;
    }
    // The second half of a wide character cannot be drawn alone.
    let start = at;
    while (start > 0 && after[start]?.text === '') start--;
    const stop = before === null ? length : endOfDifference(before, after.slice(0, length), at);
    text += `\x1b[${row + 1};${start + 1}H${styled(after.slice(start, stop))}`;
    at = stop;
  }
  return hasOldEnd ? `${text}\x1b[${row + 1};${length + 1}H\x1b[K` : text;
}

/** Returns the column after a difference, including short gaps. */
function endOfDifference(before: readonly Cell[], after: readonly Cell[], from: number): number {
  let stop = from + 1;
  for (let at = stop; at < after.length && at <= stop + SHORT_GAP; at++)
    if (!isSame(before[at], after[at])) stop = at + 1;
  while (after[stop]?.text === '') stop++;
  return stop;
}

function styled(cells: readonly Cell[]): string {
  let text = '';
  let style = '';
  for (const cell of cells) {
    if (cell.style !== style) text += (style === '' ? '' : RESET) + cell.style;
    ({ style } = cell);
    text += cell.text;
  }
  return style === '' ? text : text + RESET;
}
