/** The parts of the screen and their heights. Pure. */
import { paletteHeight } from './palette.ts';
import { rowsOf } from './rows.ts';
import type { Menu, TopState } from './state.ts';
import { widthOf } from './text.ts';

/** Heights in lines; 0 for a part that is not shown. */
export interface Layout {
  readonly header: number;
  /** Titles of the columns. */
  readonly titles: number;
  readonly table: number;
  /** Title of the pane. */
  readonly paneTitle: number;
  readonly pane: number;
  /** Message, question or prompt. */
  readonly dialog: number;
  readonly hints: number;
}

/** Terminals with fewer lines show the table or the pane. */
const SPLIT_ROWS = 16;
/** Part of the lines that the table keeps beside a pane. */
const TABLE_SHARE = 0.4;

/** Returns the parts of the screen. */
export function layoutOf(state: TopState): Layout {
  const { size, pane } = state;
  const dialog = dialogHeight(state);
  const header = size.rows > 2 ? 1 : 0;
  const hints = size.rows > 5 ? 1 : 0;
  const free = Math.max(0, size.rows - header - dialog - hints);
  const parts = { header, dialog, hints };
  if (pane === null)
    return { ...parts, titles: Math.min(1, free), table: Math.max(0, free - 1), paneTitle: 0, pane: 0 };
  if (isPaneAlone(state))
    return { ...parts, titles: 0, table: 0, paneTitle: Math.min(1, free), pane: Math.max(0, free - 1) };
  const table = Math.max(3, Math.min(rowsOf(state).length, Math.floor(free * TABLE_SHARE)));
  return { ...parts, titles: 1, table, paneTitle: 1, pane: free - table - 2 };
}

function dialogHeight(state: TopState): number {
  switch (state.overlay?.kind) {
    case 'menu':
      return menuLines(state.overlay, state.size.columns).length;
    case 'palette':
      return paletteHeight(state);
    default:
      return 1;
  }
}

/** True if the pane takes the place of the table. */
export function isPaneAlone({ size, pane, isPaneFull }: TopState): boolean {
  return pane !== null && (isPaneFull || size.rows < SPLIT_ROWS);
}

/** Breaks a menu into lines: the question, then the answers. `[ ]` marks the choice. */
export function menuLines({ question, answers, choice }: Menu, columns: number): string[][] {
  const words = [question, ...answers.map(({ label }, index) => (index === choice ? `[${label}]` : ` ${label} `))];
  const lines: string[][] = [];
  let width = Infinity;
  for (const word of words) {
    width += widthOf(word) + 1;
    if (width > columns) {
      lines.push([]);
      width = widthOf(word);
    }
    lines.at(-1)?.push(word);
  }
  return lines;
}
