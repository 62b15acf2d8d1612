/**
 * Cuts one stream of bytes into whole lines and passes them on, as ranges of bytes, without copying more than the line
 * that two reads cut apart. Knows nothing of formats and sinks. Whatever the reads look like, the lines are the same.
 */

import { countSplitBytes } from '../core/utf8.ts';

/** A longer line is cut: nothing larger is held back while its end is waited for. */
export const LONGEST_LINE = 1024 * 1024;

/** Room for a partial line at first, and what is kept of it afterwards. */
const CARRY_BYTES = 4096;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Gets the lines. The bytes are valid during the call only. */
export interface LineReceiver {
  /** bytes[start, end) are one or more whole lines, each with its newline. */
  lines(bytes: Buffer, start: number, end: number): void;
  /** The beginning of a line whose end has not come: it has waited long enough, or the stream has ended. */
  begin(bytes: Buffer, start: number, end: number): void;
  /** More of a line that was begun, with its newline when `isEnd`. */
  resume(bytes: Buffer, start: number, end: number, isEnd: boolean): void;
  /**
   * {@link LONGEST_LINE} bytes, or a little less, of a line that is longer, perhaps begun before; the rest of it comes
   * as a line of its own.
   */
  cut(bytes: Buffer, start: number, end: number): void;
}

/** The splitter of one pipe. */
export class LineSplitter {
  readonly #receiver: LineReceiver;
  #carry: Buffer = Buffer.alloc(0);
  #carried = 0;
  /** The beginning of the current line was passed on already. */
  #isBegun = false;

  constructor(receiver: LineReceiver) {
    this.#receiver = receiver;
  }

  /** Whether a partial line waits for its end. */
  get hasPartial(): boolean {
    return this.#carried > 0;
  }

  /** Tells whether the bytes that come next go on a line, after some went past the splitter. */
  setBegun(isBegun: boolean): void {
    this.#isBegun = isBegun;
  }

  /** Hands the partial line over to another splitter of the same pipe, which goes on with it. */
  handOver(heir: LineSplitter): void {
    heir.#isBegun = this.#isBegun;
    heir.#append(this.#carry, 0, this.#carried);
    this.#carried = 0;
    this.#isBegun = false;
  }

  /** Takes bytes[start, end). */
  push(bytes: Buffer, start: number, end: number): void {
    let from = start;
    if (this.#carried > 0 || this.#isBegun) {
      const newline = indexOfNewline(bytes, from, end);
      this.#hold(bytes, from, newline === -1 ? end : newline);
      if (newline === -1) return;
      this.#end(bytes, newline);
      from = newline + 1;
    }
    const last = from === end ? -1 : bytes.lastIndexOf(NEWLINE, end - 1);
    if (last >= from) {
      this.#passWhole(bytes, from, last + 1);
      from = last + 1;
    }
    this.#hold(bytes, from, end);
  }

  /** Passes on the whole partial line: nothing more is waited for. */
  flush(): void {
    if (this.#carried > 0) this.#pass(false);
  }

  /**
   * Passes on the partial line, but keeps the bytes at its end that begin a character of UTF-8.
   * `keepsReturn`: keeps a carriage return at its end too, since a newline may follow.
   */
  flushCharacters(keepsReturn: boolean): void {
    let whole = this.#carried - countSplitBytes(this.#carry.subarray(0, this.#carried));
    if (keepsReturn && this.#carry[whole - 1] === RETURN) whole--;
    if (whole === 0) return;
    const rest = Buffer.from(this.#carry.subarray(whole, this.#carried));
    this.#carried = whole;
    this.#pass(false);
    this.#append(rest, 0, rest.length);
  }

  /** Adds to the partial line; cuts it when it grows too long. */
  #hold(bytes: Buffer, start: number, end: number): void {
    let from = start;
    while (this.#carried + end - from > LONGEST_LINE) {
      const take = LONGEST_LINE - this.#carried;
      this.#append(bytes, from, from + take);
      from += take;
      const whole = this.#carried - countSplitBytes(this.#carry.subarray(0, this.#carried));
      this.#receiver.cut(this.#carry, 0, whole);
      this.#isBegun = false;
      this.#carry.copyWithin(0, whole, this.#carried);
      this.#carried -= whole;
    }
    this.#append(bytes, from, end);
  }

  #append(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    const wanted = this.#carried + end - start;
    if (wanted > this.#carry.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(LONGEST_LINE + 1, Math.max(wanted * 2, CARRY_BYTES)));
      this.#carry.copy(larger, 0, 0, this.#carried);
      this.#carry = larger;
    }
    bytes.copy(this.#carry, this.#carried, start, end);
    this.#carried = wanted;
  }

  /** Passes on what is carried, with its end or without, and lets go of a large buffer. */
  #pass(isEnd: boolean): void {
    const carry = this.#carry;
    const length = this.#carried;
    this.#carried = 0;
    if (carry.length > CARRY_BYTES) this.#carry = Buffer.alloc(0);
    if (this.#isBegun) this.#receiver.resume(carry, 0, length, isEnd);
    else if (isEnd) this.#receiver.lines(carry, 0, length);
    else this.#receiver.begin(carry, 0, length);
    this.#isBegun = !isEnd;
  }

  /**
   * Whole lines straight from the read buffer. One that is too long can be there only if reads are longer than the
   * limit.
   */
  #passWhole(bytes: Buffer, start: number, end: number): void {
    if (end - start <= LONGEST_LINE) {
      this.#receiver.lines(bytes, start, end);
      return;
    }
    for (let from = start; from < end;) {
      const newline = indexOfNewline(bytes, from, end);
      this.#hold(bytes, from, newline);
      this.#end(bytes, newline);
      from = newline + 1;
    }
  }

  /** The newline is added past the limit: it does not count as part of the line. */
  #end(bytes: Buffer, newline: number): void {
    this.#append(bytes, newline, newline + 1);
    this.#pass(true);
  }
}

function indexOfNewline(bytes: Buffer, start: number, end: number): number {
  const at = bytes.indexOf(NEWLINE, start);
  return at < end ? at : -1;
}
