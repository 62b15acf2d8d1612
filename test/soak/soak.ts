/**
 * `npm run soak -- MINUTES [--seed N] [--loops N]`: runs the soak for some minutes and prints its figures. A failure
 * prints the violations, the latest actions and the seed, with which the same actions come again.
 */
import { parseArgs } from 'node:util';
import { formatFailure, formatFigures, LONG_SIZE, newSeed } from './soak-report.ts';
import { runSoak } from './soak-run.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, loops: { type: 'string' }, rate: { type: 'string' } },
});
const minutes = Number(positionals[0] ?? 1);
const seed = Number(values.seed ?? newSeed());
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error('usage: npm run soak -- MINUTES [--seed N] [--loops N] [--rate ACTIONS_PER_SECOND]');
  process.exit(2);
}
console.log(`soak of ${minutes} minutes with the seed ${seed}`);
const over = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => over.abort());
const result = await runSoak({
  seed,
  durationMs: minutes * 60_000,
  size: { ...LONG_SIZE, ...(values.loops === undefined ? {} : { loops: Number(values.loops) }) },
  actionsPerSecond: Number(values.rate ?? 20),
  report: console.log,
  signal: over.signal,
});
console.log(formatFigures(result));
if (result.violations.length > 0) {
  console.log(formatFailure(result, seed, minutes));
  process.exitCode = 1;
}
