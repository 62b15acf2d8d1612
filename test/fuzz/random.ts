/** Random numbers from a seed, and random texts. A failing test prints its seed; TEST_SEED repeats the run. */
import { bySize } from '../slow.ts';

/** A source of random numbers (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Returns a number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns a whole number in [0, count). */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** Joins up to `most` of the pieces. */
  join(pieces: readonly string[], most: number): string {
    return Array.from({ length: this.below(most + 1) }, () => this.pick(pieces)).join('');
  }
}

/**
 * The seed of this run: TEST_SEED, or a new one in the long form. The brief form has always the same, so that a change
 * is judged by the same inputs as the one before.
 */
export const SEED = Number(process.env['TEST_SEED'] ?? bySize({ brief: 1, long: Math.floor(Math.random() * 2 ** 31) }));

/** Characters that parsers are sensitive to. */
const ODD = [
  ...Array.from('"\'\\%$#;:=,[]{}()<>&|*?/~!@-+. \t\n\r\v\f\b\0'),
  '\r\n',
  '\u0085',
  '\u00a0',
  '\u2028',
  '\uFEFF',
  '\ud800',
  '\udcff',
  '😀',
  'İ',
  'ſ',
  '0',
  '-1',
  '9999999999',
  '1e3',
  '__proto__',
  'constructor',
];

/** Changes a text in one to four places. `words` are pieces that the parser knows. */
export function mutate(text: string, random: Random, words: readonly string[], other = ''): string {
  let changed = text;
  for (let count = 1 + random.below(4); count > 0; count -= 1) changed = mutateOnce(changed, random, words, other);
  return changed.length > 4000 ? changed.slice(0, 4000) : changed;
}

function mutateOnce(text: string, random: Random, words: readonly string[], other: string): string {
  const at = random.below(text.length + 1);
  const end = Math.min(text.length, at + random.below(12));
  const [head, tail] = [text.slice(0, at), text.slice(at)];
  switch (random.below(9)) {
    case 0:
      return head + text.slice(end);
    case 1:
      return head + text.slice(at, end).repeat(1 + random.below(3)) + tail;
    case 2:
    case 3:
      return head + random.pick(ODD) + tail;
    case 4:
    case 5:
      return words.length === 0 ? head + random.pick(ODD) + tail : head + random.pick(words) + tail;
    case 6:
      return head + String.fromCharCode(random.below(random.chance(0.8) ? 256 : 65_536)) + text.slice(end);
    case 7:
      return head + other.slice(random.below(other.length + 1));
    default: {
      const from = random.below(text.length + 1);
      return head + text.slice(from, from + random.below(30)) + tail;
    }
  }
}
