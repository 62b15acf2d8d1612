/** Sets of characters, for linear patterns (core/linear-pattern.ts). Pure. */

/** Code points from `first` to `last`, both included. */
export type CharacterRange = readonly [first: number, last: number];

/** A set: ranges in order that neither overlap nor touch. */
export type CharacterSet = readonly CharacterRange[];

const LAST_CODE_POINT = 0x10ffff;
/** No letter above this code point has another case. */
const LAST_CASED = 0x1e943;
const ASCII_END = 0x80;

/** Every character, also those that stand for a byte that is not UTF-8 (U+DC80 to U+DCFF). */
export const EVERYTHING: CharacterSet = [[0, LAST_CODE_POINT]];
export const DIGITS: CharacterSet = toSet([['0', '9']]);
export const SPACES: CharacterSet = toSet([
  ['\t', '\r'],
  [' ', ' '],
]);
export const WORD_CHARACTERS: CharacterSet = toSet([
  ['0', '9'],
  ['A', 'Z'],
  ['_', '_'],
  ['a', 'z'],
]);

function toSet(ranges: ReadonlyArray<readonly [string, string]>): CharacterSet {
  return ranges.map(([first, last]) => [first.charCodeAt(0), last.charCodeAt(0)]);
}

/** Makes a set of ranges in any order. */
export function unite(ranges: readonly CharacterRange[]): CharacterSet {
  const united: Array<[number, number]> = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const before = united.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else united.push([first, last]);
  }
  return united;
}

/** Returns all characters that are not in the set. */
export function invert(set: CharacterSet): CharacterSet {
  const inverted: CharacterRange[] = [];
  let next = 0;
  for (const [first, last] of set) {
    if (first > next) inverted.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= LAST_CODE_POINT) inverted.push([next, LAST_CODE_POINT]);
  return inverted;
}

export function contains(set: CharacterSet, codePoint: number): boolean {
  return set.some(([first, last]) => codePoint >= first && codePoint <= last);
}

/** Adds to each letter its upper and its lower case. A letter of ASCII has no other case outside of ASCII. */
export function ignoreCase(set: CharacterSet): CharacterSet {
  const added = casePairs().flatMap(([one, other]): CharacterRange[] =>
    contains(set, one) && !contains(set, other) ? [[other, other]] : [],
  );
  // A letter may have more than one other case, as the Greek sigma has: so look again at what was added.
  return added.length === 0 ? set : ignoreCase(unite([...set, ...added]));
}

let pairs: ReadonlyArray<readonly [number, number]> | null = null;

/** Returns the pairs of letters that differ in case only, each of them in both orders. */
function casePairs(): ReadonlyArray<readonly [number, number]> {
  if (pairs !== null) return pairs;
  const found: Array<readonly [number, number]> = [];
  for (let codePoint = 0; codePoint <= LAST_CASED; codePoint++) {
    const letter = String.fromCodePoint(codePoint);
    for (const cased of [letter.toLowerCase(), letter.toUpperCase()]) {
      const other = cased.codePointAt(0) ?? 0;
      const isOneLetter = cased.length === String.fromCodePoint(other).length;
      if (cased === letter || !isOneLetter || codePoint < ASCII_END !== other < ASCII_END) continue;
      found.push([codePoint, other], [other, codePoint]);
    }
  }
  pairs = found;
  return found;
}
