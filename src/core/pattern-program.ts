/**
 * Turns the tree of a linear pattern into a program: a nondeterministic automaton in Thompson's form, whose size is
 * limited. Pure.
 */
import { type CharacterSet, contains, WORD_CHARACTERS } from './character-set.ts';
import { PatternError, type PatternNode, type Place } from './pattern-syntax.ts';

/** Largest number of instructions. The time for a character is at most proportional to the instructions. */
const MAX_INSTRUCTIONS = 500;
/** Largest number of visited nodes. Repetitions of nothing need no instructions, but time. */
const MAX_VISITS = 10_000;

/** One instruction. `next` and `nexts` are indexes of instructions. */
export type Instruction =
  /** Takes one character of the set. `hasClass`: 1 for each class of characters (see {@link Alphabet}) in the set. */
  | { readonly kind: 'set'; readonly hasClass: Uint8Array; readonly next: number }
  /** Continues if the line is at such a place. */
  | { readonly kind: 'place'; readonly place: Place; readonly next: number }
  | { readonly kind: 'split'; readonly nexts: readonly number[] }
  | { readonly kind: 'match' };

/**
 * The classes of characters that a pattern does not tell apart. Class `i` begins at `starts[i]` and ends before
 * `starts[i + 1]`.
 */
export interface Alphabet {
  readonly starts: readonly number[];
  /** 1 for each class of word characters. */
  readonly isWord: Uint8Array;
}

/** A pattern as a program. `first` is the index of its first instruction. */
export interface Program {
  readonly instructions: readonly Instruction[];
  readonly first: number;
  readonly alphabet: Alphabet;
}

/** Makes the program of a pattern. Throws {@link PatternError} if it is too large. */
export function compilePattern(node: PatternNode): Program {
  const compiler = new Compiler(node);
  return { first: compiler.first, instructions: compiler.instructions, alphabet: compiler.alphabet };
}

class Compiler {
  readonly instructions: Instruction[] = [];
  readonly alphabet: Alphabet;
  readonly first: number;
  readonly #classesOf = new Map<CharacterSet, Uint8Array>();
  #visits = 0;

  constructor(node: PatternNode) {
    this.alphabet = alphabetOf(node);
    this.first = this.#compile(node, this.#add({ kind: 'match' }));
  }

  #add(instruction: Instruction): number {
    if (this.instructions.length >= MAX_INSTRUCTIONS) refuseSize();
    return this.instructions.push(instruction) - 1;
  }

  /** Adds the instructions of a node, which continue with `next`. Returns the first of them. */
  #compile(node: PatternNode, next: number): number {
    if (++this.#visits > MAX_VISITS) refuseSize();
    switch (node.kind) {
      case 'set':
        return this.#add({ kind: 'set', hasClass: this.#classes(node.set), next });
      case 'place':
        return this.#add({ kind: 'place', place: node.place, next });
      case 'sequence':
        return node.parts.reduceRight((after, part) => this.#compile(part, after), next);
      case 'choice':
        return this.#add({ kind: 'split', nexts: node.options.map((option) => this.#compile(option, next)) });
      case 'repeat':
        return this.#repeat(node, next);
    }
  }

  #repeat({ node, least, most }: Extract<PatternNode, { kind: 'repeat' }>, next: number): number {
    let first = most === null ? this.#loop(node, next) : next;
    for (let count = least; count < (most ?? least); count++)
      first = this.#add({ kind: 'split', nexts: [this.#compile(node, first), next] });
    for (let count = 0; count < least; count++) first = this.#compile(node, first);
    return first;
  }

  /** Adds any number of repetitions. */
  #loop(node: PatternNode, next: number): number {
    const nexts = [next];
    const first = this.#add({ kind: 'split', nexts });
    nexts.push(this.#compile(node, first));
    return first;
  }

  #classes(set: CharacterSet): Uint8Array {
    const known = this.#classesOf.get(set);
    if (known !== undefined) return known;
    const classes = membersOf(this.alphabet.starts, set);
    this.#classesOf.set(set, classes);
    return classes;
  }
}

/** Throws the {@link PatternError} of a pattern that would take too much time. */
export function refuseSize(): never {
  throw new PatternError('a valid pattern: it is too large; use smaller numbers in its repetitions');
}

/** Returns 1 for each class whose characters are in the set. */
function membersOf(starts: readonly number[], set: CharacterSet): Uint8Array {
  return Uint8Array.from(starts, (start) => (contains(set, start) ? 1 : 0));
}

function alphabetOf(node: PatternNode): Alphabet {
  const limits = new Set([0]);
  const add = (set: CharacterSet): void => {
    for (const [first, last] of set) limits.add(first).add(last + 1);
  };
  add(WORD_CHARACTERS);
  const visit = (inner: PatternNode): void => {
    switch (inner.kind) {
      case 'set':
        return add(inner.set);
      case 'place':
        return;
      case 'sequence':
        return inner.parts.forEach(visit);
      case 'choice':
        return inner.options.forEach(visit);
      case 'repeat':
        return visit(inner.node);
    }
  };
  visit(node);
  const starts = [...limits].sort((a, b) => a - b);
  return { starts, isWord: membersOf(starts, WORD_CHARACTERS) };
}
