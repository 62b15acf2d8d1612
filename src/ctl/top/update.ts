/** The core of the full-screen view: a state and an event give the next state, and effects. Pure. */
import { HELP_LINES } from './help-page.ts';
import { addLines, EMPTY_BUFFER } from './log-buffer.ts';
import { layoutOf } from './layout.ts';
import { moveOf } from './moves.ts';
import { chooseEntry, openPalette, paletteKey, palettePaste } from './palette.ts';
import { menuKey, promptKey, promptPaste } from './overlay-keys.ts';
import { paneKey } from './pane-keys.ts';
import { chosenIndexOf, rowsOf } from './rows.ts';
import type { Change, Palette, TopEvent, TopState } from './state.ts';
import { tableKey } from './table-keys.ts';

/** Applies an event. */
export function update(state: TopState, event: TopEvent): Change {
  const change = apply(state, event);
  return { ...change, state: settle(change.state) };
}

const unchanged = (state: TopState): Change => ({ state, effects: [] });

function apply(state: TopState, event: TopEvent): Change {
  switch (event.kind) {
    case 'key':
      return pressKey(state, event.name);
    case 'paste':
      return unchanged(paste(state, event.text));
    case 'resize':
      return { state: { ...state, size: event.size }, effects: [{ kind: 'redraw' }] };
    case 'processes':
      return unchanged({ ...state, processes: event.processes, loss: null });
    case 'loss':
      return unchanged({
        ...state,
        loss: state.loss === null ? event.loss : { ...state.loss, reason: event.loss.reason },
      });
    case 'message':
      return unchanged({ ...state, message: event.message });
    case 'lines': {
      const { pane } = state;
      if (pane?.kind !== 'logs' || pane.target.name !== event.target) return unchanged(state);
      const isReset = event.isReset === true;
      const buffer = addLines(isReset ? EMPTY_BUFFER : pane.buffer, event.lines);
      // The oldest lines are read from their beginning.
      const end = isReset && pane.range.kind === 'head' ? buffer.first : pane.end;
      return unchanged({ ...state, pane: { ...pane, buffer, end, isLoaded: true } });
    }
    case 'description': {
      const { pane } = state;
      if (pane?.kind !== 'description' || pane.target.name !== event.target) return unchanged(state);
      return unchanged({ ...state, pane: { ...pane, lines: event.lines } });
    }
  }
}

/** Pastes into a line that the user types. Elsewhere a paste does nothing. */
function paste(state: TopState, text: string): TopState {
  const { overlay } = state;
  if (overlay?.kind === 'prompt') return promptPaste(state, overlay, text);
  return overlay?.kind === 'palette' ? palettePaste(state, overlay, text) : state;
}

/** A key in the palette may be the choice of another key, which is pressed then. */
function pressPaletteKey(state: TopState, palette: Palette, name: string): Change {
  const change = paletteKey(state, palette, name);
  if (change.entry === null) return unchanged(change.state);
  const chosen = chooseEntry(change.state, change.entry);
  return change.entry.key === '' ? unchanged(chosen) : pressKey(chosen, change.entry.key);
}

function pressKey(state: TopState, name: string): Change {
  const { overlay } = state;
  if (name === 'ctrl-z') return { state, effects: [{ kind: 'suspend' }] };
  if (name === 'ctrl-l') return { state, effects: [{ kind: 'redraw' }] };
  if (overlay?.kind === 'menu') return menuKey(state, overlay, name);
  if (overlay?.kind === 'prompt') return unchanged(promptKey(state, overlay, name));
  if (overlay?.kind === 'palette') return pressPaletteKey(state, overlay, name);
  if (name === 'q' && overlay === null) return { state, effects: [{ kind: 'quit' }] };
  if (name === 'ctrl-c') return { state, effects: [{ kind: 'quit' }] };
  if (overlay?.kind === 'help') return unchanged(helpKey(state, overlay.top, name));
  if (name === '?') return unchanged({ ...state, overlay: { kind: 'help', top: 0 } });
  if (name === ':') return unchanged(openPalette({ ...state, message: null }));
  // A message is about what came before this key.
  const before = state.message === null ? state : { ...state, message: null };
  if (name === 'tab' || name === 'shift-tab')
    return unchanged({ ...before, isPaneFocused: state.pane !== null && !state.isPaneFocused });
  return state.isPaneFocused && state.pane !== null ? paneKey(before, state.pane, name) : tableKey(before, name);
}

function helpKey(state: TopState, top: number, name: string): TopState {
  const last = Math.max(0, HELP_LINES.length - (state.size.rows - 1));
  const by = moveOf(name, state.size.rows - 1);
  if (by === null) return { ...state, overlay: null };
  return { ...state, overlay: { kind: 'help', top: Math.min(last, Math.max(0, top + by)) } };
}

/** Keeps the chosen row, also if it has moved, and brings it onto the screen. */
function settle(state: TopState): TopState {
  const rows = rowsOf(state);
  const index = Math.max(0, chosenIndexOf(state, rows));
  const { table } = layoutOf(state);
  const last = Math.max(0, rows.length - table);
  const top = Math.min(last, Math.max(Math.min(state.top, index), index - Math.max(1, table) + 1));
  const chosen = rows[index]?.key ?? null;
  const isSame = state.chosen === chosen && state.chosenIndex === index && state.top === top;
  return isSame ? state : { ...state, chosen, chosenIndex: index, top };
}
