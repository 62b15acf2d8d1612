/**
 * The table of `onevisor status` for people: one line for each process, which is never wrapped. On a narrow terminal,
 * columns are left out in the order of {@link DROP_ORDER}. Through a pipe, the table is complete. Pure.
 */
import { formatBytes, formatShort } from './amounts.ts';
import { compareNatural } from './natural-order.ts';
import { type ProcessStatus, readinessOf, reasonOf, toneOf } from './process-status.ts';
import { cutEnd, cutMiddle, pad, paint, type Screen, symbolOf, type Tone, widthOf } from './screen.ts';

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

/** The words of one process. */
interface Row {
  readonly status: ProcessStatus;
  readonly tone: Exclude<Tone, 'head'>;
  readonly cells: Readonly<Record<ColumnName, string>>;
}

interface Column {
  readonly name: ColumnName;
  readonly isRight: boolean;
  readonly cell: (status: ProcessStatus) => string;
}

/** The columns from left to right. A column without any word is left out. */
const COLUMNS: readonly Column[] = [
  { name: 'NAME', isRight: false, cell: ({ name }) => name },
  { name: 'STATE', isRight: false, cell: ({ info }) => info.statename },
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
  return statuses.toSorted((a, b) => rankOf(a) - rankOf(b) || compareNatural(a.name, b.name));
}

/** Formats the table, in the order of the processes. */
export function formatStatusTable(statuses: readonly ProcessStatus[], screen: Screen): string[] {
  if (statuses.length === 0) return ['no processes'];
  const rows = statuses.map((status): Row => ({
    status,
    tone: toneOf(status),
    cells: Object.fromEntries(COLUMNS.map(({ name, cell }) => [name, cell(status)])) as Row['cells'],
  }));
  const columns = COLUMNS.filter(({ name }) => rows.some(({ cells }) => cells[name] !== ''));
  const layout = fitColumns(columns, rows, screen.columns);
  const titles = Object.fromEntries(COLUMNS.map(({ name }) => [name, name])) as Row['cells'];
  return [
    paint(formatLine(layout, { symbol: ' ', cells: titles }, screen, null), 'head', screen),
    ...rows.map(({ tone, cells }) => formatLine(layout, { symbol: symbolOf(tone, screen), cells }, screen, tone)),
    ...(screen.columns === null ? [] : formatSummary(rows, screen)),
  ];
}

type Layout = ReadonlyArray<{ readonly column: Column; readonly width: number }>;

/** Chooses the columns that fit, and their widths. */
function fitColumns(columns: readonly Column[], rows: readonly Row[], available: number | null): Layout {
  const natural = new Map<ColumnName, number>();
  for (const { name } of columns)
    natural.set(name, Math.max(name.length, ...rows.map(({ cells }) => widthOf(cells[name]))));
  const layoutOf = (chosen: readonly Column[]): Array<{ column: Column; width: number }> =>
    chosen.map((column) => ({ column, width: natural.get(column.name) ?? 0 }));
  if (available === null) return layoutOf(columns);
  const longest = Math.max(LEAST_NAME, Math.floor(available * NAME_SHARE));
  natural.set('NAME', Math.min(natural.get('NAME') ?? 0, longest));
  const why = natural.get('WHY');
  if (why !== undefined) natural.set('WHY', Math.min(why, LEAST_WHY));
  const dropped = new Set<ColumnName>();
  const remaining = (): readonly Column[] => columns.filter(({ name }) => !dropped.has(name));
  const widthOfAll = (): number =>
    1 + layoutOf(remaining()).reduce((sum, { column, width }) => sum + width + (column.name === 'NAME' ? 1 : GAP), 0);
  for (const name of DROP_ORDER) {
    if (widthOfAll() <= available) break;
    dropped.add(name);
  }
  const missing = widthOfAll() - available;
  if (missing > 0) natural.set('NAME', Math.max(1, (natural.get('NAME') ?? 0) - missing));
  // What is left over belongs to the reason.
  else if (why !== undefined && !dropped.has('WHY')) natural.set('WHY', Math.min(why, LEAST_WHY - missing));
  return layoutOf(remaining());
}

/** A line: `● web  RUNNING …`. `tone`: colour of the symbol and of the state; null for the titles. */
function formatLine(
  layout: Layout,
  { symbol, cells }: { readonly symbol: string; readonly cells: Row['cells'] },
  screen: Screen,
  tone: Exclude<Tone, 'head'> | null,
): string {
  const words = layout.map(({ column: { name, isRight }, width }, index) => {
    const cut = (name === 'NAME' ? cutMiddle : cutEnd)(cells[name], width, screen);
    const isLast = index === layout.length - 1;
    const text = isLast && !isRight ? cut : pad(cut, width, isRight);
    return tone !== null && name === 'STATE' ? paint(text, tone, screen) : text;
  });
  const first = tone === null ? symbol : paint(symbol, tone, screen);
  return `${first} ${words.join(' '.repeat(GAP))}`.trimEnd();
}

/** Counts the states: `3 processes: 2 running, 1 fatal; 1 flapping`. */
function formatSummary(rows: readonly Row[], screen: Screen): string[] {
  if (rows.length < 2) return [];
  const counts = new Map<string, number>();
  for (const { status } of rows) {
    const word = status.info.statename.toLowerCase();
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const states = [...counts].toSorted(([, a], [, b]) => b - a).map(([word, count]) => `${count} ${word}`);
  const flapping = rows.filter(({ status }) => status.isFlapping).length;
  const text = `${rows.length} processes: ${states.join(', ')}${flapping === 0 ? '' : `; ${flapping} flapping`}`;
  return [paint(cutEnd(text, screen.columns ?? Infinity, screen), 'idle', screen)];
}
