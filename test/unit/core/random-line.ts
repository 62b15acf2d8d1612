/** A text for patterns that meet a new state at each character, such as `[ab]*a[ab]{180}c`. The same in each run. */

/** Makes a line of a and b. */
export function randomLine(length: number): string {
  let seed = 1;
  const next = (): string => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed > 2 ** 30 ? 'a' : 'b';
  };
  return Array.from({ length }, next).join('');
}
