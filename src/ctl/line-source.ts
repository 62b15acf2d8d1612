/**
 * The interface of a source of lines, and the line that a caller waits for. A pipe (lines.ts) and a terminal
 * (terminal.ts) implement it.
 */
import { InterruptError } from './errors.ts';

/** Finds the completions for the word at the end of a line. Called for the Tab key. */
export type Completer = (line: string) => Promise<{ word: string; choices: string[] }>;

/** A source of lines. */
export interface LineSource {
  /** Called for the Tab key; null for no completion. */
  complete: Completer | null;
  /** Lines that were entered, the oldest first, including lines of earlier sessions. */
  readonly history: readonly string[];
  /**
   * Reads the next line, without its line end; null at the end of the input. Throws {@link InterruptError} at Ctrl-C or
   * when the signal is aborted.
   */
  readLine(prompt: string, signal: AbortSignal): Promise<string | null>;
  /** Reads a line that is not shown while it is typed. */
  readSecret(prompt: string, signal: AbortSignal): Promise<string | null>;
  /** Stops reading the input. */
  close(): void;
}

/** The line that a caller waits for. There is at most one such caller. */
export class PendingLine {
  #waiting: { resolve(line: string | null): void; reject(error: Error): void } | null = null;

  /** True while a caller waits for a line. */
  get isWaiting(): boolean {
    return this.#waiting !== null;
  }

  /** Begins to wait. */
  wait(): Promise<string | null> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Gives the line to the caller, if there is one; null for the end of the input. */
  resolve(line: string | null): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(line);
  }

  /** Ends the wait with an {@link InterruptError}, if there is a caller. */
  interrupt(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(new InterruptError());
  }
}
