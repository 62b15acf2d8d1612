/**
 * The cost of one spawn with pipes and credentials: by the addon in a Node with a small and with a large heap, and by
 * posix_spawn in a small C program, which cannot set credentials.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench } from './context.ts';
import { ratioAtMost, sampleOf } from './figures.ts';
import type { Row } from './figures.ts';
import { alternate } from './rounds.ts';

const run = promisify(execFile);

const LARGE_MB = 1024;
const PROGRAM = '/bin/true';

export async function spawnRows({ rig, pick, rounds, note }: Bench): Promise<Row[]> {
  const count = String(pick(100, 20));
  const probe = join(import.meta.dirname, 'spawn-probe.ts');
  const large = pick(LARGE_MB, 64);
  // V8 would allow less than a GB on a small machine.
  const node = [`--max-old-space-size=${2 * LARGE_MB}`, probe, count, PROGRAM];
  const measure = (name: string, file: string, args: readonly string[]) => ({
    name,
    measure: async () => medianOf((await run(file, [...args])).stdout),
  });
  const figures = await alternate(
    [
      measure('least', rig.path('spawn-loop'), [count, PROGRAM]),
      measure('small', process.execPath, [...node, '0']),
      measure('large', process.execPath, [...node, String(large)]),
    ],
    rounds(7, 1),
    false,
  );
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) note('spawn: without root, our spawn sets no credentials');
  const least = { peer: sampleOf(figures.get('least')), peerName: 'posix_spawn, no credentials' };
  const what = isRoot ? 'one spawn with pipes and credentials' : 'one spawn with pipes';
  const small = sampleOf(figures.get('small'));
  return [
    { what, unit: 'µs', ours: small, ...least, goal: ratioAtMost(1.5) },
    {
      what: `  with ${large} MB of heap in use`,
      unit: 'µs',
      ours: sampleOf(figures.get('large')),
      ...least,
      goal: ratioAtMost(1.5),
    },
  ];
}

function medianOf(text: string): number {
  return sampleOf(text.trim().split('\n').map(Number))?.median ?? Number.NaN;
}
