/**
 * Splits a stream of lines with headers (message-header.ts) into messages of a size that a log server takes. A longer
 * line becomes several messages, each with the header of the line. A UTF-8 character is never split.
 */
import { beforeHidden } from './inner-newlines.ts';
import { headerEnd } from './message-header.ts';

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);

/** Splits the lines for one log server into messages. */
export class MessageCutter {
  readonly #longest: number;
  readonly #emit: (message: Buffer) => void;
  /** Beginning of a line whose end has not come yet. Never longer than a message. */
  #open: Buffer = EMPTY;

  /** `emit` gets each message without its newline. The bytes are valid during the call only. */
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
      const last = this.#cut(this.#open.length === 0 ? piece : Buffer.concat([this.#open, piece]));
      if (!isWhole) {
        this.#open = Buffer.from(last);
        return;
      }
      this.#open = EMPTY;
      // A newline alone ends a torn line.
      if (last.length > 0) this.#emit(last);
      at = newline + 1;
    }
  }

  /** Emits the pieces of a line that is too long, and returns the last piece with the header. */
  #cut(line: Buffer): Buffer {
    if (line.length <= this.#longest) return line;
    const header = line.subarray(0, headerEnd(line));
    const room = this.#longest - header.length;
    let at = header.length;
    while (line.length - at > room) {
      const stop = beforeHidden(line, beforeCharacter(line, at + room));
      this.#emit(at === header.length ? line.subarray(0, stop) : Buffer.concat([header, line.subarray(at, stop)]));
      at = stop;
    }
    return Buffer.concat([header, line.subarray(at)]);
  }
}

/** Maximum number of bytes of a UTF-8 character after the first byte. */
const MAX_CHARACTER_TAIL = 3;

/** Returns the beginning of the UTF-8 character that a cut at `at` would split. Otherwise returns `at`. */
function beforeCharacter(bytes: Buffer, at: number): number {
  for (let start = at; start >= at - MAX_CHARACTER_TAIL; start--)
    if (((bytes[start] ?? 0) & 0xc0) !== 0x80) return start;
  return at;
}
