/**
 * Says once that a place cannot be written, counts what is dropped meanwhile, and says so when it can be written again.
 * A disk that is full makes every write fail; a line of the log for each would only make it worse.
 */
import { describeSystemError } from '../files/system-error.ts';
import type { LogClock, LogProblem } from './ports.ts';

/**
 * Writes that succeed sooner than this after a failure do not end an episode: a disk on the brink fails and succeeds in
 * turns.
 */
const CALM_MS = 5000;

/** Output that was given up. */
export interface Dropped {
  readonly lines: number;
  readonly bytes: number;
}

/** For a failure that costs no output. */
export const NOTHING_DROPPED: Dropped = { lines: 0, bytes: 0 };

/** The failures of one sink. */
export class FailureEpisode {
  readonly #name: string;
  readonly #clock: LogClock;
  readonly #report: (problem: LogProblem) => void;
  readonly #meanwhile: string;
  #lines = 0;
  #bytes = 0;
  #failedAtMs: number | null = null;
  /** True if a write has succeeded since the last failure. */
  #isWrittenAgain = false;
  #callOff: (() => void) | null = null;

  /** `meanwhile`: what becomes of the output until it can be written again. */
  constructor(
    name: string,
    clock: LogClock,
    report: (problem: LogProblem) => void,
    meanwhile = 'output for it is dropped until it can be written again',
  ) {
    this.#meanwhile = meanwhile;
    this.#name = name;
    this.#clock = clock;
    this.#report = report;
  }

  /** A write failed, and `dropped` was given up. */
  fail(error: NodeJS.ErrnoException, dropped: Dropped): void {
    const isNew = this.#failedAtMs === null;
    this.#lines += dropped.lines;
    this.#bytes += dropped.bytes;
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
   * A write succeeded. The episode ends when no other failure comes for {@link CALM_MS}, also if nothing more is
   * written.
   */
  succeed(): void {
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

  /** The place will never be written again. */
  end(error: NodeJS.ErrnoException): void {
    this.#report({
      level: 'error',
      text: `cannot write ${this.#name} any more: ${describeSystemError(error)}; output for it is dropped from now on`,
    });
  }

  /**
   * Says what was dropped so far, and waits for no calm: the place is closed, or the supervisor ends. Returns false if
   * there is nothing to say.
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
