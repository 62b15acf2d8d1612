/** The rows of a view that contain a text, for "next" and "previous". Works in slices, as the view does. Pure. */
import { stripSequences } from './ansi.ts';
import type { LineRing } from './line-ring.ts';
import type { IsOver, LineView } from './line-view.ts';
import type { Matcher } from './matcher.ts';
import { PositionList } from './position-list.ts';

/** Rows between two looks at the clock. */
const STEP = 256;

/** Positions of the rows with a text. */
export class FindIndex {
  readonly matcher: Matcher;
  readonly #ring: LineRing;
  readonly #view: LineView;
  readonly #list = new PositionList();
  #cursor: number;
  #generation: number;

  constructor(ring: LineRing, view: LineView, matcher: Matcher) {
    this.#ring = ring;
    this.#view = view;
    this.matcher = matcher;
    this.#cursor = view.start;
    this.#generation = view.generation;
  }

  /** Number of rows with the text. */
  get count(): number {
    return this.#list.size;
  }

  /** Looks at new rows until the time is over. Returns true if none are left. */
  advance(isOver: IsOver): boolean {
    if (this.#generation !== this.#view.generation) {
      this.#generation = this.#view.generation;
      this.#list.clear();
      this.#cursor = this.#view.start;
    }
    this.#list.dropBefore(this.#ring.first);
    this.#cursor = Math.max(this.#cursor, this.#view.start);
    while (this.#cursor < this.#view.end) {
      const stop = Math.min(this.#view.end, this.#cursor + STEP);
      for (; this.#cursor < stop; this.#cursor++) {
        const position = this.#view.positionAt(this.#cursor) as number;
        const row = this.#ring.at(position);
        if (row !== undefined && this.matcher.test(stripSequences(row.text))) this.#list.push(position);
      }
      if (this.#cursor < this.#view.end && isOver()) return false;
    }
    return true;
  }

  /** Returns the next row with the text after a position, or before it; the search goes on at the other end. */
  step(position: number, direction: 1 | -1): number | null {
    const { start, end } = this.#list;
    if (start === end) return null;
    if (direction === 1) {
      const index = this.#list.lowerBound(position + 1);
      return this.#list.at(index < end ? index : start) ?? null;
    }
    const index = this.#list.lowerBound(position) - 1;
    return this.#list.at(index >= start ? index : end - 1) ?? null;
  }

  /** Returns the number of a row among the rows with the text, from 1; 0 if it is none of them. */
  ordinal(position: number): number {
    const index = this.#list.lowerBound(position);
    return this.#list.at(index) === position ? index - this.#list.start + 1 : 0;
  }
}
