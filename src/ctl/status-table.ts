/**
 * The table of `onevisor status` for people: one line for each process, which is never wrapped. On a narrow terminal,
 * columns are left out in the order of {@link DROP_ORDER}. Through a pipe, the table is complete. Pure.
 */
import { escapeControls } from '../core/shown-text.ts';
import { formatBytes, formatShort } from './amounts.ts';
import { sortNaturally } from './natural-order.ts';
import { type ProcessStatus, readinessOf, reasonOf, toneOf } from './process-status.ts';
import { pad, widthOf } from '../logs/columns.ts';
import { cutEnd, cutMiddle, paint, type Screen, symbolOf, type Tone } from './screen.ts';

/** Name of a column, as in its title. */
type ColumnName = 'NAME' | 'STATE' | 'READY' | 'RESTARTS' | 'UPTIME' | 'CPU' | 'MEM' | 'PID' | 'WHY';

/** Columns that a narrow terminal leaves out, the first ones first. The symbol, NAME and STATE always stay. */
const DROP_ORDER: readonly ColumnName[] = ['PID', 'RESTARTS', 'UPTIME', 'MEM', 'CPU', 'READY', 'WHY'];

/** Smallest width of WHY before another column is left out. */
const LEAST_WHY = 20;
/** Largest part of the terminal that names may take, and the smallest width of names. */
const NAME_SHARE = 0.4;
const LEAST_NAME = 16;
const GAP = 2;

interface Column {
  readonly name: ColumnName;
  readonly isRight: boolean;
  readonly cell: (status: ProcessStatus) => string;
}

/** The columns from left to right. A column without any word is left out. */
const COLUMNS: readonly Column[] = [
  { name: 'NAME', isRight: false, cell: ({ name }) => name },
  { name: 'STATE', isRight: false, cell: ({ info }) => escapeControls(info.statename) },
  { name: 'READY', isRight: false, cell: readinessOf },
  { name: 'RESTARTS', isRight: true, cell: ({ restarts }) => (restarts === null ? '' : String(restarts)) },
  { name: 'UPTIME', isRight: true, cell: uptimeOf },
  { name: 'CPU', isRight: true, cell: cpuOf },
  { name: 'MEM', isRight: true, cell: ({ usage }) => (usage === null ? '' : formatBytes(usage.memory)) },
  { name: 'PID', isRight: true, cell: ({ info }) => (info.pid === 0 ? '' : String(info.pid)) },
  { name: 'WHY', isRight: false, cell: reasonOf },
];

function cpuOf({ usage }: ProcessStatus): string {
  const percent = usage?.cpuPercent ?? null;
  return percent === null ? '' : `${percent}%`;
}

function uptimeOf({ info, nowMs }: ProcessStatus): string {
  return info.pid === 0 ? '' : formatShort(nowMs - info.start * 1000);
}

/** Rank of the failures first: what is broken, what is about to be, then the rest. */
const RANKS: Readonly<Record<Exclude<Tone, 'head'>, number>> = { bad: 0, busy: 1, good: 2, idle: 2 };

/** Sorts processes by their names as people count. `areProblemsFirst`: failures come first. */
export function sortStatuses(statuses: readonly ProcessStatus[], areProblemsFirst: boolean): ProcessStatus[] {
  const rankOf = (status: ProcessStatus): number => (areProblemsFirst ? RANKS[toneOf(status)] : 0);
  return sortNaturally(statuses, ({ name }) => name, rankOf);
}

/** A column with its words and their widths. */
interface Measured {
  readonly column: Column;
  readonly texts: readonly string[];
  readonly widths: readonly number[];
  /** Width of the widest word, or of the title. */
  readonly widest: number;
}

/** Formats the table, in the order of the processes. */
export function formatStatusTable(statuses: readonly ProcessStatus[], screen: Screen): string[] {
  if (statuses.length === 0) return ['no processes'];
  const measured = COLUMNS.map((column) => measure(column, statuses)).filter(({ texts }) =>
    texts.some((text) => text !== ''),
  );
  const layout = fitColumns(measured, screen.columns);
  const lines = statuses.map((status, row) => formatLine(layout, row, toneOf(status), screen));
  const titles = layout.map(({ cells: { column }, width }) => {
    const title = cutEnd(column.name, width, screen);
    return pad(title, width, column.isRight);
  });
  return [
    paint(`  ${titles.join(' '.repeat(GAP))}`.trimEnd(), 'head', screen),
    ...lines,
    ...(screen.columns === null ? [] : formatSummary(statuses, screen)),
  ];
}

function measure(column: Column, statuses: readonly ProcessStatus[]): Measured {
  const texts = statuses.map(column.cell);
  const widths = texts.map(widthOf);
  return { column, texts, widths, widest: widths.reduce((a, b) => Math.max(a, b), column.name.length) };
}

type Layout = ReadonlyArray<{ readonly cells: Measured; readonly width: number }>;

/** Chooses the columns that fit, and their widths. */
function fitColumns(measured: readonly Measured[], available: number | null): Layout {
  const widths = new Map(measured.map(({ column, widest }) => [column.name, widest]));
  const widthOfColumn = (name: ColumnName): number => widths.get(name) ?? 0;
  const layoutOf = (chosen: readonly Measured[]): Layout =>
    chosen.map((cells) => ({ cells, width: widthOfColumn(cells.column.name) }));
  if (available === null) return layoutOf(measured);
  const longest = Math.max(LEAST_NAME, Math.floor(available * NAME_SHARE));
  widths.set('NAME', Math.min(widthOfColumn('NAME'), longest));
  const why = widths.get('WHY');
  if (why !== undefined) widths.set('WHY', Math.min(why, LEAST_WHY));
  const dropped = new Set<ColumnName>();
  const remaining = (): readonly Measured[] => measured.filter(({ column }) => !dropped.has(column.name));
  // The symbol and a blank, and then a gap before each column but the first.
  const missing = (): number => layoutOf(remaining()).reduce((sum, { width }) => sum + width + GAP, 0) - available;
  for (const name of DROP_ORDER) {
    if (missing() <= 0) break;
    dropped.add(name);
  }
  if (missing() > 0) widths.set('NAME', Math.max(1, widthOfColumn('NAME') - missing()));
  // The rest belongs to the reason.
  else if (why !== undefined) widths.set('WHY', Math.min(why, LEAST_WHY - missing()));
  return layoutOf(remaining());
}

/** A line: `● web  RUNNING …`. The symbol and the state have the colour. */
function formatLine(layout: Layout, row: number, tone: Exclude<Tone, 'head'>, screen: Screen): string {
  let line = paint(symbolOf(tone, screen), tone, screen);
  let gap = ' ';
  for (const { cells, width } of layout) {
    const { name, isRight } = cells.column;
    const text = cells.texts[row] ?? '';
    const missing = width - (cells.widths[row] ?? 0);
    const cut = missing >= 0 ? text : (name === 'NAME' ? cutMiddle : cutEnd)(text, width, screen);
    const blanks = ' '.repeat(missing >= 0 ? missing : width - widthOf(cut));
    const shown = name === 'STATE' ? paint(cut, tone, screen) : cut;
    line += isRight ? gap + blanks + shown : gap + shown + blanks;
    gap = ' '.repeat(GAP);
  }
  return line.trimEnd();
}

/** Counts the states: `3 processes: 2 running, 1 fatal; 1 flapping`. */
function formatSummary(statuses: readonly ProcessStatus[], screen: Screen): string[] {
  if (statuses.length < 2) return [];
  const counts = new Map<string, number>();
  for (const { info } of statuses) {
    const word = info.statename.toLowerCase();
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const states = [...counts].toSorted(([, a], [, b]) => b - a).map(([word, count]) => `${count} ${word}`);
  const flapping = statuses.filter(({ isFlapping }) => isFlapping).length;
  const text = `${statuses.length} processes: ${states.join(', ')}${flapping === 0 ? '' : `; ${flapping} flapping`}`;
  return [paint(cutEnd(text, screen.columns ?? Infinity, screen), 'idle', screen)];
}
