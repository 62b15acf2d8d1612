/**
 * Joins the pieces of lines. A server gives a long line, or a line that a program has not ended yet, in pieces. Pieces
 * wait here for the rest of their line, for a short time and within a limit. Pure.
 */
import { type LineEntry, outputKey } from './entry.ts';

/** Longest joined line in characters. A longer line is shown in pieces. */
export const MAX_JOINED = 1024 * 1024;

/** Time after which the beginning of a line is shown without its end: a program may wait for an answer. */
export const PATIENCE_MS = 1000;

/** The beginning of a line, with its texts. */
interface Held {
  readonly first: LineEntry;
  readonly texts: string[];
  length: number;
  readonly sinceMs: number;
}

/** The beginnings of lines of all outputs. */
export class Joiner {
  readonly #held = new Map<string, Held>();

  /** True if the beginning of a line waits for its rest. */
  get isHolding(): boolean {
    return this.#held.size > 0;
  }

  /** Adds a piece that was received at `nowMs`. Returns the lines that are complete now. */
  add(piece: LineEntry, nowMs: number): readonly LineEntry[] {
    const key = outputKey(piece);
    const held = this.#held.get(key);
    if (held === undefined && !piece.isPartial) return [piece];
    const before = held !== undefined && !piece.isRest ? [this.#take(key, true)] : [];
    const line = this.#held.get(key) ?? { first: piece, texts: [], length: 0, sinceMs: nowMs };
    this.#held.set(key, line);
    line.texts.push(piece.text);
    line.length += piece.text.length;
    if (piece.isPartial && line.length < MAX_JOINED) return before;
    return [...before, this.#take(key, piece.isPartial)];
  }

  /** Returns the beginnings that have waited for {@link PATIENCE_MS}. */
  stale(nowMs: number): readonly LineEntry[] {
    const keys = [...this.#held].filter(([, { sinceMs }]) => nowMs - sinceMs >= PATIENCE_MS).map(([key]) => key);
    return keys.map((key) => this.#take(key, true));
  }

  /** Returns all beginnings, or those of one program. */
  flush(name?: string): readonly LineEntry[] {
    const keys = [...this.#held]
      .filter(([, { first }]) => name === undefined || first.name === name)
      .map(([key]) => key);
    return keys.map((key) => this.#take(key, true));
  }

  #take(key: string, isPartial: boolean): LineEntry {
    const { first, texts } = this.#held.get(key) as Held;
    this.#held.delete(key);
    return { ...first, text: texts.join(''), isPartial };
  }
}
