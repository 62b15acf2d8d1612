/**
 * One column of the log view: its rows, its filter, its search, and its place. Work on many rows is done in slices.
 * Knows no DOM.
 */
import { signal } from '@preact/signals';
import { FindIndex } from './find-index.ts';
import { LineRing, MAX_ROWS } from './line-ring.ts';
import { LineView } from './line-view.ts';
import type { Matcher } from './matcher.ts';
import type { RowSink } from './log-feed.ts';
import type { FilterChoice } from './row-filter.ts';
import type { Row } from './row.ts';

/** Longest slice of work. */
const SLICE_MS = 8;

/** Shortest time between two pictures. Rows that come faster than this cannot be read. */
const PICTURE_MS = 40;

/** Rate of lines from which a screen reader is not told of each of them. */
const QUIET_ROWS = 20;

/** Ports of a pane. */
export interface PanePorts {
  /** Calls `run` once after a time. */
  later(ms: number, run: () => void): void;
  /** A clock in milliseconds that never goes back. */
  clock(): number;
}

/** The first visible row, and the pixels of it that are above the edge. */
export interface Anchor {
  readonly position: number;
  readonly pixels: number;
}

/** One column. */
export class LinePane implements RowSink {
  readonly ring: LineRing;
  /** Changes with every picture. */
  readonly version = signal(0);
  readonly isFollowing = signal(true);
  readonly isPaused = signal(false);
  /** Reason why the last request failed; null if it did not. */
  readonly problem = signal<string | null>(null);
  /** True if lines come so fast that a screen reader is not told. */
  readonly isFast = signal(false);
  view: LineView;
  find: FindIndex | null = null;
  anchor: Anchor | null = null;
  /** Rows that were chosen to be shown to their end, and JSON rows that were switched to their other form. */
  readonly whole = new Set<Row>();
  readonly switched = new Set<Row>();
  readonly #ports: PanePorts;
  #frozenEnd: number | null = null;
  #seenEnd = 0;
  #generation = 0;
  #isWorking = false;
  #afterwards: (() => void) | null = null;
  #isPictureDue = false;
  #lastPicture = -Infinity;
  #recent = 0;
  #recentSince = 0;

  constructor(ports: PanePorts, maxRows = MAX_ROWS) {
    this.#ports = ports;
    this.ring = new LineRing(maxRows);
    this.view = new LineView(this.ring);
  }

  /** Index after the last row that is shown: while the pane is paused, later rows are not. */
  get end(): number {
    return Math.max(this.view.start, Math.min(this.view.end, this.#frozenEnd ?? Infinity));
  }

  /** Number of rows that came since the pane stopped to follow. */
  get unseen(): number {
    return this.isFollowing.value ? 0 : Math.max(0, this.view.end - Math.max(this.#seenEnd, this.view.start));
  }

  add(rows: readonly Row[]): void {
    for (const row of rows) {
      const end = this.ring.end;
      const position = this.ring.push(row);
      if (this.ring.end === end) this.view.lookAgain(position);
    }
    this.#rate(rows.length);
    this.work();
  }

  prepend(rows: readonly Row[]): void {
    this.ring.unshift(rows);
    this.view.restart();
    this.work();
  }

  fail(message: string | null): void {
    this.problem.value = message;
  }

  /** Chooses the rows to show. */
  setFilter(choice: FilterChoice, context: number): void {
    const { find } = this;
    this.view = new LineView(this.ring, choice, context);
    this.#generation = 0;
    this.#frozenEnd = null;
    this.#seenEnd = Infinity;
    if (find !== null) this.setFind(find.matcher);
    this.work();
  }

  /** Chooses the text to search. */
  setFind(matcher: Matcher | null): void {
    this.find = matcher === null ? null : new FindIndex(this.ring, this.view, matcher);
    this.work();
  }

  /** Follows the end, or stays where it is. */
  follow(isFollowing: boolean): void {
    if (isFollowing) {
      this.isPaused.value = false;
      this.#frozenEnd = null;
    } else if (this.isFollowing.peek()) {
      this.#seenEnd = this.view.end;
    }
    this.isFollowing.value = isFollowing;
    this.#picture();
  }

  /** Stops the picture: rows that come later are kept, but not shown. */
  pause(): void {
    this.follow(false);
    this.#frozenEnd = this.view.end;
    this.isPaused.value = true;
  }

  /** Draws again. */
  redraw(): void {
    this.#picture();
  }

  /** Calls `run` when all rows have been looked at. A later call takes the place of an earlier one. */
  whenDone(run: () => void): void {
    this.#afterwards = run;
    this.work();
  }

  /** Looks at new rows in slices, and draws. */
  work(): void {
    if (this.#isWorking) return;
    const end = this.#ports.clock() + SLICE_MS;
    const isOver = (): boolean => this.#ports.clock() > end;
    const isDone = this.view.advance(isOver) && (this.find?.advance(isOver) ?? true);
    if (this.view.generation !== this.#generation || this.#seenEnd === Infinity) this.#renumber();
    if (isDone) {
      const run = this.#afterwards;
      this.#afterwards = null;
      run?.();
    } else {
      this.#isWorking = true;
      this.#ports.later(0, () => {
        this.#isWorking = false;
        this.work();
      });
    }
    this.#picture();
  }

  /** Indexes have got other meanings. */
  #renumber(): void {
    this.#generation = this.view.generation;
    this.#seenEnd = this.view.isComplete ? this.view.end : Infinity;
    if (this.#frozenEnd !== null) this.#frozenEnd = this.view.end;
  }

  #rate(count: number): void {
    const now = this.#ports.clock();
    if (now - this.#recentSince > 1000) {
      this.isFast.value = this.#recent > QUIET_ROWS;
      this.#recent = 0;
      this.#recentSince = now;
    }
    this.#recent += count;
    if (this.#recent > QUIET_ROWS) this.isFast.value = true;
  }

  #picture(): void {
    if (this.#isPictureDue) return;
    this.#isPictureDue = true;
    const wait = Math.max(0, this.#lastPicture + PICTURE_MS - this.#ports.clock());
    this.#ports.later(wait, () => {
      this.#isPictureDue = false;
      this.#lastPicture = this.#ports.clock();
      if (this.whole.size + this.switched.size > 0) this.#forget();
      this.version.value++;
    });
  }

  /** Forgets the choices for rows that have left the ring. */
  #forget(): void {
    const first = this.ring.at(this.ring.first);
    for (const chosen of [this.whole, this.switched])
      for (const row of chosen)
        if (first === undefined || (row.epoch === first.epoch && row.seq < first.seq)) chosen.delete(row);
  }
}
