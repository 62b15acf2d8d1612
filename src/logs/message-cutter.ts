/**
 * Cuts a stream of lines with headers (message-header.ts) into messages of a size that a log server takes. A longer
 * line becomes several messages, each with the header of the line; no character of UTF-8 is torn. Bytes are not looked
 * at otherwise.
 */
import { headerEnd } from './message-header.ts';

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);

/** See the head of this file. */
export class MessageCutter {
  readonly #longest: number;
  readonly #emit: (message: Buffer) => void;
  /** The beginning of a line whose end has not come yet, no longer than a message. */
  #open: Buffer = EMPTY;

  /** `emit` gets each message, without its newline; the bytes are valid during the call only. */
  constructor(longest: number, emit: (message: Buffer) => void) {
    this.#longest = longest;
    this.#emit = emit;
  }

  /** Takes bytes[start, end). */
  push(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      const newline = bytes.indexOf(NEWLINE, at);
      const isWhole = newline !== -1 && newline < end;
      const piece = bytes.subarray(at, isWhole ? newline : end);
      const rest = this.#cut(this.#open.length === 0 ? piece : Buffer.concat([this.#open, piece]));
      if (!isWhole) {
        this.#open = Buffer.from(rest);
        return;
      }
      this.#open = EMPTY;
      // A newline by itself ends a torn line.
      if (rest.length > 0) this.#emit(rest);
      at = newline + 1;
    }
  }

  /** Emits what is too much for one message, and returns the last piece, with the header. */
  #cut(line: Buffer): Buffer {
    if (line.length <= this.#longest) return line;
    const header = line.subarray(0, headerEnd(line));
    const room = this.#longest - header.length;
    let at = header.length;
    while (line.length - at > room) {
      const stop = beforeCharacter(line, at + room);
      this.#emit(at === header.length ? line.subarray(0, stop) : Buffer.concat([header, line.subarray(at, stop)]));
      at = stop;
    }
    return Buffer.concat([header, line.subarray(at)]);
  }
}

/** Most bytes of a character of UTF-8 after its first. */
const LONGEST_TAIL = 3;

/** `at`, or the beginning of the character of UTF-8 that would be torn there; `at` too where the bytes are none. */
function beforeCharacter(bytes: Buffer, at: number): number {
  for (let start = at; start >= at - LONGEST_TAIL; start--) if (((bytes[start] ?? 0) & 0xc0) !== 0x80) return start;
  return at;
}
