/** Sizes of soaks, and the texts about their results. */
import { randomInt } from 'node:crypto';
import type { SoakSize } from './configuration.ts';
import type { SoakResult } from './soak-run.ts';

/** 100,000 restarts in an hour need about 30 programs that are restarted once a second. */
export const LONG_SIZE: SoakSize = { loops: 60, steady: 10 };
/** Little work for the machine, so that another ring may run beside. */
export const BRIEF_SIZE: SoakSize = { loops: 8, steady: 4 };

export function newSeed(): number {
  return randomInt(2 ** 31);
}

export function formatFigures({ figures }: SoakResult): string {
  return Object.entries(figures)
    .map(([name, figure]) => `${name}: ${figure}`)
    .join('\n');
}

/** Formats the violations, with the way to see them again. */
export function formatFailure({ violations, latest }: SoakResult, seed: number, minutes: number): string {
  return [
    ...violations,
    '',
    'latest actions:',
    ...latest,
    '',
    `the same actions again: npm run soak -- ${minutes} --seed ${seed}`,
  ].join('\n');
}
