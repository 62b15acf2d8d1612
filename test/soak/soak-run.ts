/**
 * A soak: a supervisor under random actions from a seed, and the invariants that hold all the time. They are checked
 * from the event stream, the lines in all destinations, and the records of the programs themselves.
 */
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { launch, type Launched } from '../e2e/launch.ts';
import { until } from '../e2e/observe.ts';
import { type Injector, injectorSkipReason, startInjector } from '../fault/injector.ts';
import { type Action, chooseAction } from './actions.ts';
import { firstConfiguration, lastConfiguration, type SoakSize, SOCKET } from './configuration.ts';
import { EventCheck } from './event-check.ts';
import { createLedger, type LedgerContent, readLedger } from './ledger.ts';
import { FAULTY_CALLS } from './faults.ts';
import { LineCheck } from './line-check.ts';
import { LiveWatch } from './live-watch.ts';
import { isPieceOfWorker, ToldLosses } from './own-lines.ts';
import { Random } from './random.ts';
import { ask, call, compileInto, Owner, type Sample, sampleOf, watchZombies } from './supervisor.ts';

const unzip = promisify(gunzip);

/** Input of a soak. */
export interface SoakInput {
  readonly seed: number;
  readonly durationMs: number;
  readonly size: SoakSize;
  /** Actions in a second. */
  readonly actionsPerSecond: number;
  /** Takes a line about the progress, about once a minute. */
  readonly report: (text: string) => void;
  /** Ends the actions early. The checks follow. */
  readonly signal?: AbortSignal;
}

/** Result of a soak. */
export interface SoakResult {
  readonly violations: readonly string[];
  /** The latest actions, for the report of a violation. */
  readonly latest: readonly string[];
  readonly figures: Readonly<Record<string, number | string>>;
}

const RUNS_PER_PROGRAM_AND_SECOND = 3;
/** Actions that may wait for their answers at a time. */
const MOST_IN_FLIGHT = 16;
const ZOMBIE_PATIENCE_MS = 15_000;
const LATEST = 40;
/** Growth of the resident memory that is not steady: caches, buffers, the tails of outputs. */
const MEMORY_ALLOWANCE = 64 * 1024 * 1024;

/** Runs a soak. */
export async function runSoak(input: SoakInput): Promise<SoakResult> {
  const owner = new Owner();
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-soak-'));
  try {
    return await new Soak(input, folder, owner).run();
  } finally {
    await owner.end();
    await rm(folder, { recursive: true, force: true });
  }
}

/** See the file header. */
class Soak {
  readonly #input: SoakInput;
  readonly #folder: string;
  readonly #owner: Owner;
  readonly #events = new EventCheck();
  readonly #relay = new LineCheck('stdout');
  readonly #memory = new LineCheck('memory', true);
  readonly #problems: string[] = [];
  readonly #latest: string[] = [];
  readonly #samples: Sample[] = [];
  #injector: Injector | null = null;
  readonly #answers = new Map<number, number>();
  readonly #losses = new ToldLosses();
  #slowestMs = 0;
  /** Open files at the end. */
  #open: string[] = [];
  #actions = 0;

  constructor(input: SoakInput, folder: string, owner: Owner) {
    this.#input = input;
    this.#folder = folder;
    this.#owner = owner;
  }

  async run(): Promise<SoakResult> {
    const launched = await this.#launch();
    const socketPath = join(this.#folder, SOCKET);
    await until('the control socket', async () => (await ask(socketPath, 'GET', '/api/v1/version')).status === 200);
    const live = new LiveWatch(socketPath, this.#events, this.#memory);
    await live.open();
    const before = await this.#quiet(launched);
    let isOver = false;
    const zombies = watchZombies(launched, ZOMBIE_PATIENCE_MS, () => isOver);
    const relay = this.#readRelay(launched, () => isOver);
    await call(socketPath, 'supervisor.startAllProcesses', false);
    await this.#act(launched, live);
    const after = await this.#stopAll(launched, socketPath, live);
    isOver = true;
    const zombie = await zombies;
    if (zombie !== null) this.#problems.push(zombie);
    live.close();
    launched.signal('SIGTERM');
    const beganMs = performance.now();
    const ending = await launched.exit;
    const endMs = performance.now() - beganMs;
    if (ending.code !== 0) this.#problems.push(`the supervisor ended with ${JSON.stringify(ending)}`);
    await relay;
    this.#takeRelay(launched);
    const ledger = await readLedger(join(this.#folder, 'ledger'));
    const files = await this.#checkFiles(ledger);
    this.#compare(ledger, live);
    this.#compareResources(before, after);
    return {
      violations: [
        ...this.#problems,
        ...this.#events.violations,
        ...this.#relay.violations,
        ...this.#memory.violations,
        ...files.violations,
      ],
      latest: this.#latest,
      figures: {
        ...this.#figures(before, after),
        lines: this.#relay.lines,
        'lines in files': files.lines,
        'lines missing in files, as told': files.gaps,
        'lines in memory': this.#memory.lines,
        'lines missed in memory': live.missed,
        'runs of workers': ledger.runs.length,
        'TERM to end, ms': Math.round(endMs),
      },
    };
  }

  async #launch(): Promise<Launched> {
    const { seed, size, durationMs } = this.#input;
    const programs = size.loops + size.steady + 20;
    const seconds = durationMs / 1000 + 120;
    await Promise.all(['logs', 'locks'].map((name) => mkdir(join(this.#folder, name))));
    await createLedger(join(this.#folder, 'ledger'), Math.ceil(programs * seconds * RUNS_PER_PROGRAM_AND_SECOND));
    const source = join(import.meta.dirname, 'programs', 'worker.c');
    const worker = await compileInto(this.#folder, source, 'worker');
    const config = firstConfiguration({ folder: this.#folder, worker, seed }, size);
    const path = join(this.#folder, 'supervisord.conf');
    await writeFile(path, config);
    const { context } = this.#owner;
    if ((await injectorSkipReason()) === null) this.#injector = await startInjector(context, FAULTY_CALLS);
    return launch(context, {
      args: ['-c', path],
      under: ['unshare', '--net', '--', ...(this.#injector?.under ?? [])],
      env: { ONEVISOR_CONF: path },
    });
  }

  /** Waits until the supervisor has nothing to do, and takes a sample. */
  async #quiet(launched: Launched): Promise<Sample> {
    let last = await sampleOf(launched.pid);
    for (let turn = 0; turn < 10; turn += 1) {
      await sleep(300);
      const next = await sampleOf(launched.pid);
      if (next.descriptors === last.descriptors && next.threads === last.threads && turn > 2) return next;
      last = next;
    }
    return last;
  }

  /** Carries out the actions of the seed at their times. */
  async #act(launched: Launched, live: LiveWatch): Promise<void> {
    const { seed, durationMs, size, actionsPerSecond, report } = this.#input;
    const random = new Random(seed);
    const world = {
      random,
      size,
      places: { folder: this.#folder, worker: join(this.#folder, 'worker'), seed },
      pid: launched.pid,
      injector: this.#injector,
      cutStream: () => live.cut(),
      stallOutput: (ms: number) => {
        launched.stdout.pause();
        setTimeout(() => launched.stdout.resume(), ms);
      },
    };
    const beganMs = performance.now();
    const inFlight = new Set<Promise<void>>();
    let [dueMs, sampleMs, reportMs] = [0, 0, 60_000];
    while (dueMs < durationMs && this.#violations() === 0 && this.#input.signal?.aborted !== true) {
      const nowMs = performance.now() - beganMs;
      if (nowMs >= sampleMs) {
        this.#samples.push(await sampleOf(launched.pid));
        sampleMs = nowMs + 1000;
      }
      if (nowMs >= reportMs) {
        report(this.#progress(nowMs));
        reportMs += 60_000;
      }
      if (nowMs < dueMs) await sleep(Math.min(dueMs - nowMs, 250));
      if (performance.now() - beganMs < dueMs) continue;
      const action = chooseAction(world);
      dueMs += (2 * random.next() * 1000) / actionsPerSecond;
      const done = this.#carryOut(action, nowMs).finally(() => inFlight.delete(done));
      inFlight.add(done);
      if (inFlight.size >= MOST_IN_FLIGHT) await Promise.race(inFlight);
      // A machine that is too slow for the rate gets fewer actions, in the same order.
      dueMs = Math.max(dueMs, nowMs);
    }
    await Promise.all(inFlight);
  }

  async #carryOut({ text, run }: Action, atMs: number): Promise<void> {
    this.#latest.push(`${(atMs / 1000).toFixed(3)} s: ${text}`);
    if (this.#latest.length > LATEST) this.#latest.shift();
    this.#actions += 1;
    const beganMs = performance.now();
    const answer = await run();
    if (answer === undefined) return;
    this.#slowestMs = Math.max(this.#slowestMs, performance.now() - beganMs);
    this.#answers.set(answer.status, (this.#answers.get(answer.status) ?? 0) + 1);
    if (answer.status === 500 || answer.text.startsWith('Error: no answer'))
      this.#problems.push(`${text}: ${answer.status} ${answer.text.slice(0, 300)}`);
  }

  #violations(): number {
    return (
      this.#problems.length +
      this.#events.violations.length +
      this.#relay.violations.length +
      this.#memory.violations.length
    );
  }

  #progress(nowMs: number): string {
    const sample = this.#samples.at(-1);
    return (
      `${Math.round(nowMs / 60_000)} min: ${this.#actions} actions, ${this.#events.runs} runs, ` +
      `${this.#relay.lines} lines, ${megabytes(sample?.bytes ?? 0)} MB, ${sample?.descriptors} descriptors, ` +
      `${sample?.threads} threads`
    );
  }

  /** Stops all programs. Waits until the clients have everything. Returns the resources then. */
  async #stopAll(launched: Launched, socketPath: string, live: LiveWatch): Promise<Sample> {
    launched.stdout.resume();
    // A reload may be under way, after which programs are started.
    await until(
      'all programs to be stopped',
      async () => {
        await call(socketPath, 'supervisor.stopAllProcesses', true);
        const { status, text } = await ask(socketPath, 'GET', '/api/v1/processes');
        return status === 200 && !/"(RUNNING|STARTING|BACKOFF|STOPPING)"/.test(text);
      },
      60_000,
    );
    await until('the events of the last ends', () => live.isOpen && this.#events.open.length === 0).catch(() =>
      this.#problems.push(`runs without an end: ${this.#events.open.join(', ')}`),
    );
    let lines = -1;
    while (lines !== this.#memory.lines + this.#relay.lines) {
      lines = this.#memory.lines + this.#relay.lines;
      await sleep(1000);
    }
    await writeFile(join(this.#folder, 'supervisord.conf'), lastConfiguration({ folder: this.#folder }));
    await until('all programs to be removed', async () => {
      await ask(socketPath, 'POST', '/api/v1/config/update', '{}');
      return (await ask(socketPath, 'GET', '/api/v1/groups')).text.replaceAll(/\s/g, '') === '{"groups":[]}';
    });
    const sample = await this.#quiet(launched);
    const names = await readdir(`/proc/${launched.pid}/fd`);
    this.#open = await Promise.all(
      names.map((name) => readlink(`/proc/${launched.pid}/fd/${name}`).catch(() => 'closed')),
    );
    return sample;
  }

  /** Checks the standard output while it comes, and lets go of it. */
  async #readRelay(launched: Launched, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      this.#takeRelay(launched);
      await sleep(100);
    }
  }

  #takeRelay({ stdout }: Launched): void {
    for (const line of stdout.all.splice(0)) {
      const bar = line.indexOf(' | ');
      const isTaken = this.#relay.take(
        bar > 0 ? line.slice(0, bar).trimEnd() : null,
        line.slice(bar > 0 ? bar + 3 : 0),
      );
      if (!isTaken) this.#losses.take(line);
      if (!isTaken && isPieceOfWorker(line)) this.#relay.violate(`a line is torn: ${line.slice(0, 200)}`);
    }
  }

  /** Checks the log files with their backups. A file that could not be written for a while may lack what was told. */
  async #checkFiles(ledger: LedgerContent): Promise<LineCheck> {
    const check = new LineCheck('files', true);
    const folder = join(this.#folder, 'logs');
    const number = (name: string): number => Number(/\.log\.(\d+)(\.gz)?$/.exec(name)?.[1] ?? 0);
    const names = (await readdir(folder)).sort((a, b) => number(b) - number(a));
    for (const name of names) {
      const bytes = await readFile(join(folder, name));
      const text = (name.endsWith('.gz') ? await unzip(bytes) : bytes).toString('latin1');
      const program = name.replace(/\.log.*$/, '');
      for (const line of text.split('\n'))
        if (line !== '' && !check.take(program, line)) check.violate(`${name} has the line ${line.slice(0, 200)}`);
    }
    check.compare(ledger);
    for (const [name, missing] of check.missingOf) {
      const told = this.#losses.of(name);
      if (missing > told) check.violate(`${name} lacks ${missing} lines, and our log tells of ${told}`);
    }
    return check;
  }

  /** Compares what the sinks and the events say with the records of the programs. */
  #compare(ledger: LedgerContent, live: LiveWatch): void {
    this.#relay.compare(ledger);
    this.#memory.compare(ledger);
    if (ledger.overlaps > 0) this.#problems.push(`${ledger.overlaps} runs began while the one before lived`);
    if (this.#memory.gaps > 0 && live.missed === 0)
      this.#problems.push(`memory: ${this.#memory.missing.join(', ')}: missing, and no loss was told`);
    const recorded = new Map<string, number>();
    // A run that was killed at once may have no name.
    for (const { name } of ledger.runs) if (name !== '') recorded.set(name, (recorded.get(name) ?? 0) + 1);
    let unrecorded = 0;
    for (const [name, starts] of this.#events.starts) {
      const plain = name.slice(name.indexOf(':') + 1);
      const executed = starts - (this.#events.notExecuted.get(name) ?? 0);
      const count = recorded.get(plain) ?? 0;
      recorded.delete(plain);
      if (count > executed) this.#problems.push(`${name} ran ${count} times, and the events tell ${executed} runs`);
      unrecorded += executed - count;
    }
    for (const [name, count] of recorded) this.#problems.push(`${name} ran ${count} times without an event`);
    // A program that is killed right after exec has no time to record its run.
    if (unrecorded > this.#events.signalled)
      this.#problems.push(
        `${unrecorded} runs of the events have no record, and only ${this.#events.signalled} were killed`,
      );
  }

  #compareResources(before: Sample, after: Sample): void {
    if (after.descriptors > before.descriptors + 4)
      this.#problems.push(
        `${after.descriptors} descriptors at the end, ${before.descriptors} at the beginning: ${this.#open.join(', ')}`,
      );
    if (after.threads > before.threads + 1)
      this.#problems.push(`${after.threads} threads at the end, ${before.threads} at the beginning`);
    const { middle, end } = this.#memoryInTime();
    if (end > middle + MEMORY_ALLOWANCE)
      this.#problems.push(`memory grew from ${megabytes(middle)} to ${megabytes(end)} MB`);
  }

  /** Median of the memory in the second fourth of the time, and in the last fourth. */
  #memoryInTime(): { readonly middle: number; readonly end: number } {
    const fourth = Math.floor(this.#samples.length / 4);
    const median = (samples: readonly Sample[]): number =>
      samples.map(({ bytes }) => bytes).toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0;
    return { middle: median(this.#samples.slice(fourth, 2 * fourth)), end: median(this.#samples.slice(-fourth)) };
  }

  #figures(before: Sample, after: Sample): SoakResult['figures'] {
    const { middle, end } = this.#memoryInTime();
    const most = (of: (sample: Sample) => number): number => Math.max(...this.#samples.map(of));
    return {
      actions: this.#actions,
      runs: this.#events.runs,
      transitions: [...this.#events.transitions].map(([name, count]) => `${name} ${count}`).join(', '),
      answers: [...this.#answers].map(([status, count]) => `${status}: ${count}`).join(', '),
      'slowest answer, ms': Math.round(this.#slowestMs),
      'memory at start, MB': megabytes(before.bytes),
      'memory in the second fourth, MB': megabytes(middle),
      'memory in the last fourth, MB': megabytes(end),
      'most memory, MB': megabytes(most(({ bytes }) => bytes)),
      'memory after all stopped, MB': megabytes(after.bytes),
      'descriptors before, most, after': [before, { descriptors: most(({ descriptors }) => descriptors) }, after]
        .map(({ descriptors }) => descriptors)
        .join(', '),
      'threads before, most, after': `${before.threads}, ${most(({ threads }) => threads)}, ${after.threads}`,
    };
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1048576).toFixed(1);
}
