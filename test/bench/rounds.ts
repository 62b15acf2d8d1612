/**
 * Measures contenders in turn, A B A B, so that what else happens on the machine meets all of them alike.
 */

/** A way to get one figure. */
export interface Attempt {
  readonly name: string;
  measure(round: number): Promise<number>;
}

/** Figures by name of the attempt. The first round only warms the caches, where `warmUp` says so. */
export async function alternate(
  attempts: readonly Attempt[],
  rounds: number,
  warmUp: boolean,
): Promise<Map<string, number[]>> {
  const figures = new Map<string, number[]>(attempts.map(({ name }) => [name, []]));
  for (let round = warmUp ? -1 : 0; round < rounds; round += 1) {
    for (const { name, measure } of attempts) {
      const figure = await measure(round);
      if (round >= 0) figures.get(name)?.push(figure);
    }
  }
  return figures;
}
