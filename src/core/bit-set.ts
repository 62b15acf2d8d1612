/** Sets of small numbers as bits, for linear patterns (core/pattern-automaton.ts). Pure. */

/** Number of bits in a word. */
const WORD_BITS = 32;

/** Returns the number of words for the numbers below `size`. */
export function wordsFor(size: number): number {
  return Math.ceil(size / WORD_BITS);
}

/** Adds a number. */
export function setBit(bits: Int32Array, index: number): void {
  bits[index >>> 5] = (bits[index >>> 5] as number) | (1 << (index & 31));
}

/** Removes a number. */
export function removeBit(bits: Int32Array, index: number): void {
  bits[index >>> 5] = (bits[index >>> 5] as number) & ~(1 << (index & 31));
}

/** True if a number is in the set. */
export function hasBit(bits: Int32Array, index: number): boolean {
  return ((bits[index >>> 5] as number) & (1 << (index & 31))) !== 0;
}

/** Adds all numbers of another set of the same size. */
export function addBits(bits: Int32Array, others: Int32Array): void {
  for (let word = 0; word < bits.length; word++) bits[word] = (bits[word] as number) | (others[word] as number);
}

/** Returns the bits that two sets of the same size have in common in a word. */
export function sharedWord(bits: Int32Array, others: Int32Array, word: number): number {
  return (bits[word] as number) & (others[word] as number);
}

/** True if two sets of the same size have a number in common. */
export function hasAnyOf(bits: Int32Array, others: Int32Array): boolean {
  for (let word = 0; word < bits.length; word++) if (sharedWord(bits, others, word) !== 0) return true;
  return false;
}

/** True if a set has no number. */
export function isEmpty(bits: Int32Array): boolean {
  return bits.every((word) => word === 0);
}

/** Removes all numbers of another set of the same size. */
export function removeBits(bits: Int32Array, others: Int32Array): void {
  for (let word = 0; word < bits.length; word++) bits[word] = (bits[word] as number) & ~(others[word] as number);
}

/** Returns the words of a set that have a number: the index of the first, its bits, and so on. */
export function sparseOf(bits: Int32Array): Int32Array {
  return Int32Array.from([...bits].flatMap((value, word) => (value === 0 ? [] : [word, value])));
}

/** Adds all numbers of a set that {@link sparseOf} has returned. */
export function addSparse(bits: Int32Array, sparse: Int32Array): void {
  for (let at = 0; at < sparse.length; at += 2) {
    const word = sparse[at] as number;
    bits[word] = (bits[word] as number) | (sparse[at + 1] as number);
  }
}

/** Returns the smallest number in a word of a set. `rest` has the bits of that word, at least one. */
export function lowestBit(word: number, rest: number): number {
  return word * WORD_BITS + WORD_BITS - 1 - Math.clz32(rest & -rest);
}
