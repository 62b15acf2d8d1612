/** The whole screen: a state gives one line of text for each line of the terminal. Pure. */
import { formatDaytime } from '../amounts.ts';
import { HELP_LINES } from './help-page.ts';
import { type Layout, layoutOf, menuLines } from './layout.ts';
import { logWindow } from './log-window.ts';
import { type PaletteEntry, visibleEntries } from './palette.ts';
import { logFormOf } from './pane-keys.ts';
import { rowsOf } from './rows.ts';
import type { DescriptionPane, Menu, Message, Palette, Pane, TopState } from './state.ts';
import { tableView } from './table-view.ts';
import { type Abilities, cut, pad, paint, widthOf, wrap } from './text.ts';

/** Returns the lines of the screen, exactly as many as it has. */
export function viewOf(state: TopState, abilities: Abilities): string[] {
  const { size } = state;
  const lines = state.overlay?.kind === 'help' ? helpView(state, abilities) : mainView(state, abilities);
  const fitted = lines.slice(0, size.rows).map((line) => cut(line, size.columns, abilities));
  return [...fitted, ...Array<string>(Math.max(0, size.rows - fitted.length)).fill('')];
}

/** Colours other than the reverse video of the chosen row. */
const COLOURS = /\x1b\[(?:0|3\d|9\d)m/g;

function mainView(state: TopState, abilities: Abilities): string[] {
  const layout = layoutOf(state);
  const { titles, rows } = tableView(state, rowsOf(state), layout.table, abilities);
  // The screen may be out of date.
  const shown = state.loss === null ? rows : rows.map((row) => paint(row.replace(COLOURS, ''), 'idle', abilities));
  const { pane } = state;
  const paneLines = pane === null ? [] : paneView(state, pane, abilities);
  return [
    ...(layout.header > 0 ? [headerView(state, abilities)] : []),
    ...(layout.titles > 0 ? [titles] : []),
    ...filled(shown.length > 0 ? shown : emptyTable(state), layout.table),
    ...(layout.paneTitle > 0 && pane !== null ? [paneTitle(state, pane, abilities)] : []),
    ...filled(paneLines, layout.pane),
    ...filled(dialogView(state, abilities), layout.dialog),
    ...(layout.hints > 0 ? [hintsView(state, layout, abilities)] : []),
  ];
}

/** Fills lines up to a height. */
function filled(lines: readonly string[], height: number): string[] {
  return [...lines, ...Array<string>(height).fill('')].slice(0, height);
}

function emptyTable({ processes, filter }: TopState): string[] {
  return [processes.length === 0 ? '  no processes' : `  no process has "${filter}"; Esc shows all`];
}

/** Counts the states: `14 processes: 12 running, 1 fatal`. */
function summaryOf({ processes }: TopState): string {
  const counts = new Map<string, number>();
  for (const { state } of processes) counts.set(state.toLowerCase(), (counts.get(state.toLowerCase()) ?? 0) + 1);
  const states = [...counts].toSorted(([, a], [, b]) => b - a).map(([word, count]) => `${count} ${word}`);
  const noun = processes.length === 1 ? 'process' : 'processes';
  return [`${processes.length} ${noun}`, states.join(', ')].filter((part) => part !== '').join(': ');
}

function headerView(state: TopState, abilities: Abilities): string {
  const { loss, filter, isPaused, isReadOnly, size } = state;
  if (loss !== null) {
    const text = `disconnected since ${formatDaytime(loss.sinceMs)}, trying again: ${loss.reason}`;
    return paint(cut(text, size.columns, abilities), 'bad', abilities);
  }
  const flags = [
    filter === '' ? '' : `filter: ${filter}`,
    isReadOnly ? 'read-only' : '',
    isPaused ? 'PAUSED, Space goes on' : '',
  ].filter((flag) => flag !== '');
  const right = flags.join('  ');
  const room = size.columns - (right === '' ? 0 : widthOf(right) + 2);
  const left = cut(`onevisor top  ${summaryOf(state)}`, Math.max(12, room), abilities);
  return paint(left, 'head', abilities) + (right === '' ? '' : paint(`  ${right}`, 'busy', abilities));
}

function paneTitle(state: TopState, pane: Pane, abilities: Abilities): string {
  const dash = abilities.hasUnicode ? '─' : '-';
  const { columns } = state.size;
  const flags = pane.kind === 'logs' ? logFlags(state, pane, abilities) : [];
  const what = pane.kind === 'logs' ? 'log of' : 'description of';
  const text = [`${dash}${dash} ${what} ${pane.target.name} `, ...flags.map((flag) => `${dash} ${flag} `)].join('');
  const line = pad(cut(text, columns, abilities), columns).replace(
    / *$/,
    (blanks) => ` ${dash.repeat(Math.max(0, blanks.length - 1))}`,
  );
  return state.isPaneFocused ? paint(line, 'head', abilities) : paint(line, 'idle', abilities);
}

function logFlags(state: TopState, pane: Extract<Pane, { kind: 'logs' }>, abilities: Abilities): string[] {
  const { below } = logWindow(pane, logFormOf(state, abilities));
  const newer = below === 0 ? 'held' : `${below} newer ${below === 1 ? 'line' : 'lines'}`;
  const position = pane.end === null ? 'following' : `${newer}, G follows`;
  const { title } = pane.range;
  const range = title === '' ? [] : [title];
  return [...range, pane.isLoaded ? position : 'reading', ...(pane.filter === '' ? [] : [`only "${pane.filter}"`])];
}

function paneView(state: TopState, pane: Pane, abilities: Abilities): readonly string[] {
  if (pane.kind === 'description') return descriptionView(state, pane);
  const { rows } = logWindow(pane, logFormOf(state, abilities));
  if (rows.length > 0 || !pane.isLoaded) return rows;
  return [pane.filter === '' ? '  nothing written yet' : `  no line has "${pane.filter}"; Esc shows all`];
}

function descriptionView(state: TopState, { lines, top }: DescriptionPane): readonly string[] {
  return lines.flatMap((line) => wrap(line, state.size.columns)).slice(top);
}

function dialogView(state: TopState, abilities: Abilities): string[] {
  const { overlay, message, size } = state;
  if (overlay?.kind === 'palette') return paletteView(state, overlay, abilities);
  if (overlay?.kind === 'menu') return menuView(overlay, size.columns, abilities);
  if (overlay?.kind === 'prompt') {
    const label = overlay.purpose === 'table' ? 'Filter: ' : 'Only lines with: ';
    return [`${paint(label, 'head', abilities)}${overlay.text}${paint(' ', 'chosen', abilities)}`];
  }
  return [message === null ? '' : messageView(message, abilities)];
}

/** The line that is typed, and the entries below it with the keys that do the same. */
function paletteView(state: TopState, palette: Palette, abilities: Abilities): string[] {
  const { entries, chosen } = visibleEntries(state, palette);
  const prompt = `${paint(':', 'head', abilities)}${palette.text}${paint(' ', 'chosen', abilities)}`;
  if (entries.length === 0) return [prompt, '  nothing has these words'];
  const widest = Math.max(...entries.map(({ label }) => widthOf(label)));
  const columns = Math.min(widest, Math.max(1, state.size.columns - KEY_COLUMNS));
  const format = ({ label, key }: PaletteEntry): string =>
    ` ${pad(cut(label, columns, abilities), columns)}  ${KEY_NAMES[key] ?? key} `;
  return [
    prompt,
    ...entries.map((entry, index) => (index === chosen ? paint(format(entry), 'chosen', abilities) : format(entry))),
  ];
}

/** Columns for the key behind an entry, with gaps. */
const KEY_COLUMNS = 12;
const KEY_NAMES: Readonly<Record<string, string>> = { space: 'Space', 'ctrl-l': 'Ctrl-L', 'ctrl-z': 'Ctrl-Z' };

function messageView({ text, tone }: Message, abilities: Abilities): string {
  return paint(text, tone, abilities);
}

function menuView(menu: Menu, columns: number, abilities: Abilities): string[] {
  return menuLines(menu, columns).map((words) =>
    words
      .map((word) => {
        if (word === menu.question) return paint(word, 'head', abilities);
        return word.startsWith('[') ? paint(word, 'chosen', abilities) : word;
      })
      .join(' '),
  );
}

/** Names of the arrow keys without UTF-8. */
const ASCII_ARROWS: Readonly<Record<string, string>> = { '←': '<', '→': '>', '↓': 'v', '↑': '^' };

/** Replaces arrows where the terminal has none. */
function withArrows(text: string, { hasUnicode }: Abilities): string {
  return hasUnicode ? text : text.replace(/[←→↓↑]/g, (arrow) => ASCII_ARROWS[arrow] ?? '');
}

/** The keys that have a meaning now, as far as there is room. */
function hintsView(
  { overlay, pane, isPaneFocused, isReadOnly, size }: TopState,
  layout: Layout,
  abilities: Abilities,
): string {
  const actions = isReadOnly ? [] : ['r restart', 's stop', 'S start', 'x signal'];
  let hints = ['? help', 'q quit', '/ filter', 'Enter log', 'd describe', ...actions, ': more'];
  if (overlay?.kind === 'menu') hints = ['← → choose', 'Enter do it', 'Esc cancel'];
  else if (overlay?.kind === 'palette') hints = ['↑ ↓ choose', 'Enter do it', 'Tab complete', 'Esc cancel'];
  else if (overlay?.kind === 'prompt') hints = ['Enter keep', 'Esc undo'];
  else if (isPaneFocused && pane?.kind === 'logs')
    hints = ['? help', 'Esc back', '/ filter', 'Space hold', 'f full', 't times', 'w wrap', 'o pager', ': more'];
  else if (isPaneFocused) hints = ['? help', 'Esc back', 'f full', 'Enter log', 'y copy', ...actions];
  if (layout.table > 0 && pane !== null && overlay === null) hints.splice(1, 0, 'Tab table/pane');
  let line = '';
  for (const hint of hints) {
    const longer = line === '' ? hint : `${line}  ${hint}`;
    if (widthOf(longer) > size.columns) break;
    line = longer;
  }
  return paint(withArrows(line, abilities), 'idle', abilities);
}

function helpView({ overlay, size }: TopState, abilities: Abilities): string[] {
  const top = overlay?.kind === 'help' ? overlay.top : 0;
  const height = Math.max(1, size.rows - 1);
  const lines = filled(HELP_LINES.slice(top), height).map((line) =>
    withArrows(line, abilities).replace(/^\S+( \S+)*/, (title) => paint(title, 'head', abilities)),
  );
  return [...lines, paint('j k move; any other key goes back', 'idle', abilities)];
}
