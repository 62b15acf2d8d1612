/**
 * Seconds that the files and the tests of a ring take, from the events of Node's runner. The seconds of files are kept
 * for the next run, which begins with the longest files: then no long file runs alone at the end.
 */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { CACHE, ROOT } from './platform.ts';
import type { TestEvent } from 'node:test/reporters';

/** Seconds of the files of earlier runs, by path below {@link ROOT}. */
const KEPT = join(CACHE, 'test-times.json');

/** Bytes of a new file that are taken for a second. */
const BYTES_PER_SECOND = 500;

interface Took {
  readonly name: string;
  readonly seconds: number;
}

/** Collects the times of one ring. */
export class Times {
  /** Start of each file that runs, in milliseconds. */
  readonly #started = new Map<string, number>();
  readonly #files: Took[] = [];
  readonly #tests: Took[] = [];

  /**
   * Reads an event. A file is a test with its path as its name. It is announced (`test:enqueue`) when the ring begins
   * and taken (`test:dequeue`) when its process starts.
   */
  add(event: TestEvent): void {
    if (event.type !== 'test:dequeue' && event.type !== 'test:complete') return;
    const { file, name, nesting } = event.data;
    if (file === undefined || nesting > 0) return;
    if (event.type === 'test:dequeue') {
      if (name === file) this.#started.set(file, performance.now());
      return;
    }
    const place = relative(ROOT, file);
    const startedMs = this.#started.get(file);
    if (name !== file) this.#tests.push({ name: `${place}: ${name}`, seconds: event.data.details.duration_ms / 1000 });
    else if (startedMs !== undefined)
      this.#files.push({ name: place, seconds: (performance.now() - startedMs) / 1000 });
  }

  /** Returns a line for each of the `count` slowest files, and then of the `count` slowest tests. */
  slowest(count: number): readonly string[] {
    return [this.#files, this.#tests].flatMap((all) =>
      all
        .toSorted((a, b) => b.seconds - a.seconds)
        .slice(0, count)
        .map(({ name, seconds }) => `${seconds.toFixed(1).padStart(6)} s  ${name}`),
    );
  }

  /** Keeps the times of the files for the next run. */
  async remember(): Promise<void> {
    const all = {
      ...(await keptTimes()),
      ...Object.fromEntries(this.#files.map(({ name, seconds }) => [name, seconds])),
    };
    await mkdir(dirname(KEPT), { recursive: true });
    await writeFile(KEPT, JSON.stringify(all));
  }
}

/** Returns files (absolute paths) in the order of a run. The time of a new file is estimated by its size. */
export async function longestFirst(files: readonly string[]): Promise<readonly string[]> {
  const kept = await keptTimes();
  const estimated = await Promise.all(
    files.map(async (file) => ({
      file,
      seconds: kept[relative(ROOT, file)] ?? (await stat(file)).size / BYTES_PER_SECOND,
    })),
  );
  return estimated.toSorted((a, b) => b.seconds - a.seconds).map(({ file }) => file);
}

async function keptTimes(): Promise<Readonly<Record<string, number>>> {
  try {
    return JSON.parse(await readFile(KEPT, 'utf8')) as Record<string, number>;
  } catch {
    // This is the first run, or another ring was writing the file at that moment. Only the order depends on it.
    return {};
  }
}
