/**
 * Runs `npm test`: builds, runs the test rings from fast to slow, and prints one line for each ring and one for the
 * sum. `npm test -- --quick` runs the rings that need no running supervisor. `npm test -- unit e2e` runs the named
 * rings only. `--only NAME` runs only files with NAME in their path. A ring without tests fails. A skipped test without
 * a reason is a failure. `--slow` (`npm run test:slow`) runs the long form of the rings that have one, and prints the
 * figures of the tests.
 * `--times` names the files and the tests of each ring that took longest.
 */
import { execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run as runTests } from 'node:test';
import { parseArgs, promisify } from 'node:util';
import { uncoveredIn } from './coverage.ts';
import { ATTEMPT_TIMEOUT } from './executable.ts';
import { pathWithoutShims, ROOT } from './platform.ts';
import { descendantsOf, kill } from './process-tree.ts';
import { StalledFiles } from './stalled-files.ts';
import { joinFiles } from './test-groups.ts';
import { longestFirst, Times } from './test-times.ts';
import type { CoveredFile } from './coverage.ts';

const run = promisify(execFile);

/** A folder of tests, or a command that counts as one test. */
interface Ring {
  readonly name: string;
  /** A program of the build, with its arguments. */
  readonly command?: readonly string[];
  /** Folders below test/; by default the folder with the name of the ring. */
  readonly folders?: readonly string[];
  /** Files below test/, without `.test.ts`, in place of folders. */
  readonly files?: readonly string[];
  /** Variables for the files, besides those of the runner. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folders whose files this ring must cover to the last line. The coverage counts as one test. */
  readonly covers?: readonly string[];
  /** Timeout of one test. A file without events for this time is killed too. */
  readonly timeoutMs?: number;
  /** Runs at the same time as the ring before it. Both often wait, so together they take less time. */
  readonly isBeside?: boolean;
  /** True for a ring of `--quick`. */
  readonly isQuick?: boolean;
  /**
   * Seconds of the long form, for a ring of `--slow`: with TEST_SLOW=1 its tests run in their long form (see
   * test/slow.ts).
   */
  readonly longSeconds?: number;
  /** Number of files that run at the same time; by default {@link CONCURRENCY} or {@link CONCURRENCY_BESIDE}. */
  readonly concurrency?: number;
  /** Number of processes that run all small files of the ring. By default, each file has a process of its own. */
  readonly groups?: number;
  /** Seconds on two processors of CI, for the forecast at the start. */
  readonly seconds: number;
  /** Runs once before the files, which run in parallel. */
  readonly prepare?: () => Promise<void>;
}

const NODE = [process.execPath];

const RINGS: readonly Ring[] = [
  { name: 'build', seconds: 30, isQuick: true, command: [...NODE, 'build/build.ts', '--quiet'] },
  { name: 'verify', seconds: 35, command: [...NODE, 'build/verify.ts', '--no-sizes'] },
  { name: 'lint', seconds: 25, isQuick: true, command: [...NODE, 'build/lint.ts'] },
  { name: 'typecheck', seconds: 8, isQuick: true, command: ['npm', 'run', '-s', 'typecheck'] },
  { name: 'docs', seconds: 1, isQuick: true, command: [...NODE, 'build/docs.ts', '--check'] },
  {
    name: 'unit and engine',
    seconds: 85,
    isQuick: true,
    folders: ['unit', 'engine'],
    // Both test folders together cover these.
    covers: ['src/core', 'src/config'],
    groups: 16,
    timeoutMs: 600_000,
  },
  { name: 'model', seconds: 6, isQuick: true, longSeconds: 45 },
  { name: 'process', seconds: 90, isQuick: true },
  {
    // A choice of the ring e2e again, with the libraries of the system.
    name: 'system',
    seconds: 40,
    files: ['bytes', 'early-signals', 'exit-codes', 'reaping'].map((name) => `e2e/${name}`),
    env: { TEST_LIBC: 'system' },
  },
  // Its tests wait more than half of their time.
  { name: 'e2e', concurrency: 4, seconds: 380 },
  { name: 'conformance', isBeside: true, seconds: 380, timeoutMs: 300_000 },
  { name: 'browser', seconds: 190, timeoutMs: 300_000 },
  { name: 'soak', isBeside: true, seconds: 100, timeoutMs: 300_000, longSeconds: 3700 },
  { name: 'fault', seconds: 30, longSeconds: 450 },
  { name: 'load', seconds: 40, longSeconds: 720 },
  { name: 'fuzz', seconds: 40, longSeconds: 1100 },
  { name: 'upgrade', isBeside: true, seconds: 40 },
  {
    name: 'container',
    seconds: 400,
    timeoutMs: 600_000,
    prepare: async () => {
      const { prepareContainers, skipReason } = await import('../test/container/containers.ts');
      if ((await skipReason()) === null) await prepareContainers();
    },
  },
  { name: 'bench', seconds: 70, timeoutMs: 600_000 },
];

/** Files that run at the same time. Many wait for pauses of a second, so three keep two processors busy. */
const CONCURRENCY = 3;
/** The same for each of two rings that run at the same time. */
const CONCURRENCY_BESIDE = 2;

/** Number of files, and of tests, that `--times` names. */
const SLOWEST = 15;

/** Diagnostics of Node about a whole run. */
const NODES_COUNTS = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/** Factor on the timeouts of tests in their long form: up to four hours. */
const LONG_FORM_FACTOR = 120;

/** Cache of compiled sources and tests, for this run and later runs. Each test file starts 0.2 s sooner. */
const COMPILED = join(ROOT, 'dist', '.cache', 'compiled');

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean' },
    slow: { type: 'boolean' },
    times: { type: 'boolean' },
  },
});
if (values.slow === true) process.env['TEST_SLOW'] = '1';
process.env['PATH'] = await pathWithoutShims(process.env['PATH'] ?? '');
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());

const total: Tally = { passed: 0, failed: 0, skipped: 0 };
const rings = chosenRings(positionals);
console.log(formatForecast(rings));
if (rings[0]?.name !== 'build' && !existsSync(join(ROOT, 'dist', 'onevisor')))
  console.log('dist/onevisor does not exist: tests that run it fail until `npm run build` has made it');
for (const group of groupRings(rings)) {
  if (stopping.signal.aborted) break;
  const tallies = await Promise.all(group.map((ring) => runRing(ring, group.length)));
  for (const tally of tallies) for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += tally[key];
  // Without an executable there is nothing to test.
  if (group[0]?.name === 'build' && total.failed > 0) break;
}
if (stopping.signal.aborted) console.log('stopped by a signal');
if (total.passed + total.failed === 0) console.log('no test ran');
console.log(formatTally(total));
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
// Node's runner waits without end for some of the killed files.
if (stopping.signal.aborted) process.exit(1);

/** Stops the run. Also kills the processes that the tests have started: Node's runner stops only the test files. */
async function stop(): Promise<void> {
  const below = await descendantsOf(process.pid);
  stopping.abort();
  for (const pid of below) kill(pid);
}

function chosenRings(names: readonly string[]): readonly Ring[] {
  const isNamed = (ring: Ring): boolean =>
    names.includes(ring.name) || (ring.folders ?? []).some((folder) => names.includes(folder));
  const isDefault = (ring: Ring): boolean => {
    if (values.slow === true) return ring.longSeconds !== undefined;
    return values.quick !== true || ring.isQuick === true;
  };
  const chosen = RINGS.filter(names.length > 0 ? isNamed : isDefault);
  const unknown = names.filter((name) => !RINGS.some((ring) => ring.name === name || ring.folders?.includes(name)));
  if (unknown.length > 0)
    throw new Error(`cannot run ${unknown.join(', ')}: the rings are ${RINGS.map((ring) => ring.name).join(', ')}`);
  return chosen;
}

/** Groups the rings that run at the same time. */
function groupRings(chosen: readonly Ring[]): Ring[][] {
  const groups: Ring[][] = [];
  for (const ring of chosen) {
    const group = groups.at(-1);
    if (ring.isBeside === true && group !== undefined) group.push(ring);
    else groups.push([ring]);
  }
  return groups;
}

/** Runs one of `count` rings that run at the same time, and prints its line. */
async function runRing(ring: Ring, count: number): Promise<Tally> {
  showProgress(`${ring.name} …`);
  const began = performance.now();
  const { name, command } = ring;
  const tally = command === undefined ? await runFolder(ring, count) : await runCommand(name, command);
  print(`${name.padEnd(16)} ${formatTally(tally)}  (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  return tally;
}

/** Formats the names of the rings, the time that they take, and a hint at `--quick`. */
function formatForecast(chosen: readonly Ring[]): string {
  const secondsOf = (ring: Ring): number => (values.slow === true ? ring.longSeconds : undefined) ?? ring.seconds;
  const seconds = groupRings(chosen).reduce((sum, group) => sum + Math.max(...group.map(secondsOf)), 0);
  const time = seconds < 100 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
  const names = chosen.map(({ name }) => name).join(', ');
  const hint = chosen.length === RINGS.length ? '; `npm test -- --quick` needs no running supervisor' : '';
  return `running ${names}: about ${time} on two idle processors${hint}`;
}

/** Shows the progress on a terminal, in a line that the next output replaces. */
function showProgress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}`);
}

function clearProgress(): void {
  showProgress('');
}

/** Prints a line that stays. */
function print(text: string): void {
  clearProgress();
  console.log(text);
}

/** Runs a command as one test. Shows its output only if it fails, and its lines about skipped tests. */
async function runCommand(name: string, [file = '', ...args]: readonly string[]): Promise<Tally> {
  try {
    const { stdout } = await run(file, args, { cwd: ROOT, maxBuffer: 1 << 26, signal: stopping.signal });
    for (const line of stdout.split('\n').filter((text) => text.includes('skipped'))) print(`  ${name}: ${line}`);
    return { passed: 1, failed: 0, skipped: 0 };
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    print(`${stdout}${stderr}`.trim() || String(error));
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

/** Runs the test files of one of `count` rings that run at the same time. */
async function runFolder(ring: Ring, count: number): Promise<Tally> {
  const places = ring.files ?? (ring.folders ?? [ring.name]).map((folder) => `${folder}/**/*`);
  const files = globSync(
    places.map((place) => `test/${place}.test.ts`),
    { cwd: ROOT },
  )
    .filter((file) => values.only === undefined || file.includes(values.only))
    .sort();
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  if (files.length === 0) {
    print(`${ring.name}: there is no test in ${places.map((place) => `test/${place}`).join(', ')}`);
    return { ...tally, failed: 1 };
  }
  await ring.prepare?.();
  const timeoutMs = (ring.timeoutMs ?? 120_000) * (values.slow === true ? LONG_FORM_FACTOR : 1);
  const isGated = ring.covers !== undefined && values.only === undefined;
  // Test files inherit this variable. With compiled code from a file, V8 counts covered lines wrongly.
  if (isGated) delete process.env['NODE_COMPILE_CACHE'];
  else process.env['NODE_COMPILE_CACHE'] = COMPILED;
  const absolute = files.map((file) => join(ROOT, file));
  const groups =
    ring.groups === undefined
      ? { paths: await longestFirst(absolute), pathOf: (file: string) => file }
      : await joinFiles(absolute, ring.groups);
  const stream = runTests({
    files: [...groups.paths],
    cwd: ROOT,
    concurrency: ring.concurrency ?? (count === 1 ? CONCURRENCY : CONCURRENCY_BESIDE),
    timeout: timeoutMs,
    signal: stopping.signal,
    env: { ...process.env, ...ring.env },
    // The runner passes on all its options, and the default of --report-signal turns reports on. A test that gets
    // SIGUSR2 would write a report.
    execArgv: ['--no-report-on-signal', ATTEMPT_TIMEOUT],
    ...(isGated ? { coverage: true, coverageIncludeGlobs: (ring.covers ?? []).map((folder) => `${folder}/**`) } : {}),
  });
  const output = new Map<string, string>();
  const keep = ({ file = '', message }: { file?: string | undefined; message: string }): void =>
    void output.set(file, `${output.get(file) ?? ''}${message}`.slice(-20_000));
  stream.on('test:stdout', keep);
  stream.on('test:stderr', keep);
  stream.on('test:pass', (event) => {
    // A skipped suite reports none of its tests.
    if (event.details.type === 'suite' && event.skip === undefined) return;
    if (event.skip === undefined && event.todo === undefined) return void (tally.passed += 1);
    const reason = typeof event.skip === 'string' && event.skip !== '' ? event.skip : null;
    print(`  skipped: ${event.name}${reason === null ? '' : `: ${reason}`}`);
    if (reason === null) {
      print('  a skip needs a reason');
      tally.failed += 1;
    } else tally.skipped += 1;
  });
  const failedFiles = new Set<string>();
  stream.on('test:fail', (event) => {
    // A test with failed subtests would be reported twice.
    const error = event.details.error as Error & { failureType?: string; cause?: unknown };
    if (error.failureType === 'subtestsFailed') return;
    tally.failed += 1;
    failedFiles.add(event.file ?? '');
    const place = event.file === undefined ? '' : ` (${relative(ROOT, event.file)}:${event.line ?? 0})`;
    print(`  FAILED: ${event.name}${place}\n${indent(describe(error.cause ?? error))}`);
  });
  // The figures of long forms are for test/README.md. Node adds counts of its own.
  if (values.slow === true)
    stream.on('test:diagnostic', ({ message, file }) => {
      if (!NODES_COUNTS.test(message)) print(`  ${file === undefined ? '' : `${relative(ROOT, file)}: `}${message}`);
    });
  let covered: readonly CoveredFile[] = [];
  stream.on('test:coverage', ({ summary }) => {
    covered = summary.files;
  });
  const stalled = new StalledFiles(timeoutMs, (file, commands) =>
    print(
      `  FAILED: ${relative(ROOT, file)}: no event for ${timeoutMs / 1000} s after its last test, with ` +
        `${commands.length} descendants: ${commands.join('; ')}`,
    ),
  );
  const seen = new Set<string>();
  const times = new Times();
  // The run continues only while the stream is read.
  for await (const event of stream) {
    if (!('file' in event.data) || event.data.file === undefined) continue;
    stalled.seen(groups.pathOf(event.data.file));
    // All files are announced at once (`test:enqueue`).
    if (event.type !== 'test:enqueue') seen.add(event.data.file);
    times.add(event);
    showProgress(`${ring.name}: ${formatTally(tally)}, file ${seen.size} of ${files.length}`);
  }
  stalled.close();
  await times.remember();
  if (values.times === true) for (const line of times.slowest(SLOWEST)) print(`  ${line}`);
  for (const file of failedFiles)
    if (output.has(file)) print(`  output of ${relative(ROOT, file)}:\n${indent(output.get(file) ?? '')}`);
  if (isGated) {
    const uncovered = await uncoveredIn(ring.covers ?? [], covered);
    for (const line of uncovered) print(`  not covered: ${line}`);
    tally[uncovered.length > 0 ? 'failed' : 'passed'] += 1;
  }
  return tally;
}

function formatTally({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
