/** Keys while a question or a prompt is on the screen. Pure. */
import { escapeControls } from '../../core/shown-text.ts';
import type { Change, Menu, Prompt, TopState } from './state.ts';

/** Longest filter. */
const MAX_FILTER = 200;

const FORWARD: ReadonlySet<string> = new Set(['right', 'down', 'tab', 'l', 'j']);
const BACK: ReadonlySet<string> = new Set(['left', 'up', 'shift-tab', 'h', 'k']);
const CLOSING: ReadonlySet<string> = new Set(['escape', 'q', 'n', 'ctrl-c', 'ctrl-d']);

/** Handles a key of a question. Other keys change nothing, so that none is an answer by mistake. */
export function menuKey(state: TopState, menu: Menu, name: string): Change {
  const { answers, choice } = menu;
  if (CLOSING.has(name)) return { state: { ...state, overlay: null }, effects: [] };
  if (name === 'enter') {
    const action = answers[choice]?.action ?? null;
    return { state: { ...state, overlay: null }, effects: action === null ? [] : [{ kind: 'act', action }] };
  }
  const by = Number(FORWARD.has(name)) - Number(BACK.has(name));
  const next = Math.min(answers.length - 1, Math.max(0, choice + by));
  return { state: { ...state, overlay: { ...menu, choice: next } }, effects: [] };
}

/** Opens the prompt for the filter of the table or of the log. */
export function openPrompt(state: TopState, purpose: Prompt['purpose']): TopState {
  const before = filterOf(state, purpose);
  return { ...state, overlay: { kind: 'prompt', purpose, text: before, before } };
}

function filterOf({ filter, pane }: TopState, purpose: Prompt['purpose']): string {
  if (purpose === 'table') return filter;
  return pane?.kind === 'logs' ? pane.filter : '';
}

/** Sets a filter. */
export function setFilter(state: TopState, purpose: Prompt['purpose'], text: string): TopState {
  if (purpose === 'table') return { ...state, filter: text };
  const { pane } = state;
  return pane?.kind === 'logs' ? { ...state, pane: { ...pane, filter: text } } : state;
}

/** Handles a key of a prompt. The filter applies at once. */
export function promptKey(state: TopState, prompt: Prompt, name: string): TopState {
  switch (name) {
    case 'enter':
      return { ...state, overlay: null };
    case 'escape':
    case 'ctrl-c':
      return setFilter({ ...state, overlay: null }, prompt.purpose, prompt.before);
    case 'backspace':
      return typed(state, prompt, [...prompt.text].slice(0, -1).join(''));
    case 'ctrl-u':
    case 'ctrl-w':
      return typed(state, prompt, '');
    case 'space':
      return typed(state, prompt, `${prompt.text} `);
    default:
      return [...name].length === 1 ? typed(state, prompt, prompt.text + name) : state;
  }
}

/** Adds pasted text to a prompt. Elsewhere a paste does nothing. */
export function promptPaste(state: TopState, prompt: Prompt, text: string): TopState {
  const line = text.trim().split(/[\r\n]/)[0] ?? '';
  return typed(state, prompt, prompt.text + escapeControls(line.slice(0, MAX_FILTER)));
}

function typed(state: TopState, prompt: Prompt, text: string): TopState {
  const fitted = text.slice(0, MAX_FILTER);
  return setFilter({ ...state, overlay: { ...prompt, text: fitted } }, prompt.purpose, fitted);
}
