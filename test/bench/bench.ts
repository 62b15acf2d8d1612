/**
 * `npm run bench`: builds, then measures the executable side by side with Supervisor and s6-log, and prints a table.
 * This is not a test and fails no build. It exits with 1 if a target is missed, and with 2 if a case could not be
 * measured. Options: --quick (few rounds, to work on the bench itself), --json, --only PART (a part of a case's name),
 * --executable PATH (measures that executable, and builds nothing), --against PATH (another build of ours in
 * Supervisor's place, without targets).
 */
import { execFile } from 'node:child_process';
import { cpus, release } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { findContenders } from './contenders.ts';
import type { Contenders } from './contenders.ts';
import { formatTable, ratioOf, verdictOf } from './figures.ts';
import type { Row } from './figures.ts';
import { idleRows } from './idle.ts';
import { relayRows } from './relay.ts';
import { restartRows } from './restart.ts';
import { Rig } from './rig.ts';
import { spawnRows } from './spawn-cost.ts';
import { startupRow } from './startup.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Number of programs in a large configuration. */
const MANY = 500;

interface Case {
  readonly name: string;
  run(rig: Rig, contenders: Contenders): Promise<readonly Row[]>;
}

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    executable: { type: 'string' },
    against: { type: 'string' },
  },
});
const { quick } = options;
const notes: string[] = [];

const CASES: readonly Case[] = [
  {
    name: 'startup',
    run: async (rig, contenders) => [
      await startupRow(rig, contenders, { programs: 1, rounds: quick ? 2 : 9, atLeast: 10 }),
    ],
  },
  { name: 'restart', run: (rig, contenders) => restartRows(rig, contenders, quick ? 3 : 9) },
  { name: 'relay', run: (rig, contenders) => relayRows(rig, contenders, 200, quick ? 2 : 11) },
  {
    name: 'fleet',
    run: async (rig, contenders) => [
      await startupRow(rig, contenders, { programs: MANY, rounds: quick ? 1 : 5, atLeast: 5 }),
    ],
  },
  {
    name: 'idle',
    run: (rig, contenders) =>
      idleRows(
        rig,
        contenders,
        quick ? { settleMs: 1000, observeMs: 5000 } : { settleMs: 5000, observeMs: 30_000 },
        (text) => notes.push(text),
      ),
  },
  { name: 'spawn', run: (rig) => spawnRows(rig, quick ? 50 : 400) },
];

if (options.executable === undefined)
  await promisify(execFile)(process.execPath, ['build/build.ts', '--quiet'], { cwd: ROOT });
const contenders = await findContenders(
  resolve(options.executable ?? join(ROOT, 'dist', 'onevisor')),
  options.against === undefined ? null : resolve(options.against),
);
const rig = await Rig.make();
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    rig.remove();
    process.exit(code);
  });
}

const rows: Row[] = [];
let hasFailed = false;
for (const { name, run } of CASES.filter((candidate) => candidate.name.includes(options.only))) {
  if (!options.json) process.stderr.write(`${name} … `);
  const began = performance.now();
  try {
    const measured = await run(rig, contenders);
    rows.push(...(options.against === undefined ? measured : measured.map((row) => ({ ...row, target: null }))));
    if (!options.json) process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0)} s\n`);
  } catch (error) {
    hasFailed = true;
    rig.killAll();
    process.stderr.write(`cannot measure ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
rig.remove();

if (options.json) {
  const results = rows.map((row) => ({ ...row, ratio: ratioOf(row), verdict: verdictOf(row) }));
  console.log(JSON.stringify({ machine: machine(), rows: results, notes }, null, 2));
} else if (rows.length > 0) {
  console.log(`\n${machine()}\n\n${formatTable(rows)}`);
  for (const note of notes) console.log(note);
}
const hasMissed = rows.some((row) => verdictOf(row) === 'MISSED');
if (hasFailed) process.exitCode = 2;
else process.exitCode = hasMissed ? 1 : 0;
// A failed case may have left processes to wait for.
process.exit();

function machine(): string {
  const processors = cpus();
  return `${processors.length} × ${processors[0]?.model ?? 'unknown processor'}, Linux ${release()}`;
}
