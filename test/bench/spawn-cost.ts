/**
 * The cost of one spawn: by the addon in a Node with a small and with a large heap, and by posix_spawn in a small C
 * program. The figures are for information.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Row, Sample } from './figures.ts';
import { sampleOf } from './figures.ts';
import type { Rig } from './rig.ts';

const run = promisify(execFile);

const LARGE_MB = 512;
const PROGRAM = '/bin/true';

export async function spawnRows(rig: Rig, count: number): Promise<Row[]> {
  const probe = join(import.meta.dirname, 'spawn-probe.ts');
  const small = await figuresOf(process.execPath, [probe, String(count), PROGRAM, '0']);
  const large = await figuresOf(process.execPath, [probe, String(count), PROGRAM, String(LARGE_MB)]);
  const least = await figuresOf(rig.path('spawn-loop'), [String(count), PROGRAM]);
  return [
    { what: 'one spawn with its pipes', unit: 'µs', ours: small, peer: least, peerName: 'posix_spawn', target: null },
    {
      what: `  with ${LARGE_MB} MB of memory in use`,
      unit: 'µs',
      ours: large,
      peer: least,
      peerName: 'posix_spawn',
      target: null,
    },
  ];
}

async function figuresOf(file: string, args: readonly string[]): Promise<Sample | null> {
  const { stdout } = await run(file, [...args]);
  return sampleOf(stdout.trim().split('\n').map(Number));
}
