/** Keys of the pane: the log or the description of the chosen process. Pure. */
import { actionKey } from './action-keys.ts';
import { layoutOf } from './layout.ts';
import { type LogForm, holdLog, logWindow, scrollLog } from './log-window.ts';
import { moveOf } from './moves.ts';
import { openPrompt, setFilter } from './overlay-keys.ts';
import { type Change, type DescriptionPane, type LogPane, openLog, type Pane, type TopState } from './state.ts';
import { openDescription } from './table-keys.ts';
import { withoutColours, wrap } from './text.ts';

const unchanged = (state: TopState): Change => ({ state, effects: [] });

/** Returns the form of the log pane. Colours do not change its height. */
export function logFormOf(state: TopState, abilities: Pick<LogForm, 'hasColour' | 'hasUnicode'>): LogForm {
  const { size, hasTimes, isWrapped } = state;
  return { ...abilities, columns: size.columns, rows: layoutOf(state).pane, hasTimes, isWrapped };
}

const PLAIN = { hasColour: false, hasUnicode: true };

/** Handles a key of the pane. */
export function paneKey(state: TopState, pane: Pane, name: string): Change {
  const acted = actionKey(state, pane.target, name);
  if (acted !== null) return acted;
  const by = moveOf(name, layoutOf(state).pane);
  if (by !== null) return unchanged({ ...state, pane: move(state, pane, by) });
  switch (name) {
    case 'escape':
      return unchanged(goBack(state, pane));
    case 'f':
      return unchanged({ ...state, isPaneFull: !state.isPaneFull });
    case 'd':
      return unchanged(openDescription(state, pane.target));
    case 'enter':
    case 'l':
      return unchanged(pane.kind === 'logs' ? state : { ...state, pane: openLog(pane.target) });
    default:
      return pane.kind === 'logs' ? logKey(state, pane, name) : descriptionKey(state, pane, name);
  }
}

function logKey(state: TopState, pane: LogPane, name: string): Change {
  switch (name) {
    case '/':
      return unchanged(openPrompt(state, 'log'));
    case 't':
      return unchanged({ ...state, hasTimes: !state.hasTimes });
    case 'w':
      return unchanged({ ...state, isWrapped: !state.isWrapped });
    case 'space':
      return unchanged({ ...state, pane: pane.end === null ? holdLog(pane) : { ...pane, end: null } });
    case 'y': {
      const { lines } = logWindow(pane, logFormOf(state, PLAIN));
      return { state, effects: [{ kind: 'copy', text: lines.map(({ text }) => `${text}\n`).join('') }] };
    }
    default:
      return unchanged(state);
  }
}

function descriptionKey(state: TopState, { lines }: DescriptionPane, name: string): Change {
  if (name === 'space') return unchanged({ ...state, isPaused: !state.isPaused });
  return {
    state,
    effects: name === 'y' ? [{ kind: 'copy', text: lines.map((line) => `${withoutColours(line)}\n`).join('') }] : [],
  };
}

/** Esc undoes the latest step: the filter, the full screen, the pane. */
function goBack(state: TopState, pane: Pane): TopState {
  if (pane.kind === 'logs' && pane.filter !== '') return setFilter(state, 'log', '');
  if (state.isPaneFull) return { ...state, isPaneFull: false };
  return { ...state, pane: null, isPaneFocused: false };
}

function move(state: TopState, pane: Pane, by: number): Pane {
  if (pane.kind === 'logs') return scrollLog(pane, by, logFormOf(state, PLAIN));
  const rows = pane.lines.flatMap((line) => wrap(line, state.size.columns)).length;
  const last = Math.max(0, rows - layoutOf(state).pane);
  return { ...pane, top: Math.min(last, Math.max(0, pane.top + by)) };
}
