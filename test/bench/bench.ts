/**
 * `npm run bench`: builds, then measures the executable side by side with its peers, and prints one table. This is not
 * a test and fails no build. It exits with 1 if a goal is missed, and with 2 if a case could not be measured. The names
 * of cases may follow; `--help` lists them and the options.
 */
import { execFile } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { CASES } from './cases.ts';
import type { Bench, Case } from './context.ts';
import { findContenders } from './contenders.ts';
import { ratioOf, verdictOf } from './figures.ts';
import type { Row } from './figures.ts';
import { profile } from './profile.ts';
import { writeFigures } from './readme.ts';
import { Rig } from './rig.ts';
import { formatTable } from './table.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const { positionals: names, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    executable: { type: 'string' },
    against: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const { quick, json } = options;
const givenRounds = options.rounds === undefined ? null : Number(options.rounds);

const HELP = `npm run bench -- [OPTION...] [CASE...]

  --quick            small and few: to work on the bench, and in CI; its verdicts say nothing
  --json             prints the rows as JSON
  --rounds N         measures each contender N times, in place of the usual number
  --write            writes the figures of a full run into README.md
  --profile          counts behind the largest costs, in place of the table
  --executable PATH  measures that executable, and builds nothing
  --against PATH     compares with another build of ours, without goals

${CASES.map(({ name, about }) => `  ${name.padEnd(18)} ${about}`).join('\n')}`;

if (options.help) {
  console.log(HELP);
  process.exit();
}
const chosen = chosenCases();
if (givenRounds !== null && !(givenRounds >= 1 && Number.isInteger(givenRounds)))
  fail('--rounds needs a number of at least 1');
if (options.write && (quick || givenRounds !== null || names.length > 0 || options.against !== undefined))
  fail('--write needs a full run: no --quick, no --rounds, no --against, and no names of cases');

if (options.executable === undefined)
  await promisify(execFile)(process.execPath, ['build/build.ts', '--quiet'], { cwd: ROOT });
const contenders = await findContenders(
  resolve(options.executable ?? join(ROOT, 'dist', 'onevisor')),
  options.against === undefined ? null : resolve(options.against),
);
const began = performance.now();
const [loadBefore = 0] = loadavg();
const results: Array<{ readonly name: string; readonly rows: readonly Row[]; readonly failure: string | null }> = [];
const notes: string[] = [];
const rig = await Rig.make();
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    rig.remove();
    // An interrupted run shows what it has.
    printResults();
    process.exit(code);
  });
}
const bench: Bench = {
  rig,
  contenders,
  pick,
  rounds: (full, few) => givenRounds ?? pick(full, few),
  note: (text) => void notes.push(text),
};

if (options.profile) {
  console.log(await profile(bench));
  rig.remove();
  process.exit();
}

for (const { name, run } of chosen) results.push({ name, ...(await measure(name, run)) });
rig.remove();
const rows = results.flatMap((result) => result.rows);
printResults();
const hasFailed = results.some(({ failure }) => failure !== null);
if (options.write && hasFailed) fail('README.md is unchanged, since a case could not be measured');
if (options.write) await writeFigures(join(ROOT, 'README.md'), rows, describeMachine());
if (hasFailed) process.exitCode = 2;
else process.exitCode = rows.some((row) => verdictOf(row) === 'missed') ? 1 : 0;
// A failed case may have left processes to wait for.
process.exit();

function printResults(): void {
  if (json) {
    const cases = results.map(({ name, failure, rows: own }) => ({
      name,
      failure,
      rows: own.map((row) => ({ ...row, ratio: ratioOf(row), verdict: verdictOf(row) })),
    }));
    const date = new Date().toISOString();
    console.log(JSON.stringify({ date, quick, machine: describeMachine(), cases, notes }, null, 2));
    return;
  }
  const measured = results.flatMap((result) => result.rows);
  if (measured.length > 0) console.log(`\n${describeMachine()}\n\n${formatTable(measured)}\n`);
  for (const note of notes) console.log(note);
}

/** Measures one case. The failure of a case does not end the run. */
async function measure(name: string, run: Case['run']): Promise<{ rows: readonly Row[]; failure: string | null }> {
  if (!json) process.stderr.write(`${name} … `);
  const beganMs = performance.now();
  try {
    const measured = await run(bench);
    if (!json) process.stderr.write(`${((performance.now() - beganMs) / 1000).toFixed(0)} s\n`);
    // Another build has no goal to meet.
    if (!contenders.isOtherBuild) return { rows: measured, failure: null };
    return { rows: measured.map((row) => ({ ...row, goal: null })), failure: null };
  } catch (error) {
    rig.killAll();
    const failure = error instanceof Error ? error.message : String(error);
    process.stderr.write(`cannot measure ${name}: ${failure}\n`);
    return { rows: [], failure };
  }
}

function pick<T>(full: T, few: T): T {
  return quick ? few : full;
}

function chosenCases(): readonly Case[] {
  const unknown = names.filter((name) => !CASES.some((candidate) => candidate.name === name));
  if (unknown.length > 0)
    fail(`cannot measure ${unknown.join(', ')}: the cases are ${CASES.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? CASES : CASES.filter(({ name }) => names.includes(name));
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

/** Describes the machine and the run. A load from before the run says that other work took part. */
function describeMachine(): string {
  const processors = cpus();
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  const kernel = release().split('.').slice(0, 2).join('.');
  return (
    `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}, ` +
    `${(totalmem() / 2 ** 30).toFixed(0)} GB, Linux ${kernel}, Node ${process.version}; load before the run ` +
    `${loadBefore.toFixed(1)}; ${minutes} minutes${quick ? '; --quick: the verdicts say nothing' : ''}`
  );
}
