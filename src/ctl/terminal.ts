/**
 * Lines from a terminal, with editing, history and completion.
 *
 * The terminal is raw, and is read, only while a caller waits for a line. While a command runs, the terminal is in its
 * normal mode: Ctrl-C is SIGINT and Ctrl-Z stops us, as with supervisorctl. The editor (node:readline) gets one line at
 * a time, so that text typed or pasted ahead appears at the prompt that uses it. The editor does not have the terminal
 * itself, so its own Ctrl-Z would leave the mode of the terminal as it is: the stop and the way back are done here.
 */
import { createInterface, type Interface } from 'node:readline';
import { PassThrough, Writable } from 'node:stream';
import type { CtlIo } from './io.ts';
import { type Completer, type LineSource, PendingLine } from './line-source.ts';

const HISTORY_LENGTH = 1000;
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_U = '\x15';
const CTRL_Z = '\x1a';
const ERASE: ReadonlySet<string> = new Set(['\b', '\x7f']);

/** Time after which a stop by Ctrl-Z counts as refused: no shell could continue us (an orphaned process group). */
const REFUSED_MS = 100;

/** The reading of one line. */
interface Reading {
  /** Takes typed text, up to the end of the line. */
  readonly use: () => void;
  /** Shows the prompt again after a stop, with the text so far. */
  readonly redraw: () => void;
}

/**
 * Wraps stdout for the editor, and turns its CR LF into LF. The terminal itself makes CR LF of each LF, also when it is
 * raw, because libuv leaves ONLCR on. Without this, programs that read our terminal, such as expect, would see CR CR
 * LF.
 */
function wrapOutput(stdout: CtlIo['stdout']): Writable {
  const output = new Writable({
    decodeStrings: false,
    write: (chunk: Buffer | string, _encoding, done) => {
      stdout.write(chunk.toString().replaceAll('\r\n', '\n'));
      done();
    },
  });
  // readline wraps lines at this width.
  Object.defineProperty(output, 'columns', { get: () => (stdout as { readonly columns?: number }).columns });
  const resized = (): void => void output.emit('resize');
  stdout.on('resize', resized);
  output.on('close', () => stdout.off('resize', resized));
  return output;
}

/** Lines of a terminal. */
export class TerminalLines implements LineSource {
  complete: Completer | null = null;
  readonly #io: CtlIo;
  readonly #decoder = new TextDecoder();
  readonly #pending = new PendingLine();
  #history: string[];
  /** The editor and its input. */
  #editor: { readonly reader: Interface; readonly input: PassThrough } | null = null;
  /** Typed text that no line has used yet. */
  #typed = '';
  #hasEnded = false;
  /** True from Ctrl-Z until we go on. */
  #isStopped = false;
  /** Takes the terminal again after a stop; null while no line is read. */
  #takeBack: (() => void) | null = null;

  constructor(io: CtlIo, history: readonly string[]) {
    this.#io = io;
    this.#history = history.slice(-HISTORY_LENGTH).reverse();
  }

  get history(): readonly string[] {
    return [...this.#history].reverse();
  }

  readLine(prompt: string, signal: AbortSignal): Promise<string | null> {
    return this.#read(signal, () => this.#beginEditing(prompt));
  }

  async readSecret(prompt: string, signal: AbortSignal): Promise<string | null> {
    try {
      return await this.#read(signal, () => {
        this.#io.stdout.write(prompt);
        return { use: this.#beginSecret(), redraw: () => void this.#io.stdout.write(prompt) };
      });
    } finally {
      this.#io.stdout.write('\n');
    }
  }

  close(): void {
    this.#editor?.reader.close();
  }

  /** Shows the prompt of the editor, which gets the typed text. */
  #beginEditing(prompt: string): Reading {
    const { reader, input } = (this.#editor ??= this.#open());
    reader.setPrompt(prompt);
    // Without a prompt the editor must not redraw the line: another program's output may stand there (`fg`).
    if (prompt === '') reader.resume();
    else reader.prompt();
    let isComplete = false;
    const use = (): void => {
      if (isComplete) return;
      const end = this.#typed.indexOf('\r');
      isComplete = end !== -1;
      const piece = isComplete ? this.#typed.slice(0, end + 1) : this.#typed;
      this.#typed = this.#typed.slice(piece.length);
      input.write(piece);
    };
    return { use, redraw: () => (prompt === '' ? undefined : reader.prompt(true)) };
  }

  /** Returns the function that reads a secret line from the typed text, without showing it. */
  #beginSecret(): () => void {
    let text = '';
    const take = (character: string): void => {
      if (character === '\r') this.#pending.resolve(text);
      else if (character === CTRL_C) this.#pending.interrupt();
      else if (character === CTRL_D && text === '') this.#pending.resolve(null);
      else if (character === CTRL_U) text = '';
      else if (character === CTRL_Z) this.#stop();
      else if (ERASE.has(character)) text = [...text].slice(0, -1).join('');
      else text += character;
    };
    return () => {
      for (const character of this.#typed) {
        this.#typed = this.#typed.slice(character.length);
        take(character);
        if (!this.#pending.isWaiting) return;
      }
    };
  }

  /**
   * Makes the terminal raw, calls `begin` to show the prompt, and passes each typed text to the reading, until the line
   * is complete or the wait is interrupted.
   */
  async #read(signal: AbortSignal, begin: () => Reading): Promise<string | null> {
    const { stdin, terminal } = this.#io;
    if (this.#hasEnded) return null;
    const line = this.#pending.wait();
    const abort = (): void => this.#pending.interrupt();
    // Also after a stop by another process, which may come as soon as the prompt is seen.
    const forget = terminal?.onSignal('SIGCONT', () => this.#takeBack?.());
    // Raw mode comes before the prompt: otherwise the terminal would echo text that is typed at once.
    stdin.setRawMode?.(true);
    const { use, redraw } = begin();
    const receive = (chunk: Buffer): void => {
      this.#typed += this.#decoder.decode(chunk, { stream: true }).replace(/\r?\n/g, '\r');
      use();
    };
    const end = (): void => {
      this.#hasEnded = true;
      this.#pending.resolve(null);
    };
    this.#takeBack = (): void => {
      this.#isStopped = false;
      // The shell may have changed the mode in the meantime, and libuv acts only on a change.
      stdin.setRawMode?.(false);
      stdin.setRawMode?.(true);
      redraw();
    };
    signal.addEventListener('abort', abort);
    stdin.on('data', receive).on('end', end).on('error', end).resume();
    try {
      if (this.#typed !== '') use();
      return await line;
    } catch (error) {
      // Text of an interrupted line must not appear in the next line.
      this.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
      forget?.();
      this.#takeBack = null;
      stdin.off('data', receive).off('end', end).off('error', end).pause();
      this.#editor?.reader.pause();
      stdin.setRawMode?.(false);
    }
  }

  /** Gives the terminal back and stops this process, until SIGCONT. */
  #stop(): void {
    const { stdin, terminal } = this.#io;
    if (terminal === undefined) return;
    this.#isStopped = true;
    stdin.setRawMode?.(false);
    terminal.stopSelf();
    setTimeout(() => {
      if (this.#isStopped) this.#takeBack?.();
    }, REFUSED_MS);
  }

  #open(): { reader: Interface; input: PassThrough } {
    const input = new PassThrough();
    const output = wrapOutput(this.#io.stdout);
    const reader = createInterface({
      input,
      output,
      terminal: true,
      completer: (line: string, done: (error: null, result: [string[], string]) => void) =>
        void this.#completions(line).then((result) => done(null, result)),
      history: [...this.#history],
      historySize: HISTORY_LENGTH,
    });
    reader.on('line', (line) => this.#pending.resolve(line));
    reader.on('history', (history) => (this.#history = [...history]));
    reader.on('SIGINT', () => this.#pending.interrupt());
    reader.on('SIGTSTP', () => this.#stop());
    // Ctrl-D closes the editor; the next line gets a new one.
    reader.on('close', () => {
      output.destroy();
      this.#editor = null;
      this.#pending.resolve(null);
    });
    return { reader, input };
  }

  /** The completions of a line, in the form that readline takes. */
  async #completions(line: string): Promise<[string[], string]> {
    try {
      const { word, choices } = (await this.complete?.(line)) ?? { word: line, choices: [] };
      return [choices, word];
    } catch {
      // A supervisor that does not answer gives no completions. The next command reports the reason.
      return [[], line];
    }
  }
}
