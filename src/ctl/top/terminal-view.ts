/**
 * The terminal of the full-screen view: raw keys, the alternate screen, its size, and its restoration. Whatever ends
 * the view, the terminal gets back its mode, its cursor and its text: also a signal, an error, or a lost terminal.
 */
import type { CtlIo, CtlOutput, TerminalPort } from '../io.ts';
import { drawChanges } from './draw.ts';
import { ESCAPE_MS, type KeyEvent, KeyReader } from './keys.ts';
import type { Size } from './state.ts';

/** Alternate screen, hidden cursor, bracketed paste, no wrapping at the right edge. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?7l';
const LEAVE = '\x1b[?2026l\x1b[0m\x1b[?7h\x1b[?2004l\x1b[?25h\x1b[?1049l';

/** Size of a terminal that does not know its own. */
const DEFAULT_SIZE: Size = { columns: 80, rows: 24 };

/** Time after which a stop by Ctrl-Z counts as refused: no shell could continue us (an orphaned process group). */
const REFUSED_MS = 100;

/** Receives what happens at the terminal. */
export interface TerminalEvents {
  onKeys(keys: readonly KeyEvent[]): void;
  onResize(size: Size): void;
  /** The view must end. `signal`: number of the signal; null if the terminal has gone. */
  onEnd(signal: number | null): void;
}

/** The terminal. */
export class TerminalView {
  readonly #io: Pick<CtlIo, 'stdin' | 'stdout'>;
  readonly #stdout: CtlOutput;
  readonly #port: TerminalPort;
  readonly #events: TerminalEvents;
  readonly #keys = new KeyReader();
  readonly #undo: Array<() => void> = [];
  #shown: readonly string[] | null = null;
  #size = DEFAULT_SIZE;
  #isOpen = false;
  #isBlocked = false;
  /** True while another program has the terminal. */
  #isLent = false;
  #escape: NodeJS.Timeout | null = null;
  /** Ends the subscription to SIGTSTP. */
  #ignoreStops: () => void = () => undefined;

  constructor(io: Pick<CtlIo, 'stdin' | 'stdout'>, port: TerminalPort, events: TerminalEvents) {
    this.#io = io;
    this.#stdout = io.stdout;
    this.#port = port;
    this.#events = events;
    this.#size = this.#readSize();
  }

  get size(): Size {
    return this.#size;
  }

  /** Takes the terminal. */
  open(): void {
    const { stdin } = this.#io;
    const receive = (chunk: Buffer): void => this.#receive(chunk);
    const end = (): void => this.#events.onEnd(null);
    const resize = (): void => this.#resize();
    stdin.on('data', receive).on('end', end).on('error', end);
    this.#stdout.on('resize', resize);
    this.#undo.push(
      () => stdin.off('data', receive).off('end', end).off('error', end).pause(),
      () => this.#stdout.off('resize', resize),
      this.#port.onSignal('SIGTERM', () => this.#events.onEnd(15)),
      this.#port.onSignal('SIGHUP', () => this.#events.onEnd(1)),
      this.#port.onSignal('SIGQUIT', () => this.#events.onEnd(3)),
      this.#port.onSignal('SIGCONT', () => this.#resume()),
      // An unexpected error ends the process without a call of close().
      this.#port.onExit(() => this.#port.writeNow(this.#isOpen ? LEAVE : '')),
    );
    this.#enter();
  }

  /** Gives the terminal back. */
  close(): void {
    for (const undo of this.#undo.splice(0)) undo();
    this.#ignoreStops();
    if (this.#escape !== null) clearTimeout(this.#escape);
    this.#leave();
  }

  /** Gives the terminal back and stops this process, until SIGCONT. */
  suspend(): void {
    this.#leave();
    // Without a listener, the signal stops us.
    this.#ignoreStops();
    this.#port.stopSelf();
    // After SIGCONT, or if the kernel has not stopped us. Whichever comes first.
    setTimeout(() => this.#resume(), REFUSED_MS);
  }

  /** Gives the terminal to another program until `use` has ended. */
  async lend(use: () => Promise<void>): Promise<void> {
    this.#leave();
    // Ctrl-Z in the other program stops us, too, because the kernel sends SIGTSTP to both.
    this.#ignoreStops();
    this.#io.stdin.pause();
    this.#isLent = true;
    try {
      await use();
    } finally {
      this.#isLent = false;
      this.#resume();
    }
  }

  /** Draws everything again with the next {@link draw}. */
  forget(): void {
    this.#shown = null;
  }

  /** Shows these lines. Nothing is written while the terminal does not take more. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen || this.#isBlocked) return;
    const text = drawChanges(this.#shown, lines, this.#size.columns);
    this.#shown = lines;
    if (text !== '') this.write(text);
  }

  /** Writes control sequences. */
  write(text: string): void {
    if (this.#stdout.write(text)) return;
    this.#isBlocked = true;
    this.#stdout.once('drain', () => {
      this.#isBlocked = false;
      this.#events.onResize(this.#size);
    });
  }

  #enter(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#ignoreStops();
    this.#ignoreStops = this.#port.onSignal('SIGTSTP', () => this.suspend());
    // A shell may have changed the mode while we were stopped, and libuv only acts on a change.
    this.#io.stdin.setRawMode?.(false);
    this.#io.stdin.setRawMode?.(true);
    this.#io.stdin.resume();
    this.#shown = null;
    this.#stdout.write(ENTER);
  }

  #leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stdout.write(LEAVE);
    this.#io.stdin.setRawMode?.(false);
  }

  /** Takes the terminal again after a stop. After SIGSTOP, nothing could be given back before. */
  #resume(): void {
    if (this.#undo.length === 0 || this.#isLent) return;
    if (this.#isOpen) {
      this.#isOpen = false;
      this.#shown = null;
    }
    this.#enter();
    this.#size = this.#readSize();
    this.#events.onResize(this.#size);
  }

  #readSize(): Size {
    const { columns = 0, rows = 0 } = this.#stdout;
    return columns > 0 && rows > 0 ? { columns, rows } : DEFAULT_SIZE;
  }

  #resize(): void {
    this.#size = this.#readSize();
    this.#shown = null;
    this.#events.onResize(this.#size);
  }

  #receive(chunk: Buffer): void {
    if (this.#escape !== null) clearTimeout(this.#escape);
    this.#escape = null;
    this.#events.onKeys(this.#keys.read(chunk));
    if (!this.#keys.isWaiting) return;
    this.#escape = setTimeout(() => {
      this.#escape = null;
      this.#events.onKeys(this.#keys.flush());
    }, ESCAPE_MS);
  }
}
