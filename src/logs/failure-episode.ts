/**
 * Says once that a place cannot be written, counts what is dropped meanwhile, and says so when it can be written again.
 * A disk that is full makes every write fail; a line of the log for each would only make it worse.
 */
import { describeError } from './describe-error.ts';
import type { LogClock, LogProblem } from './ports.ts';

/** Writes that succeed sooner than this after a failure do not end an episode: a disk on the brink fails and succeeds in turns. */
const CALM_MS = 5000;

/** The failures of one sink. */
export class FailureEpisode {
  readonly #name: string;
  readonly #clock: LogClock;
  readonly #report: (problem: LogProblem) => void;
  readonly #meanwhile: string;
  #droppedBytes = 0;
  #failedAtMs: number | null = null;

  /** `meanwhile`: what becomes of the output until it can be written again. */
  constructor(name: string, clock: LogClock, report: (problem: LogProblem) => void, meanwhile = 'output for it is dropped until it can be written again') {
    this.#meanwhile = meanwhile;
    this.#name = name;
    this.#clock = clock;
    this.#report = report;
  }

  /** A write failed, and `droppedBytes` were given up. */
  fail(error: NodeJS.ErrnoException, droppedBytes: number): void {
    const isNew = this.#failedAtMs === null;
    this.#droppedBytes += droppedBytes;
    this.#failedAtMs = this.#clock.nowMs();
    if (isNew) {
      this.#report({ level: 'error', text: `cannot write ${this.#name}: ${describeError(error)}; ${this.#meanwhile}` });
    }
  }

  /** A write succeeded. */
  succeed(): void {
    if (this.#failedAtMs === null || this.#clock.nowMs() - this.#failedAtMs < CALM_MS) return;
    const dropped = this.#droppedBytes;
    this.#failedAtMs = null;
    this.#droppedBytes = 0;
    this.#report({ level: 'warn', text: `${this.#name} is written again; ${dropped} bytes for it were dropped` });
  }

  /** The place will never be written again. */
  end(error: NodeJS.ErrnoException): void {
    this.#report({ level: 'error', text: `cannot write ${this.#name} any more: ${describeError(error)}; output for it is dropped from now on` });
  }
}
