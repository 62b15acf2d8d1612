/**
 * Reports once that a destination cannot be written, counts the output that is dropped, and reports the count when the
 * destination can be written again. On a full disk every write fails, and one log line for each failure would fill the
 * disk even more.
 */
import { describeSystemError } from '../files/system-error.ts';
import { countLines } from './count-lines.ts';
import type { LogClock, LogProblem } from './ports.ts';

const NEWLINE_BYTE = 0x0a;

/** Time without a failure that ends an episode. On a disk that is nearly full, writes fail and succeed in turns. */
const CALM_MS = 5000;

/** Output that was dropped. */
export interface Dropped {
  readonly lines: number;
  readonly bytes: number;
}

/** Result of a failure that drops no output. */
export const NOTHING_DROPPED: Dropped = { lines: 0, bytes: 0 };

const DROPPED_MEANWHILE = 'output for it is dropped until it can be written again';

/** The failures of one destination. */
export class FailureEpisode {
  readonly #name: string;
  readonly #clock: LogClock;
  readonly #report: (problem: LogProblem) => void;
  readonly #meanwhile: string;
  #lines = 0;
  #bytes = 0;
  #everLines = 0;
  /** True if the bytes measured last end within a line, whose rest may follow. */
  #isLineOpen = false;
  #failedAtMs: number | null = null;
  /** True if a write has succeeded since the last failure. */
  #isWrittenAgain = false;
  #callOff: (() => void) | null = null;

  /** `meanwhile` says in the report what happens to output until the destination can be written again. */
  constructor(name: string, clock: LogClock, report: (problem: LogProblem) => void, meanwhile = DROPPED_MEANWHILE) {
    this.#meanwhile = meanwhile;
    this.#name = name;
    this.#clock = clock;
    this.#report = report;
  }

  /** Number of lines that were ever dropped. */
  get droppedLines(): number {
    return this.#everLines;
  }

  /** Returns the size of output that is dropped. A line that two calls have a part of counts once. */
  measure(bytes: Buffer): Dropped {
    const lines = countLines(bytes, true) - (this.#isLineOpen ? 1 : 0);
    this.dropsFrom(bytes);
    return { lines, bytes: bytes.length };
  }

  /** Notes the end of output that was dropped: the rest of an open line is the same line. */
  dropsFrom(end: Buffer): void {
    this.#isLineOpen = end.length > 0 && end[end.length - 1] !== NEWLINE_BYTE;
  }

  /** Counts a write that failed and the output that it dropped. Reports the first failure of an episode. */
  fail(error: NodeJS.ErrnoException, dropped: Dropped): void {
    const isNew = this.#failedAtMs === null;
    this.drop(dropped);
    this.#failedAtMs = this.#clock.nowMs();
    this.#isWrittenAgain = false;
    if (isNew) {
      this.#report({
        level: 'error',
        text: `cannot write ${this.#name}: ${describeSystemError(error)}; ${this.#meanwhile}`,
      });
    }
  }

  /**
   * Notes a write that succeeded. The episode ends when no other failure comes for {@link CALM_MS}, also if nothing
   * more is written.
   */
  succeed(): void {
    this.#isLineOpen = false;
    if (this.#failedAtMs === null) return;
    this.#isWrittenAgain = true;
    const calmAtMs = this.#failedAtMs + CALM_MS;
    if (this.#clock.nowMs() >= calmAtMs) this.#calm();
    else
      this.#callOff ??= this.#clock.alarm(calmAtMs, () => {
        this.#callOff = null;
        if (this.#isWrittenAgain) this.succeed();
      });
  }

  /** Counts output that was dropped, for the report of {@link tellDropped}. */
  drop({ lines, bytes }: Dropped): void {
    this.#everLines += lines;
    this.#lines += lines;
    this.#bytes += bytes;
  }

  /** Reports that the destination will never take output again. */
  end(error: NodeJS.ErrnoException): void {
    this.#report({
      level: 'error',
      text: `cannot write ${this.#name} any more: ${describeSystemError(error)}; output for it is dropped from now on`,
    });
  }

  /**
   * Reports the dropped output now, because the destination is closed or the supervisor exits. Returns false if nothing
   * was dropped.
   */
  tellDropped(): boolean {
    this.#callOff?.();
    this.#callOff = null;
    if (this.#bytes === 0) return false;
    const text = `${this.#takeDropped()} for ${this.#name} were dropped`;
    this.#report({ level: 'warn', text });
    return true;
  }

  #calm(): void {
    this.#callOff?.();
    this.#callOff = null;
    this.#failedAtMs = null;
    this.#report({ level: 'warn', text: `${this.#name} is written again; ${this.#takeDropped()} for it were dropped` });
  }

  #takeDropped(): string {
    const text = `${this.#lines} ${this.#lines === 1 ? 'line' : 'lines'} (${this.#bytes} bytes)`;
    this.#lines = 0;
    this.#bytes = 0;
    return text;
  }
}
