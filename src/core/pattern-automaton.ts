/**
 * The deterministic automaton of a linear pattern, made while lines are read: a state is the set of instructions that
 * the text so far leads to. A state is made when it is needed first, and what is kept of them is limited (`MAX_CELLS`).
 * Without a kept state, a character takes as many steps as the program has instructions. Pure.
 */
import type { Program } from './pattern-program.ts';
import type { Place } from './pattern-syntax.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const ASCII_END = 0x80;
/** Largest number of transitions and of active instructions in all states that are kept. */
const MAX_CELLS = 50_000;
/** If the states were used for fewer characters each, keeping them has cost more than it has saved. */
const MIN_USES = 10;
/** Characters that are read without keeping states after that. */
const UNKEPT_CHARACTERS = 65_536;

/** A state. */
export interface State {
  /** Instructions of the kinds set and place. */
  readonly active: number[];
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

/** Result of following the instructions that take no character. */
interface Reached {
  readonly active: number[];
  readonly isMatch: boolean;
}

/** Decides about an instruction `place`: continue after it, drop it, or keep it until the next character is known. */
type Judge = (place: Place) => 'continue' | 'drop' | 'keep';

const MATCHED: State = {
  active: [],
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
  readonly #states = new Map<string, State>();
  /** Transitions and active instructions of the states. */
  #cells = 0;
  /** For each instruction, the number of the search that has met it last. */
  readonly #metIn: Float64Array;
  #searches = 0;
  /** Characters that were read since the states were dropped. */
  #characters = 0;
  #areKept = true;

  constructor(program: Program) {
    this.#program = program;
    this.#metIn = new Float64Array(program.instructions.length);
    this.classOfByte = Int16Array.from({ length: 256 }, (_, byte) =>
      byte === NEWLINE || byte === RETURN || byte >= ASCII_END ? -1 : this.classOf(byte),
    );
    this.begin = this.#stateOf([program.first], true, false);
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
    state.isMatchAtEnd ??= this.#resolve(state, null).isMatch;
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
    const { instructions, first, alphabet } = this.#program;
    if (state.isMatch) return MATCHED;
    const isWord = alphabet.isWord[kind] === 1;
    const { active, isMatch } = this.#resolve(state, isWord);
    if (isMatch) return MATCHED;
    // A match may begin at any character.
    const seeds = [first];
    for (const index of active) {
      const instruction = instructions[index];
      if (instruction?.kind === 'set' && instruction.hasClass[kind] === 1) seeds.push(instruction.next);
    }
    const next = this.#stateOf(seeds, false, isWord);
    if (this.#areKept) state.next[kind] = next;
    return next;
  }

  /** Decides about the places in a state, now that the next character is known; null for the end of the line. */
  #resolve({ active, hasPlaces, isAtBegin, isAfterWord }: State, isBeforeWord: boolean | null): Reached {
    if (!hasPlaces) return { active, isMatch: false };
    const isEdge = isAfterWord !== (isBeforeWord ?? false);
    const holds = { begin: isAtBegin, end: isBeforeWord === null, wordEdge: isEdge, noWordEdge: !isEdge };
    return this.#follow(active, (place) => (holds[place] ? 'continue' : 'drop'));
  }

  /** Returns the state with these instructions, and makes it if it is not at hand. */
  #stateOf(seeds: readonly number[], isAtBegin: boolean, isWord: boolean): State {
    const { instructions } = this.#program;
    const atBegin = isAtBegin ? 'continue' : 'drop';
    const { active, isMatch } = this.#follow(seeds, (place) => (place === 'begin' ? atBegin : 'keep'));
    if (isMatch) return MATCHED;
    const hasPlaces = active.some((index) => instructions[index]?.kind === 'place');
    const isAfterWord = isWord && hasPlaces;
    const isDecided = active.length === 0;
    const state: State = {
      active,
      hasPlaces,
      isAtBegin,
      isAfterWord,
      isMatch,
      isDecided,
      next: [],
      isMatchAtEnd: null,
    };
    return this.#areKept ? this.#keep(state) : state;
  }

  /** Returns the state that is kept and equals this one, if there is one. If not, keeps this one. */
  #keep(state: State): State {
    state.active.sort((a, b) => a - b);
    const key = `${state.isAtBegin ? '^' : ''}${state.isAfterWord ? 'w' : ''}${state.active.join()}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#cells > MAX_CELLS) this.#forget();
    this.#states.set(key, state);
    this.#cells += this.#program.alphabet.starts.length + state.active.length;
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

  /** Follows all instructions that take no character. */
  #follow(seeds: readonly number[], judge: Judge): Reached {
    const { instructions } = this.#program;
    const search = ++this.#searches;
    const stack = [...seeds];
    const active: number[] = [];
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      if (this.#metIn[index] === search) continue;
      this.#metIn[index] = search;
      const instruction = instructions[index];
      if (instruction?.kind === 'match') return { active: [], isMatch: true };
      if (instruction?.kind === 'split') for (const next of instruction.nexts) stack.push(next);
      else if (instruction?.kind !== 'place') active.push(index);
      else {
        const decision = judge(instruction.place);
        if (decision === 'continue') stack.push(instruction.next);
        else if (decision === 'keep') active.push(index);
      }
    }
    return { active, isMatch: false };
  }
}
