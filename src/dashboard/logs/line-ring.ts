/**
 * The rows that the browser keeps: at most a number of rows and of characters, the oldest leave first. A row keeps its
 * position, a number that grows by one from row to row. Pure.
 */
import { outputOf, type Row } from './row.ts';

/** Maximum number of rows. */
export const MAX_ROWS = 100_000;

/** Maximum number of characters of all rows. */
const MAX_CHARACTERS = 24 * 1024 * 1024;

/** Longest line that is joined from pieces, in characters. */
const MAX_JOINED = 1024 * 1024;

/** Full rings lose this part of their rows at once, so that the view need not move with every line. */
const PART = 16;

/** Rows in the order of their receipt. */
export class LineRing {
  readonly #maxRows: number;
  readonly #maxCharacters: number;
  readonly #open = new Map<string, number>();
  #rows: Row[] = [];
  /** Index of the first row that is kept, in `#rows`. */
  #head = 0;
  #first = 0;
  #characters = 0;
  #evicted = 0;

  constructor(maxRows = MAX_ROWS, maxCharacters = MAX_CHARACTERS) {
    this.#maxRows = maxRows;
    this.#maxCharacters = maxCharacters;
  }

  /** Position of the oldest row. */
  get first(): number {
    return this.#first;
  }

  /** Position after the newest row. */
  get end(): number {
    return this.#first + this.#rows.length - this.#head;
  }

  /** Number of rows that have left the ring. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Characters of all rows. */
  get characters(): number {
    return this.#characters;
  }

  /** Number of rows that fit before the oldest one. */
  get room(): number {
    return Math.max(0, this.#maxRows - (this.end - this.#first));
  }

  /** Returns the row at a position. */
  at(position: number): Row | undefined {
    return position < this.#first ? undefined : this.#rows[position - this.#first + this.#head];
  }

  /**
   * Adds a row. The rest of a line is joined with its beginning, if that is still here. Returns the position of the
   * row that was added or has grown.
   */
  push(row: Row): number {
    if (row.kind === 'line' && (row.isRest || row.isOpen || this.#open.size > 0)) {
      const joined = this.#join(row);
      if (joined !== null) return joined;
    }
    this.#rows.push(row);
    this.#characters += row.text.length;
    this.#evict();
    return this.end - 1;
  }

  /** Adds older rows before the oldest one, as many as fit: the latest of them. Returns their number. */
  unshift(rows: readonly Row[]): number {
    const added = rows.slice(Math.max(0, rows.length - this.room));
    this.#rows = [...added, ...this.#rows.slice(this.#head)];
    this.#head = 0;
    this.#first -= added.length;
    for (const { text } of added) this.#characters += text.length;
    return added.length;
  }

  /** Removes all rows. Positions go on. */
  clear(): void {
    this.#first = this.end;
    this.#rows = [];
    this.#head = 0;
    this.#characters = 0;
    this.#open.clear();
  }

  /** Returns the position of the first row whose number is at least `seq`, among the rows of the last supervisor. */
  find(seq: number): number {
    const epoch = this.at(this.end - 1)?.epoch;
    let [low, high] = [this.#first, this.end];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = this.at(middle) as Row;
      if (row.epoch !== epoch || row.seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #join(row: Row): number | null {
    const key = outputOf(row);
    const position = this.#open.get(key);
    const begun = position === undefined ? undefined : this.at(position);
    this.#open.delete(key);
    const fits = begun !== undefined && row.isRest && begun.text.length + row.text.length <= MAX_JOINED;
    if (row.isOpen) this.#open.set(key, fits ? (position as number) : this.end);
    if (begun === undefined || !fits) return null;
    begun.text += row.text;
    begun.isOpen = row.isOpen;
    begun.level = undefined;
    this.#characters += row.text.length;
    return position as number;
  }

  #evict(): void {
    const count = this.#rows.length - this.#head;
    const isTooLong = this.#characters > this.#maxCharacters;
    if (count <= this.#maxRows && !isTooLong) return;
    const wantedRows = count > this.#maxRows ? count - Math.max(1, Math.floor(this.#maxRows / PART)) : count;
    const wantedCharacters = isTooLong ? this.#maxCharacters * (1 - 1 / PART) : this.#characters;
    let head = this.#head;
    while (this.#rows.length - head > 1) {
      if (this.#rows.length - head <= wantedRows && this.#characters <= wantedCharacters) break;
      this.#characters -= (this.#rows[head] as Row).text.length;
      head++;
    }
    this.#evicted += head - this.#head;
    this.#first += head - this.#head;
    this.#head = head;
    if (this.#head > this.#maxRows / 4) {
      this.#rows = this.#rows.slice(this.#head);
      this.#head = 0;
    }
  }
}
