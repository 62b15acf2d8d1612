/**
 * The table as lines of the screen. Columns that do not fit are left out in the order of {@link DROP_ORDER}. Widths
 * hardly change with the values, so that nothing jumps. Pure.
 */
import { formatBytes, formatShort } from '../amounts.ts';
import { type Row, SORT_KEYS, sumOf, worstTone } from './rows.ts';
import type { ColumnName, TopState } from './state.ts';
import { cutMiddle, symbolOf } from '../screen.ts';
import { type Abilities, cut, pad, paint, widthOf } from './text.ts';

/** Columns that a narrow terminal leaves out, the first ones first. NAME and STATE always stay. */
const DROP_ORDER: readonly ColumnName[] = ['PID', 'RESTARTS', 'UPTIME', 'MEM', 'CPU', 'READY', 'WHY'];

/** Smallest width of WHY before another column is left out. */
const LEAST_WHY = 16;
/** Width of WHY for which long names are shortened. */
const READABLE_WHY = 48;
/** Largest part of the terminal that names may take, and the width that they may need at least. */
const NAME_SHARE = 0.4;
const SHORT_NAME = 24;
const GAP = 2;

interface Column {
  readonly name: ColumnName;
  readonly isRight: boolean;
  /** Smallest width, for usual values. */
  readonly least: number;
}

const COLUMNS: readonly Column[] = [
  { name: 'NAME', isRight: false, least: 8 },
  { name: 'STATE', isRight: false, least: 8 },
  { name: 'READY', isRight: false, least: 7 },
  { name: 'RESTARTS', isRight: true, least: 8 },
  { name: 'UPTIME', isRight: true, least: 7 },
  { name: 'CPU', isRight: true, least: 6 },
  { name: 'MEM', isRight: true, least: 7 },
  { name: 'PID', isRight: true, least: 6 },
  { name: 'WHY', isRight: false, least: 3 },
];

type Cells = Readonly<Record<ColumnName, string>>;

/** A column with its width. */
interface FittedColumn extends Column {
  readonly width: number;
}

/** The lines of the table. */
export interface TableView {
  readonly titles: string;
  readonly rows: readonly string[];
}

/** Formats the titles and the visible rows. */
export function tableView(state: TopState, rows: readonly Row[], height: number, abilities: Abilities): TableView {
  const cells = rows.map((row) => cellsOf(row, abilities));
  const columns = fitColumns(cells, state.size.columns);
  const shown = rows.slice(state.top, state.top + height).map((row, index) =>
    formatRow(row, cells[state.top + index] ?? NO_CELLS, columns, {
      ...abilities,
      width: state.size.columns,
      isChosen: row.key === state.chosen,
      isFocused: !state.isPaneFocused,
    }),
  );
  return { titles: formatTitles(columns, state, abilities), rows: shown };
}

const NO_CELLS: Cells = {
  NAME: '',
  STATE: '',
  READY: '',
  RESTARTS: '',
  UPTIME: '',
  CPU: '',
  MEM: '',
  PID: '',
  WHY: '',
};

function cellsOf(row: Row, { hasUnicode }: Abilities): Cells {
  if (row.kind === 'process') {
    const { facts, isIndented } = row;
    return {
      NAME: isIndented ? `  ${facts.name}` : facts.namespec,
      STATE: facts.state,
      READY: facts.readiness,
      RESTARTS: facts.restarts === null ? '' : String(facts.restarts),
      UPTIME: facts.uptimeMs === null ? '' : formatShort(facts.uptimeMs),
      ...usageCells(facts),
      PID: facts.pid === 0 ? '' : String(facts.pid),
      WHY: facts.why,
    };
  }
  const { group, isFolded, members } = row;
  const marks = hasUnicode ? ['▾', '▸'] : ['-', '+'];
  const restarts = sumOf(members, 'restarts');
  const running = members.filter(({ state }) => state === 'RUNNING').length;
  const usage = { cpuPercent: sumOf(members, 'cpuPercent'), memory: sumOf(members, 'memory') };
  return {
    ...NO_CELLS,
    NAME: `${marks[Number(isFolded)] ?? ''} ${group}`,
    STATE: `${running}/${members.length}`,
    RESTARTS: restarts === null ? '' : String(restarts),
    ...usageCells(usage),
    WHY: isFolded ? (members.find(({ why }) => why !== '')?.why ?? '') : '',
  };
}

function usageCells({
  cpuPercent,
  memory,
}: {
  readonly cpuPercent: number | null;
  readonly memory: number | null;
}): Pick<Cells, 'CPU' | 'MEM'> {
  return {
    CPU: cpuPercent === null ? '' : `${cpuPercent.toFixed(1)}%`,
    MEM: memory === null ? '' : formatBytes(memory),
  };
}

/** Chooses the columns that fit, and their widths. A column without any word is left out. */
function fitColumns(cells: readonly Cells[], available: number): FittedColumn[] {
  const longest = Math.max(SHORT_NAME, Math.floor(available * NAME_SHARE));
  let columns: FittedColumn[] = COLUMNS.flatMap((column) => {
    const words = cells.map((row) => row[column.name]);
    if (column.name !== 'NAME' && column.name !== 'STATE' && words.every((word) => word === '')) return [];
    const natural = Math.max(column.least, column.name.length, ...words.map(widthOf));
    const most: Partial<Record<ColumnName, number>> = { NAME: longest, WHY: LEAST_WHY };
    return [{ ...column, width: Math.min(natural, most[column.name] ?? natural) }];
  });
  const excess = (): number => 2 - GAP + columns.reduce((sum, { width }) => sum + width + GAP, 0) - available;
  const shrinkName = (least: number): void => {
    const width = (column: FittedColumn): number =>
      Math.max(Math.min(column.width, least), column.width - Math.max(0, excess()));
    columns = columns.map((column) => (column.name === 'NAME' ? { ...column, width: width(column) } : column));
  };
  for (const name of DROP_ORDER) {
    // Long names are shortened rather than a column is lost that people look at.
    if (name === 'UPTIME') shrinkName(SHORT_NAME);
    if (excess() <= 0) break;
    columns = columns.filter((column) => column.name !== name);
  }
  shrinkName(1);
  return shareRest(columns, -excess(), Math.max(0, ...cells.map(({ WHY }) => widthOf(WHY))));
}

/** Gives the columns that are left over to the reason. A long reason also gets columns of long names. */
function shareRest(columns: readonly FittedColumn[], rest: number, longestWhy: number): FittedColumn[] {
  const why = columns.find(({ name }) => name === 'WHY');
  if (why === undefined) return [...columns];
  const missing = Math.max(0, Math.min(longestWhy, READABLE_WHY) - why.width - rest);
  const nameWidth = columns.find(({ name }) => name === 'NAME')?.width ?? 0;
  const given = Math.min(missing, Math.max(0, nameWidth - SHORT_NAME));
  return columns.map((column) => {
    const { name, width } = column;
    if (name === 'NAME') return { ...column, width: width - given };
    return name === 'WHY' ? { ...column, width: width + rest + given } : column;
  });
}

/** Formats the titles. The letter that sorts by a column is underlined, and an arrow marks the order. */
function formatTitles(columns: readonly FittedColumn[], { sort }: TopState, abilities: Abilities): string {
  const arrows = abilities.hasUnicode ? ['↓', '↑'] : ['v', '^'];
  const words = columns.map(({ name, width, isRight }) => {
    const arrow = sort.column === name ? (arrows[Number(sort.isReversed)] ?? '') : '';
    // The arrow may stand in the gap.
    const blanks = ' '.repeat(Math.max(0, width + (isRight ? 0 : GAP - 1) - name.length - widthOf(arrow)));
    const letter = Object.entries(SORT_KEYS).find(([, column]) => column === name)?.[0] ?? '';
    const at = name.indexOf(letter);
    const marked = `${name.slice(0, at)}\x1b[4m${name[at] ?? ''}\x1b[24m${name.slice(at + 1)}`;
    const title = isRight ? `${blanks}${marked}${arrow}` : `${marked}${arrow}${blanks}`;
    return isRight ? `${title}${' '.repeat(GAP)}` : `${title} `;
  });
  return paint(`  ${words.join('')}`.trimEnd(), 'head', abilities);
}

interface RowForm extends Abilities {
  readonly width: number;
  readonly isChosen: boolean;
  readonly isFocused: boolean;
}

function formatRow(row: Row, cells: Cells, columns: readonly FittedColumn[], form: RowForm): string {
  const { isChosen, isFocused, width } = form;
  const tone = row.kind === 'process' ? row.facts.tone : worstTone(row.members);
  // Colours in a chosen row would end the reverse video.
  const colours = isChosen && isFocused ? { hasColour: false } : form;
  const words = columns.map(({ name, width: columnWidth, isRight }) => {
    const text = pad((name === 'NAME' ? cutMiddle : cut)(cells[name], columnWidth, form), columnWidth, isRight);
    return name === 'STATE' ? paint(text, tone, colours) : text;
  });
  const line = `${paint(symbolOf(tone, form), tone, colours)} ${words.join(' '.repeat(GAP))}`;
  if (!isChosen) return line.trimEnd();
  return isFocused ? paint(pad(line.trimEnd(), width), 'chosen', form) : paint(line.trimEnd(), 'head', form);
}
