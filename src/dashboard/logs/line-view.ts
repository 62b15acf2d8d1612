/**
 * The rows of the ring that a filter chooses, with the rows around them. A filter works in slices, since 100,000 rows
 * take longer than a frame of the browser. Pure: the clock comes from the caller.
 */
import type { LineRing } from './line-ring.ts';
import { PositionList } from './position-list.ts';
import { type FilterChoice, RowFilter } from './row-filter.ts';

/** Rows between two looks at the clock. */
const STEP = 256;

/** True if the time of a slice is over. */
export type IsOver = () => boolean;

/** Rows by index. Without a filter, the index of a row is its position in the ring. */
export class LineView {
  readonly #ring: LineRing;
  readonly #choice: FilterChoice;
  readonly #context: number;
  readonly #list = new PositionList();
  /** Positions of rows that the filter itself chose; the others are context. */
  readonly #chosen = new PositionList();
  #filter: RowFilter | null;
  #cursor: number;
  #contextLeft = 0;
  #generation = 0;

  /** `context`: number of rows that are shown before and after each row that was chosen. */
  constructor(ring: LineRing, choice: FilterChoice = { text: null, level: null }, context = 0) {
    this.#ring = ring;
    this.#choice = choice;
    this.#context = context;
    this.#filter = choice.text === null && choice.level === null ? null : new RowFilter(choice);
    this.#cursor = ring.first;
  }

  /** True if rows are left out. */
  get isFiltered(): boolean {
    return this.#filter !== null;
  }

  /** Changes when indexes have got other meanings. */
  get generation(): number {
    return this.#generation;
  }

  /** Index of the first row. */
  get start(): number {
    return this.#filter === null ? this.#ring.first : this.#list.start;
  }

  /** Index after the last row. */
  get end(): number {
    return this.#filter === null ? this.#ring.end : this.#list.end;
  }

  /** Number of rows that the filter chose, without context. */
  get chosen(): number {
    return this.#filter === null ? this.end - this.start : this.#chosen.size;
  }

  /** True if all rows of the ring have been looked at. */
  get isComplete(): boolean {
    return this.#filter === null || this.#cursor >= this.#ring.end;
  }

  /** Returns the position of the row at an index. */
  positionAt(index: number): number | undefined {
    if (this.#filter !== null) return this.#list.at(index);
    return index >= this.#ring.first && index < this.#ring.end ? index : undefined;
  }

  /** Returns the index of the first row whose position is at least `position`. */
  indexOf(position: number): number {
    if (this.#filter !== null) return this.#list.lowerBound(position);
    return Math.min(Math.max(position, this.#ring.first), this.#ring.end);
  }

  /** True if the row at a position is there only as context. */
  isContext(position: number): boolean {
    return this.#filter !== null && this.#chosen.at(this.#chosen.lowerBound(position)) !== position;
  }

  /** True if rows between this row and the one before are left out. */
  isAfterGap(index: number): boolean {
    if (this.#filter === null || this.#context === 0 || index <= this.start) return false;
    return this.#list.at(index - 1) !== (this.#list.at(index) ?? 0) - 1;
  }

  /** Looks at new rows until the time is over. Returns true if none are left. */
  advance(isOver: IsOver): boolean {
    const { first, end } = this.#ring;
    if (this.#filter === null) return true;
    this.#list.dropBefore(first);
    this.#chosen.dropBefore(first);
    this.#cursor = Math.max(this.#cursor, first);
    while (this.#cursor < end) {
      const stop = Math.min(end, this.#cursor + STEP);
      for (; this.#cursor < stop; this.#cursor++) this.#look(this.#filter, this.#cursor);
      if (this.#cursor < end && isOver()) return false;
    }
    return true;
  }

  /** Looks again at a row that has grown. */
  lookAgain(position: number): void {
    const row = this.#ring.at(position);
    if (this.#filter === null || position >= this.#cursor || row === undefined) return;
    if (!this.isContext(position) || !new RowFilter(this.#choice).test(row)) return;
    this.#chosen.insert(position);
    this.#list.insert(position);
    this.#generation++;
  }

  /** Looks at all rows again: older rows have come before them. */
  restart(): void {
    this.#generation++;
    if (this.#filter === null) return;
    this.#filter = new RowFilter(this.#choice);
    this.#list.clear();
    this.#chosen.clear();
    this.#cursor = this.#ring.first;
    this.#contextLeft = 0;
  }

  #look(filter: RowFilter, position: number): void {
    const row = this.#ring.at(position);
    if (row !== undefined && filter.test(row)) {
      const last = this.#list.at(this.#list.end - 1) ?? -Infinity;
      for (let at = Math.max(last + 1, position - this.#context, this.#ring.first); at < position; at++)
        this.#list.push(at);
      this.#list.push(position);
      this.#chosen.push(position);
      this.#contextLeft = this.#context;
    } else if (this.#contextLeft > 0) {
      this.#list.push(position);
      this.#contextLeft--;
    }
  }
}
