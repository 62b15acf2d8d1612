/**
 * Lines from standard input, asked for one at a time. What it is read from decides how: a terminal has editing
 * (terminal.ts), a pipe or file has not (here).
 */
import { createInterface, type Interface } from 'node:readline';
import { InterruptError } from './errors.ts';
import type { CtlIo } from './io.ts';
import { TerminalLines } from './terminal.ts';

/** What the Tab key asks: choices for the word at the end of a line. */
export type Completer = (line: string) => Promise<{ word: string; choices: string[] }>;

/** A source of lines. */
export interface LineSource {
  /** What the Tab key offers; nothing by default. */
  complete: Completer | null;
  /** Lines that were entered, those of earlier times first. */
  readonly history: readonly string[];
  /**
   * The next line without its end, null at the end of the input. Throws {@link InterruptError} at Ctrl-C or when the
   * signal is aborted.
   */
  readLine(prompt: string, signal: AbortSignal): Promise<string | null>;
  /** The same for a line that is not shown while it is typed. */
  readSecret(prompt: string, signal: AbortSignal): Promise<string | null>;
  /** Gives the input back. */
  close(): void;
}

/** The source of lines that standard input is. `history` are lines of earlier times, the oldest first. */
export function openLines(io: CtlIo, history: readonly string[]): LineSource {
  return io.stdin.isTTY === true && io.stdout.isTTY === true ? new TerminalLines(io, history) : new PipedLines(io);
}

/** A promise of a line, as its two ends. */
export interface Waiting {
  resolve(line: string | null): void;
  reject(error: Error): void;
}

/** Lines of a pipe or a file. Those that arrive before they are asked for wait in a queue. */
class PipedLines implements LineSource {
  complete: Completer | null = null;
  readonly history: readonly string[] = [];
  readonly #io: CtlIo;
  readonly #queue: string[] = [];
  #reader: Interface | null = null;
  #waiting: Waiting | null = null;
  #hasEnded = false;

  constructor(io: CtlIo) {
    this.#io = io;
  }

  async readLine(prompt: string, signal: AbortSignal): Promise<string | null> {
    this.#io.stdout.write(prompt);
    const queued = this.#queue.shift();
    if (queued !== undefined) return queued;
    if (this.#hasEnded) return null;
    const line = new Promise<string | null>((resolve, reject) => (this.#waiting = { resolve, reject }));
    const abort = (): void => this.#settle((waiting) => waiting.reject(new InterruptError()));
    signal.addEventListener('abort', abort);
    try {
      this.#reader ??= this.#open();
      this.#reader.resume();
      return await line;
    } finally {
      signal.removeEventListener('abort', abort);
      // A closed interface cannot be paused: that would throw.
      if (!this.#hasEnded) this.#reader?.pause();
    }
  }

  /** There is nothing to hide; the prompt goes where it does not mix with what is asked for. */
  async readSecret(prompt: string, signal: AbortSignal): Promise<string | null> {
    this.#io.stderr.write(prompt);
    return this.readLine('', signal);
  }

  close(): void {
    this.#reader?.close();
  }

  #open(): Interface {
    const reader = createInterface({ input: this.#io.stdin, terminal: false, crlfDelay: Infinity });
    reader.on('line', (line) => {
      if (this.#waiting === null) this.#queue.push(line);
      else this.#settle((waiting) => waiting.resolve(line));
    });
    reader.on('close', () => {
      this.#hasEnded = true;
      this.#settle((waiting) => waiting.resolve(null));
    });
    return reader;
  }

  #settle(action: (waiting: Waiting) => void): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) action(waiting);
  }
}
