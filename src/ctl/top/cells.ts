/** A line of text as the columns of a terminal. Pure. */
import { tokensOf } from './text.ts';

/** One column. A wide character has a second column with an empty text. */
export interface Cell {
  readonly text: string;
  /** The colour sequences that are in force; empty for none. */
  readonly style: string;
}

const BLANK: Cell = { text: ' ', style: '' };

/** Returns the columns of a line, exactly as many as there are. */
export function cellsOf(line: string, columns: number): Cell[] {
  const cells: Cell[] = [];
  let style = '';
  for (const { text, width } of tokensOf(line)) {
    if (width === null) {
      style = /^\x1b\[0*m$/.test(text) ? '' : style + text;
      continue;
    }
    const last = cells.at(-1);
    if (width === 0) {
      // A mark belongs to the character before it.
      const base = last?.text === '' ? cells.length - 2 : cells.length - 1;
      const cell = cells[base];
      if (cell !== undefined) cells[base] = { ...cell, text: cell.text + text };
      continue;
    }
    if (cells.length + width > columns) break;
    cells.push({ text, style });
    if (width === 2) cells.push({ text: '', style });
  }
  while (cells.length < columns) cells.push(BLANK);
  return cells;
}
