/** Chooses the rows of a view: by program, stream, level and text. Pure. */
import { guessLevel, isAtLeast, isContinuation, type LogLevel } from '../../core/line-level.ts';
import { stripSequences } from './ansi.ts';
import type { Matcher } from './matcher.ts';
import { outputOf, type Row } from './row.ts';

/** The filter of a view. */
export interface FilterChoice {
  readonly text: Matcher | null;
  readonly level: LogLevel | null;
}

/** Returns the level of a line; null if the line names none. */
export function levelOf(row: Row): LogLevel | null {
  if (row.level === undefined) row.level = row.kind === 'line' ? guessLevel(row.text) : null;
  return row.level;
}

/** Tests rows in their order. A line without a level is as important as the line that it continues. */
export class RowFilter {
  readonly #choice: FilterChoice;
  readonly #levels = new Map<string, LogLevel | null>();

  constructor(choice: FilterChoice) {
    this.#choice = choice;
  }

  /** True if the view shows the row. Marks are always shown; events are not, if lines are searched. */
  test(row: Row): boolean {
    if (row.kind !== 'line') return row.kind === 'mark';
    const { text, level } = this.#choice;
    if (level !== null && !this.#isImportant(row, level)) return false;
    return text === null || text.test(stripSequences(row.text));
  }

  #isImportant(row: Row, least: LogLevel): boolean {
    const key = outputOf(row);
    const level = levelOf(row) ?? (isContinuation(row.text) ? (this.#levels.get(key) ?? null) : null);
    this.#levels.set(key, level);
    return level !== null && isAtLeast(level, least);
  }
}
