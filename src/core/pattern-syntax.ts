/**
 * The syntax of linear patterns (core/linear-pattern.ts): a part of JavaScript's regular expressions, from text to
 * tree. Everything that a matcher without backtracking cannot do is refused with its name. Pure.
 *
 *   abc  .  [a-z_]  [^"]  \d \w \s \D \W \S       characters; the classes are those of ASCII
 *   \. \[ \t \f \v \r \x1b \u00e9 \u{1f600}       a character by its escape
 *   ^  $  \b  \B                                  the begin and the end of the line, of a word
 *   a|b  (…)  (?:…)  (?<name>…)                   alternatives and groups; groups capture nothing
 *   * + ? {2} {2,} {2,5}                          repetitions; a ? after them changes nothing
 *   (?i)  (?i:…)                                  upper and lower case are the same, to the end of the group
 */
import {
  type CharacterRange,
  type CharacterSet,
  DIGITS,
  EVERYTHING,
  ignoreCase,
  invert,
  SPACES,
  unite,
  WORD_CHARACTERS,
} from './character-set.ts';

/** Longest pattern. */
const MAX_LENGTH = 1000;
/** Largest number of a repetition. */
const MAX_REPEAT = 1000;
/** Deepest group in groups. */
const MAX_DEPTH = 50;

/** A place in a line. */
export type Place = 'begin' | 'end' | 'wordEdge' | 'noWordEdge';

/** A pattern as a tree. `most`: null for no limit. */
export type PatternNode =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly least: number; readonly most: number | null };

/** Reason why a text is not a pattern, to follow "is not". */
export class PatternError extends Error {}

function refuse(why: string): never {
  throw new PatternError(`a valid pattern: ${why}`);
}

const CLASSES: ReadonlyMap<string, CharacterSet> = new Map([
  ['d', DIGITS],
  ['D', invert(DIGITS)],
  ['w', WORD_CHARACTERS],
  ['W', invert(WORD_CHARACTERS)],
  ['s', SPACES],
  ['S', invert(SPACES)],
]);

const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['t', 0x09],
  ['v', 0x0b],
  ['f', 0x0c],
  ['r', 0x0d],
]);

const PLACES: ReadonlyMap<string, Place> = new Map([
  ['b', 'wordEdge'],
  ['B', 'noWordEdge'],
]);

/** Beginnings of groups that need another kind of matcher. */
const REFUSED_GROUPS: ReadonlyArray<readonly [start: string, what: string]> = [
  ['=', 'looks ahead'],
  ['!', 'looks ahead'],
  ['<=', 'looks behind'],
  ['<!', 'looks behind'],
  ['>', 'is atomic'],
];

/** Reads a pattern. Throws {@link PatternError}. */
export function parsePattern(text: string): PatternNode {
  if (text === '') throw new PatternError('a pattern');
  if (text.length > MAX_LENGTH) refuse(`it has more than ${MAX_LENGTH} characters`);
  return new Parser(text).parse();
}

/** One reading of a text. */
class Parser {
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;
  #isCaseIgnored = false;

  constructor(text: string) {
    this.#characters = [...text];
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#characters.length) refuse('a ")" has no "("; write \\) for the character');
    return node;
  }

  #next(): string | undefined {
    return this.#characters[this.#at];
  }

  /** Takes the words if they are next. */
  #take(word: string): boolean {
    if (!this.#isNext(word)) return false;
    this.#at += word.length;
    return true;
  }

  #isNext(word: string): boolean {
    return this.#characters.slice(this.#at, this.#at + word.length).join('') === word;
  }

  /** Takes the characters before the next `end`, and `end`; null if there is none. */
  #takeUntil(end: string): string | null {
    const last = this.#characters.indexOf(end, this.#at);
    if (last === -1) return null;
    const taken = this.#characters.slice(this.#at, last).join('');
    this.#at = last + 1;
    return taken;
  }

  #choice(): PatternNode {
    const options = [this.#sequence()];
    while (this.#take('|')) options.push(this.#sequence());
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: 'choice', options };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    for (let next = this.#next(); next !== undefined && next !== '|' && next !== ')'; next = this.#next()) {
      const atom = this.#atom(next);
      if (atom !== null) parts.push(this.#repeated(atom));
    }
    return { kind: 'sequence', parts };
  }

  /** Reads one character, class, place or group; null for `(?i)`. */
  #atom(next: string): PatternNode | null {
    if ('*+?'.includes(next) || this.#bounds() !== null)
      refuse(`nothing is before the repetition "${next}"; write \\${next} for the character`);
    this.#at++;
    switch (next) {
      case '.':
        return { kind: 'set', set: EVERYTHING };
      case '^':
        return { kind: 'place', place: 'begin' };
      case '$':
        return { kind: 'place', place: 'end' };
      case '(':
        return this.#group();
      case '[':
        return this.#setOf(this.#bracket());
      case '\\':
        return this.#escape();
      default:
        return this.#setOf(oneCharacter(next.codePointAt(0) ?? 0));
    }
  }

  #setOf(set: CharacterSet): PatternNode {
    return { kind: 'set', set: this.#isCaseIgnored ? ignoreCase(set) : set };
  }

  #group(): PatternNode | null {
    if (this.#depth >= MAX_DEPTH) refuse(`it has more than ${MAX_DEPTH} groups in each other`);
    const outside = this.#isCaseIgnored;
    if (this.#take('?') && this.#flags() === 'toEnd') return null;
    this.#depth++;
    const node = this.#choice();
    this.#depth--;
    if (!this.#take(')')) refuse('a "(" has no ")"; write \\( for the character');
    this.#isCaseIgnored = outside;
    return node;
  }

  /** Reads the part after `(?`. `toEnd`: the group had flags only. */
  #flags(): 'group' | 'toEnd' {
    const refused = REFUSED_GROUPS.find(([start]) => this.#isNext(start));
    if (refused !== undefined) refuse(`"(?${refused[0]}" ${refused[1]}, which takes backtracking`);
    if (this.#take(':')) return 'group';
    if (this.#take('<') || this.#take('P<')) {
      if (!/^\w+$/.test(this.#takeUntil('>') ?? '')) refuse('a name of a group is not closed by ">"');
      return 'group';
    }
    const isToEnd = this.#take('i)');
    if (!isToEnd && !this.#take('i:')) refuse(`"(?${this.#next() ?? ''}" is unknown; known are (?: and (?i)`);
    this.#isCaseIgnored = true;
    return isToEnd ? 'toEnd' : 'group';
  }

  #escape(): PatternNode {
    const place = PLACES.get(this.#next() ?? '');
    if (place !== undefined) {
      this.#at++;
      return { kind: 'place', place };
    }
    return this.#setOf(this.#escapedSet());
  }

  /** Reads the part of an escape after the backslash. */
  #escapedSet(): CharacterSet {
    const letter = this.#next();
    if (letter === undefined) return refuse('nothing is after its last \\; write \\\\ for the character');
    this.#at++;
    const known = CLASSES.get(letter);
    if (known !== undefined) return known;
    const control = CONTROLS.get(letter);
    if (control !== undefined) return oneCharacter(control);
    if (letter === 'x' || letter === 'u') return oneCharacter(this.#hexadecimal(letter));
    if (letter === 'n') refuse('no line has a "\\n" in it');
    if (letter === 'k' || /^[1-9]$/.test(letter))
      refuse(`"\\${letter}" refers back to a group, which takes backtracking`);
    if (letter === 'p' || letter === 'P')
      refuse(`"\\${letter}" is unknown; write the characters, for example [a-zäöü]`);
    if (/^[a-zA-Z0-9]$/.test(letter)) refuse(`"\\${letter}" is unknown`);
    return oneCharacter(letter.codePointAt(0) ?? 0);
  }

  #hexadecimal(letter: 'x' | 'u'): number {
    const length = letter === 'x' ? 2 : 4;
    const digits = this.#take('{')
      ? (this.#takeUntil('}') ?? '')
      : this.#characters
          .slice(this.#at, (this.#at += length))
          .join('')
          .padEnd(length, '-');
    const codePoint = /^[0-9a-fA-F]{1,6}$/.test(digits) ? Number.parseInt(digits, 16) : Infinity;
    if (codePoint > 0x10ffff) refuse(`"\\${letter}" needs the number of a character: \\x1b, \\u00e9 or \\u{1f600}`);
    return codePoint;
  }

  /** Reads the part of a class after `[`. */
  #bracket(): CharacterSet {
    const isInverted = this.#take('^');
    const ranges: CharacterRange[] = [];
    while (!this.#take(']')) {
      const from = this.#bracketItem();
      const isRange = this.#isNext('-') && this.#characters[this.#at + 1] !== ']';
      if (!isRange) {
        ranges.push(...from);
        continue;
      }
      this.#at++;
      ranges.push(rangeBetween(from, this.#bracketItem()));
    }
    if (ranges.length === 0) refuse('the class "[]" is empty; write \\[ and \\] for the characters');
    const set = unite(ranges);
    // The other case comes before the inversion: with (?i), [^a] matches neither "a" nor "A".
    return isInverted ? invert(this.#isCaseIgnored ? ignoreCase(set) : set) : set;
  }

  #bracketItem(): CharacterSet {
    const next = this.#next();
    if (next === undefined) return refuse('a "[" has no "]"; write \\[ for the character');
    if (this.#isNext('[:')) refuse('"[:" in a class is unknown; write for example \\d, \\w, \\s or a-z');
    this.#at++;
    if (next !== '\\') return oneCharacter(next.codePointAt(0) ?? 0);
    // In a class, \b is a backspace.
    return this.#take('b') ? oneCharacter(0x08) : this.#escapedSet();
  }

  /** Reads the repetitions after an atom. */
  #repeated(atom: PatternNode): PatternNode {
    const bounds = this.#bounds();
    if (bounds === null) return atom;
    const [least, most, length] = bounds;
    this.#at += length;
    if (this.#isNext('+')) refuse('a "+" after a repetition takes backtracking; write \\+ for the character');
    // A greedy and a lazy repetition match the same lines.
    this.#take('?');
    if (this.#bounds() !== null) refuse('a repetition follows another; put the first into (?:…)');
    return { kind: 'repeat', node: atom, least, most };
  }

  /** Returns the repetition that is next, with its length; null for none. A `{` without numbers is a character. */
  #bounds(): readonly [least: number, most: number | null, length: number] | null {
    switch (this.#next()) {
      case '*':
        return [0, null, 1];
      case '+':
        return [1, null, 1];
      case '?':
        return [0, 1, 1];
      case '{':
        return this.#numbers();
      default:
        return null;
    }
  }

  #numbers(): readonly [least: number, most: number | null, length: number] | null {
    const end = this.#characters.indexOf('}', this.#at);
    const text = this.#characters.slice(this.#at + 1, Math.max(end, this.#at)).join('');
    const [, first, comma, last] = /^(\d{1,9})(,?)(\d{0,9})$/.exec(text) ?? [];
    if (end === -1 || first === undefined || last === undefined || (comma === '' && last !== '')) return null;
    const least = Number(first);
    const most = last === '' ? least : Number(last);
    if (Math.max(least, most) > MAX_REPEAT) refuse(`a repetition has a number above ${MAX_REPEAT}`);
    if (most < least) refuse(`the numbers of the repetition "{${text}}" are in the wrong order`);
    return [least, comma === ',' && last === '' ? null : most, text.length + 2];
  }
}

function oneCharacter(codePoint: number): CharacterSet {
  return [[codePoint, codePoint]];
}

function rangeBetween(from: CharacterSet, to: CharacterSet): CharacterRange {
  const [[first, firstEnd] = [0, 1]] = from;
  const [[last, lastEnd] = [0, 1]] = to;
  if (first !== firstEnd || last !== lastEnd)
    return refuse('a class is the end of a range; write \\- for the character');
  if (last < first) refuse('the ends of a range are in the wrong order; write \\- for the character');
  return [first, last];
}
