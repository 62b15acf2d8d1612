/** Measures contenders alternately, A B A B, so that other work of the machine affects all of them equally. */

/** A way to measure one figure. */
export interface Attempt {
  readonly name: string;
  measure(round: number): Promise<number>;
}

/** Returns the figures by name of the attempt. With `warmUp`, the first round only warms the caches. */
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
