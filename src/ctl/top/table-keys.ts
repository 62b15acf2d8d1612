/** Keys of the table. Pure. */
import { actionKey } from './action-keys.ts';
import { layoutOf } from './layout.ts';
import { moveOf } from './moves.ts';
import { openPrompt } from './overlay-keys.ts';
import { chosenIndexOf, type Row, rowsOf, SORT_KEYS, targetOf } from './rows.ts';
import { type Change, type ColumnName, openLog, reopenLog, type Pane, type Target, type TopState } from './state.ts';

const unchanged = (state: TopState): Change => ({ state, effects: [] });

/** Handles a key of the table. */
export function tableKey(state: TopState, name: string): Change {
  const rows = rowsOf(state);
  const index = chosenIndexOf(state, rows);
  const row = rows[index];
  const target = row === undefined ? null : targetOf(row, state.processes);
  const acted = actionKey(state, target, name);
  if (acted !== null) return acted;
  const by = moveOf(name, layoutOf(state).table);
  if (by !== null) {
    const moved = Math.max(0, Math.min(rows.length - 1, index + by));
    return unchanged(followChoice(choose(state, rows, moved), rows[moved]));
  }
  const column = SORT_KEYS[name];
  if (column !== undefined) return unchanged(sortBy(state, column));
  switch (name) {
    case '/':
      return unchanged(openPrompt(state, 'table'));
    case 'escape':
      return unchanged(state.pane === null ? { ...state, filter: '' } : { ...state, pane: null, isPaneFull: false });
    case 'space':
      return unchanged({ ...state, isPaused: !state.isPaused });
    case 'z':
      return unchanged(foldAll(state));
    case 'left':
    case 'right':
      return unchanged(row === undefined ? state : fold(state, row, name === 'left'));
    case 'enter':
    case 'l':
      return unchanged(target === null ? state : openPane(state, openLog(target)));
    case 'd':
      return unchanged(target === null ? state : openDescription(state, target));
    case 'y':
      return { state, effects: target === null ? [] : [{ kind: 'copy', text: target.name }] };
    default:
      return unchanged(state);
  }
}

function choose(state: TopState, rows: readonly Row[], index: number): TopState {
  return { ...state, chosen: rows[index]?.key ?? null, chosenIndex: index };
}

/** Shows the chosen row in the pane, if there is one. */
function followChoice(state: TopState, row: Row | undefined): TopState {
  const { pane } = state;
  if (pane === null || row === undefined) return state;
  const target = targetOf(row, state.processes);
  if (target.name === pane.target.name) return state;
  if (pane.kind === 'logs')
    return { ...state, pane: { ...reopenLog(openLog(target), pane.range), filter: pane.filter } };
  return target.ids.length === 1 ? { ...state, pane: describing(target) } : state;
}

function sortBy(state: TopState, column: ColumnName): TopState {
  const isReversed = state.sort.column === column && !state.sort.isReversed;
  return { ...state, sort: { column, isReversed } };
}

function openPane(state: TopState, pane: Pane): TopState {
  return { ...state, pane, isPaneFocused: true };
}

function describing(target: Target): Pane {
  return { kind: 'description', target, lines: [], top: 0 };
}

/** Opens the description of a process. A group has none. */
export function openDescription(state: TopState, target: Target): TopState {
  if (target.ids.length === 1) return openPane(state, describing(target));
  return { ...state, message: { text: 'choose one process of the group to describe it', tone: 'busy' } };
}

function groupOf(row: Row): string {
  return row.kind === 'group' ? row.group : row.facts.group;
}

/** Hides or shows the processes of the group of a row. The row of the group is chosen then. */
function fold(state: TopState, row: Row, isFolded: boolean): TopState {
  if (row.kind === 'process' && (!row.isIndented || !isFolded)) return state;
  const folded = new Set(state.folded);
  if (isFolded) folded.add(groupOf(row));
  else folded.delete(groupOf(row));
  return { ...state, folded, chosen: `g ${groupOf(row)}` };
}

/** Hides the processes of all groups, or shows all if they are hidden. */
function foldAll(state: TopState): TopState {
  const rows = rowsOf({ ...state, folded: new Set() });
  const groups = rows.flatMap((row) => (row.kind === 'group' ? [row.group] : []));
  const isAny = groups.some((group) => !state.folded.has(group));
  const row = rows.find(({ key }) => key === state.chosen);
  const chosen = isAny && row?.kind === 'process' && row.isIndented ? `g ${row.facts.group}` : state.chosen;
  return { ...state, folded: new Set(isAny ? groups : []), chosen };
}
