/**
 * Lines from standard input, read one at a time. A terminal has editing (terminal.ts); a pipe or a file is read here.
 */
import { createInterface, type Interface } from 'node:readline';
import type { CtlIo } from './io.ts';
import { type Completer, type LineSource, PendingLine } from './line-source.ts';
import { TerminalLines } from './terminal.ts';

/** Opens standard input as a source of lines. `history` has the lines of earlier sessions, the oldest first. */
export function openLines(io: CtlIo, history: readonly string[]): LineSource {
  return io.stdin.isTTY === true && io.stdout.isTTY === true ? new TerminalLines(io, history) : new PipedLines(io);
}

/** Lines of a pipe or a file. Lines that arrive before a caller asks for them wait in a queue. */
class PipedLines implements LineSource {
  complete: Completer | null = null;
  readonly history: readonly string[] = [];
  readonly #io: CtlIo;
  readonly #queue: string[] = [];
  readonly #pending = new PendingLine();
  #reader: Interface | null = null;
  #hasEnded = false;

  constructor(io: CtlIo) {
    this.#io = io;
  }

  async readLine(prompt: string, signal: AbortSignal): Promise<string | null> {
    this.#io.stdout.write(prompt);
    const queued = this.#queue.shift();
    if (queued !== undefined) return queued;
    if (this.#hasEnded) return null;
    const line = this.#pending.wait();
    const abort = (): void => this.#pending.interrupt();
    signal.addEventListener('abort', abort);
    try {
      this.#reader ??= this.#open();
      this.#reader.resume();
      return await line;
    } finally {
      signal.removeEventListener('abort', abort);
      // readline throws when a closed interface is paused.
      if (!this.#hasEnded) this.#reader?.pause();
    }
  }

  /** Reads a line as usual, since a pipe shows nothing. The prompt goes to stderr, apart from the output. */
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
      if (this.#pending.isWaiting) this.#pending.resolve(line);
      else this.#queue.push(line);
    });
    reader.on('close', () => {
      this.#hasEnded = true;
      this.#pending.resolve(null);
    });
    return reader;
  }
}
