/** The chosen lines of a column: from a first one to the one that moves. Pure. */
import { stripSequences } from './ansi.ts';
import type { LineRing } from './line-ring.ts';
import type { LineView } from './line-view.ts';
import type { Row } from './row.ts';
import { fullTime, type TimeForm } from './times.ts';

/** Longest text to copy, in characters. */
const MAX_CHARACTERS = 8 * 1024 * 1024;

/** A range of positions. */
export interface LineRange {
  /** Position where the range was begun. */
  readonly anchor: number;
  /** Position that moves. */
  readonly head: number;
}

/** Returns the first and the last position of a range. */
export function boundsOf({ anchor, head }: LineRange): readonly [first: number, last: number] {
  return anchor <= head ? [anchor, head] : [head, anchor];
}

/** Returns the rows of a range that the view shows. */
export function rowsIn(range: LineRange, ring: LineRing, view: LineView): Row[] {
  const [first, last] = boundsOf(range);
  const rows: Row[] = [];
  for (let index = view.indexOf(first); index < view.end; index++) {
    const position = view.positionAt(index);
    if (position === undefined || position > last) break;
    const row = ring.at(position);
    if (row !== undefined && row.kind !== 'mark') rows.push(row);
  }
  return rows;
}

/** Moves a range by rows of the view. With `isExtended`, its anchor stays. */
export function moveRange(range: LineRange | null, by: number, isExtended: boolean, view: LineView): LineRange | null {
  if (view.end === view.start) return null;
  const from = range === null ? null : view.indexOf(range.head);
  const edge = by > 0 ? view.start : view.end - 1;
  const index = from === null ? edge : Math.max(view.start, Math.min(view.end - 1, from + by));
  const head = view.positionAt(index) ?? 0;
  return { anchor: isExtended && range !== null ? range.anchor : head, head };
}

/** Writes rows as text: time, name, and the line without control sequences. */
export function textOfRows(rows: readonly Row[], times: TimeForm, hasNames: boolean): string {
  const texts: string[] = [];
  let left = MAX_CHARACTERS;
  for (const { at, name, text, kind } of rows) {
    const time = times === 'none' ? '' : `${fullTime(at, times === 'utc')} `;
    const line = `${time}${hasNames ? `${name} ${kind === 'event' ? '*' : '|'} ` : ''}${stripSequences(text)}\n`;
    left -= line.length;
    if (left < 0) break;
    texts.push(line);
  }
  return texts.join('');
}
