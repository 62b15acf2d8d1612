/** The state of the full-screen view, the events that change it, and the effects that it asks for. Types, mostly. */
import type { KeyEvent } from './keys.ts';
import type { ProcessFacts } from './facts.ts';
import { EMPTY_BUFFER, type LogBuffer, type LogLine } from './log-buffer.ts';
import { type LogRange, TAIL } from './log-ranges.ts';

/** Columns of the table that can be sorted by. */
export type ColumnName = 'NAME' | 'STATE' | 'READY' | 'RESTARTS' | 'UPTIME' | 'CPU' | 'MEM' | 'PID' | 'WHY';

/** Size of the terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The processes that an action is for: one, or all of a group. */
export interface Target {
  /** The name as in commands: `web`, `group:web`, `group:*`. */
  readonly name: string;
  /** The name in requests: `web:web`, `group:web`, `group:*`. */
  readonly request: string;
  readonly ids: readonly string[];
}

/** An action that the supervisor is asked for. */
export type Action =
  | { readonly kind: 'start' | 'stop' | 'restart' | 'rolling'; readonly target: Target }
  | { readonly kind: 'signal'; readonly signal: string; readonly target: Target };

/** The pane with the lines of a process or a group. */
export interface LogPane {
  readonly kind: 'logs';
  readonly target: Target;
  readonly buffer: LogBuffer;
  readonly range: LogRange;
  /** Number of times that the range was chosen: the same key again reads the log again. */
  readonly reading: number;
  /** False until the history has come. */
  readonly isLoaded: boolean;
  /** Number of the line after the last one on the screen; null while the newest line is shown. */
  readonly end: number | null;
  /** Only lines with this text are shown; empty for all. */
  readonly filter: string;
}

/** The pane with everything about a process. */
export interface DescriptionPane {
  readonly kind: 'description';
  readonly target: Target;
  readonly lines: readonly string[];
  readonly top: number;
}

export type Pane = LogPane | DescriptionPane;

/** A question, with the answers from left to right. The first answer changes nothing. */
export interface Menu {
  readonly kind: 'menu';
  readonly question: string;
  readonly answers: ReadonlyArray<{ readonly label: string; readonly action: Action | null }>;
  readonly choice: number;
}

/** A line that the user types: the filter of the table or of the log. */
export interface Prompt {
  readonly kind: 'prompt';
  readonly purpose: 'table' | 'log';
  readonly text: string;
  /** The filter that Esc restores. */
  readonly before: string;
}

/** The list of commands that are found by words. */
export interface Palette {
  readonly kind: 'palette';
  readonly text: string;
  /** Position of the chosen entry. */
  readonly choice: number;
}

/** The help page. */
export interface HelpPage {
  readonly kind: 'help';
  readonly top: number;
}

/** A line about the latest action or problem. */
export interface Message {
  readonly text: string;
  readonly tone: 'good' | 'busy' | 'bad' | 'idle';
}

/** A connection that was lost. */
export interface Loss {
  readonly sinceMs: number;
  readonly reason: string;
}

export interface TopState {
  readonly size: Size;
  readonly isReadOnly: boolean;
  readonly processes: readonly ProcessFacts[];
  /** Null while the supervisor answers. */
  readonly loss: Loss | null;
  readonly isPaused: boolean;
  readonly filter: string;
  readonly sort: { readonly column: ColumnName; readonly isReversed: boolean };
  /** Groups whose processes are hidden. */
  readonly folded: ReadonlySet<string>;
  /** Key of the chosen row (rows.ts); null for the first one. */
  readonly chosen: string | null;
  /** Position of the chosen row, which the next row takes if the chosen one disappears. */
  readonly chosenIndex: number;
  /** First row on the screen. */
  readonly top: number;
  readonly pane: Pane | null;
  /** True if keys move in the pane. */
  readonly isPaneFocused: boolean;
  readonly isPaneFull: boolean;
  readonly hasTimes: boolean;
  readonly isWrapped: boolean;
  readonly overlay: Menu | Prompt | Palette | HelpPage | null;
  readonly message: Message | null;
}

/** A fact that changes the state. */
export type TopEvent =
  | KeyEvent
  | { readonly kind: 'resize'; readonly size: Size }
  | { readonly kind: 'processes'; readonly processes: readonly ProcessFacts[] }
  | { readonly kind: 'loss'; readonly loss: Loss }
  | { readonly kind: 'lines'; readonly target: string; readonly lines: readonly LogLine[]; readonly isReset?: boolean }
  | { readonly kind: 'description'; readonly target: string; readonly lines: readonly string[] }
  | { readonly kind: 'message'; readonly message: Message | null };

/** An order of the state to the world. */
export type Effect =
  | { readonly kind: 'quit' }
  /** Stop this process, as Ctrl-Z does. */
  | { readonly kind: 'suspend' }
  /** Draw everything again. */
  | { readonly kind: 'redraw' }
  | { readonly kind: 'copy'; readonly text: string }
  /** Show a text in the pager of the user. */
  | { readonly kind: 'page'; readonly text: string }
  /** Put a mark with the time at the end of a log. */
  | { readonly kind: 'mark'; readonly target: string }
  | { readonly kind: 'act'; readonly action: Action };

/** A new state, and its effects. */
export interface Change {
  readonly state: TopState;
  readonly effects: readonly Effect[];
}

/** Makes the first state. */
export function initialState(size: Size, isReadOnly: boolean, processes: readonly ProcessFacts[] = []): TopState {
  return {
    size,
    isReadOnly,
    processes,
    loss: null,
    isPaused: false,
    filter: '',
    sort: { column: 'NAME', isReversed: false },
    folded: new Set(),
    chosen: null,
    chosenIndex: 0,
    top: 0,
    pane: null,
    isPaneFocused: false,
    isPaneFull: false,
    hasTimes: true,
    isWrapped: false,
    overlay: null,
    message: null,
  };
}

/** Makes an empty log pane. */
export function openLog(target: Target): LogPane {
  const empty = { buffer: EMPTY_BUFFER, range: TAIL, reading: 0, isLoaded: false };
  return { kind: 'logs', target, ...empty, end: null, filter: '' };
}

/** Empties a log pane, which is then read again. */
export function reopenLog(pane: LogPane, range: LogRange): LogPane {
  return { ...pane, buffer: EMPTY_BUFFER, range, reading: pane.reading + 1, isLoaded: false, end: null };
}
