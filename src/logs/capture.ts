/**
 * Removes the sections between `<!--XSUPERVISOR:BEGIN-->` and `<!--XSUPERVISOR:END-->` from a stream of bytes
 * (`stdout_capture_maxbytes`). They become process communication events and reach no log.
 */

const BEGIN = Buffer.from('<!--XSUPERVISOR:BEGIN-->');
const END = Buffer.from('<!--XSUPERVISOR:END-->');
const LESS_THAN = 0x3c;

/** The filter of one pipe. */
export class CaptureFilter {
  readonly #limit: number;
  readonly #onCapture: (section: Buffer) => void;
  /** Bytes at the end of the last read that may be the beginning of a token. */
  #held: Buffer = Buffer.alloc(0);
  /** Bytes of the current section. Null: outside of a section. */
  #section: Buffer | null = null;

  /** `limit`: most bytes of a section. The last bytes of a longer section are kept. */
  constructor(limit: number, onCapture: (section: Buffer) => void) {
    this.#limit = limit;
    this.#onCapture = onCapture;
  }

  /** Returns the bytes outside of sections. */
  filter(bytes: Buffer): Buffer {
    let unread = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    if (this.#section === null && this.#held.length === 0 && bytes.indexOf(LESS_THAN) === -1) return bytes;
    const outside: Buffer[] = [];
    for (;;) {
      const token = this.#section === null ? BEGIN : END;
      const at = unread.indexOf(token);
      if (at === -1) {
        const kept = lengthOfTokenStart(unread, token);
        this.#pass(unread.subarray(0, unread.length - kept), outside);
        // A copy, because the next read overwrites the caller's memory.
        this.#held = Buffer.from(unread.subarray(unread.length - kept));
        return Buffer.concat(outside);
      }
      this.#pass(unread.subarray(0, at), outside);
      if (this.#section === null) {
        this.#section = Buffer.alloc(0);
      } else {
        const section = this.#section;
        this.#section = null;
        this.#onCapture(section);
      }
      unread = unread.subarray(at + token.length);
    }
  }

  /** Returns the held bytes at the end of the stream. They are output, because their token never ended. */
  finish(): Buffer {
    const held = this.#section === null ? this.#held : Buffer.alloc(0);
    this.#held = Buffer.alloc(0);
    this.#section = null;
    return held;
  }

  #pass(bytes: Buffer, outside: Buffer[]): void {
    if (this.#section === null) {
      outside.push(bytes);
      return;
    }
    const joined = Buffer.concat([this.#section, bytes]);
    this.#section = joined.subarray(Math.max(0, joined.length - this.#limit));
  }
}

/** Returns the number of bytes at the end of `bytes` that may be the beginning of `token`. */
function lengthOfTokenStart(bytes: Buffer, token: Buffer): number {
  for (let length = Math.min(bytes.length, token.length - 1); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(token.subarray(0, length))) return length;
  }
  return 0;
}
