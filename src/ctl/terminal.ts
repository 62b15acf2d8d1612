/**
 * Lines from standard input: with editing, history and completion from a terminal, plain from a pipe or file.
 * A terminal is in raw mode only while a line is edited: while a command runs, Ctrl-C is a signal again, as it is for supervisorctl.
 * Whatever arrives before it is asked for waits in a queue, so pasted lines are not lost.
 */
import { createInterface, type Interface } from 'node:readline';
import { InterruptError } from './errors.ts';
import type { CtlIo } from './io.ts';

/** What the Tab key asks: choices for the word at the end of a line. */
export type Completer = (line: string) => Promise<{ word: string; choices: string[] }>;

const HISTORY_LENGTH = 1000;
const ERASE: ReadonlySet<string> = new Set(['\b', '\x7f']);

interface Waiting {
  resolve(line: string | null): void;
  reject(error: Error): void;
}

/** Reads lines, one at a time. */
export class Terminal {
  readonly #io: CtlIo;
  readonly #isTerminal: boolean;
  readonly #queue: string[] = [];
  #history: string[];
  #interface: Interface | null = null;
  #waiting: Waiting | null = null;
  #hasEnded = false;
  /** What the Tab key offers; nothing by default. */
  complete: Completer | null = null;

  /** @param history - lines of earlier times, the oldest first */
  constructor(io: CtlIo, history: readonly string[]) {
    this.#io = io;
    this.#isTerminal = io.stdin.isTTY === true && io.stdout.isTTY === true;
    this.#history = history.slice(-HISTORY_LENGTH).reverse();
  }

  /** Lines that were entered, those of earlier times first. */
  get history(): readonly string[] {
    return [...this.#history].reverse();
  }

  /** The next line without its end, null at the end of the input. Throws {@link InterruptError} at Ctrl-C or when the signal is aborted. */
  async readLine(prompt: string, signal: AbortSignal): Promise<string | null> {
    const queued = this.#queue.shift();
    if (queued !== undefined) {
      this.#io.stdout.write(this.#isTerminal ? `${prompt}${queued}\n` : prompt);
      return queued;
    }
    // A terminal goes on after Ctrl-D; a pipe has ended for good.
    if (this.#hasEnded && !this.#isTerminal) {
      this.#io.stdout.write(prompt);
      return null;
    }
    const line = new Promise<string | null>((resolve, reject) => (this.#waiting = { resolve, reject }));
    const abort = (): void => this.#settle((waiting) => waiting.reject(new InterruptError()));
    signal.addEventListener('abort', abort);
    try {
      const reader = (this.#interface ??= this.#open());
      if (this.#isTerminal) this.#io.stdin.setRawMode?.(true);
      reader.setPrompt(prompt);
      reader.prompt();
      return await line;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#interface?.pause();
      if (this.#isTerminal) this.#io.stdin.setRawMode?.(false);
    }
  }

  /** A line that is not shown while it is typed. From a pipe it is a line like others, with the prompt on the error output. */
  async readSecret(prompt: string, signal: AbortSignal): Promise<string | null> {
    if (!this.#isTerminal) {
      this.#io.stderr.write(prompt);
      return this.readLine('', signal);
    }
    this.close();
    this.#io.stdout.write(prompt);
    this.#io.stdin.setRawMode?.(true);
    try {
      return await this.#readHidden(signal);
    } finally {
      this.#io.stdin.setRawMode?.(false);
      this.#io.stdin.pause();
      this.#io.stdout.write('\n');
    }
  }

  /** Gives the terminal back. Lines can be read again afterwards. */
  close(): void {
    const open = this.#interface;
    this.#interface = null;
    open?.close();
  }

  #open(): Interface {
    const { stdin, stdout } = this.#io;
    const completer = (line: string, done: (error: null, result: [string[], string]) => void): void => {
      const nothing: [string[], string] = [[], line];
      if (this.complete === null) done(null, nothing);
      // A supervisor that does not answer has nothing to offer; the next command will say why.
      else this.complete(line).then(({ word, choices }) => done(null, [choices, word]), () => done(null, nothing));
    };
    const terminal = this.#isTerminal ? { completer, history: [...this.#history], historySize: HISTORY_LENGTH } : {};
    const reader = createInterface({ input: stdin, output: stdout, terminal: this.#isTerminal, crlfDelay: Infinity, ...terminal });
    reader.on('line', (line) => this.#receive(line));
    reader.on('history', (history) => (this.#history = [...history]));
    reader.on('SIGINT', () => this.#settle((waiting) => waiting.reject(new InterruptError())));
    reader.on('close', () => {
      if (this.#interface === reader) this.#interface = null;
      this.#hasEnded = true;
      this.#settle((waiting) => waiting.resolve(null));
    });
    return reader;
  }

  #receive(line: string): void {
    if (this.#waiting === null) this.#queue.push(line);
    else this.#settle((waiting) => waiting.resolve(line));
  }

  #settle(action: (waiting: Waiting) => void): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) action(waiting);
  }

  #readHidden(signal: AbortSignal): Promise<string | null> {
    const { stdin } = this.#io;
    const decoder = new TextDecoder();
    return new Promise((resolve, reject) => {
      let text = '';
      const finish = (action: () => void): void => {
        stdin.off('data', read);
        stdin.off('end', end);
        signal.removeEventListener('abort', interrupt);
        action();
      };
      const end = (): void => finish(() => resolve(null));
      const interrupt = (): void => finish(() => reject(new InterruptError()));
      const read = (chunk: Buffer | string): void => {
        for (const character of typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })) {
          if (character === '\r' || character === '\n') return finish(() => resolve(text));
          if (character === '\x03') return interrupt();
          if (character === '\x04' && text === '') return end();
          text = character === '\x15' ? '' : ERASE.has(character) ? [...text].slice(0, -1).join('') : text + character;
        }
      };
      stdin.on('data', read);
      stdin.on('end', end);
      signal.addEventListener('abort', interrupt);
      stdin.resume();
    });
  }
}
