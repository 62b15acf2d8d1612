/** Chooses the lines that `--grep`, `-v` and `--level` want. */
import { type Entry, type LineEntry, outputKey } from './entry.ts';
import { guessLevel, isAtLeast, isContinuation, type LogLevel } from '../../core/line-level.ts';
import type { LogsOptions } from './options.ts';
import { Patterns } from './pattern.ts';

/** The filter of one run of `logs`. It remembers the level of the last line of each output. */
export class LineFilter {
  readonly #patterns: Patterns | null;
  readonly #isInverted: boolean;
  readonly #least: LogLevel | null;
  readonly #levels = new Map<string, LogLevel | null>();

  constructor({ patterns, isCaseIgnored, isInverted, level }: LogsOptions) {
    this.#patterns = patterns.length === 0 ? null : new Patterns(patterns, isCaseIgnored);
    this.#isInverted = isInverted;
    this.#least = level;
  }

  /** True if lines may be left out. */
  get isActive(): boolean {
    return this.#patterns !== null || this.#least !== null;
  }

  /** Returns the entries to show. Events are left out if lines are searched. */
  choose(entries: readonly Entry[]): readonly Entry[] {
    if (!this.isActive) return entries;
    const lines = entries.filter((entry) => entry.kind === 'line' && this.#isImportant(entry)) as LineEntry[];
    if (this.#patterns === null) return lines;
    const found = this.#patterns.test(lines.map(({ text }) => text));
    return lines.filter((_line, index) => found[index] !== this.#isInverted);
  }

  /** A line without a level is as important as the line that it continues. */
  #isImportant(line: LineEntry): boolean {
    const least = this.#least;
    if (least === null) return true;
    const key = outputKey(line);
    const level = guessLevel(line.text) ?? (isContinuation(line.text) ? (this.#levels.get(key) ?? null) : null);
    this.#levels.set(key, level);
    return level !== null && isAtLeast(level, least);
  }
}
