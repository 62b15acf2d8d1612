/**
 * Removes ANSI escape sequences from a stream of bytes (`strip_ansi`), also sequences that two reads cut apart.
 * Bytes that only look like the start of a sequence are passed on unchanged, so no text is lost.
 */

const ESC = 0x1b;
const BEL = 0x07;
const NEWLINE = 0x0a;

/**
 * Limits of the length. Longer bytes are text. A control string (a link, a title) may be longer than other sequences.
 */
const MAX_SEQUENCE_BYTES = 128;
const MAX_STRING_BYTES = 4096;

type State =
  | 'text'
  /** After ESC. */
  | 'escape'
  /** After ESC and an intermediate byte, as in `ESC ( B`. */
  | 'intermediate'
  /** After ESC [. */
  | 'control'
  /** After ESC ], ESC P and the like: up to BEL or ESC \. */
  | 'string'
  /** After ESC within a string. */
  | 'string-escape';

/** The filter of one pipe. */
export class AnsiStripper {
  #state: State = 'text';
  /** Bytes of the sequence so far. They are passed on if they turn out to be text. */
  #held: number[] = [];

  /** True if a sequence has begun and not ended. */
  get isPending(): boolean {
    return this.#held.length > 0;
  }

  /** Returns the bytes without sequences, or the argument itself if it has none. */
  strip(bytes: Buffer): Buffer {
    if (this.#state === 'text' && bytes.indexOf(ESC) === -1) return bytes;
    const out = Buffer.allocUnsafe(bytes.length + this.#held.length);
    let filled = 0;
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === 'text') {
        const next = bytes.indexOf(ESC, at);
        const end = next === -1 ? bytes.length : next;
        bytes.copy(out, filled, at, end);
        filled += end - at;
        at = end;
        if (next === -1) break;
        this.#state = 'escape';
        this.#held.push(ESC);
        at++;
        continue;
      }
      const byte = bytes[at] as number;
      const verdict = this.#judge(byte);
      if (verdict === 'broken') {
        // The cause of the break may begin another sequence, so it is read again: the byte, and an ESC in a string.
        const isStringEscape = this.#state === 'string-escape';
        if (isStringEscape) this.#held.pop();
        for (const held of this.#held) out[filled++] = held;
        this.#reset();
        if (isStringEscape) {
          this.#state = 'escape';
          this.#held.push(ESC);
        }
        continue;
      }
      at++;
      if (verdict === 'complete') this.#reset();
      else this.#held.push(byte);
    }
    return out.subarray(0, filled);
  }

  /** Returns the held bytes at the end of the stream. They are text, because their sequence never ended. */
  finish(): Buffer {
    const held = Buffer.from(this.#held);
    this.#reset();
    return held;
  }

  #reset(): void {
    this.#state = 'text';
    this.#held = [];
  }

  #judge(byte: number): 'more' | 'complete' | 'broken' {
    const isString = this.#state === 'string' || this.#state === 'string-escape';
    if (byte === NEWLINE || this.#held.length >= (isString ? MAX_STRING_BYTES : MAX_SEQUENCE_BYTES)) return 'broken';
    switch (this.#state) {
      case 'escape':
        if (byte === 0x5b) this.#state = 'control';
        else if (byte === 0x5d || byte === 0x50 || byte === 0x5e || byte === 0x5f || byte === 0x58)
          this.#state = 'string';
        else if (byte >= 0x20 && byte <= 0x2f) this.#state = 'intermediate';
        else return byte >= 0x30 && byte <= 0x7e ? 'complete' : 'broken';
        return 'more';
      case 'intermediate':
        if (byte >= 0x20 && byte <= 0x2f) return 'more';
        return byte >= 0x30 && byte <= 0x7e ? 'complete' : 'broken';
      case 'control':
        if (byte >= 0x20 && byte <= 0x3f) return 'more';
        return byte >= 0x40 && byte <= 0x7e ? 'complete' : 'broken';
      case 'string':
        if (byte === BEL) return 'complete';
        if (byte === ESC) this.#state = 'string-escape';
        return 'more';
      case 'string-escape':
        return byte === 0x5c ? 'complete' : 'broken';
      case 'text':
        return 'broken';
    }
  }
}
