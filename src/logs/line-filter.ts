/**
 * Chooses lines by a text or a pattern, and by their level, for clients. A pattern takes time in proportion to the line
 * only (core/linear-pattern.ts). Knows no query.
 */
import { guessLevel, isAtLeast, isContinuation, type LogLevel } from '../core/line-level.ts';
import { LinearPattern } from '../core/linear-pattern.ts';
import { encodeBytes } from '../files/bytes.ts';

/** Bytes of a line that are searched for a pattern, and that can have a level. */
const SEARCHED_BYTES = 64 * 1024;
const LEVEL_BYTES = 4096;

/** The lines that a client wants. Null: no such limit. */
export interface LineWish {
  readonly grep: string | null;
  /** True if `grep` is a pattern, and not a text. */
  readonly isPattern: boolean;
  readonly least: LogLevel | null;
}

/** A filter for lines in their order. It remembers the level of the last line of each output, for stack traces. */
export class LineFilter {
  readonly #isMatch: ((line: Buffer) => boolean) | null;
  readonly #least: LogLevel | null;
  readonly #levels = new Map<string, LogLevel | null>();

  /** Throws a PatternError for a wrong pattern. */
  constructor({ grep, isPattern, least }: LineWish) {
    this.#isMatch = grep === null ? null : createMatcher(grep, isPattern);
    this.#least = least;
  }

  /** False if every line is wanted. */
  get isActive(): boolean {
    return this.#isMatch !== null || this.#least !== null;
  }

  /** True if a line is wanted. Call this for all lines of an output in their order. `output` identifies it. */
  wants(line: Buffer, output: string): boolean {
    return this.#isImportant(line, output) && this.#isMatch?.(line) !== false;
  }

  /** As {@link wants}, for a decoded line. */
  wantsText(text: string, output: string): boolean {
    return !this.isActive || this.wants(encodeBytes(text), output);
  }

  /** A line without a level is as important as the line that it continues. */
  #isImportant(line: Buffer, output: string): boolean {
    if (this.#least === null) return true;
    const text = line.toString('utf8', 0, LEVEL_BYTES);
    const level = guessLevel(text) ?? (isContinuation(text) ? (this.#levels.get(output) ?? null) : null);
    this.#levels.set(output, level);
    return level !== null && isAtLeast(level, this.#least);
  }
}

function createMatcher(grep: string, isPattern: boolean): (line: Buffer) => boolean {
  if (!isPattern) {
    const wanted = Buffer.from(grep);
    return (line) => line.includes(wanted);
  }
  const pattern = new LinearPattern(grep);
  return (line) => pattern.matches(line.subarray(0, SEARCHED_BYTES));
}
