/** Seconds that the files and the tests of a ring take, from the events of Node's runner. */
import { relative } from 'node:path';
import { ROOT } from './platform.ts';
import type { TestEvent } from 'node:test/reporters';

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
}
