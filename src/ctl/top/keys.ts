/**
 * Keys from the bytes of a terminal. A sequence may be split over reads, and pasted text is told apart from keys
 * (bracketed paste), so that no pasted letter is a command. Pure: the caller waits for the rest of a lone Esc.
 */

/** A key, or a pasted text. `name` is the character itself, or a name such as `up`, `escape`, `ctrl-d`. */
export type KeyEvent =
  { readonly kind: 'key'; readonly name: string } | { readonly kind: 'paste'; readonly text: string };

/** Time after which a lone Esc is the key, in milliseconds. A sequence arrives at once, or nearly so. */
export const ESCAPE_MS = 50;

/** Longest pasted text, and longest sequence that is waited for. */
const MAX_PASTE = 64 * 1024;
const MAX_SEQUENCE = 64;

const PASTE_START = '\x1b[200~';
const PASTE_END = '\x1b[201~';

/** Final parts of sequences, without parameters of modifier keys (xterm, rxvt, Linux console). */
const SEQUENCES: Readonly<Record<string, string>> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  '[H': 'home',
  '[F': 'end',
  OA: 'up',
  OB: 'down',
  OC: 'right',
  OD: 'left',
  OH: 'home',
  OF: 'end',
  OM: 'enter',
  '[1~': 'home',
  '[3~': 'delete',
  '[4~': 'end',
  '[5~': 'page-up',
  '[6~': 'page-down',
  '[7~': 'home',
  '[8~': 'end',
  '[Z': 'shift-tab',
};

const CONTROLS: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
  ' ': 'space',
};

/** A whole sequence: CSI with parameters, SS3 with a letter, a function key of the Linux console. */
const WHOLE = /^\x1b(?:\[[0-?]*[ -/]*[@-Z\\-~]|\[\[[A-E]|O[ -~])/;
/** The beginning of a sequence. */
const BEGUN = /^\x1b(?:\[[0-?]*[ -/]*|\[\[|O)?$/;

/** Reads keys. */
export class KeyReader {
  readonly #decoder = new TextDecoder();
  #text = '';
  #pasted: string | null = null;

  /** True if the text so far may be the beginning of a sequence. Call {@link flush} after {@link ESCAPE_MS}. */
  get isWaiting(): boolean {
    return this.#text !== '' && this.#pasted === null;
  }

  /** Takes bytes, and returns the keys that are complete. */
  read(bytes: Uint8Array): KeyEvent[] {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    return this.#take(false);
  }

  /** Returns the keys of a sequence whose rest has not come: the first is Esc. */
  flush(): KeyEvent[] {
    return this.#take(true);
  }

  #take(isFinal: boolean): KeyEvent[] {
    const events: KeyEvent[] = [];
    while (this.#text !== '') {
      if (this.#pasted !== null) {
        if (!this.#takePaste(events)) break;
      } else if (this.#text.startsWith('\x1b')) {
        if (!this.#takeSequence(events, isFinal)) break;
      } else {
        const [character = ''] = this.#text;
        this.#text = this.#text.slice(character.length);
        events.push({ kind: 'key', name: nameOf(character) });
      }
    }
    return events;
  }

  /** Takes pasted text up to its end. Returns false if the end has not come. */
  #takePaste(events: KeyEvent[]): boolean {
    const end = this.#text.indexOf(PASTE_END);
    // The last characters may be the beginning of the end.
    const length = end === -1 ? Math.max(0, this.#text.length - PASTE_END.length + 1) : end;
    this.#pasted = `${this.#pasted ?? ''}${this.#text.slice(0, length)}`.slice(0, MAX_PASTE);
    this.#text = this.#text.slice(end === -1 ? length : end + PASTE_END.length);
    if (end === -1) return false;
    events.push({ kind: 'paste', text: this.#pasted });
    this.#pasted = null;
    return true;
  }

  /** Takes a sequence. Returns false if its rest has not come. */
  #takeSequence(events: KeyEvent[], isFinal: boolean): boolean {
    const whole = WHOLE.exec(this.#text)?.[0];
    if (whole === undefined) {
      if (!isFinal && BEGUN.test(this.#text) && this.#text.length < MAX_SEQUENCE) return false;
      this.#text = this.#text.slice(1);
      events.push({ kind: 'key', name: 'escape' });
      return true;
    }
    this.#text = this.#text.slice(whole.length);
    if (whole === PASTE_START) {
      this.#pasted = '';
      return true;
    }
    // Keys with modifiers: CSI 1;5A is Ctrl-Up. They have the meaning of the key without them.
    const plain = whole
      .slice(1)
      .replace(/^\[1?;\d+(?=[A-Z]$)/, '[')
      .replace(/;\d+(?=~$)/, '');
    const name = SEQUENCES[plain];
    if (name !== undefined) events.push({ kind: 'key', name });
    return true;
  }
}

function nameOf(character: string): string {
  const known = CONTROLS[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x20 ? `ctrl-${String.fromCodePoint(code + 0x60)}` : character;
}
