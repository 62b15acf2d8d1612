/**
 * The palette: a list of everything that a key does, found by words. An entry is a key, and the row that the key is
 * for, so the palette can do nothing that keys cannot. Pure.
 */
import { escapeControls } from '../../core/shown-text.ts';
import { LOG_RANGES } from './log-ranges.ts';
import { type Row, rowsOf, SORT_KEYS, targetOf } from './rows.ts';
import type { Palette, TopState } from './state.ts';

/** Number of entries on the screen. */
const SHOWN = 8;
/** Lines that the palette leaves to the rest of the screen. */
const LEFT = 6;
const MAX_TEXT = 200;

/** One entry. */
export interface PaletteEntry {
  readonly label: string;
  /** The key that does the same; empty for the choice of a row. */
  readonly key: string;
  /** Key of the row to choose before; null to stay where the user is. */
  readonly row: string | null;
}

interface Command {
  readonly word: string;
  readonly key: string;
}

/** Commands for a process or a group. */
const LOOKING: readonly Command[] = [
  { word: 'logs', key: 'l' },
  { word: 'describe', key: 'd' },
];
const ACTING: readonly Command[] = [
  { word: 'restart', key: 'r' },
  { word: 'stop', key: 's' },
  { word: 'start', key: 'S' },
  { word: 'signal', key: 'x' },
];

/** Commands of an open log. */
const LOG_COMMANDS: readonly Command[] = [
  ...LOG_RANGES.map(({ word }, index) => ({ word: `log ${word}`, key: String(index) })),
  { word: 'times', key: 't' },
  { word: 'wrap lines', key: 'w' },
  { word: 'full screen', key: 'f' },
  { word: 'mark the end', key: 'm' },
  { word: 'copy the log', key: 'c' },
  { word: 'copy the screen', key: 'y' },
  { word: 'pager', key: 'o' },
];

/** Commands of the table. */
const TABLE_COMMANDS: readonly Command[] = [
  ...Object.entries(SORT_KEYS).map(([key, column]) => ({ word: `sort by ${column.toLowerCase()}`, key })),
  { word: 'fold groups', key: 'z' },
];

/** Commands that are there always. */
const COMMANDS: readonly Command[] = [
  { word: 'filter', key: '/' },
  { word: 'pause', key: 'space' },
  { word: 'help', key: '?' },
  { word: 'draw again', key: 'ctrl-l' },
  { word: 'suspend', key: 'ctrl-z' },
  { word: 'quit', key: 'q' },
];

/** Opens the palette. */
export function openPalette(state: TopState): TopState {
  return { ...state, overlay: { kind: 'palette', text: '', choice: 0 } };
}

/** Returns all rows, also those that are folded or hidden by the filter. */
function allRows(state: TopState): Row[] {
  return rowsOf({ ...state, filter: '', folded: new Set() });
}

/** Returns the entries that have all words of the text, the best ones first. */
export function paletteEntries(state: TopState, text: string): PaletteEntry[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const found = new Map<string, PaletteEntry>();
  for (const entry of candidates(state, words)) {
    const label = entry.label.toLowerCase();
    if (words.every((word) => label.includes(word)) && !found.has(label)) found.set(label, entry);
  }
  const wanted = words.join(' ');
  return [...found.values()].toSorted((a, b) => rankOf(a, wanted) - rankOf(b, wanted));
}

/** Labels that begin with the text come first, then those with a word that does. */
function rankOf({ label }: PaletteEntry, text: string): number {
  const lower = label.toLowerCase();
  if (lower.startsWith(text)) return 0;
  return lower.includes(` ${text}`) ? 1 : 2;
}

function candidates(state: TopState, words: readonly string[]): PaletteEntry[] {
  const { pane, isPaneFocused, isReadOnly } = state;
  const rows = allRows(state);
  const isInLog = isPaneFocused && pane?.kind === 'logs';
  const named = isReadOnly ? LOOKING : [...LOOKING, ...ACTING];
  const row = rows.find(({ key }) => key === state.chosen);
  const target = isPaneFocused && pane !== null ? pane.target.name : row && targetOf(row, state.processes).name;
  const here =
    target === undefined ? [] : named.map(({ word, key }) => ({ label: `${word} ${target}`, key, row: null }));
  const general = [...(isInLog ? LOG_COMMANDS : []), ...COMMANDS, ...(isInLog ? [] : TABLE_COMMANDS)];
  const plain = general.map(({ word, key }) => ({ label: word, key, row: null }));
  // Without a word the list is short. The product of commands and programs is long, so its first word must fit.
  const [first] = words;
  if (first === undefined) return [...here, ...plain];
  const begun = named.filter(({ word }) => word.startsWith(first));
  const others = rows.flatMap((other): PaletteEntry[] => {
    const { name } = targetOf(other, state.processes);
    return [
      ...begun.map(({ word, key }) => ({ label: `${word} ${name}`, key, row: other.key })),
      { label: `go to ${name}`, key: '', row: other.key },
    ];
  });
  return [...here, ...plain, ...others];
}

/** Returns the number of lines of the palette. */
export function paletteHeight({ size }: TopState): number {
  return 1 + Math.max(0, Math.min(SHOWN, size.rows - LEFT));
}

/** The entries on the screen, and which of them is chosen. */
export function visibleEntries(
  state: TopState,
  { text, choice }: Palette,
): { readonly entries: readonly PaletteEntry[]; readonly chosen: number } {
  const all = paletteEntries(state, text);
  const rows = paletteHeight(state) - 1;
  const first = Math.max(0, Math.min(choice - rows + 1, all.length - rows));
  return { entries: all.slice(first, first + rows), chosen: choice - first };
}

/** Result of a key: the next state, and the entry to carry out. */
export interface PaletteChange {
  readonly state: TopState;
  readonly entry: PaletteEntry | null;
}

/** Handles a key of the palette. */
export function paletteKey(state: TopState, palette: Palette, name: string): PaletteChange {
  const { text, choice } = palette;
  const closed = { ...state, overlay: null };
  const entries = paletteEntries(state, text);
  const move = (by: number): PaletteChange => ({
    state: { ...state, overlay: { ...palette, choice: Math.max(0, Math.min(entries.length - 1, choice + by)) } },
    entry: null,
  });
  switch (name) {
    case 'escape':
    case 'ctrl-c':
      return { state: closed, entry: null };
    case 'enter':
      return { state: closed, entry: entries[choice] ?? null };
    case 'down':
    case 'ctrl-n':
      return move(1);
    case 'up':
    case 'ctrl-p':
      return move(-1);
    case 'tab':
      return { state: typeInto(state, entries[choice]?.label ?? text), entry: null };
    case 'backspace':
      return { state: text === '' ? closed : typeInto(state, [...text].slice(0, -1).join('')), entry: null };
    case 'ctrl-u':
    case 'ctrl-w':
      return { state: typeInto(state, ''), entry: null };
    case 'space':
      return { state: typeInto(state, `${text} `), entry: null };
    default:
      return { state: [...name].length === 1 ? typeInto(state, text + name) : state, entry: null };
  }
}

/** Adds pasted text. */
export function palettePaste(state: TopState, { text }: Palette, pasted: string): TopState {
  return typeInto(state, text + escapeControls((pasted.trim().split(/[\r\n]/)[0] ?? '').slice(0, MAX_TEXT)));
}

function typeInto(state: TopState, text: string): TopState {
  return { ...state, overlay: { kind: 'palette', text: text.slice(0, MAX_TEXT), choice: 0 } };
}

/** Chooses the row of an entry, also if the filter or a fold hides the row. */
export function chooseEntry(state: TopState, { row: key }: PaletteEntry): TopState {
  const row = key === null ? undefined : allRows(state).find((other) => other.key === key);
  if (row === undefined) return state;
  const isHidden = !rowsOf(state).some((shown) => shown.key === row.key);
  const folded = new Set(state.folded);
  if (row.kind === 'process') folded.delete(row.facts.group);
  const visible = isHidden ? { ...state, folded, filter: isFilteredOut(state, row) ? '' : state.filter } : state;
  const chosenIndex = rowsOf(visible).findIndex((shown) => shown.key === row.key);
  return { ...visible, chosen: row.key, chosenIndex, isPaneFocused: false };
}

function isFilteredOut(state: TopState, { key }: Row): boolean {
  return !rowsOf({ ...state, folded: new Set() }).some((row) => row.key === key);
}
