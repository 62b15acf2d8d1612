/** The things that a person can do in the log view, by mouse or by keys. */
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../texts.ts';
import { copyText } from './copy-text.ts';
import { moveRange, rowsIn, textOfRows } from './line-range.ts';
import { changeSettings, logSettings, nextTimes } from './log-settings.ts';
import type { LogsModel } from './logs-model.ts';
import type { RowWindow } from './row-window.tsx';

/** Ports of {@link LogsActions} to the parts of the view. */
export interface ActionParts {
  readonly focusFilter: () => void;
  readonly find: () => void;
  readonly stopFinding: () => void;
  readonly isFinding: boolean;
  readonly tell: (text: string) => void;
}

/** The things that a person can do, by mouse or by keys. */
export class LogsActions {
  readonly model: LogsModel;
  readonly #windows: ReadonlyArray<RowWindow | null>;
  readonly #parts: ActionParts;

  constructor(model: LogsModel, windows: ReadonlyArray<RowWindow | null>, parts: ActionParts) {
    this.model = model;
    this.#windows = windows;
    this.#parts = parts;
  }

  /** The window of the active column. */
  get window(): RowWindow | null {
    return this.#windows[this.model.active.peek()] ?? this.#windows[0] ?? null;
  }

  find(): void {
    this.#parts.find();
  }

  stopFinding(): void {
    this.#parts.stopFinding();
  }

  pause(): void {
    const isPaused = this.model.column?.pane.isPaused.peek() === true;
    for (const { pane } of this.model.columns.peek()) {
      if (isPaused) pane.follow(true);
      else pane.pause();
    }
  }

  follow(index: number): void {
    const { isSynchronised } = this.model.query.peek();
    for (const [at, { pane }] of this.model.columns.peek().entries())
      if (at === index || isSynchronised) pane.follow(true);
    this.#windows[index]?.focus();
  }

  /** Goes to the next or previous line with the searched text. */
  step(direction: 1 | -1): void {
    this.model.step(direction, (position) => this.window?.reveal(position));
  }

  click(event: MouseEvent, column: number, position: number): void {
    // A click on a button in the line, and the end of a selection by the mouse, choose nothing.
    if (event.target instanceof Element && event.target.closest('button') !== null) return;
    if (!event.shiftKey && getSelection()?.isCollapsed === false) return;
    const before = this.model.selection.peek();
    const isRange = event.shiftKey && before?.column === column;
    if (isRange) getSelection()?.removeAllRanges();
    const isSame = !isRange && before?.column === column && before.anchor === position && before.head === position;
    this.model.active.value = column;
    this.model.selection.value = isSame ? null : { column, anchor: isRange ? before.anchor : position, head: position };
    this.model.column?.pane.redraw();
  }

  /** Moves the chosen line. */
  move(by: number, isExtended: boolean): void {
    const { active, selection } = this.model;
    const column = this.model.columns.peek()[active.peek()];
    if (column === undefined) return;
    const before = selection.peek();
    const range = moveRange(before?.column === active.peek() ? before : null, by, isExtended, column.pane.view);
    if (range === null) return;
    selection.value = { column: active.peek(), ...range };
    this.window?.reveal(range.head);
  }

  async copy(): Promise<void> {
    const chosen = this.model.selection.peek();
    const column = chosen === null ? undefined : this.model.columns.peek()[chosen.column];
    if (chosen === null || column === undefined) return;
    const rows = rowsIn(chosen, column.pane.ring, column.pane.view);
    const text = textOfRows(rows, logSettings.peek().times, this.model.hasNames(column));
    this.#parts.tell(t((await copyText(text)) ? 'logs.copied' : 'logs.cannotCopy'));
  }

  clear(): boolean {
    if (this.#parts.isFinding) this.#parts.stopFinding();
    else if (this.model.selection.peek() === null) return false;
    else this.model.selection.value = null;
    return true;
  }

  /** Scrolls the other columns to the same time. */
  synchronise(index: number): void {
    const columns = this.model.columns.peek();
    const source = columns[index];
    if (!this.model.query.peek().isSynchronised || source === undefined) return;
    const { anchor, isFollowing, ring } = source.pane;
    const seq = anchor === null ? 0 : (ring.at(anchor.position)?.seq ?? 0);
    for (const [at, { pane }] of columns.entries()) {
      if (at === index) continue;
      pane.follow(isFollowing.peek());
      if (!isFollowing.peek()) this.#windows[at]?.align(pane.ring.find(seq));
    }
  }

  /** Carries out a key. Returns false if it has no meaning here. */
  key(event: KeyboardEvent): boolean {
    const { key, shiftKey } = event;
    switch (key) {
      case ' ':
        if (this.model.isLive) this.pause();
        return this.model.isLive;
      case 'g':
        this.window?.toStart();
        return true;
      case 'G':
      case 'End':
        this.model.column?.pane.follow(true);
        return true;
      case '/':
        this.find();
        return true;
      case 'n':
      case 'N':
        this.step(key === 'n' ? 1 : -1);
        return this.#parts.isFinding;
      case 'f':
        this.#parts.focusFilter();
        return true;
      case 'w':
        changeSettings({ isWrapped: !logSettings.peek().isWrapped });
        return true;
      case 't':
        nextTimes();
        return true;
      case 'r':
        changeSettings({ isRaw: !logSettings.peek().isRaw });
        return true;
      case 'c':
        void this.copy();
        return this.model.selection.peek() !== null;
      case 'j':
      case 'J':
      case 'ArrowDown':
        this.move(1, shiftKey);
        return true;
      case 'k':
      case 'K':
      case 'ArrowUp':
        this.move(-1, shiftKey);
        return true;
      case 'Escape':
        return this.clear();
      default:
        return false;
    }
  }
}

/** Listens to the keys of the view, before the keys of the page. */
export function useKeys(actions: LogsActions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      const { target, key } = event;
      if (event.defaultPrevented || event.altKey || document.querySelector('dialog[open]') !== null) return;
      const isIn = (selector: string): boolean => target instanceof Element && target.closest(selector) !== null;
      if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === 'f') {
        // A second Ctrl-F is for the search of the browser.
        if (isIn('.findbar')) return;
        latest.current.find();
      } else if (event.ctrlKey || event.metaKey) {
        return;
      } else if (isIn('input:not([type=checkbox]), select, textarea')) {
        if (key !== 'Escape') return;
        if (isIn('.findbar')) latest.current.stopFinding();
        else latest.current.window?.focus();
      } else if ((isIn('button, a, summary, .panel') && /^( |Enter|Escape)$/.test(key)) || !latest.current.key(event)) {
        return;
      }
      event.preventDefault();
    };
    window.addEventListener('keydown', listen, true);
    return () => window.removeEventListener('keydown', listen, true);
  }, []);
}
