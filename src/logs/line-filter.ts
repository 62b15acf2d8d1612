/**
 * Chooses lines by a text or a pattern, and by their level, for clients. A pattern takes time in proportion to the line
 * only (core/linear-pattern.ts), but some patterns take a microsecond or more for each character. So the work is done
 * in turns that all searches share (logs/search-turns.ts), and can pause within a line. Knows no query.
 */
import { guessLevel, isAtLeast, isContinuation, type LogLevel } from '../core/line-level.ts';
import { LinearPattern } from '../core/linear-pattern.ts';
import { encodeBytes } from '../files/bytes.ts';
import { searchTurns } from './search-turns.ts';

/** Bytes of a line that are searched for a pattern, and that can have a level. */
const SEARCHED_BYTES = 64 * 1024;
const LEVEL_BYTES = 4096;
/** Bytes that are searched for a pattern without a pause. */
const PIECE_BYTES = 256;

/** Steps of one turn: 1 to 5 ms, as a step takes 2 to 10 ns. */
export const TURN_STEPS = 500_000;
/** Steps for a line, and the bytes that a step is counted for. */
const LINE_STEPS = 32;
const BYTES_PER_STEP = 4;

/** The lines that a client wants. Null: no such limit. */
export interface LineWish {
  readonly grep: string | null;
  /** True if `grep` is a pattern, and not a text. */
  readonly isPattern: boolean;
  readonly least: LogLevel | null;
}

/** A line to be examined. `output`: identifies its output. */
export interface FilterLine {
  readonly text: string | Buffer;
  readonly output: string;
}

/** Lines of one reading, in their order. */
export interface LinesToFilter<Line> {
  readonly lines: readonly Line[];
  readonly read: (line: Line) => FilterLine;
  /** True if no more lines are needed, as after the client has gone. Asked in each turn. */
  readonly isOver: () => boolean;
  /** Number of lines to choose at most. */
  readonly limit?: number;
}

/** Work that can pause. Yields the number of steps since the last pause. Returns true if the line is wanted. */
type Examination = Generator<number, boolean, void>;

/** A filter for lines in their order. It remembers the level of the last line of each output, for stack traces. */
export class LineFilter {
  readonly #examineText: ((line: Buffer) => Examination) | null;
  readonly #least: LogLevel | null;
  readonly #levels = new Map<string, LogLevel | null>();
  /** Steps that are left in the current turn. */
  #left = 0;
  #steps = 0;

  /** Throws a PatternError for a wrong pattern. */
  constructor({ grep, isPattern, least }: LineWish) {
    this.#examineText = grep === null ? null : createExamination(grep, isPattern);
    this.#least = least;
  }

  /** False if every line is wanted. */
  get isActive(): boolean {
    return this.#examineText !== null || this.#least !== null;
  }

  /** Number of steps so far, a measure of the time. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Returns the lines that are wanted. Works in turns of the loop, up to {@link TURN_STEPS} in each. Call this for all
   * lines of an output in their order, one call after the other.
   */
  async choose<Line>({ lines, read, isOver, limit = Infinity }: LinesToFilter<Line>): Promise<Line[]> {
    if (!this.isActive) return lines.slice(0, limit);
    const chosen: Line[] = [];
    this.#left = 0;
    for (const line of lines) {
      if (chosen.length >= limit) break;
      const examination = this.#examine(read(line));
      let state = examination.next();
      for (; state.done !== true; state = examination.next()) {
        this.#left -= state.value;
        this.#steps += state.value;
        if (this.#left > 0) continue;
        await searchTurns.next();
        if (isOver()) return chosen;
        this.#left = TURN_STEPS;
      }
      if (state.value) chosen.push(line);
    }
    return chosen;
  }

  *#examine({ text, output }: FilterLine): Examination {
    yield LINE_STEPS + Math.ceil(text.length / BYTES_PER_STEP);
    const line = typeof text === 'string' ? encodeBytes(text) : text;
    if (!this.#isImportant(line, output)) return false;
    return this.#examineText === null || (yield* this.#examineText(line));
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

function createExamination(grep: string, isPattern: boolean): (line: Buffer) => Examination {
  return isPattern ? patternExamination(new LinearPattern(grep)) : textExamination(Buffer.from(grep));
}

function textExamination(wanted: Buffer): (line: Buffer) => Examination {
  // eslint-disable-next-line require-yield
  return function* (line) {
    return line.includes(wanted);
  };
}

function patternExamination(pattern: LinearPattern): (line: Buffer) => Examination {
  const scanner = pattern.scanner();
  return function* (line) {
    const end = Math.min(line.length, SEARCHED_BYTES);
    scanner.reset();
    for (let at = 0; at < end; at += PIECE_BYTES) {
      const before = pattern.steps;
      if (scanner.read(line.subarray(at, Math.min(at + PIECE_BYTES, end)))) return true;
      yield pattern.steps - before;
    }
    return scanner.end();
  };
}
