/**
 * Reads a stream of bytes, line by line, into the automaton of a linear pattern (core/linear-pattern.ts). It keeps no
 * text: only the state, and at most three bytes of a character that is not complete. Pure.
 */
import type { PatternAutomaton, State } from './pattern-automaton.ts';
import { lengthOfCharacter, mayFollow } from './utf8.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const ASCII_END = 0x80;
/** A byte of 0x80 to 0xff that is not UTF-8 is this much more as a character. */
const RAW_BYTE = 0xdc00;

/** Searches the lines of one stream, in pieces of any length. */
export class LineScanner {
  readonly #automaton: PatternAutomaton;
  #state: State;
  /** First bytes of a character of UTF-8. */
  #begun: number[] = [];
  /** True after a carriage return that may be at the end of the line. */
  #isAfterReturn = false;

  constructor(automaton: PatternAutomaton) {
    this.#automaton = automaton;
    this.#state = automaton.begin;
  }

  /** Goes to the begin of a line. */
  reset(): void {
    this.#state = this.#automaton.begin;
    this.#begun = [];
    this.#isAfterReturn = false;
  }

  /** Reads the next bytes. Returns true as soon as a line matches. To read on after that, call {@link reset}. */
  read(bytes: Uint8Array): boolean {
    this.#automaton.count(bytes.length);
    for (let at = this.#skip(bytes, 0); at < bytes.length; at = this.#skip(bytes, at)) {
      const byte = bytes[at++] ?? NEWLINE;
      if (byte !== NEWLINE) this.#readByte(byte);
      else if (this.end()) return true;
      else this.reset();
      if (this.#state.isMatch) return true;
    }
    return this.#state.isMatch;
  }

  /** Reads the bytes that need no attention, and those of a line that cannot match. Returns the place of the next. */
  #skip(bytes: Uint8Array, from: number): number {
    if (this.#state.isDecided) {
      const newline = bytes.indexOf(NEWLINE, from);
      return newline === -1 ? bytes.length : newline;
    }
    if (this.#isAfterReturn || this.#begun.length > 0) return from;
    const { classOfByte } = this.#automaton;
    let state = this.#state;
    let at = from;
    for (; at < bytes.length; at++) {
      const kind = classOfByte[bytes[at] ?? 0] ?? -1;
      const next = kind === -1 ? undefined : state.next[kind];
      if (next === undefined || next.isDecided) break;
      state = next;
    }
    this.#state = state;
    return at;
  }

  /** Ends the line. Returns true if it matches. */
  end(): boolean {
    this.#readBegun();
    return this.#automaton.isMatchAtEnd(this.#state);
  }

  #readByte(byte: number): void {
    if (this.#isAfterReturn) this.#take(RETURN);
    this.#isAfterReturn = byte === RETURN;
    const [first] = this.#begun;
    if (first !== undefined && !mayFollow(first, byte, this.#begun.length)) this.#readBegun();
    if (this.#isAfterReturn) return;
    if (byte < ASCII_END) return this.#take(byte);
    this.#begun.push(byte);
    const length = lengthOfCharacter(this.#begun[0] ?? byte);
    if (length === 1) this.#readBegun();
    else if (this.#begun.length === length) this.#readCharacter();
  }

  /** Takes the bytes of a character that stays incomplete. */
  #readBegun(): void {
    for (const byte of this.#begun) this.#take(RAW_BYTE + byte);
    this.#begun = [];
  }

  #readCharacter(): void {
    const [first = 0, ...others] = this.#begun;
    const bitsOfFirst = first & (0x7f >> this.#begun.length);
    this.#begun = [];
    this.#take(others.reduce((character, byte) => (character << 6) | (byte & 0x3f), bitsOfFirst));
  }

  #take(character: number): void {
    this.#state = this.#automaton.after(this.#state, this.#automaton.classOf(character));
  }
}
