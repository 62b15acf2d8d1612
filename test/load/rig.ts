/**
 * Parts of the load tests: a client that asks for the state all the time, the time from TERM to the end, samples of
 * PID 1. The bounds of the tests are generous, since machines are busy; the figures are printed.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch, type Launched, type LaunchOptions } from '../e2e/launch.ts';
import { until } from '../e2e/observe.ts';
import { call, type Sample, sampleOf } from '../soak/supervisor.ts';
import type { TestContext } from 'node:test';

/** Longest time that an answer may take under load. */
export const PATIENCE_MS = 15_000;
/** Longest time from TERM to the end under load: the default of stop_budget (9.5 s) and some more. */
export const END_PATIENCE_MS = 20_000;

const MB = 1024 * 1024;

/** The control socket of a launched supervisor. */
export const socketOf = ({ folder }: Launched): string => join(folder, 's.sock');

/** Starts a supervisor in namespaces of its own, with a control socket. `sections`: the programs. */
export function launchLoad(t: TestContext, sections: string, options: LaunchOptions = {}): Promise<Launched> {
  const { under = [], ...rest } = options;
  return launch(t, {
    ...rest,
    config: `[supervisord]\nlogfile=%FOLDER%/supervisord.log\n[unix_http_server]\nfile=%FOLDER%/s.sock\n${sections}`,
    under: ['unshare', '--net', '--', ...under],
  });
}

/** Waits until the supervisor answers. */
export async function untilAnswer(launched: Launched): Promise<void> {
  await until('an answer', async () => (await call(socketOf(launched), 'supervisor.getState')).status === 200, 60_000);
}

/** Times of answers in milliseconds. */
export interface Times {
  readonly count: number;
  readonly median: number;
  readonly p99: number;
  readonly worst: number;
}

/** Sums up times. */
export function summarize(times: readonly number[]): Times {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { count: times.length, median: at(0.5), p99: at(0.99), worst: at(1) };
}

/** Asks for the state of a supervisor, again and again until it is stopped. */
export class StatusClient {
  readonly #times: number[] = [];
  readonly #done: Promise<void>;
  #isOver = false;

  constructor(launched: Launched, pauseMs = 100) {
    this.#done = this.#run(socketOf(launched), pauseMs);
  }

  async #run(socketPath: string, pauseMs: number): Promise<void> {
    while (!this.#isOver) {
      const beganMs = performance.now();
      const { status, text } = await call(socketPath, 'supervisor.getState');
      assert.equal(status, 200, text);
      this.#times.push(performance.now() - beganMs);
      await sleep(pauseMs);
    }
  }

  async stop(): Promise<Times> {
    this.#isOver = true;
    await this.#done;
    return summarize(this.#times);
  }
}

/** Sends TERM, waits for the end with the code 0, and returns the milliseconds. */
export async function endByTerm(launched: Launched): Promise<number> {
  const beganMs = performance.now();
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  return Math.round(performance.now() - beganMs);
}

/** Prints the figures of a case as diagnostics. */
export function tell(t: TestContext, figures: Readonly<Record<string, unknown>>): void {
  t.diagnostic(
    Object.entries(figures)
      .map(([name, figure]) => `${name}: ${formatFigure(figure)}`)
      .join('; '),
  );
}

function formatFigure(figure: unknown): string {
  if (isTimes(figure)) return `${figure.median}/${figure.p99}/${figure.worst} ms (median/p99/worst of ${figure.count})`;
  return String(figure);
}

function isTimes(figure: unknown): figure is Times {
  return typeof figure === 'object' && figure !== null && 'p99' in figure;
}

/** Formats a sample. */
export function formatSample({ bytes, descriptors, threads }: Sample): string {
  return `${(bytes / MB).toFixed(1)} MB, ${descriptors} descriptors, ${threads} threads`;
}

/** Waits until the memory of PID 1 is below a bound. It gives memory back some time after a burst. */
export async function untilMemoryBelow(launched: Launched, bytes: number): Promise<Sample> {
  let last = await sampleOf(launched.pid);
  await until(
    'the memory to fall',
    async () => {
      last = await sampleOf(launched.pid);
      if (last.bytes > bytes) await sleep(500);
      return last.bytes <= bytes;
    },
    60_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${formatSample(last)}, and the bound is ${bytes / MB} MB`);
  });
  return last;
}

/** Asserts that answers came in time. */
export function assertAnswered(times: Times): void {
  assert.ok(times.count > 0, 'answers came');
  assert.ok(times.worst < PATIENCE_MS, `the slowest answer took ${times.worst} ms`);
}

/** Asserts that the end came in time. */
export function assertEnded(ms: number): void {
  assert.ok(ms < END_PATIENCE_MS, `the end took ${ms} ms`);
}

export const MEGABYTE = MB;
