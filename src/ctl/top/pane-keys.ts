/** Keys of the pane: the log or the description of the chosen process. Pure. */
import { escapeControls } from '../../core/shown-text.ts';
import { shownName } from '../logs/entry.ts';
import { actionKey } from './action-keys.ts';
import { layoutOf } from './layout.ts';
import type { LogLine } from './log-buffer.ts';
import { rangeOfKey } from './log-ranges.ts';
import { type LogForm, holdLog, logWindow, scrollLog, SIGNS, timeOf, wantedLines } from './log-window.ts';
import { moveOf } from './moves.ts';
import { openPrompt, setFilter } from './overlay-keys.ts';
import {
  type Change,
  type DescriptionPane,
  type LogPane,
  openLog,
  type Pane,
  reopenLog,
  type TopState,
} from './state.ts';
import { openDescription } from './table-keys.ts';
import { showLine, withoutColours, wrap } from './text.ts';

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
    case 'm':
      // The history would take the place of an earlier mark.
      return { state, effects: pane.isLoaded ? [{ kind: 'mark', target: pane.target.name }] : [] };
    case 'y':
      return { state, effects: [{ kind: 'copy', text: textsOf(logWindow(pane, logFormOf(state, PLAIN)).lines) }] };
    case 'c':
      return { state, effects: [{ kind: 'copy', text: textsOf(wantedLines(pane)) }] };
    case 'o':
      return { state, effects: [{ kind: 'page', text: wantedLines(pane).map(formatPlain).join('') }] };
    default: {
      const range = rangeOfKey(name);
      return unchanged(range === null ? state : { ...state, pane: reopenLog(pane, range) });
    }
  }
}

function textsOf(lines: readonly LogLine[]): string {
  return lines.map(({ text }) => `${text}\n`).join('');
}

/** Formats a line for a pager, which gets lines as they are on the screen, without colours and not cut. */
function formatPlain(line: LogLine): string {
  const { name, stream, text } = line;
  const origin = name === '' ? '' : `${escapeControls(shownName(name))} `;
  return `${timeOf(line)} ${origin}${SIGNS[stream]}${showLine(text, false)}\n`;
}

function descriptionKey(state: TopState, { lines }: DescriptionPane, name: string): Change {
  if (name === 'space') return unchanged({ ...state, isPaused: !state.isPaused });
  const text = lines.map((line) => `${withoutColours(line)}\n`).join('');
  if (name === 'o') return { state, effects: [{ kind: 'page', text }] };
  return { state, effects: name === 'y' || name === 'c' ? [{ kind: 'copy', text }] : [] };
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
