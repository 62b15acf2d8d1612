/**
 * Lines from a terminal, with editing, history and completion. The terminal is raw, and read at all, only while a line
 * is asked for: while a command runs, Ctrl-C is a signal and Ctrl-Z stops us, as it is with supervisorctl. The editor
 * is given one line at a time, so that what is typed or pasted ahead is shown where it is used.
 */
import { createInterface, type Interface } from 'node:readline';
import { PassThrough, Writable } from 'node:stream';
import { InterruptError } from './errors.ts';
import type { CtlIo } from './io.ts';
import type { Completer, LineSource, Waiting } from './lines.ts';

const HISTORY_LENGTH = 1000;
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_U = '\x15';
const ERASE: ReadonlySet<string> = new Set(['\b', '\x7f']);

/**
 * The output of the editor. It ends lines with CR LF, and the terminal makes CR LF of each LF even when it is raw
 * (libuv leaves ONLCR on), so that programs which read us, as expect does, would see CR CR LF.
 */
function editorOutput(stdout: CtlIo['stdout']): Writable {
  const output = new Writable({
    decodeStrings: false,
    write: (chunk: Buffer | string, _encoding, done) => {
      stdout.write(chunk.toString().replaceAll('\r\n', '\n'));
      done();
    },
  });
  // Where lines wrap.
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
  #history: string[];
  /** The editor, and what it reads. */
  #editor: { readonly reader: Interface; readonly input: PassThrough } | null = null;
  #waiting: Waiting | null = null;
  /** Typed, and not used yet. */
  #pending = '';
  #hasEnded = false;

  constructor(io: CtlIo, history: readonly string[]) {
    this.#io = io;
    this.#history = history.slice(-HISTORY_LENGTH).reverse();
  }

  get history(): readonly string[] {
    return [...this.#history].reverse();
  }

  readLine(prompt: string, signal: AbortSignal): Promise<string | null> {
    return this.#read(signal, () => {
      const { reader, input } = (this.#editor ??= this.#open());
      reader.setPrompt(prompt);
      // Without a prompt nothing is drawn: what stands in the line is the output of somebody else.
      if (prompt === '') reader.resume();
      else reader.prompt();
      let isComplete = false;
      return () => {
        if (isComplete) return;
        const end = this.#pending.indexOf('\r');
        isComplete = end !== -1;
        const piece = isComplete ? this.#pending.slice(0, end + 1) : this.#pending;
        this.#pending = this.#pending.slice(piece.length);
        input.write(piece);
      };
    });
  }

  async readSecret(prompt: string, signal: AbortSignal): Promise<string | null> {
    try {
      return await this.#read(signal, () => {
        this.#io.stdout.write(prompt);
        let text = '';
        return () => {
          for (const character of this.#pending) {
            this.#pending = this.#pending.slice(character.length);
            if (character === '\r') this.#settle((waiting) => waiting.resolve(text));
            else if (character === CTRL_C) this.#settle((waiting) => waiting.reject(new InterruptError()));
            else if (character === CTRL_D && text === '') this.#settle((waiting) => waiting.resolve(null));
            else
              text =
                character === CTRL_U ? '' : ERASE.has(character) ? [...text].slice(0, -1).join('') : text + character;
            if (this.#waiting === null) return;
          }
        };
      });
    } finally {
      this.#io.stdout.write('\n');
    }
  }

  close(): void {
    this.#editor?.reader.close();
  }

  /**
   * Makes the terminal raw, has `begin` show the prompt, and gives what is typed to what that returns, until somebody
   * settles.
   */
  async #read(signal: AbortSignal, begin: () => () => void): Promise<string | null> {
    const { stdin } = this.#io;
    if (this.#hasEnded) return null;
    const line = new Promise<string | null>((resolve, reject) => (this.#waiting = { resolve, reject }));
    const abort = (): void => this.#settle((waiting) => waiting.reject(new InterruptError()));
    // Raw before the prompt: whoever types at once would be shown.
    stdin.setRawMode?.(true);
    const use = begin();
    const receive = (chunk: Buffer): void => {
      this.#pending += this.#decoder.decode(chunk, { stream: true }).replace(/\r?\n/g, '\r');
      use();
    };
    const end = (): void => {
      this.#hasEnded = true;
      this.#settle((waiting) => waiting.resolve(null));
    };
    signal.addEventListener('abort', abort);
    stdin.on('data', receive).on('end', end).on('error', end).resume();
    try {
      if (this.#pending !== '') use();
      return await line;
    } catch (error) {
      // What was typed of a line that is given up must not stand in the next one.
      this.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
      stdin.off('data', receive).off('end', end).off('error', end).pause();
      this.#editor?.reader.pause();
      stdin.setRawMode?.(false);
    }
  }

  #open(): { reader: Interface; input: PassThrough } {
    const input = new PassThrough();
    const completer = (line: string, done: (error: null, result: [string[], string]) => void): void => {
      const nothing: [string[], string] = [[], line];
      if (this.complete === null) done(null, nothing);
      // A supervisor that does not answer has nothing to offer; the next command will say why.
      else
        this.complete(line).then(
          ({ word, choices }) => done(null, [choices, word]),
          () => done(null, nothing),
        );
    };
    const output = editorOutput(this.#io.stdout);
    const reader = createInterface({
      input,
      output,
      terminal: true,
      completer,
      history: [...this.#history],
      historySize: HISTORY_LENGTH,
    });
    reader.on('line', (line) => this.#settle((waiting) => waiting.resolve(line)));
    reader.on('history', (history) => (this.#history = [...history]));
    reader.on('SIGINT', () => this.#settle((waiting) => waiting.reject(new InterruptError())));
    // Ctrl-D closes the editor; the next line gets a new one.
    reader.on('close', () => {
      output.destroy();
      this.#editor = null;
      this.#settle((waiting) => waiting.resolve(null));
    });
    return { reader, input };
  }

  #settle(action: (waiting: Waiting) => void): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) action(waiting);
  }
}
