/** The order of names as people count: p2 before p10. Pure. */

/** Sorts items by their names in that order. Items with a smaller rank come first. */
export function sortNaturally<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  rankOf: (item: T) => number = () => 0,
): T[] {
  const keyed = items.map((item) => ({ item, rank: rankOf(item), key: naturalKey(nameOf(item)) }));
  keyed.sort((a, b) => a.rank - b.rank || compareTexts(a.key, b.key));
  return keyed.map(({ item }) => item);
}

/** Compares two names: digits as numbers, other characters by their code. */
export function compareNatural(a: string, b: string): number {
  return compareTexts(naturalKey(a), naturalKey(b));
}

const RUNS = /0*(\d+)|\D+/g;

/**
 * Returns a text that sorts by its codes as the name sorts naturally. Before a number stands the count of its digits,
 * since a number may have more digits than a double can hold. NUL ends a run of other characters: a shorter run comes
 * first. The name itself at the end decides between 1 and 01.
 */
function naturalKey(name: string): string {
  const runs = name.replace(RUNS, (run, digits: string | undefined) =>
    digits === undefined ? `${run}\0` : `0${String.fromCharCode(digits.length)}${digits}`,
  );
  return `${runs}\0${name}`;
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
