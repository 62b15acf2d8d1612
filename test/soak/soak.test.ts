/**
 * The soak as a test: random actions from a seed for 90 seconds, in the long form for an hour. SOAK_SEED repeats one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pid1SkipReason } from '../e2e/launch.ts';
import { bySize } from '../slow.ts';
import { BRIEF_SIZE, formatFailure, formatFigures, LONG_SIZE, newSeed } from './soak-report.ts';
import { runSoak } from './soak-run.ts';

const skip = (await pid1SkipReason()) ?? false;

const MINUTES = bySize({ brief: 1.5, long: 60 });

test(
  `random actions for ${MINUTES} minutes break no promise`,
  { skip, timeout: MINUTES * 60_000 + 600_000 },
  async (t) => {
    const seed = Number(process.env['SOAK_SEED'] ?? newSeed());
    t.diagnostic(`seed ${seed}`);
    const result = await runSoak({
      seed,
      durationMs: MINUTES * 60_000,
      size: bySize({ brief: BRIEF_SIZE, long: LONG_SIZE }),
      actionsPerSecond: bySize({ brief: 12, long: 20 }),
      report: (text) => t.diagnostic(text),
    });
    t.diagnostic(formatFigures(result));
    assert.deepEqual(result.violations, [], formatFailure(result, seed, MINUTES));
  },
);
