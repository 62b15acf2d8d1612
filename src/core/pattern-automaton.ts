/**
 * The deterministic automaton of a linear pattern, made while lines are read: a state is the set of instructions that
 * the text so far leads to. A state is made when it is needed first, and what is kept of them is limited (`MAX_CELLS`).
 *
 * Some patterns lead to a new state at almost each character. So a new state must be cheap: sets are bits, and most
 * instructions lead to the one before them (pattern-program.ts compiles a sequence from its end), which is a shift.
 * Callers whose patterns come from clients limit the steps of a turn ({@link PatternAutomaton.steps}). Pure.
 */
import {
  addBits,
  addSparse,
  hasAnyOf,
  hasBit,
  isEmpty,
  lowestBit,
  removeBit,
  removeBits,
  setBit,
  sharedWord,
  sparseOf,
  wordsFor,
} from './bit-set.ts';
import { type Instruction, type Program, refuseSize } from './pattern-program.ts';
import type { Place } from './pattern-syntax.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const ASCII_END = 0x80;
/** Largest size of all states that are kept, in transitions, words of bits and {@link STATE_CELLS}. */
const MAX_CELLS = 50_000;
/** Size of a state without transitions and bits. */
const STATE_CELLS = 20;
/** Steps for each word of the bits in a step, and for the instructions after one that is not a shift. */
const WORD_STEPS = 4;
const NEXT_STEPS = 3;
/**
 * Largest number of steps for a character without a kept state. The patterns of a configuration read the output of
 * programs in the turns of the loop that read it.
 */
const MAX_STEPS = 1500;
/** Steps to make a state. */
const STATE_STEPS = 20;
/** Steps to look up a state among the kept ones. */
const KEEP_STEPS = 50;
/** If the states were used for fewer characters each, keeping them has cost more than it has saved. */
const MIN_USES = 10;
/** Characters that are read without keeping states after that. */
const UNKEPT_CHARACTERS = 65_536;

/** A state. */
export interface State {
  /** Instructions of the kinds set and place, as bits. */
  readonly active: Int32Array;
  /** True if a place is active. */
  readonly hasPlaces: boolean;
  readonly isAtBegin: boolean;
  /** True if the character before was a word character. False if no place is active. */
  readonly isAfterWord: boolean;
  /** True if the line matches, whatever comes. */
  readonly isMatch: boolean;
  /** True if the next characters do not matter: the line matches, or cannot match any more. */
  readonly isDecided: boolean;
  /** Next state for each class of characters that was met. */
  readonly next: Array<State | undefined>;
  /** True if the line matches when it ends here; null if that is not known yet. */
  isMatchAtEnd: boolean | null;
}

const MATCHED: State = {
  active: new Int32Array(0),
  hasPlaces: false,
  isAtBegin: false,
  isAfterWord: false,
  isMatch: true,
  isDecided: true,
  next: [],
  isMatchAtEnd: true,
};

/** The automaton of one pattern. Streams share it. */
export class PatternAutomaton {
  /** State at the begin of a line. */
  readonly begin: State;
  /** Class of each byte that is a character by itself; -1 for others, for a newline and for a carriage return. */
  readonly classOfByte: Int16Array;
  readonly #program: Program;
  readonly #words: number;
  /** The instructions that match, those that are places, and those of each place, as bits. */
  readonly #matches: Int32Array;
  readonly #places: Int32Array;
  readonly #placesOf: Readonly<Record<Place, Int32Array>>;
  /** The instructions that lead to the one before them, as bits. */
  readonly #steady: Int32Array;
  /** For each class of characters, the instructions that take one of the class. Made when needed. */
  readonly #takers: Array<Int32Array | undefined> = [];
  /** For each instruction, the next one. */
  readonly #nextOf: Int32Array;
  /** For each instruction that is the next one of another, those that it leads to without a character (`sparseOf`). */
  readonly #reached: Array<Int32Array | undefined> = [];
  /** The instructions at which a match may begin. */
  readonly #seeds: Int32Array;
  /** For each instruction, the number of the search that has added it last. */
  readonly #metIn: Float64Array;
  #searches = 0;
  readonly #states = new Map<string, State>();
  /** Size of the states. */
  #cells = 0;
  /** Characters that were read since the states were dropped. */
  #characters = 0;
  #areKept = true;
  #steps = 0;

  constructor(program: Program) {
    const { instructions } = program;
    this.#program = program;
    this.#words = wordsFor(instructions.length);
    this.#matches = this.#choose((one) => one.kind === 'match');
    this.#places = this.#choose((one) => one.kind === 'place');
    const placesOf = (place: Place): Int32Array => this.#choose((one) => one.kind === 'place' && one.place === place);
    this.#placesOf = {
      begin: placesOf('begin'),
      end: placesOf('end'),
      wordEdge: placesOf('wordEdge'),
      noWordEdge: placesOf('noWordEdge'),
    };
    this.#steady = this.#choose(
      (one, index) => one.kind === 'set' && one.next === index - 1 && instructions[one.next]?.kind !== 'split',
    );
    this.classOfByte = Int16Array.from({ length: 256 }, (_, byte) =>
      byte === NEWLINE || byte === RETURN || byte >= ASCII_END ? -1 : this.classOf(byte),
    );
    this.#nextOf = new Int32Array(instructions.length);
    this.#metIn = new Float64Array(instructions.length);
    this.#prepare();
    this.#seeds = this.#reachedFrom(program.first);
    this.begin = this.#stateOf(this.#seeds, true, false);
  }

  /**
   * Measure of the time so far: the words of bits that were computed, and the states that were made. A character that
   * leads from a kept state to a kept state is not counted.
   */
  get steps(): number {
    return this.#steps;
  }

  /** Returns the class of a character: the last one that begins at or before it. */
  classOf(character: number): number {
    const { starts } = this.#program.alphabet;
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? Infinity) <= character) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Returns the state after a character of a class. */
  after(state: State, kind: number): State {
    return state.next[kind] ?? this.#step(state, kind);
  }

  /** True if the line matches when it ends in this state. */
  isMatchAtEnd(state: State): boolean {
    state.isMatchAtEnd ??= hasAnyOf(this.#resolve(state, null), this.#matches);
    return state.isMatchAtEnd;
  }

  /** Counts characters that are about to be read. */
  count(characters: number): void {
    this.#characters += characters;
    if (this.#areKept || this.#characters < UNKEPT_CHARACTERS) return;
    this.#areKept = true;
    this.#characters = 0;
  }

  #step(state: State, kind: number): State {
    if (state.isMatch) return MATCHED;
    const isWord = this.#program.alphabet.isWord[kind] === 1;
    const active = this.#resolve(state, isWord);
    if (hasAnyOf(active, this.#matches)) return MATCHED;
    // A match may begin at any character.
    const reached = new Int32Array(this.#seeds);
    this.#advance(active, kind, reached);
    // No later place is the begin of the line.
    removeBits(reached, this.#placesOf.begin);
    const next = this.#stateOf(reached, false, isWord);
    if (this.#areKept) state.next[kind] = next;
    return next;
  }

  /** Adds the instructions that a character of a class leads to. */
  #advance(active: Int32Array, kind: number, reached: Int32Array): void {
    const takers = (this.#takers[kind] ??= this.#choose((one) => one.kind === 'set' && one.hasClass[kind] === 1));
    const steady = this.#steady;
    this.#steps += reached.length * WORD_STEPS;
    this.#searches++;
    let above = 0;
    for (let word = reached.length - 1; word >= 0; word--) {
      const taken = (active[word] as number) & (takers[word] as number);
      const shifted = taken & (steady[word] as number);
      reached[word] = (reached[word] as number) | (shifted >>> 1) | (above << 31);
      above = shifted;
      for (let rest = taken & ~shifted; rest !== 0; rest &= rest - 1) this.#addNext(lowestBit(word, rest), reached);
    }
  }

  /** Adds the instructions that follow one without a character. Instructions with the same next one are added once. */
  #addNext(index: number, reached: Int32Array): void {
    const next = this.#nextOf[index] as number;
    if (this.#metIn[next] === this.#searches) return;
    this.#metIn[next] = this.#searches;
    const words = this.#reached[next] as Int32Array;
    this.#steps += NEXT_STEPS + words.length / 2;
    addSparse(reached, words);
  }

  /** Decides about the places in a state, now that the next character is known; null for the end of the line. */
  #resolve({ active, hasPlaces, isAtBegin, isAfterWord }: State, isBeforeWord: boolean | null): Int32Array {
    if (!hasPlaces) return active;
    const isEdge = isAfterWord !== (isBeforeWord ?? false);
    const reached = new Int32Array(active);
    const holding = new Int32Array(this.#words);
    this.#steps += this.#words * WORD_STEPS;
    this.#searches++;
    for (const [place, holds] of [
      ['begin', isAtBegin],
      ['end', isBeforeWord === null],
      ['wordEdge', isEdge],
      ['noWordEdge', !isEdge],
    ] as const)
      if (holds) addBits(holding, this.#placesOf[place]);
    for (let isNew = true; isNew;) {
      isNew = false;
      for (let word = 0; word < reached.length; word++)
        for (let rest = sharedWord(reached, holding, word); rest !== 0; rest = sharedWord(reached, holding, word)) {
          const index = lowestBit(word, rest);
          // Each place is passed once.
          removeBit(holding, index);
          this.#addNext(index, reached);
          isNew = true;
        }
    }
    return reached;
  }

  /** Returns the state with these instructions, and makes it if it is not at hand. */
  #stateOf(active: Int32Array, isAtBegin: boolean, isWord: boolean): State {
    if (hasAnyOf(active, this.#matches)) return MATCHED;
    const hasPlaces = hasAnyOf(active, this.#places);
    this.#steps += STATE_STEPS;
    const state: State = {
      active,
      hasPlaces,
      isAtBegin,
      isAfterWord: isWord && hasPlaces,
      isMatch: false,
      isDecided: isEmpty(active),
      next: [],
      isMatchAtEnd: null,
    };
    return this.#areKept ? this.#keep(state) : state;
  }

  /** Returns the state that is kept and equals this one, if there is one. If not, keeps this one. */
  #keep(state: State): State {
    this.#steps += KEEP_STEPS;
    const key = `${state.isAtBegin ? '^' : ''}${state.isAfterWord ? 'w' : ''}${state.active.join()}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#cells > MAX_CELLS) this.#forget();
    this.#states.set(key, state);
    this.#cells += this.#program.alphabet.starts.length + this.#words + STATE_CELLS;
    return state;
  }

  /** Drops all states. A scanner keeps the one that it is in, without its ways to others. */
  #forget(): void {
    for (const state of this.#states.values()) state.next.length = 0;
    this.#areKept = this.#characters >= this.#states.size * MIN_USES;
    this.#states.clear();
    this.#cells = 0;
    this.#characters = 0;
  }

  /** Returns an instruction and those that it leads to without a character, up to places. Splits are left out. */
  #reachedFrom(first: number): Int32Array {
    const { instructions } = this.#program;
    const reached = new Int32Array(this.#words);
    const met = new Int32Array(this.#words);
    const stack = [first];
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      if (hasBit(met, index)) continue;
      setBit(met, index);
      const instruction = instructions[index];
      if (instruction?.kind === 'split') for (const next of instruction.nexts) stack.push(next);
      else setBit(reached, index);
    }
    return reached;
  }

  /** Prepares the additions of a step. Throws {@link PatternError} if one step could take too many. */
  #prepare(): void {
    const { instructions } = this.#program;
    let steps = this.#words * WORD_STEPS;
    for (const [index, instruction] of instructions.entries()) {
      if (!('next' in instruction) || hasBit(this.#steady, index)) continue;
      const { next } = instruction;
      this.#nextOf[index] = next;
      if (this.#reached[next] !== undefined) continue;
      const words = sparseOf(this.#reachedFrom(next));
      this.#reached[next] = words;
      steps += NEXT_STEPS + words.length / 2;
    }
    if (steps > MAX_STEPS) refuseSize();
  }

  /** Returns the instructions that a condition is true for. */
  #choose(isChosen: (instruction: Instruction, index: number) => boolean): Int32Array {
    const chosen = new Int32Array(this.#words);
    for (const [index, instruction] of this.#program.instructions.entries())
      if (isChosen(instruction, index)) setBit(chosen, index);
    return chosen;
  }
}
