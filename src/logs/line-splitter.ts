/**
 * Splits a stream of bytes into whole lines, and passes them on as ranges of bytes. Only a line that two reads cut
 * apart is copied. The lines do not depend on how the reads cut the stream.
 */

import { countSplitBytes } from '../core/utf8.ts';

/** Maximum number of bytes of a line. A longer line is cut, so that a line without an end does not fill the memory. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** Size of the buffer for a partial line at first. A larger buffer is freed after its line. */
const CARRY_BYTES = 4096;

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);
const RETURN = 0x0d;

/** Receiver of the lines. The bytes are valid during the call only. */
export interface LineReceiver {
  /** Takes bytes[start, end): one or more whole lines, each with its newline. */
  lines(bytes: Buffer, start: number, end: number): void;
  /** Takes the beginning of a line whose end has not come in time, or before the end of the stream. */
  begin(bytes: Buffer, start: number, end: number): void;
  /** Takes more of a line that was begun, with its newline if `isEnd`. */
  resume(bytes: Buffer, start: number, end: number, isEnd: boolean): void;
  /**
   * Takes {@link MAX_LINE_BYTES} bytes, or a few less, of a longer line, which may have been begun before. The bytes
   * after them come as another line.
   */
  cut(bytes: Buffer, start: number, end: number): void;
}

/** The splitter of one pipe. */
export class LineSplitter {
  readonly #receiver: LineReceiver;
  #carry: Buffer = EMPTY;
  #carried = 0;
  /** True if the beginning of the current line was passed on already. */
  #isBegun = false;

  constructor(receiver: LineReceiver) {
    this.#receiver = receiver;
  }

  /** True if a partial line waits for its end. */
  get hasPartial(): boolean {
    return this.#carried > 0;
  }

  /** Sets whether the next bytes continue a line, after bytes that did not pass through the splitter. */
  setBegun(isBegun: boolean): void {
    this.#isBegun = isBegun;
  }

  /** Gives the partial line to another splitter of the same pipe. */
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

  /** Passes on the whole partial line without waiting for its end. */
  flush(): void {
    if (this.#carried > 0) this.#pass(false);
  }

  /**
   * Passes on the partial line, but keeps an incomplete UTF-8 character at its end.
   * `keepsReturn`: keeps a carriage return at its end too, because a newline may follow.
   */
  flushCharacters(keepsReturn: boolean): void {
    let whole = this.#carried - countSplitBytes(this.#carry.subarray(0, this.#carried));
    if (keepsReturn && this.#carry[whole - 1] === RETURN) whole--;
    if (whole === 0) return;
    const kept = Buffer.from(this.#carry.subarray(whole, this.#carried));
    this.#carried = whole;
    this.#pass(false);
    this.#append(kept, 0, kept.length);
  }

  /** Adds to the partial line, and cuts a line that grows too long. */
  #hold(bytes: Buffer, start: number, end: number): void {
    let from = start;
    while (this.#carried + end - from > MAX_LINE_BYTES) {
      const take = MAX_LINE_BYTES - this.#carried;
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
      const larger = Buffer.allocUnsafeSlow(Math.min(MAX_LINE_BYTES + 1, Math.max(wanted * 2, CARRY_BYTES)));
      this.#carry.copy(larger, 0, 0, this.#carried);
      this.#carry = larger;
    }
    bytes.copy(this.#carry, this.#carried, start, end);
    this.#carried = wanted;
  }

  /** Passes on the partial line, with its end or without, and frees a large buffer. */
  #pass(isEnd: boolean): void {
    const carry = this.#carry;
    const length = this.#carried;
    this.#carried = 0;
    if (carry.length > CARRY_BYTES) this.#carry = EMPTY;
    if (this.#isBegun) this.#receiver.resume(carry, 0, length, isEnd);
    else if (isEnd) this.#receiver.lines(carry, 0, length);
    else this.#receiver.begin(carry, 0, length);
    this.#isBegun = !isEnd;
  }

  /**
   * Passes on whole lines straight from the read buffer. Only a read longer than the limit can hold too long a line.
   */
  #passWhole(bytes: Buffer, start: number, end: number): void {
    if (end - start <= MAX_LINE_BYTES) {
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

  /** Ends the partial line. The newline does not count against the limit. */
  #end(bytes: Buffer, newline: number): void {
    this.#append(bytes, newline, newline + 1);
    this.#pass(true);
  }
}

function indexOfNewline(bytes: Buffer, start: number, end: number): number {
  const at = bytes.indexOf(NEWLINE, start);
  return at < end ? at : -1;
}
