/**
 * Fuzzing with the coverage of V8: inputs that reach new code are kept, and later inputs are made from them.
 */
import { Session } from 'node:inspector';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mutate, Random, SEED } from './random.ts';

/** A function under test. */
export interface Target {
  readonly name: string;
  readonly seeds: readonly string[];
  /** Pieces that the parser knows. */
  readonly words: readonly string[];
  /** Throws if the input shows a fault. */
  readonly run: (input: string) => void;
}

/** The result without a fault. */
export interface Fuzzed {
  readonly cases: number;
  /** Inputs that reached new code. */
  readonly kept: number;
  /** Pieces of code that were reached. */
  readonly blocks: number;
}

/** Inputs of one round with coverage. */
const ROUND = 100;
/** Share of the time with coverage. It slows the code down, so the rest goes without it. */
const GUIDED_SHARE = 0.3;
/** An input that takes longer is a fault. The slowest good one is `numprocs=32768`, with up to 3 s. */
const SLOW_MS = 6000;
const MOST_KEPT = 2000;

const corpus = join(import.meta.dirname, 'corpus');

/** Returns the files of the corpus for a target. */
export function corpusOf(name: string): string[] {
  return readdirSync(corpus)
    .filter((file) => file.startsWith(`${name}.`))
    .map((file) => readFileSync(join(corpus, file), 'utf8'));
}

/** Runs a target for a time. Throws at the first fault, with the smallest input that shows it. */
export function fuzz(target: Target, forMs: number): Fuzzed {
  const random = new Random(SEED);
  const kept = [...target.seeds, ...corpusOf(target.name)];
  const make = (): string => mutate(random.pick(kept), random, target.words, random.pick(kept));
  const beganMs = performance.now();
  let cases = 0;
  const coverage = new Coverage();
  for (const input of kept) runOne(target, input);
  coverage.isNew();
  while (performance.now() < beganMs + forMs * GUIDED_SHARE) {
    const inputs = Array.from({ length: ROUND }, make);
    cases += inputs.length;
    for (const input of inputs) runOne(target, input);
    if (coverage.isNew() && kept.length < MOST_KEPT) kept.push(...findNew(target, inputs, coverage));
  }
  coverage.close();
  while (performance.now() < beganMs + forMs) {
    for (let count = 0; count < ROUND; count += 1) runOne(target, make());
    cases += ROUND;
  }
  return { cases, kept: kept.length, blocks: coverage.blocks };
}

/** Finds the inputs of a round that reach new code: halves of it run again, since a look at the coverage is slow. */
function findNew(target: Target, inputs: readonly string[], coverage: Coverage): string[] {
  if (inputs.length === 1) return [...inputs];
  coverage.forgetLatest();
  const middle = Math.ceil(inputs.length / 2);
  return [inputs.slice(0, middle), inputs.slice(middle)].flatMap((half) => {
    for (const input of half) runOne(target, input);
    return coverage.isNew() ? findNew(target, half, coverage) : [];
  });
}

function runOne(target: Target, input: string): void {
  const fault = faultOf(target, input);
  if (fault === null) return;
  const smallest = shrink(input, (shorter) => faultOf(target, shorter)?.name === fault.name);
  throw new Error(`${target.name}: TEST_SEED=${SEED}, input ${JSON.stringify(smallest)}`, {
    cause: faultOf(target, smallest) ?? fault,
  });
}

function faultOf({ run }: Target, input: string): Error | null {
  // Processor time, because other work of the machine must not count.
  const before = process.cpuUsage();
  try {
    run(input);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
  const { user, system } = process.cpuUsage(before);
  const tookMs = (user + system) / 1000;
  return tookMs > SLOW_MS ? new Error(`it took ${Math.round(tookMs)} ms`) : null;
}

/** Removes pieces of an input for as long as `shows` is true. */
export function shrink(input: string, shows: (shorter: string) => boolean): string {
  let smallest = input;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = Math.floor(size / 2))
    for (let at = 0; at < smallest.length;) {
      const shorter = smallest.slice(0, at) + smallest.slice(at + size);
      if (shows(shorter)) smallest = shorter;
      else at += size;
    }
  return smallest;
}

/** The same where one question costs as much as a hundred: `show` judges many texts at once. */
export function shrinkInBatches(input: string, show: (shorter: readonly string[]) => readonly boolean[]): string {
  return shrinkListInBatches(input.split(''), (all) => show(all.map((units) => units.join('')))).join('');
}

/** The same for a list. */
export function shrinkListInBatches<T>(
  input: readonly T[],
  show: (shorter: ReadonlyArray<readonly T[]>) => readonly boolean[],
): readonly T[] {
  let smallest = input;
  for (let size = Math.ceil(input.length / 2); size >= 1;) {
    const shorter = Array.from({ length: Math.ceil(smallest.length / size) }, (_, index) =>
      smallest.toSpliced(index * size, size),
    );
    const found = show(shorter).indexOf(true);
    if (found === -1) size = Math.floor(size / 2);
    else smallest = shorter[found] ?? smallest;
  }
  return smallest;
}

/** The blocks of our own code that have run, from V8's precise coverage. */
class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  #latest: string[] = [];

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  get blocks(): number {
    return this.#seen.size;
  }

  /** True if a block has run for the first time. */
  isNew(): boolean {
    this.#latest = [];
    this.#session.post('Profiler.takePreciseCoverage', (_error, { result }) => {
      for (const { url, functions } of result) {
        if (!url.includes('/src/') && !url.includes('/build/')) continue;
        for (const { ranges } of functions)
          for (const { startOffset, endOffset, count } of ranges) {
            if (count === 0) continue;
            const block = `${url}:${startOffset}-${endOffset}`;
            if (this.#seen.has(block)) continue;
            this.#seen.add(block);
            this.#latest.push(block);
          }
      }
    });
    return this.#latest.length > 0;
  }

  /** Forgets what the last call has found. */
  forgetLatest(): void {
    for (const block of this.#latest) this.#seen.delete(block);
  }

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }
}
