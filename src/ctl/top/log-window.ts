/** The part of the log pane that is on the screen, and scrolling in it. Pure. */
import { parseNamespec } from '../../core/namespec.ts';
import { escapeControls } from '../../core/shown-text.ts';
import { formatDaytime } from '../amounts.ts';
import type { LogLine } from './log-buffer.ts';
import type { LogPane } from './state.ts';
import { type Abilities, cut, pad, paint, showLine, widthOf, wrap } from './text.ts';

/** Settings of the log pane. */
export interface LogForm extends Abilities {
  readonly columns: number;
  readonly rows: number;
  readonly hasTimes: boolean;
  readonly isWrapped: boolean;
}

/** The visible part of a log. */
export interface LogWindow {
  /** The lines of the screen. */
  readonly rows: readonly string[];
  /** The lines that they are made from. */
  readonly lines: readonly LogLine[];
  /** Number of wanted lines below the window. */
  readonly below: number;
}

/** Widest name before a line. */
const NAME_COLUMNS = 20;

function isWanted({ filter }: LogPane, { text, stream }: LogLine): boolean {
  return filter === '' || stream === 'notice' || text.toLowerCase().includes(filter.toLowerCase());
}

/** Returns the positions of the wanted lines. */
function wantedOf(pane: LogPane): number[] {
  return pane.buffer.lines.flatMap((line, index) => (isWanted(pane, line) ? [index] : []));
}

/** Returns the lines that the filter wants. */
export function wantedLines(pane: LogPane): LogLine[] {
  return pane.buffer.lines.filter((line) => isWanted(pane, line));
}

/** Signs before the text, as in `onevisor logs`. */
export const SIGNS = { stdout: '| ', stderr: '! ', notice: '* ' } as const;
const TONES = { stdout: 'idle', stderr: 'bad', notice: 'idle' } as const;

/** Formats one line as lines of the screen. */
function formatLine(pane: LogPane, line: LogLine, form: LogForm): string[] {
  const { hasTimes, columns, isWrapped } = form;
  const { name, stream } = line;
  const isShared = pane.target.ids.length > 1;
  const shownName = escapeControls(parseNamespec(name).process ?? name);
  const time = hasTimes ? `${timeOf(line)} ` : '';
  const origin = isShared ? `${pad(cut(shownName, NAME_COLUMNS, form), nameColumns(pane))} ` : '';
  const before = paint(time + origin, 'idle', form) + paint(SIGNS[stream], TONES[stream], form);
  const width = Math.max(1, columns - widthOf(before));
  const isNotice = stream === 'notice';
  const safe = showLine(line.text, form.hasColour && !isNotice);
  const text = isNotice ? paint(safe, 'idle', form) : safe;
  if (!isWrapped) return [before + cut(text, width, form)];
  const blanks = ' '.repeat(widthOf(before));
  return wrap(text, width).map((piece, index) => (index === 0 ? before : blanks) + piece);
}

/** Formats the time of a line. */
export function timeOf({ at }: LogLine): string {
  return at === null ? '-'.padEnd(TIME_COLUMNS) : formatDaytime(at, true);
}

/** Columns of `12:00:05.000`. */
const TIME_COLUMNS = 12;

function nameColumns({ target }: LogPane): number {
  const widths = target.ids.map((id) => widthOf(parseNamespec(id).process ?? ''));
  return Math.min(NAME_COLUMNS, Math.max(0, ...widths));
}

/** Returns the position after the last line on the screen, in the wanted lines. */
function endIn(pane: LogPane, wanted: readonly number[]): number {
  const { end, buffer } = pane;
  if (end === null) return wanted.length;
  const after = wanted.findIndex((index) => index + buffer.first >= end);
  return after === -1 ? wanted.length : after;
}

/** Returns the smallest position of the end: the first page is full. */
function firstEnd(pane: LogPane, wanted: readonly number[], form: LogForm): number {
  let rows = 0;
  for (const [position, index] of wanted.entries()) {
    const line = pane.buffer.lines[index];
    rows += line === undefined ? 0 : formatLine(pane, line, form).length;
    if (rows >= form.rows) return position + 1;
  }
  return wanted.length;
}

/** Returns the visible part of a log. */
export function logWindow(pane: LogPane, form: LogForm): LogWindow {
  const wanted = wantedOf(pane);
  const end = pane.end === null ? wanted.length : Math.max(endIn(pane, wanted), firstEnd(pane, wanted, form));
  const rows: string[] = [];
  const lines: LogLine[] = [];
  for (let at = end - 1; at >= 0 && rows.length < form.rows; at--) {
    const line = pane.buffer.lines[wanted[at] ?? -1];
    if (line === undefined) break;
    rows.unshift(...formatLine(pane, line, form));
    lines.unshift(line);
  }
  return { rows: rows.slice(Math.max(0, rows.length - form.rows)), lines, below: wanted.length - end };
}

/** Moves a log by lines; -Infinity is the oldest line, Infinity the newest, which is then followed. */
export function scrollLog(pane: LogPane, by: number, form: LogForm): LogPane {
  const wanted = wantedOf(pane);
  const least = firstEnd(pane, wanted, form);
  const end = Math.max(least, Math.max(least, endIn(pane, wanted)) + by);
  if (end >= wanted.length && by > 0) return { ...pane, end: null };
  return holdAt(pane, wanted, Math.min(end, wanted.length));
}

/** Keeps the lines that are on the screen, while more lines come. */
export function holdLog(pane: LogPane): LogPane {
  const wanted = wantedOf(pane);
  return holdAt(pane, wanted, endIn(pane, wanted));
}

function holdAt(pane: LogPane, wanted: readonly number[], end: number): LogPane {
  const next = wanted[end] ?? pane.buffer.lines.length;
  return { ...pane, end: next + pane.buffer.first };
}
