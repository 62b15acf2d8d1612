/**
 * Time and memory of each further program, from ten programs to five thousand. Each step is compared with the step
 * before: a cost that grows with the number of programs shows there.
 */
import type { Bench } from './context.ts';
import { ratioAtMost, sampleOf } from './figures.ts';
import type { Row, Sample, Unit } from './figures.ts';
import { settledMemory, startMany } from './memory.ts';

/** "Flat" allows for this much, since the figures are differences. */
const TOLERANCE = 1.1;

export async function growthRows(bench: Bench): Promise<Row[]> {
  const { contenders, pick } = bench;
  const counts = pick([10, 100, 1000, 5000], [10, 20, 50]);
  const times = new Map<number, number[]>(counts.map((count) => [count, []]));
  const memories = new Map<number, number[]>(counts.map((count) => [count, []]));
  const rounds = bench.rounds(3, 1);
  for (let round = 0; round < rounds; round += 1) {
    for (const count of counts) {
      const { running, last } = await startMany(bench, contenders.ours, count);
      times.get(count)?.push(last.atMs - running.executed.atMs);
      const { privateDirty } = await settledMemory(bench, running.executed.pid);
      memories.get(count)?.push(privateDirty);
      await running.stop();
    }
  }
  const steps = counts.slice(1).map((count, index) => ({ from: counts[index] ?? 0, to: count }));
  const each = (figures: ReadonlyMap<number, number[]>, from: number, to: number): Sample | null => {
    const [less, more] = [sampleOf(figures.get(from)), sampleOf(figures.get(to))];
    return less === null || more === null ? null : sampleOf([(more.median - less.median) / (to - from)]);
  };
  const rowsFor = (what: string, unit: Unit, figures: ReadonlyMap<number, number[]>): Row[] =>
    steps.map(({ from, to }, index) => {
      const before = steps[index - 1];
      return {
        what: `growth ${from} → ${to} programs, ${what} of each`,
        unit,
        ours: each(figures, from, to),
        peer: before === undefined ? null : each(figures, before.from, before.to),
        peerName: before === undefined ? '' : `each of ${before.from} → ${before.to}`,
        goal: before === undefined ? null : ratioAtMost(TOLERANCE),
      };
    });
  return [...rowsFor('time', 'ms', times), ...rowsFor('memory', 'kB', memories)];
}
